package mapping

import (
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Contact maps a contact from GHL to Pluvo. If GHL has the whole name only, it is split at the first space.
func (m *Mapper) Contact(c *ghl.Contact) (*pluvo.Contact, *Report, error) {
	if c == nil {
		return nil, &Report{}, noRecord(pluvo.KindContact)
	}
	s, out := newSink(pluvo.KindContact, c.ID), new(pluvo.Contact)
	if err := m.contact(out, c, &scope{m: m}, s); err != nil {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func (m *Mapper) contact(out *pluvo.Contact, c *ghl.Contact, sc *scope, s *sink) error {
	if err := m.checkGHL(pluvo.KindContact, c.ID, c.LocationID); err != nil {
		return err
	}
	out.ID, out.Origin = m.id(pluvo.KindContact, c.ID), m.origin(c.ID)
	s.mapped("id", "origin.id")
	if err := m.rules.contact.toPluvo(out, c, sc, s); err != nil {
		return err
	}
	return settle(&contactFields, out, out, s)
}

// names returns the first and last name, with a note for each that is a part of the whole name.
func names(c *ghl.Contact) (first, last value) {
	if c.FirstName != "" || c.LastName != "" {
		return textValue(c.FirstName), textValue(c.LastName)
	}
	before, after, _ := strings.Cut(strings.TrimSpace(wholeName(c)), " ")
	return value{text: before, note: whySplitName}, value{text: strings.TrimSpace(after), note: whyRestName}
}

func wholeName(c *ghl.Contact) string {
	if c.Name == "" {
		return c.ContactName
	}
	return c.Name
}

// ContactCreate maps a contact of Pluvo to one that GHL creates. It fails unless the result has an e-mail, a phone or
// a name.
func (m *Mapper) ContactCreate(c *pluvo.Contact) (*ghl.ContactCreate, *Report, error) {
	if c == nil {
		return nil, &Report{}, noRecord(pluvo.KindContact)
	}
	s, out := newSink(pluvo.KindContact, c.ID), new(ghl.ContactCreate)
	if err := m.rules.contact.create(out, c, m, s); err != nil {
		return nil, s.report, err
	}
	for _, text := range [...]string{out.Email, out.Phone, out.FirstName, out.LastName, out.Name} {
		if strings.TrimSpace(text) != "" {
			return out, s.report, nil
		}
	}
	return nil, s.report, s.missing("email", "email", whyNoIdentity)
}

// ContactChange holds the calls that bring a contact of GHL to the state of Pluvo.
type ContactChange struct {
	// Update is for [ghl.ContactsService.Update]; nil when no field changes. It never sets the tags.
	Update *ghl.ContactUpdate
	// AddTags and RemoveTags are for [ghl.TagsService.Add] and [ghl.TagsService.Remove].
	AddTags, RemoveTags []string
}

// IsEmpty reports whether the change makes no call.
func (c *ContactChange) IsEmpty() bool {
	return c.Update == nil && len(c.AddTags) == 0 && len(c.RemoveTags) == 0
}

// update returns the update. It creates one if there is none.
func (c *ContactChange) update() *ghl.ContactUpdate {
	if c.Update == nil {
		c.Update = new(ghl.ContactUpdate)
	}
	return c.Update
}

// ContactUpdate maps the difference between a contact of Pluvo and the last state of it that GHL is known to have: a
// field that is the same is absent, a field that was cleared is null. It compares values in the form in which GHL
// stores them: e-mails and tags in lower case, phone numbers as the normaliser writes them, times in GHL's precision.
//
// Without a last state (nil) it sends every value that there is, and clears and removes nothing.
func (m *Mapper) ContactUpdate(now, last *pluvo.Contact) (*ContactChange, *Report, error) {
	last, known, err := samePair(pluvo.KindContact, now, last, (*pluvo.Contact).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindContact, now.ID), new(ContactChange)
	if err := m.rules.contact.change(out, now, last, known, m, s); err != nil {
		return nil, s.report, err
	}
	return out, s.report, nil
}
