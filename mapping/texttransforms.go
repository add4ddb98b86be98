package mapping

import (
	"slices"
	"strings"
)

// textChange changes one text and returns a note if the text is another one then.
type textChange func(m *Mapper, text string) (changed, note string)

// addText adds a transform that changes each text, the same way in both directions.
func (ch *chain) addText(name string, at position, c *mistakes, change textChange) {
	if !ch.words() {
		c.add(at, "%s must be used on a text or a list, got %s", name, ch.cur)
		return
	}
	s := change.text
	if ch.cur == listType {
		s = change.list
	}
	ch.options = nil
	ch.add(ch.cur, s, s)
}

func (change textChange) text(m *Mapper, v value) value {
	text, note := change(m, v.text)
	if v.text = text; note != "" {
		v.note = note
	}
	return v
}

func (change textChange) list(m *Mapper, v value) value {
	v.list = slices.Clone(v.list)
	for i := range v.list {
		text, note := change(m, v.list[i])
		if v.list[i] = text; note != "" {
			v.note = note
		}
	}
	v.list = slices.DeleteFunc(v.list, func(s string) bool { return s == "" })
	return v
}

// addForm adds a transform that leaves a text that it has changed already as it is. One of GHL's options that the
// transform changes has no way back.
func (ch *chain) addForm(name string, at position, c *mistakes, form func(string) string, note string) {
	before := len(c.list)
	ch.words()
	for _, option := range ch.options {
		if ch.toGHL && form(option) != option {
			c.add(at, "%s changes %q, which is an option of the field in HighLevel, so the rule cannot be used "+
				"backwards: set direction: toPluvo", name, option)
		}
	}
	if len(c.list) > before {
		return
	}
	ch.addText(name, at, c, func(_ *Mapper, text string) (string, string) {
		if changed := form(text); changed != text {
			return changed, note
		}
		return text, ""
	})
}

func (ch *chain) addTrim(at position, _ *node, c *mistakes) {
	ch.addForm("trim", at, c, strings.TrimSpace, whyTrimmed)
}

func (ch *chain) addPhone(at position, _ *node, c *mistakes) {
	ch.addText("phone", at, c, (*Mapper).phone)
}

func (ch *chain) addCase(at position, arg *node, c *mistakes) {
	switch arg.word() {
	case "lower":
		ch.addForm("case", at, c, strings.ToLower, whyLower)
	case "upper":
		ch.addForm("case", at, c, strings.ToUpper, whyUpper)
	default:
		c.add(arg.position, "case must be lower or upper, got %s", arg.quoted())
	}
}

func (ch *chain) addJoin(at position, arg *node, c *mistakes) {
	if separator := arg.word(); separator == "" {
		c.add(arg.position, "join must be the text between the items, got %s", arg.quoted())
	} else if ch.cur != listType && ch.cur != anyType {
		c.add(at, "join must be used on a list, got %s", ch.cur)
	} else {
		ch.add(textType, joinBy(separator, ch.twoWay()), splitBy(separator))
	}
}

func (ch *chain) addSplit(at position, arg *node, c *mistakes) {
	if separator := arg.word(); separator == "" {
		c.add(arg.position, "split must be the text between the items, got %s", arg.quoted())
	} else if !ch.words() || ch.cur == listType {
		c.add(at, "split must be used on a text, got %s", ch.cur)
	} else {
		ch.add(listType, splitBy(separator), joinBy(separator, ch.twoWay()))
	}
}

// joinBy makes a text of a list. If the text is split again on the way back, it refuses a list that would not come
// back.
func joinBy(separator string, twoWay bool) step {
	return func(_ *Mapper, v value) value {
		text := strings.Join(v.list, separator)
		if twoWay && !slices.Equal(v.list, splitText(text, separator)) {
			v.problem = whySeparator
			return v
		}
		v.text, v.list = text, nil
		if v.text != "" {
			v.note = whyJoined
		}
		return v
	}
}

// splitText returns the items of a text, without blank ones.
func splitText(text, separator string) []string {
	return slices.DeleteFunc(strings.Split(text, separator), func(s string) bool { return strings.TrimSpace(s) == "" })
}

func splitBy(separator string) step {
	return func(_ *Mapper, v value) value {
		if v.text != "" {
			v.list = splitText(v.text, separator)
			v.text, v.note = "", whySplit
		}
		return v
	}
}
