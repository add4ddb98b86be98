package mapping

import (
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

// step is a part of a rule. It is not asked about a value that has a problem, and leaves an empty one empty.
type step func(m *Mapper, v value) value

func run(m *Mapper, v value, steps []step) value {
	for _, s := range steps {
		if v.problem != "" {
			break
		}
		v = s(m, v)
	}
	return v
}

// chain is what a rule does with a value on its way: forward from GHL to Pluvo, backward the other way. It is built from
// GHL's end, so that at each step the type is known.
type chain struct {
	from, to          typ // the types at both ends
	toPluvo, toGHL    bool
	forward, backward []step // backward is in the order of forward until the chain is done

	cur     typ
	options []string // that GHL's field has, while the value is still in GHL's words
}

func (ch *chain) add(cur typ, forward, backward step) {
	ch.cur = cur
	if forward != nil {
		ch.forward = append(ch.forward, forward)
	}
	if backward != nil {
		ch.backward = append(ch.backward, backward)
	}
}

// twoWay reports whether the rule is used in both directions.
func (ch *chain) twoWay() bool { return ch.toPluvo && ch.toGHL }

// words makes the value one of texts, if its type is written as such.
func (ch *chain) words() bool {
	switch ch.cur {
	case textType, listType:
		return true
	case numberType:
		return ch.convert(textType)
	case flagType:
		ch.options = []string{"true", "false"}
		return ch.convert(textType)
	}
	return false
}

// convert turns the value into another type, if there is just one way to do so.
func (ch *chain) convert(to typ) bool {
	from := ch.cur
	switch {
	case from == to:
		return true
	case from == filesType, to == filesType:
		return false
	case from == textType:
		ch.add(to, readAs(to), writeFrom(to))
	case to == textType:
		ch.add(to, writeFrom(from), readAs(from))
	default:
		return false
	}
	return from != listType && to != listType
}

// readAs reads a text as a type.
func readAs(t typ) step {
	switch t {
	case numberType:
		return func(_ *Mapper, v value) value {
			if v.text == "" {
				return v
			}
			text, ok := number(ghl.ValueOf(v.text))
			if !ok {
				v.problem = whyNoNumber
				return v
			}
			v.text = text
			return v
		}
	case flagType:
		return func(_ *Mapper, v value) value {
			switch v.text {
			case "true":
				v.flag = true
			case "false", "":
			default:
				v.problem = whyNoFlag
			}
			return v
		}
	}
	return dayOrTime(t).read
}

// writeFrom writes a type as text.
func writeFrom(t typ) step {
	switch t {
	case numberType: // which is kept as text
		return nil
	case flagType:
		return func(_ *Mapper, v value) value {
			if v.text = "false"; v.flag {
				v.text = "true"
			}
			return v
		}
	}
	return dayOrTime(t).write
}

// addTransform adds one transform of a rule file. What is wrong goes to c.
func (ch *chain) addTransform(n *node, c *mistakes) {
	name, arg := n, (*node)(nil)
	if n.kind == objectNode {
		if len(n.keys) != 1 {
			c.add(n.line, "a transform is one name, such as trim, or one name with its setting, such as case: lower")
			return
		}
		name, arg = n.keys[0], n.list[0]
	}
	build := transforms[name.text]
	switch {
	case name.kind != scalarNode || build.add == nil:
		c.add(name.line, "there is no transform %s; there are %s", name.quoted(), strings.Join(transformNames, ", "))
	case build.plain && arg != nil:
		c.add(arg.line, "%s has no setting", name.text)
	case !build.plain && arg == nil:
		c.add(name.line, "%s needs a setting, such as %s", name.text, build.example)
	default:
		build.add(ch, name.line, arg, c)
	}
}

type transform struct {
	plain   bool // without a setting
	example string
	add     func(ch *chain, line int, arg *node, c *mistakes)
}

var transformNames = []string{"trim", "case", "phone", "date", "join", "split", "options"}

var transforms map[string]transform

func init() { // not above: the functions refer to it
	transforms = map[string]transform{
		"trim":    {plain: true, add: (*chain).addTrim},
		"phone":   {plain: true, add: (*chain).addPhone},
		"case":    {example: "case: lower", add: (*chain).addCase},
		"date":    {example: `date: "DD.MM.YYYY"`, add: (*chain).addDate},
		"join":    {example: `join: ", "`, add: (*chain).addJoin},
		"split":   {example: `split: ","`, add: (*chain).addSplit},
		"options": {example: "options: {Yes: customer}", add: (*chain).addOptions},
	}
}

// addText adds a transform that does the same with each text, in both directions. Note says what has changed.
func (ch *chain) addText(name string, line int, c *mistakes, f func(m *Mapper, text string) (changed, note string)) {
	if !ch.words() {
		c.add(line, "%s is for texts, and this is %s", name, ch.cur)
		return
	}
	s := func(m *Mapper, v value) value {
		text, note := f(m, v.text)
		if v.text = text; note != "" {
			v.note = note
		}
		return v
	}
	if ch.cur == listType {
		s = func(m *Mapper, v value) value {
			v.list = slices.Clone(v.list)
			for i := range v.list {
				text, note := f(m, v.list[i])
				if v.list[i] = text; note != "" {
					v.note = note
				}
			}
			v.list = slices.DeleteFunc(v.list, func(s string) bool { return s == "" })
			return v
		}
	}
	ch.options = nil
	ch.add(ch.cur, s, s)
}

// addForm adds a transform that does nothing to a text that it has changed already. So one of GHL's options that it changes
// has no way back.
func (ch *chain) addForm(name string, line int, c *mistakes, form func(string) string, why string) {
	wrong := len(c.list)
	ch.words()
	for _, option := range ch.options {
		if ch.toGHL && form(option) != option {
			c.add(line, "%s changes %q, which is an option of the field in HighLevel, so there is no way back: set direction: toPluvo", name, option)
		}
	}
	if len(c.list) == wrong {
		ch.addText(name, line, c, func(_ *Mapper, text string) (string, string) { return noted(text, form(text), why) })
	}
}

func (ch *chain) addTrim(line int, _ *node, c *mistakes) {
	ch.addForm("trim", line, c, strings.TrimSpace, whyTrimmed)
}

func (ch *chain) addPhone(line int, _ *node, c *mistakes) {
	ch.addText("phone", line, c, func(m *Mapper, text string) (string, string) { return m.phone(text) })
}

func (ch *chain) addCase(line int, arg *node, c *mistakes) {
	change, why := strings.ToLower, whyLower
	switch arg.word() {
	case "lower":
	case "upper":
		change, why = strings.ToUpper, whyUpper
	default:
		c.add(arg.line, "case is lower or upper, not %s", arg.quoted())
		return
	}
	ch.addForm("case", line, c, change, why)
}

func noted(before, after, note string) (text, why string) {
	if before == after {
		return after, ""
	}
	return after, note
}

func (ch *chain) addJoin(line int, arg *node, c *mistakes) {
	if separator := arg.word(); separator == "" {
		c.add(arg.line, "join needs the text that comes between the items")
	} else if ch.cur != listType {
		c.add(line, "join makes a text of a list, and this is %s", ch.cur)
	} else {
		ch.add(textType, joinBy(separator, ch.twoWay()), splitBy(separator))
	}
}

func (ch *chain) addSplit(line int, arg *node, c *mistakes) {
	if separator := arg.word(); separator == "" {
		c.add(arg.line, "split needs the text that comes between the items")
	} else if !ch.words() || ch.cur != textType {
		c.add(line, "split makes a list of a text, and this is %s", ch.cur)
	} else {
		ch.add(listType, splitBy(separator), joinBy(separator, ch.twoWay()))
	}
}

// joinBy makes a text of a list. Where it will be split again, the items must come out as they went in.
func joinBy(separator string, again bool) step {
	return func(_ *Mapper, v value) value {
		text := strings.Join(v.list, separator)
		if again && !slices.Equal(v.list, splitText(text, separator)) {
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

// addOptions adds a table from GHL's words to Pluvo's.
func (ch *chain) addOptions(line int, arg *node, c *mistakes) {
	if !ch.words() {
		c.add(line, "options are for texts, and this is %s", ch.cur)
		return
	}
	if arg.kind != objectNode || len(arg.keys) == 0 {
		c.add(arg.line, "options is a table of HighLevel's words and Pluvo's, such as %s", transforms["options"].example)
		return
	}
	there, back := map[string]string{}, map[string]string{}
	for i, key := range arg.keys {
		from, to := key.word(), arg.list[i].word()
		switch {
		case from == "" || to == "":
			c.add(key.line, "an option is a text on both sides")
			continue
		case there[from] != "":
			c.add(key.line, "option %s comes twice", key.quoted())
			continue
		case ch.toGHL && back[to] != "":
			c.add(arg.list[i].line, "Pluvo's %s stands for two of HighLevel's options, so there is no way back: set direction: toPluvo", arg.list[i].quoted())
		}
		if len(ch.options) > 0 && !slices.Contains(ch.options, from) {
			c.add(key.line, "the field in HighLevel has no option %s; it has %s", key.quoted(), strings.Join(ch.options, ", "))
		}
		there[from], back[to] = to, from
	}
	ch.options = nil
	ch.add(ch.cur, lookUp(there, ch.cur), lookUp(back, ch.cur))
}

func lookUp(table map[string]string, t typ) step {
	if t == listType {
		return func(_ *Mapper, v value) value {
			list := make([]string, len(v.list))
			for i, s := range v.list {
				if list[i] = table[s]; list[i] == "" {
					v.problem = whyNoOption
					return v
				}
				if list[i] != s {
					v.note = whyOption
				}
			}
			v.list = list
			return v
		}
	}
	return func(_ *Mapper, v value) value {
		if v.text == "" {
			return v
		}
		text := table[v.text]
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
}
