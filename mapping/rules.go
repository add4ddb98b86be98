package mapping

import (
	"cmp"
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Rules are the rules of a file, checked and compiled. They do not change and are safe for concurrent use. Kinds of records
// that the file does not describe are mapped as without rules.
type Rules struct {
	contact     *compiled[ghl.Contact, ghl.ContactCreate, ContactChange, pluvo.Contact]
	task        *compiled[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate, pluvo.Task]
	note        *compiled[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate, pluvo.Note]
	appointment *compiled[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate, pluvo.Appointment]
}

// LoadRules reads a rule file, JSON or YAML; the package's documentation says what may stand in it. Name is what messages
// call the file. Definitions are those of the location's custom fields; nil will do for a file that names none.
//
// A file with a mistake is refused as a whole: the error is a [*RulesError] that lists every one with its line.
func LoadRules(name string, data []byte, definitions *ghl.CustomFieldResolver) (*Rules, error) {
	c, rules := new(mistakes), new(Rules)
	if root := parseFile(data, c); root != nil && len(c.list) == 0 {
		rules.read(root, definitions, c)
	}
	if len(c.list) > 0 {
		slices.SortStableFunc(c.list, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
		return nil, &RulesError{name, c.list}
	}
	return rules, nil
}

//go:embed template.yaml
var template []byte

// Template returns a commented rule file (YAML) that maps as the functions do without rules: the plain case, to start from.
func Template() []byte { return slices.Clone(template) }

// plain are the rules of the template.
var plain = sync.OnceValue(func() *Rules {
	rules, err := LoadRules("template.yaml", template, nil)
	if err != nil { // a test loads it
		panic(err)
	}
	return rules
})

func (r *Rules) read(root *node, definitions *ghl.CustomFieldResolver, c *mistakes) {
	version, kinds := false, 0
	c.object(root, "the file", []string{"version", "contact", "task", "note", "appointment"}, func(key string, n *node) {
		if key == "version" {
			version = true
			if n.word() != "1" {
				c.add(n.line, "version must be 1, not %s", n.quoted())
			}
			return
		}
		if kinds++; n.kind != listNode || len(n.list) == 0 {
			c.add(n.line, "%s is %s, not a list of rules", key, n.quoted())
			return
		}
		switch key {
		case "contact":
			r.contact = compile(&contactFields, pluvo.KindContact, n, definitions, c)
		case "task":
			r.task = compile(&taskFields, pluvo.KindTask, n, definitions, c)
		case "note":
			r.note = compile(&noteFields, pluvo.KindNote, n, definitions, c)
		case "appointment":
			r.appointment = compile(&appointmentFields, pluvo.KindAppointment, n, definitions, c)
		}
	})
	if root.kind != objectNode {
		return
	}
	if !version {
		c.add(root.line, "version: 1 is missing")
	}
	if kinds == 0 {
		c.add(root.line, "there are no rules: it may have contact, task, note and appointment")
	}
}

// compile makes rules of those that a file has for a kind of record.
func compile[R, C, U, P any](t *table[R, C, U, P], kind pluvo.Kind, list *node, definitions *ghl.CustomFieldResolver, c *mistakes) *compiled[R, C, U, P] {
	out := &compiled[R, C, U, P]{table: t, kind: kind, read: map[string]bool{}, written: map[string]bool{}}
	toPluvo, toGHL := map[string]int{}, map[string]int{} // by target: the line of its rule
	wrong := len(c.list)
	for _, n := range list.list {
		r, spec := compileRule(t, kind, n, definitions, c)
		if r == nil {
			continue
		}
		if spec.toPluvo {
			if line, twice := toPluvo[r.pluvo.name]; twice {
				c.add(n.line, "%s in Pluvo is written by the rule in line %d already", r.pluvo.name, line)
			} else {
				toPluvo[r.pluvo.name] = n.line
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
					c.add(n.line, "%s in HighLevel is written by the rule in line %d already", r.ghl.name, line)
					break
				}
				toGHL[name] = n.line
			}
			out.written[r.pluvo.name] = true
		}
		out.rules = append(out.rules, r)
	}
	for _, f := range t.pluvo {
		if _, ok := toPluvo[f.name]; f.needed && !ok && len(toPluvo) > 0 && len(c.list) == wrong {
			c.add(list.line, "no rule gives %s, without which Pluvo takes no %s", f.name, kind)
		}
		if !out.written[f.name] {
			out.unwritten = append(out.unwritten, f)
		}
	}
	for _, f := range t.ghl {
		if !f.own && !out.read[f.name] && !slices.ContainsFunc(out.rules, func(r *rule[R, C, U, P]) bool { return r.toPluvo && slices.Contains(r.ghl.covers, f.name) }) {
			out.unread = append(out.unread, f)
		}
	}
	return out
}

// ruleSpec is a rule as the file has it.
type ruleSpec struct {
	ghl, pluvo, defaults, transforms *node
	toPluvo, toGHL, required         bool
}

func readRule(n *node, kind pluvo.Kind, c *mistakes) ruleSpec {
	spec := ruleSpec{toPluvo: true, toGHL: true}
	c.object(n, "a rule", []string{"ghl", "pluvo", "direction", "transform", "default", "required"}, func(key string, n *node) {
		switch key {
		case "ghl", "pluvo":
			field := &spec.ghl
			if key == "pluvo" {
				field = &spec.pluvo
			}
			*field = n
			if n.word() == "" {
				c.add(n.line, "%s is %s, not the name of a field", key, n.quoted())
			}
		case "direction":
			switch n.word() {
			case "both":
			case "toPluvo":
				spec.toGHL = false
			case "toGHL":
				spec.toPluvo = false
			default:
				c.add(n.line, "direction is both, toPluvo or toGHL, not %s", n.quoted())
			}
		case "required":
			if n.flag == nil {
				c.add(n.line, "required is true or false, not %s", n.quoted())
			} else {
				spec.required = *n.flag
			}
		case "default":
			spec.defaults = n
		case "transform":
			spec.transforms = n
		}
	})
	if n.kind == objectNode {
		for _, side := range [...]struct {
			name string
			n    *node
		}{{"ghl", spec.ghl}, {"pluvo", spec.pluvo}} {
			if side.n == nil {
				c.add(n.line, "a rule for a %s names both fields, and %s is missing", kind, side.name)
			}
		}
	}
	return spec
}

// compileRule returns nil if the fields are not known.
func compileRule[R, C, U, P any](t *table[R, C, U, P], kind pluvo.Kind, n *node, definitions *ghl.CustomFieldResolver, c *mistakes) (*rule[R, C, U, P], ruleSpec) {
	spec := readRule(n, kind, c)
	r := &rule[R, C, U, P]{toPluvo: spec.toPluvo, toGHL: spec.toGHL, required: spec.required}
	if spec.ghl != nil && spec.ghl.word() != "" {
		r.ghl = t.findGHL(kind, spec.ghl, definitions, c)
	}
	if spec.pluvo != nil && spec.pluvo.word() != "" {
		r.pluvo = t.findPluvo(kind, spec.pluvo, c)
	}
	if r.ghl == nil || r.pluvo == nil {
		return nil, spec
	}
	if r.toPluvo && r.pluvo.set == nil {
		c.add(spec.pluvo.line, "%s in Pluvo is set by itself and cannot be a target", r.pluvo.name)
	}
	if r.toGHL && r.ghl.create == nil && r.ghl.change == nil {
		c.add(spec.ghl.line, "HighLevel does not take %s, so the rule cannot be used backwards: set direction: toPluvo", r.ghl.name)
	}

	ch := &chain{from: r.ghl.typ, to: r.pluvo.typ, cur: r.ghl.typ, options: r.ghl.options, toPluvo: r.toPluvo, toGHL: r.toGHL}
	before := len(c.list)
	if list := spec.transforms; list != nil {
		if list.kind != listNode {
			list = &node{kind: listNode, list: []*node{list}}
		}
		for _, t := range list.list {
			ch.addTransform(t, c)
		}
	}
	if len(c.list) == before {
		if typ := ch.cur; !ch.convert(r.pluvo.typ) {
			c.add(n.line, "%s cannot become %s: %s in HighLevel is %s, %s in Pluvo is %s%s",
				typ, r.pluvo.typ, r.ghl.name, r.ghl.typ, r.pluvo.name, r.pluvo.typ, hint(typ, r.pluvo.typ))
		}
	}
	slices.Reverse(ch.backward)
	r.forward, r.backward = ch.forward, ch.backward
	readDefaults(r, spec, c)
	return r, spec
}

func hint(from, to typ) string {
	switch {
	case from == listType && to == textType:
		return `; transform: {join: ", "} makes a text of a list`
	case from == textType && to == listType:
		return `; transform: {split: ","} makes a list of a text`
	}
	return ""
}

func (t *table[R, C, U, P]) findGHL(kind pluvo.Kind, n *node, definitions *ghl.CustomFieldResolver, c *mistakes) *ghlField[R, C, U] {
	if f := t.ghlField(n.word()); f != nil {
		return f
	}
	if t.moreGHL != nil {
		f, problem := t.moreGHL(n.word(), definitions)
		if problem != "" {
			c.add(n.line, "%s: %s", n.quoted(), problem)
		}
		if f != nil || problem != "" {
			return f
		}
	}
	names := make([]string, len(t.ghl))
	for i, f := range t.ghl {
		names[i] = f.name
	}
	if t.moreGHL != nil {
		names = append(names, customPrefix+"KEY")
	}
	c.add(n.line, "a %s in HighLevel has no field %s; it has %s", kind, n.quoted(), strings.Join(names, ", "))
	return nil
}

func (t *table[R, C, U, P]) findPluvo(kind pluvo.Kind, n *node, c *mistakes) *pluvoField[P] {
	if f := t.pluvoField(n.word()); f != nil {
		return f
	}
	if t.morePluvo != nil {
		if f := t.morePluvo(n.word()); f != nil {
			return f
		}
	}
	names := make([]string, len(t.pluvo))
	for i, f := range t.pluvo {
		names[i] = f.name
	}
	if t.morePluvo != nil {
		names = append(names, fieldsPrefix+"NAME")
	}
	c.add(n.line, "a %s in Pluvo has no field %s; it has %s", kind, n.quoted(), strings.Join(names, ", "))
	return nil
}

// readDefaults reads what stands where there is no value: one value, or for a rule of both directions one for each side.
func readDefaults[R, C, U, P any](r *rule[R, C, U, P], spec ruleSpec, c *mistakes) {
	n := spec.defaults
	read := func(n *node, side string, t typ, options []string) *value {
		v, problem := literal(n, t)
		switch {
		case problem != "":
		case v.isEmpty(t):
			problem = "it is empty"
		case !allows(options, &v, t):
			problem = "the field in HighLevel has no such option; it has " + strings.Join(options, ", ")
		default:
			return &v
		}
		c.add(n.line, "default for %s: %s", side, problem)
		return nil
	}
	sides := map[string]func(*node){
		"pluvo": func(n *node) { r.defaultPluvo = read(n, "Pluvo", r.pluvo.typ, nil) },
		"ghl":   func(n *node) { r.defaultGHL = read(n, "HighLevel", r.ghl.typ, r.ghl.options) },
	}
	switch {
	case n == nil:
	case n.kind == objectNode:
		c.object(n, "default", []string{"ghl", "pluvo"}, func(side string, n *node) {
			if side == "pluvo" && !r.toPluvo || side == "ghl" && !r.toGHL {
				c.add(n.line, "default for %s: the rule goes the other way only", side)
				return
			}
			sides[side](n)
		})
	case r.toPluvo && r.toGHL:
		c.add(n.line, "a rule of both directions has a default for each side, such as default: {pluvo: unknown}")
	case r.toPluvo:
		sides["pluvo"](n)
	default:
		sides["ghl"](n)
	}
}

// literal reads a value that stands in the file.
func literal(n *node, t typ) (v value, problem string) {
	if t == listType {
		items := n.list
		if n.kind == scalarNode {
			items = []*node{n}
		}
		for _, item := range items {
			if item.word() == "" {
				return v, "it is no list of texts"
			}
			v.list = append(v.list, item.text)
		}
		return v, ""
	}
	if n.kind != scalarNode {
		return v, "it is " + n.kind.String() + ", not " + t.String()
	}
	if v.text = n.text; t == flagType {
		switch {
		case n.null:
			return v, "it is empty"
		case n.flag != nil:
			v.text = strconv.FormatBool(*n.flag)
		}
	}
	switch t {
	case textType:
	case flagType, numberType, dayType, instantType:
		v = readAs(t)(nil, v)
	default:
		return v, "there can be none for " + t.String()
	}
	return v, v.problem
}
