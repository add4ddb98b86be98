package mapping_test

import (
	"fmt"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

func Example() {
	mapper, err := mapping.New(mapping.Options{Location: "ve9EPM428h8vShlRW1KT", TimeZone: time.UTC})
	if err != nil {
		fmt.Println(err)
		return
	}

	// From HighLevel, as client.Contacts.Get returns it.
	from := &ghl.Contact{ID: "ocQHyuzHvysMo5N5VsXc", Name: "Ada King Lovelace", Email: "ada@example.com",
		Tags: []string{"customer"}, City: "London"}
	contact, report, err := mapper.Contact(from)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(contact.FirstName, "|", contact.LastName, "|", contact.Email)
	for _, e := range report.Only(mapping.LeftOut) {
		fmt.Println(e.From, "was left out:", e.Reason)
	}

	// The contact is changed in Pluvo.
	changed := pluvo.Clone(contact)
	changed.LastName, changed.Email, changed.Tags = "Lovelace", "", []string{"Customer", "VIP"}
	change, _, err := mapper.ContactUpdate(changed, contact)
	if err != nil {
		fmt.Println(err)
		return
	}
	lastName, _ := change.Update.LastName.Get() // for client.Contacts.Update
	fmt.Println("last name:", lastName, "| e-mail cleared:", change.Update.Email.IsNull(), "| first name sent:",
		!change.Update.FirstName.IsZero())
	fmt.Println("tags added:", change.AddTags, "| removed:", change.RemoveTags) // for client.Tags
	// Output:
	// Ada | King Lovelace | ada@example.com
	// city was left out: there is no rule for it
	// last name: Lovelace | e-mail cleared: true | first name sent: false
	// tags added: [vip] | removed: []
}

func ExampleLoadRules() {
	// As client.Locations.CustomFieldResolver returns them.
	definitions := ghl.NewCustomFieldResolver([]*ghl.CustomFieldDefinition{
		{ID: "3sv6UEo51C9Bmpo1cKTq", FieldKey: "contact.stage", DataType: "SINGLE_OPTIONS",
			PicklistOptions: []string{"New lead", "Won"}},
	})
	file := []byte(`version: 1
contact:
  - {ghl: email, pluvo: email, transform: [trim, {case: lower}]}
  - {ghl: custom.contact.stage, pluvo: stage, transform: {options: {New lead: lead, Won: customer}}}
`)
	rules, err := mapping.LoadRules("rules.yaml", file, definitions)
	if err != nil {
		fmt.Println(err)
		return
	}
	mapper, err := mapping.New(mapping.Options{Location: "ve9EPM428h8vShlRW1KT", Rules: rules})
	if err != nil {
		fmt.Println(err)
		return
	}
	contact, _, err := mapper.Contact(&ghl.Contact{ID: "c1", Email: " Ada@Example.com",
		CustomFields: []ghl.CustomField{{ID: "3sv6UEo51C9Bmpo1cKTq", Value: ghl.ValueOf("Won")}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(contact.Email, contact.Stage)
	// Output: ada@example.com customer
}

func ExampleRulesError() {
	_, err := mapping.LoadRules("rules.yaml", []byte(`version: 1
contact:
  - {ghl: email, pluvo: emial}
  - {ghl: tags, pluvo: stage}
  - {ghl: dateAdded, pluvo: fields.added}
`), nil)
	fmt.Println(err)
	// Output:
	// mapping: rules.yaml has 3 mistakes:
	// rules.yaml:3:25: a contact in Pluvo has no field "emial"; did you mean email?
	// rules.yaml:4:5: a list cannot become text: tags in HighLevel is a list, stage in Pluvo is text; add transform: {join: ", "} to make a text of the list
	// rules.yaml:5:11: HighLevel does not accept dateAdded, so the rule cannot be used backwards: set direction: toPluvo
}

func ExampleMapper_Fields() {
	mapper, err := mapping.New(mapping.Options{Location: "ve9EPM428h8vShlRW1KT"})
	if err != nil {
		fmt.Println(err)
		return
	}
	written := &pluvo.Contact{FirstName: "Ada", LastName: "Lovelace", Tags: []string{"VIP", "customer"}}
	// the echo from HighLevel
	read := &pluvo.Contact{FirstName: "Ada", LastName: "King", Tags: []string{"customer", "vip"}}
	for _, field := range mapper.Fields(pluvo.KindContact) {
		if !field.Same(written, read) {
			fmt.Println(field.Name(), "was changed to", field.Get(read))
		}
	}
	// Output: lastName was changed to King
}
