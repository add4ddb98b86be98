package mapping

import (
	"strconv"
)

// readDefaults reads the values that a rule uses where a record has none: one value, or for a rule of both directions
// one for each side.
func readDefaults(spec *ruleSpec, ghlType, pluvoType typ, options []string, c *mistakes) (toPluvo, toGHL *value) {
	read := func(n *node, side string, t typ, options []string) *value {
		v, problem := literal(n, t)
		switch {
		case problem != "":
		case v.isEmpty(t) && t != anyType:
			problem = "the value is empty"
		case !allows(options, &v, t):
			problem = "the field in HighLevel has no such option; " + meant(v.text, options, "it has")
		default:
			return &v
		}
		c.add(n.position, "default for %s: %s", side, problem)
		return nil
	}
	readSide := func(side string, n *node) {
		if side == "pluvo" {
			toPluvo = read(n, "Pluvo", pluvoType, nil)
		} else {
			toGHL = read(n, "HighLevel", ghlType, options)
		}
	}
	n := spec.defaults
	switch {
	case n == nil:
	case n.kind == objectNode:
		c.object(n, "default", []string{"ghl", "pluvo"}, func(side string, n *node) {
			if side == "pluvo" && !spec.toPluvo || side == "ghl" && !spec.toGHL {
				c.add(n.position, "default for %s: the rule does not write that side", side)
				return
			}
			readSide(side, n)
		})
	case spec.toPluvo && spec.toGHL:
		c.add(n.position,
			"a rule of both directions must have a default for each side, such as default: {pluvo: unknown}")
	case spec.toPluvo:
		readSide("pluvo", n)
	default:
		readSide("ghl", n)
	}
	return toPluvo, toGHL
}

// literal returns the value of a type that the file has.
func literal(n *node, t typ) (v value, problem string) {
	if t == listType || t == anyType && n.kind == listNode {
		for _, item := range n.items() {
			if item.word() == "" {
				return v, "it must be a list of texts"
			}
			v.list = append(v.list, item.text)
		}
		return v, ""
	}
	if n.kind != scalarNode {
		return v, "it must be " + t.String() + ", got " + n.kind.String()
	}
	if v.text = n.text; t == flagType {
		switch {
		case n.null:
			return v, "the value is empty"
		case n.flag != nil:
			v.text = strconv.FormatBool(*n.flag)
		}
	}
	switch t {
	case textType, anyType:
	case flagType, numberType, dayType, instantType:
		v = readAs(t)(nil, v)
	default:
		return v, "a field that holds " + t.String() + " cannot have one"
	}
	return v, v.problem
}
