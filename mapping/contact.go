package mapping

import (
	"slices"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Contact maps a contact from GHL to Pluvo. A name is split only where GHL has one field for it: at the first space.
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
	if rules := m.o.Rules.contact; rules != nil {
		if err := rules.toPluvo(out, c, sc, s); err != nil {
			return err
		}
	} else {
		m.plainContact(out, c, sc, s)
	}
	return settle(&contactFields, out, out, s)
}

func (m *Mapper) plainContact(out *pluvo.Contact, c *ghl.Contact, sc *scope, s *sink) {
	first, last, noteFirst, noteLast := names(c)
	if out.FirstName = first; first != "" {
		s.went("firstName", "firstName", noteFirst)
	}
	if out.LastName = last; last != "" {
		s.went("lastName", "lastName", noteLast)
	}
	if out.Email = c.Email; c.Email != "" {
		s.mapped("email", "email")
	}
	if c.Phone != "" {
		var note string
		out.Phone, note = m.phone(c.Phone)
		s.went("phone", "phone", note)
	}
	out.Tags = Tags(c.Tags)
	s.tags(c.Tags, out.Tags)
	reportLeftOut(s, c, sc, contactLeftOut, whyNoFurther)
	reportOtherContactFields(s, c, nil, whyNoFurther)
}

// names returns the first and last name, and notes if they were split.
func names(c *ghl.Contact) (first, last, noteFirst, noteLast string) {
	if c.FirstName != "" || c.LastName != "" {
		return c.FirstName, c.LastName, "", ""
	}
	name := c.Name
	if name == "" {
		name = c.ContactName
	}
	first, last, _ = strings.Cut(strings.TrimSpace(name), " ")
	return first, strings.TrimSpace(last), whySplitName, whyRestName
}

// ContactCreate maps a contact of Pluvo to one that is to be made in GHL. It needs an e-mail, a phone or a name.
func (m *Mapper) ContactCreate(c *pluvo.Contact) (*ghl.ContactCreate, *Report, error) {
	if c == nil {
		return nil, &Report{}, noRecord(pluvo.KindContact)
	}
	s, out := newSink(pluvo.KindContact, c.ID), new(ghl.ContactCreate)
	if rules := m.o.Rules.contact; rules != nil {
		if err := rules.create(out, c, m, s); err != nil {
			return nil, s.report, err
		}
	} else {
		m.contactCreate(out, c, s)
	}
	for _, text := range [...]string{out.Email, out.Phone, out.FirstName, out.LastName, out.Name} {
		if strings.TrimSpace(text) != "" {
			return out, s.report, nil
		}
	}
	return nil, s.report, s.missing("email", "email", whyNobody)
}

func (m *Mapper) contactCreate(out *ghl.ContactCreate, c *pluvo.Contact, s *sink) {
	for _, f := range [...]struct {
		name, from string
		to         *string
	}{{"firstName", c.FirstName, &out.FirstName}, {"lastName", c.LastName, &out.LastName}, {"email", c.Email, &out.Email}} {
		if *f.to = f.from; f.from != "" {
			s.mapped(f.name, f.name)
		}
	}
	if phone, note := m.phone(c.Phone); refusesPhone(phone) {
		s.leftOut("phone", whyNoPhone)
	} else if phone != "" {
		out.Phone = phone
		s.went("phone", "phone", note)
	}
	out.Tags = TagsToGHL(c.Tags)
	s.tags(c.Tags, out.Tags)
	if c.Stage != "" {
		s.leftOut("stage", whyNoStage)
	}
	reportOtherFields(s, c, &pluvo.Contact{}, nil, whyNoExtra)
}

// ContactChange is what is to be done in GHL so that a contact follows Pluvo.
type ContactChange struct {
	// Update is for [ghl.ContactsService.Update]; nil when no field changes. It never sets the tags.
	Update *ghl.ContactUpdate
	// AddTags and RemoveTags are for [ghl.TagsService.Add] and [ghl.TagsService.Remove].
	AddTags, RemoveTags []string
}

// IsEmpty reports whether there is nothing to do.
func (c *ContactChange) IsEmpty() bool {
	return c.Update == nil && len(c.AddTags) == 0 && len(c.RemoveTags) == 0
}

// update returns the update, made if it is not there.
func (c *ContactChange) update() *ghl.ContactUpdate {
	if c.Update == nil {
		c.Update = new(ghl.ContactUpdate)
	}
	return c.Update
}

// ContactUpdate maps what differs between a contact of Pluvo and the last state of it that GHL is known to have: a field
// that is the same is absent, one that was cleared is null. Values are compared in the form that GHL gives them (e-mails
// and tags in lower case, phone numbers as the normaliser writes them, times in GHL's precision), so what GHL has made of
// one is no difference.
//
// Without a last state (nil) whatever has a value is sent, and nothing is cleared or removed.
func (m *Mapper) ContactUpdate(now, last *pluvo.Contact) (*ContactChange, *Report, error) {
	last, known, err := samePair(pluvo.KindContact, now, last, (*pluvo.Contact).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindContact, now.ID), new(ContactChange)
	if rules := m.o.Rules.contact; rules != nil {
		if err := rules.change(out, now, last, known, m, s); err != nil {
			return nil, s.report, err
		}
	} else {
		m.contactChange(out, now, last, s)
	}
	return out, s.report, nil
}

func (m *Mapper) contactChange(out *ContactChange, now, last *pluvo.Contact, s *sink) {
	if now.FirstName != last.FirstName {
		out.update().FirstName = opt(now.FirstName)
		s.mapped("firstName", "firstName")
	}
	if now.LastName != last.LastName {
		out.update().LastName = opt(now.LastName)
		s.mapped("lastName", "lastName")
	}
	if now.Email != last.Email && lowerEmail(now.Email) != lowerEmail(last.Email) {
		out.update().Email = opt(now.Email)
		s.mapped("email", "email")
	}
	phone, note := m.phone(now.Phone)
	switch before, _ := m.phone(last.Phone); {
	case phone == before:
	case refusesPhone(phone):
		s.leftOut("phone", whyNoPhone)
	default:
		out.update().Phone = opt(phone)
		s.went("phone", "phone", note)
	}
	if out.AddTags, out.RemoveTags = TagChanges(now.Tags, last.Tags); len(out.AddTags)+len(out.RemoveTags) > 0 {
		s.mapped("tags", "tags")
	}
	if now.Stage != last.Stage {
		s.leftOut("stage", whyNoStage)
	}
	reportOtherFields(s, now, last, nil, whyNoExtra)
}

// sortedNames returns the names in both maps, each once.
func sortedNames(a, b map[string]string) []string {
	if len(a)+len(b) == 0 {
		return nil
	}
	names := make([]string, 0, len(a)+len(b))
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
