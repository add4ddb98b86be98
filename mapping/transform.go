package mapping

import "github.com/pluvo/ghl"

// step changes a value on its way between the two sides. It is not called with a value that has a problem, and it
// returns an empty value as it is.
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

// chain builds the steps of a rule from GHL's end, so that the type is known at each step. Forward leads from GHL to
// Pluvo, backward from Pluvo to GHL.
type chain struct {
	to                typ // the type of the field in Pluvo
	toPluvo, toGHL    bool
	forward, backward []step // backward is in the order of forward until the chain is complete

	cur     typ
	options []string // the options of GHL's field, as long as no step has changed GHL's words
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

// words converts a number or a switch to text. It reports whether the value is then a text or a list of texts.
func (ch *chain) words() bool {
	switch ch.cur {
	case textType, listType, anyType:
		return true
	case numberType:
		return ch.convert(textType)
	case flagType:
		ch.options = []string{"true", "false"}
		return ch.convert(textType)
	}
	return false
}

// convert adds the conversion to another type. It reports false if there is not exactly one way to convert.
func (ch *chain) convert(to typ) bool {
	from := ch.cur
	switch {
	case from == to:
		return true
	case from == anyType:
		ch.add(to, nil, nil)
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

// readAs returns the step that reads a text as a type.
func readAs(t typ) step {
	switch t {
	case numberType:
		return readNumber
	case flagType:
		return readFlag
	}
	return dayOrTime(t).read
}

func readNumber(_ *Mapper, v value) value {
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

func readFlag(_ *Mapper, v value) value {
	switch v.text {
	case "true":
		v.flag = true
	case "false", "":
	default:
		v.problem = whyNoFlag
	}
	return v
}

// writeFrom returns the step that writes a type as text.
func writeFrom(t typ) step {
	switch t {
	case numberType: // a number is stored as text
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

// addTransform adds one transform of a rule file.
func (ch *chain) addTransform(n *node, c *mistakes) {
	name, arg := n, (*node)(nil)
	if n.kind == objectNode {
		if len(n.keys) != 1 {
			c.add(n.position,
				"a transform must be one name, such as trim, or one name with a setting, such as case: lower")
			return
		}
		name, arg = n.keys[0], n.list[0]
	}
	if name.kind != scalarNode || name.null {
		c.add(name.position, "a transform must be a name, such as trim, got %s", name.quoted())
		return
	}
	switch t := transforms[name.text]; {
	case t.add == nil:
		c.add(name.position, "unknown transform %s; %s", name.quoted(), meant(name.word(), transformNames, "there are"))
	case t.example == "" && arg != nil:
		c.add(arg.position, "%s must not have a setting", name.text)
	case t.example != "" && arg == nil:
		c.add(name.position, "%s needs a setting, such as %s", name.text, t.example)
	default:
		t.add(ch, name.position, arg, c)
	}
}

// transform is a transform that a rule file can name. Example shows its setting; "" if it has none.
type transform struct {
	example string
	add     func(ch *chain, at position, arg *node, c *mistakes)
}

var transformNames = []string{"trim", "case", "phone", "date", "join", "split", "options"}

var transforms map[string]transform

func init() { // not in the declaration: the functions refer to the variable
	transforms = map[string]transform{
		"trim":    {"", (*chain).addTrim},
		"phone":   {"", (*chain).addPhone},
		"case":    {"case: lower", (*chain).addCase},
		"date":    {`date: "DD.MM.YYYY"`, (*chain).addDate},
		"join":    {`join: ", "`, (*chain).addJoin},
		"split":   {`split: ","`, (*chain).addSplit},
		"options": {"options: {Yes: customer}", (*chain).addOptions},
	}
}
