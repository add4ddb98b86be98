package mapping

import "github.com/pluvo/ghl/pluvo"

// ruleSpec is a rule as the file has it.
type ruleSpec struct {
	position
	ghl, pluvo, defaults, transforms *node
	toPluvo, toGHL, required         bool
}

// readRule reads the properties of a rule.
func readRule(n *node, kind pluvo.Kind, c *mistakes) ruleSpec {
	spec := ruleSpec{position: n.position, toPluvo: true, toGHL: true}
	if n.kind != objectNode {
		c.add(n.position, "a rule must be an object such as {ghl: email, pluvo: email}, got %s", n.quoted())
		return spec
	}
	known := []string{"ghl", "pluvo", "direction", "transform", "default", "required"}
	c.object(n, "a rule", known, func(key string, n *node) {
		switch key {
		case "ghl":
			spec.ghl = n
		case "pluvo":
			spec.pluvo = n
		case "direction":
			spec.readDirection(n, c)
		case "required":
			if n.flag == nil {
				c.add(n.position, "required must be true or false, got %s", n.quoted())
			} else {
				spec.required = *n.flag
			}
		case "default":
			spec.defaults = n
		case "transform":
			spec.transforms = n
		}
	})
	for _, side := range [...]struct {
		name  string
		field *node
	}{{"ghl", spec.ghl}, {"pluvo", spec.pluvo}} {
		switch {
		case side.field == nil:
			c.add(n.position, "a rule for %s must name a field on both sides; %s is missing",
				withArticle(kind), side.name)
		case side.field.word() == "":
			c.add(side.field.position, "%s must be the name of a field, got %s", side.name, side.field.quoted())
		}
	}
	return spec
}

func (spec *ruleSpec) readDirection(n *node, c *mistakes) {
	switch n.word() {
	case "both":
	case "toPluvo":
		spec.toGHL = false
	case "toGHL":
		spec.toPluvo = false
	default:
		c.add(n.position, "direction must be both, toPluvo or toGHL, got %s", n.quoted())
	}
}
