package mapping

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/nearest"
	"github.com/pluvo/ghl/pluvo"
)

// Rules are the checked and compiled rules of a file. They do not change and are safe for concurrent use. A kind of
// record that the file does not name is mapped by the rules of [Template].
type Rules struct {
	contact     *contactRules
	task        *taskRules
	note        *noteRules
	appointment *appointmentRules
}

// LoadRules compiles a rule file in YAML or JSON; the package's documentation describes it. Name is the file's name in
// error messages. Definitions are the location's custom fields; nil is enough for a file that names none.
//
// It refuses a file with a mistake as a whole, with a [*RulesError] that lists all mistakes with their positions.
func LoadRules(name string, data []byte, definitions *ghl.CustomFieldResolver) (*Rules, error) {
	return load(name, data, customFields{definitions: definitions})
}

// CheckRules finds the mistakes of a rule file that do not depend on a location's custom fields: it accepts every
// custom field, of any type. A [Mapper] with these rules has the right [Mapper.Fields], but does not map custom
// fields. Use [LoadRules] to map.
func CheckRules(name string, data []byte) (*Rules, error) {
	return load(name, data, customFields{any: true})
}

func load(name string, data []byte, custom customFields) (*Rules, error) {
	c, rules := new(mistakes), new(Rules)
	if root := parseFile(data, c); root != nil && len(c.list) == 0 {
		rules.read(root, custom, c)
	}
	if len(c.list) > 0 {
		return nil, &RulesError{name, c.sorted()}
	}
	return rules, nil
}

//go:embed template.yaml
var template []byte

// Template returns a commented rule file in YAML to start from. It holds the rules of a mapper without rules of its
// own.
func Template() []byte { return slices.Clone(template) }

// templateRules returns the compiled rules of the template.
var templateRules = sync.OnceValue(func() *Rules {
	rules, err := LoadRules("template.yaml", template, nil)
	if err != nil { // a test loads the template
		panic(err)
	}
	return rules
})

// orTemplate returns the rules, with those of the template for each kind that has none.
func (r *Rules) orTemplate() *Rules {
	all := *templateRules()
	if r == nil {
		return &all
	}
	if r.contact != nil {
		all.contact = r.contact
	}
	if r.task != nil {
		all.task = r.task
	}
	if r.note != nil {
		all.note = r.note
	}
	if r.appointment != nil {
		all.appointment = r.appointment
	}
	return &all
}

// kindNames are the names of the kinds in a file.
var kindNames = []string{"contact", "task", "note", "appointment"}

// read compiles the rules of each kind.
func (r *Rules) read(root *node, custom customFields, c *mistakes) {
	version, kinds := false, 0
	c.object(root, "the file", append([]string{"version"}, kindNames...), func(key string, n *node) {
		if key == "version" {
			version = true
			if n.word() != "1" {
				c.add(n.position, "version must be 1, got %s", n.quoted())
			}
			return
		}
		if kinds++; n.kind != listNode || len(n.list) == 0 {
			got := n.quoted()
			if n.kind == listNode {
				got = "an empty list"
			}
			c.add(n.position, "%s must be a list of rules, got %s", key, got)
			return
		}
		switch key {
		case "contact":
			r.contact = compile(&contactFields, pluvo.KindContact, n, custom, c)
		case "task":
			r.task = compile(&taskFields, pluvo.KindTask, n, custom, c)
		case "note":
			r.note = compile(&noteFields, pluvo.KindNote, n, custom, c)
		case "appointment":
			r.appointment = compile(&appointmentFields, pluvo.KindAppointment, n, custom, c)
		}
	})
	if root.kind != objectNode {
		return
	}
	if !version {
		c.add(root.position, "version: 1 is missing")
	}
	// a misspelled kind is reported as a mistake of its own
	misspelt := func(key *node) bool { return nearest.Word(key.word(), kindNames) != "" }
	if kinds == 0 && !slices.ContainsFunc(root.keys, misspelt) {
		c.add(root.position, "the file has no rules; it may have contact, task, note and appointment")
	}
}
