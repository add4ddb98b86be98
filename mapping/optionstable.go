package mapping

import "slices"

// optionTable translates words.
type optionTable map[string]string

// addOptions adds a table from GHL's words to Pluvo's.
func (ch *chain) addOptions(at position, arg *node, c *mistakes) {
	if !ch.words() {
		c.add(at, "options must be used on a text or a list, got %s", ch.cur)
		return
	}
	if arg.kind != objectNode || len(arg.keys) == 0 {
		c.add(arg.position, "options must be a table of HighLevel's words and Pluvo's, such as %s",
			transforms["options"].example)
		return
	}
	forward, backward := optionTable{}, optionTable{}
	for i, key := range arg.keys {
		from, to := key.word(), arg.list[i].word()
		switch {
		case from == "" || to == "":
			c.add(key.position, "an option must be a text on both sides")
			continue
		case forward[from] != "":
			c.add(key.position, "options has %s twice", key.quoted())
			continue
		case ch.toGHL && backward[to] != "":
			c.add(arg.list[i].position, "Pluvo's %s is the word for two of HighLevel's options, "+
				"so the rule cannot be used backwards: set direction: toPluvo", arg.list[i].quoted())
		}
		if len(ch.options) > 0 && !slices.Contains(ch.options, from) {
			c.add(key.position, "the field in HighLevel has no option %s; %s", key.quoted(),
				meant(from, ch.options, "it has"))
		}
		forward[from], backward[to] = to, from
	}
	ch.options = nil
	if ch.cur == listType {
		ch.add(ch.cur, forward.list, backward.list)
	} else {
		ch.add(ch.cur, forward.text, backward.text)
	}
}

func (t optionTable) text(_ *Mapper, v value) value {
	if v.text == "" {
		return v
	}
	text := t[v.text]
	switch text {
	case "":
		v.problem = whyNoOption
		return v
	case v.text:
	default:
		v.note = whyOption
	}
	v.text = text
	return v
}

func (t optionTable) list(m *Mapper, v value) value {
	list := make([]string, len(v.list))
	for i, s := range v.list {
		item := t.text(m, value{text: s})
		if item.problem != "" || item.text == "" {
			v.problem = whyNoOption
			return v
		}
		if list[i] = item.text; item.note != "" {
			v.note = item.note
		}
	}
	v.list = list
	return v
}
