package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// dateForm is how a day or a time is written as text.
type dateForm struct {
	layout string // as package time has it
	typ    typ    // dayType or instantType
	zoned  bool   // the text says which zone is meant
	name   string // as the rule file has it
}

// dayOrTime is how a day or a time is written where the rule does not say.
func dayOrTime(t typ) dateForm {
	if t == dayType {
		return dateForm{time.DateOnly, dayType, false, "YYYY-MM-DD"}
	}
	return dateForm{time.RFC3339Nano, instantType, true, "RFC 3339"}
}

var dateTokens = strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "HH", "15", "mm", "04", "ss", "05", "Z", "Z07:00")

// parseForm reads a form such as "DD.MM.YYYY" or "YYYY-MM-DDTHH:mmZ".
func parseForm(text string) (form dateForm, problem string) {
	form = dateForm{layout: dateTokens.Replace(text), typ: dayType, zoned: strings.Contains(text, "Z"), name: text}
	counts := map[string]int{}
	rest := text
	for _, token := range []string{"YYYY", "MM", "DD", "HH", "mm", "ss", "Z"} {
		counts[token] = strings.Count(rest, token)
		rest = strings.ReplaceAll(rest, token, "\x00")
	}
	for token, n := range counts {
		if n > 1 {
			return form, token + " comes twice"
		}
	}
	if left := strings.Trim(rest, "\x00 -/.,:T"); left != "" || strings.ContainsFunc(rest, func(r rune) bool { return !strings.ContainsRune("\x00 -/.,:T", r) }) {
		return form, "a date is written with YYYY, MM, DD, HH, mm, ss, Z (the zone) and - / . , : T or spaces between them"
	}
	switch {
	case counts["YYYY"]+counts["MM"]+counts["DD"] != 3:
		return form, "a date needs YYYY, MM and DD"
	case counts["HH"] != counts["mm"], counts["ss"] > counts["HH"], counts["Z"] > counts["HH"]:
		return form, "a time needs HH and mm, then ss and Z if wanted"
	}
	if counts["HH"] == 1 {
		form.typ = instantType
	}
	return form, ""
}

// read reads a text.
func (f dateForm) read(m *Mapper, v value) value {
	if v.text == "" {
		return v
	}
	at, err := time.Parse(f.layout, v.text)
	switch {
	case err != nil:
		v.problem = "it is not written as " + f.name
		return v
	case at.IsZero() || at.UTC().Year() < 1 || at.UTC().Year() > 9999:
		v.problem = whyNoYear
		return v
	case f.typ == dayType:
		v.at = at
	default:
		t := ghl.NewTime(at)
		if !f.zoned {
			t = ghl.ParseTime(at.Format("2006-01-02T15:04:05.999999999"))
		}
		var note string
		if v.at, note, v.problem = m.instant(t); note != "" {
			v.note = note
		}
	}
	v.text = ""
	return v
}

// write writes a day or a time; a time without its zone in the location's.
func (f dateForm) write(m *Mapper, v value) value {
	if v.at.IsZero() {
		return v
	}
	at := v.at.UTC()
	if f.typ == instantType && !f.zoned {
		if m.o.TimeZone == nil {
			v.problem = whyNoZone
			return v
		}
		at = at.In(m.o.TimeZone)
	}
	v.text, v.at = at.Format(f.layout), time.Time{}
	if v.note == "" { // what it has lost says more
		v.note = "written as " + f.name
	}
	return v
}

// addDate adds the transform of days and times. Its setting is how the side that is text writes them, or an object with one
// form for each side.
func (ch *chain) addDate(line int, arg *node, c *mistakes) {
	forms := map[string]dateForm{}
	read := func(side string, n *node) {
		form, problem := parseForm(n.word())
		if n.word() == "" {
			problem = "it needs a form, such as DD.MM.YYYY"
		}
		if problem != "" {
			c.add(n.line, "date: %s", problem)
			return
		}
		forms[side] = form
	}
	wrong := len(c.list)
	if arg.kind == objectNode {
		c.object(arg, "date", []string{"ghl", "pluvo"}, read)
	} else {
		read("ghl", arg)
		forms["pluvo"] = forms["ghl"]
	}
	if len(c.list) > wrong {
		return
	}
	if ch.cur != textType && ch.cur != dayType && ch.cur != instantType {
		c.add(line, "date is for days, times and texts, and this is %s", ch.cur)
		return
	}
	if ch.cur == textType && ch.to == textType && len(forms) == 2 && arg.kind != objectNode {
		c.add(line, "both sides are texts: say how each writes a date, with ghl: and pluvo:")
		return
	}
	given, wanted := ch.cur, ch.to // what the two ends hold: a day or a time
	if given == textType {
		form, ok := forms["ghl"]
		if !ok {
			form = dayOrTime(dayType)
		}
		given = form.typ
		ch.add(given, form.read, form.write)
	}
	if wanted != dayType && wanted != instantType {
		form, ok := forms["pluvo"]
		if !ok {
			form = dayOrTime(given)
		}
		wanted = form.typ
		switch {
		case given == dayType && wanted == instantType:
			c.add(line, "a day does not say the time of the day, which %q asks for", form.name)
			return
		case given == instantType && wanted == dayType && ch.toGHL:
			c.add(line, "%q leaves the time out, so there is no way back: set direction: toPluvo", form.name)
			return
		case given == instantType && wanted == dayType:
			ch.add(dayType, dayAtLocation, nil)
		}
		ch.add(textType, form.write, form.read)
	}
	ch.options = nil
}

// dayAtLocation returns the day that an instant is on in the location.
func dayAtLocation(m *Mapper, v value) value {
	switch {
	case v.at.IsZero():
	case m.o.TimeZone == nil:
		v.problem = whyNoZone
	default:
		y, mo, d := v.at.In(m.o.TimeZone).Date()
		v.at = time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)
	}
	return v
}
