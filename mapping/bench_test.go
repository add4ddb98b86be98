package mapping_test

import (
	"testing"

	"github.com/pluvo/ghl/mapping"
)

// customRules map more than the plain case does.
const customRules = `version: 1
contact:
  - {ghl: firstName, pluvo: firstName, transform: trim}
  - {ghl: lastName, pluvo: lastName, transform: trim}
  - {ghl: email, pluvo: email, transform: {case: lower}}
  - {ghl: phone, pluvo: phone, transform: phone}
  - {ghl: tags, pluvo: tags}
  - {ghl: city, pluvo: fields.city}
  - {ghl: custom.contact.shoe_size, pluvo: fields.shoe size}
  - {ghl: custom.contact.stage, pluvo: stage, transform: {options: {New lead: lead, Won: customer}}}
  - {ghl: custom.contact.languages, pluvo: fields.languages, transform: {join: ', '}}
  - {ghl: custom.contact.first_visit, pluvo: fields.first visit, transform: {date: DD.MM.YYYY}}
  - {ghl: dateOfBirth, pluvo: fields.birthday}
`

func benchmarkFullContact(b *testing.B, m *mapping.Mapper) {
	in := fullContact()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.FullContact(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFullContact maps a contact with five tasks, five notes and two appointments: by the functions, by the rules of
// the template, which do the same, and by rules that do more.
func BenchmarkFullContact(b *testing.B) {
	b.Run("functions", func(b *testing.B) { benchmarkFullContact(b, newMapper(b, nil)) })
	b.Run("template", func(b *testing.B) { benchmarkFullContact(b, withRules(b, string(mapping.Template()))) })
	b.Run("custom", func(b *testing.B) { benchmarkFullContact(b, withRules(b, customRules, definitions...)) })
}

func BenchmarkContactUpdate(b *testing.B) {
	for _, by := range []struct {
		name string
		m    *mapping.Mapper
	}{{"functions", newMapper(b, nil)}, {"template", withRules(b, string(mapping.Template()))}} {
		b.Run(by.name, func(b *testing.B) {
			last, _, err := by.m.Contact(contact())
			if err != nil {
				b.Fatal(err)
			}
			now := *last
			now.LastName, now.Tags = "King", []string{"vip"}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := by.m.ContactUpdate(&now, last); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoadRules(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b, customRules, definitions...)
	}
}
