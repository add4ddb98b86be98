package mapping

import (
	"cmp"
	"slices"

	"github.com/pluvo/ghl/pluvo"
)

// compile compiles the rules that a file has for a kind of record.
func compile[R, C, U, P any](
	t *table[R, C, U, P], kind pluvo.Kind, list *node, custom customFields, c *mistakes,
) *compiled[R, C, U, P] {
	out := &compiled[R, C, U, P]{table: t, kind: kind, read: map[string]bool{}, written: map[string]bool{}}
	toPluvo, toGHL := map[string]int{}, map[string]int{} // the line of the rule that writes a target
	before := len(c.list)
	for _, n := range list.list {
		spec := readRule(n, kind, c)
		r := compileRule(t, kind, &spec, custom, c)
		if r == nil {
			continue
		}
		if spec.toPluvo {
			if line, twice := toPluvo[r.pluvo.name]; twice {
				c.add(spec.pluvo.position, "%s in Pluvo is already written by the rule in line %d", r.pluvo.name, line)
			} else {
				toPluvo[r.pluvo.name] = spec.line
			}
			for _, name := range [...]string{r.ghl.name, r.ghl.id, r.ghl.key} {
				if name != "" {
					out.read[name] = true
				}
			}
		}
		if spec.toGHL {
			for _, name := range append([]string{cmp.Or(r.ghl.id, r.ghl.name)}, r.ghl.covers...) {
				if line, twice := toGHL[name]; twice {
					c.add(spec.ghl.position, "%s in HighLevel is already written by the rule in line %d",
						r.ghl.name, line)
					break
				}
				toGHL[name] = spec.line
			}
			out.written[r.pluvo.name] = true
		}
		out.rules = append(out.rules, r)
	}
	for _, f := range t.pluvo {
		if _, ok := toPluvo[f.name]; f.needed && !ok && len(toPluvo) > 0 && len(c.list) == before {
			c.add(list.position, "no rule writes %s, and %s in Pluvo needs it", f.name, withArticle(kind))
		}
	}
	out.findUnmapped()
	return out
}

// findUnmapped finds the fields that no rule reads in GHL, and those of Pluvo that no rule writes to GHL.
func (c *compiled[R, C, U, P]) findUnmapped() {
	for _, f := range c.table.pluvo {
		if !c.written[f.name] {
			c.unwritten = append(c.unwritten, f)
		}
	}
	for _, f := range c.table.ghl {
		covered := func(r *rule[R, C, U, P]) bool { return r.toPluvo && slices.Contains(r.ghl.covers, f.name) }
		if !f.own && !c.read[f.name] && !slices.ContainsFunc(c.rules, covered) {
			c.unread = append(c.unread, f)
		}
	}
}

// compileRule compiles a rule. It returns nil if one of its fields is unknown.
func compileRule[R, C, U, P any](
	t *table[R, C, U, P], kind pluvo.Kind, spec *ruleSpec, custom customFields, c *mistakes,
) *rule[R, C, U, P] {
	r := &rule[R, C, U, P]{toPluvo: spec.toPluvo, toGHL: spec.toGHL, required: spec.required}
	if spec.ghl != nil && spec.ghl.word() != "" {
		r.ghl = t.findGHL(kind, spec.ghl, custom, c)
	}
	if spec.pluvo != nil && spec.pluvo.word() != "" {
		r.pluvo = t.findPluvo(kind, spec.pluvo, c)
	}
	if r.ghl == nil || r.pluvo == nil {
		return nil
	}
	if r.toPluvo && r.pluvo.set == nil {
		c.add(spec.pluvo.position, "%s in Pluvo is set by the mapper and cannot be a target", r.pluvo.name)
	}
	if r.toGHL && r.ghl.create == nil && r.ghl.change == nil {
		c.add(spec.ghl.position, "HighLevel does not accept %s, so the rule cannot be used backwards: "+
			"set direction: toPluvo", r.ghl.name)
	}

	ch := &chain{to: r.pluvo.typ, cur: r.ghl.typ, options: r.ghl.options, toPluvo: r.toPluvo, toGHL: r.toGHL}
	before := len(c.list)
	for _, transform := range spec.transforms.items() {
		ch.addTransform(transform, c)
	}
	if from := ch.cur; len(c.list) == before && !ch.convert(r.pluvo.typ) {
		c.add(spec.position, "%s cannot become %s: %s in HighLevel is %s, %s in Pluvo is %s%s",
			from, r.pluvo.typ, r.ghl.name, r.ghl.typ, r.pluvo.name, r.pluvo.typ, conversionHint(from, r.pluvo.typ))
	}
	slices.Reverse(ch.backward)
	r.forward, r.backward = ch.forward, ch.backward
	r.defaultPluvo, r.defaultGHL = readDefaults(spec, r.ghl.typ, r.pluvo.typ, r.ghl.options, c)
	return r
}

func conversionHint(from, to typ) string {
	switch {
	case from == listType && to == textType:
		return `; add transform: {join: ", "} to make a text of the list`
	case from == textType && to == listType:
		return `; add transform: {split: ","} to make a list of the text`
	}
	return ""
}

// withArticle returns a kind as messages use it, such as "an appointment".
func withArticle(kind pluvo.Kind) string {
	if kind == pluvo.KindAppointment {
		return "an " + string(kind)
	}
	return "a " + string(kind)
}

// findGHL returns the field of HighLevel that a rule names; nil if it is unknown.
func (t *table[R, C, U, P]) findGHL(kind pluvo.Kind, n *node, custom customFields, c *mistakes) *ghlField[R, C, U] {
	names := make([]string, len(t.ghl))
	for i, f := range t.ghl {
		if f.name == n.word() {
			return f
		}
		names[i] = f.name
	}
	if t.moreGHL != nil {
		f, problem := t.moreGHL(n.word(), custom)
		if problem != "" {
			c.add(n.position, "%s: %s", n.quoted(), problem)
		}
		if f != nil || problem != "" {
			return f
		}
		names = append(names, customPrefix+"KEY")
	}
	c.add(n.position, "%s in HighLevel has no field %s; %s", withArticle(kind), n.quoted(),
		meant(n.word(), names, "it has"))
	return nil
}

// findPluvo returns the field of Pluvo that a rule names; nil if it is unknown.
func (t *table[R, C, U, P]) findPluvo(kind pluvo.Kind, n *node, c *mistakes) *pluvoField[P] {
	if f := t.pluvoField(n.word()); f != nil {
		return f
	}
	names := make([]string, len(t.pluvo), len(t.pluvo)+1)
	for i, f := range t.pluvo {
		names[i] = f.name
	}
	if t.morePluvo != nil {
		names = append(names, fieldsPrefix+"NAME")
	}
	c.add(n.position, "%s in Pluvo has no field %s; %s", withArticle(kind), n.quoted(),
		meant(n.word(), names, "it has"))
	return nil
}
