package mapping_test

import (
	"testing"

	"github.com/pluvo/ghl/mapping"
)

// customRules map more than the template does.
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

// BenchmarkFullContact maps a contact with five tasks, five notes and two appointments: by the template's rules and by
// rules that map more.
func BenchmarkFullContact(b *testing.B) {
	b.Run("template", func(b *testing.B) { benchmarkFullContact(b, newMapper(b, nil)) })
	b.Run("custom", func(b *testing.B) { benchmarkFullContact(b, withRules(b, customRules, definitions...)) })
}

func BenchmarkContactUpdate(b *testing.B) {
	m := newMapper(b, nil)
	last, _, err := m.Contact(contact())
	if err != nil {
		b.Fatal(err)
	}
	now := *last
	now.LastName, now.Tags = "King", []string{"vip"}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.ContactUpdate(&now, last); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadRules(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b, customRules, definitions...)
	}
}
