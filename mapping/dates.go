package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// dateForm is a form in which a day or a time is written as text.
type dateForm struct {
	layout string // the form for package time
	typ    typ    // dayType or instantType
	zoned  bool   // whether the text has a zone
	name   string // the form in a rule file
}

// dayOrTime returns the form of a day or a time for a rule that names none.
func dayOrTime(t typ) dateForm {
	if t == dayType {
		return dateForm{time.DateOnly, dayType, false, "YYYY-MM-DD"}
	}
	return dateForm{time.RFC3339Nano, instantType, true, "RFC 3339"}
}

var dateTokens = strings.NewReplacer(
	"YYYY", "2006", "MM", "01", "DD", "02", "HH", "15", "mm", "04", "ss", "05", "Z", "Z07:00")

// parseForm reads a form such as "DD.MM.YYYY" or "YYYY-MM-DDTHH:mmZ".
func parseForm(text string) (form dateForm, problem string) {
	form = dateForm{layout: dateTokens.Replace(text), typ: dayType, zoned: strings.Contains(text, "Z"), name: text}
	if text == "" {
		return form, "the form is missing, such as DD.MM.YYYY"
	}
	counts := map[string]int{}
	rest := text
	for _, token := range []string{"YYYY", "MM", "DD", "HH", "mm", "ss", "Z"} {
		if counts[token] = strings.Count(rest, token); counts[token] > 1 {
			return form, "the form has " + token + " twice"
		}
		rest = strings.ReplaceAll(rest, token, "\x00")
	}
	if strings.ContainsFunc(rest, func(r rune) bool { return !strings.ContainsRune("\x00 -/.,:T", r) }) {
		return form, "the form must consist of YYYY, MM, DD, HH, mm, ss, Z (the zone) " +
			"and - / . , : T or spaces between them"
	}
	switch {
	case counts["YYYY"]+counts["MM"]+counts["DD"] != 3:
		return form, "the form must have YYYY, MM and DD"
	case counts["HH"] != counts["mm"], counts["ss"] > counts["HH"], counts["Z"] > counts["HH"]:
		return form, "a time of the day must have HH and mm; ss and Z are optional"
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

// write writes a day or a time. A form without a zone gives the time in the location's zone.
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
	if v.note == "" { // a note of a loss says more
		v.note = "written as " + f.name
	}
	return v
}

// dateForms are the forms in which the two sides write a date as text; nil where a rule names none.
type dateForms struct{ ghl, pluvo *dateForm }

// readForms reads the setting of the transform of dates: the form of the side that is a text, or one form for each
// side.
func readForms(arg *node, c *mistakes) (forms dateForms, ok bool) {
	before := len(c.list)
	read := func(n *node) *dateForm {
		form, problem := parseForm(n.word())
		if problem != "" {
			c.add(n.position, "date: %s", problem)
		}
		return &form
	}
	if arg.kind != objectNode {
		form := read(arg)
		return dateForms{form, form}, len(c.list) == before
	}
	c.object(arg, "date", []string{"ghl", "pluvo"}, func(side string, n *node) {
		if side == "ghl" {
			forms.ghl = read(n)
		} else {
			forms.pluvo = read(n)
		}
	})
	return forms, len(c.list) == before
}

// addDate adds the transform of days and times.
func (ch *chain) addDate(at position, arg *node, c *mistakes) {
	forms, ok := readForms(arg, c)
	switch {
	case !ok:
	case ch.cur == anyType:
		if ch.cur = textType; ch.to == dayType || ch.to == instantType {
			ch.cur = ch.to
		}
	case ch.cur != textType && ch.cur != dayType && ch.cur != instantType:
		c.add(at, "date must be used on a day, a time or a text, got %s", ch.cur)
	case ch.cur == textType && ch.to == textType && arg.kind != objectNode:
		c.add(at,
			"both sides are texts: give the form of each side, such as date: {ghl: MM/DD/YYYY, pluvo: YYYY-MM-DD}")
	default:
		if ch.cur == textType {
			form := forms.ghl.or(dayType)
			ch.add(form.typ, form.read, form.write)
		}
		if ch.to != dayType && ch.to != instantType {
			ch.addDateText(at, forms.pluvo.or(ch.cur), c)
		}
		ch.options = nil
	}
}

// addDateText adds the steps that make a text of a day or a time, in Pluvo.
func (ch *chain) addDateText(at position, form dateForm, c *mistakes) {
	switch {
	case ch.cur == dayType && form.typ == instantType:
		c.add(at, "a day has no time of the day, which %q needs", form.name)
		return
	case ch.cur == instantType && form.typ == dayType && ch.toGHL:
		c.add(at, "%q omits the time of the day, so the rule cannot be used backwards: set direction: toPluvo",
			form.name)
		return
	case ch.cur == instantType && form.typ == dayType:
		ch.add(dayType, dayAtLocation, nil)
	}
	ch.add(textType, form.write, form.read)
}

// or returns the form, or that of a type if it is nil.
func (f *dateForm) or(t typ) dateForm {
	if f == nil {
		return dayOrTime(t)
	}
	return *f
}

// dayAtLocation returns the day of an instant in the location's zone.
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
