package mapping

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

type (
	contactField = ghlField[ghl.Contact, ghl.ContactCreate, ContactChange]
	contactTable = table[ghl.Contact, ghl.ContactCreate, ContactChange, pluvo.Contact]
)

var contactFields = contactTable{
	ghl: []*contactField{
		{name: "id", typ: textType, own: true, get: func(c *ghl.Contact, _ *scope) value { return textValue(c.ID) }},
		fullName(),
		nameField("firstName", 0, func(c *ghl.ContactCreate) *string { return &c.FirstName }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.FirstName }),
		nameField("lastName", 1, func(c *ghl.ContactCreate) *string { return &c.LastName }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.LastName }),
		emailField(contactText("email", func(c *ghl.Contact) string { return c.Email }, func(c *ghl.ContactCreate) *string { return &c.Email }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Email })),
		phoneField(contactText("phone", func(c *ghl.Contact) string { return c.Phone }, func(c *ghl.ContactCreate) *string { return &c.Phone }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Phone })),
		contactText("address1", func(c *ghl.Contact) string { return c.Address1 }, func(c *ghl.ContactCreate) *string { return &c.Address1 }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Address1 }),
		contactText("city", func(c *ghl.Contact) string { return c.City }, func(c *ghl.ContactCreate) *string { return &c.City }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.City }),
		contactText("state", func(c *ghl.Contact) string { return c.State }, func(c *ghl.ContactCreate) *string { return &c.State }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.State }),
		contactText("postalCode", func(c *ghl.Contact) string { return c.PostalCode }, func(c *ghl.ContactCreate) *string { return &c.PostalCode }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.PostalCode }),
		contactText("country", func(c *ghl.Contact) string { return c.Country }, func(c *ghl.ContactCreate) *string { return &c.Country }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Country }),
		contactText("timezone", func(c *ghl.Contact) string { return c.Timezone }, func(c *ghl.ContactCreate) *string { return &c.Timezone }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Timezone }),
		contactText("website", func(c *ghl.Contact) string { return c.Website }, func(c *ghl.ContactCreate) *string { return &c.Website }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Website }),
		contactText("source", func(c *ghl.Contact) string { return c.Source }, func(c *ghl.ContactCreate) *string { return &c.Source }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Source }),
		isUser(contactText("assignedTo", func(c *ghl.Contact) string { return c.AssignedTo }, func(c *ghl.ContactCreate) *string { return &c.AssignedTo }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.AssignedTo })),
		{
			name: "companyName", typ: textType, get: func(c *ghl.Contact, _ *scope) value { return textValue(c.CompanyName) },
			create: func(c *ghl.ContactCreate, v value) { c.CompanyName = v.text },
		},
		{
			name: "dateOfBirth", typ: dayType, clears: true, get: func(c *ghl.Contact, _ *scope) value { return dayOf(c.DateOfBirth) },
			create: func(c *ghl.ContactCreate, v value) { c.DateOfBirth = v.at.Format(time.DateOnly) },
			change: func(u *ContactChange, _, now value) {
				if u.update().DateOfBirth = ghl.Null[string](); !now.at.IsZero() {
					u.Update.DateOfBirth = ghl.Some(now.at.Format(time.DateOnly))
				}
			},
		},
		{
			name: "dnd", typ: flagType, get: func(c *ghl.Contact, _ *scope) value { return flagValue(c.DND) },
			create: func(c *ghl.ContactCreate, v value) { c.DND = v.flag },
			change: func(u *ContactChange, _, now value) { u.update().DND = ghl.Some(now.flag) },
		},
		{
			name: "tags", typ: listType, clears: true,
			get:    func(c *ghl.Contact, _ *scope) value { return tagsValue(c.Tags, Tags(c.Tags)) },
			create: func(c *ghl.ContactCreate, v value) { c.Tags = TagsToGHL(v.list) },
			change: func(u *ContactChange, old, now value) { u.AddTags, u.RemoveTags = TagChanges(now.list, old.list) },
			keeps:  func(_ *Mapper, v value) value { return listValue(TagsToGHL(v.list)) },
		},
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("type", func(c *ghl.Contact) string { return c.Type }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("gender", func(c *ghl.Contact) string { return c.Gender }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("businessId", func(c *ghl.Contact) string { return c.BusinessID }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("businessName", func(c *ghl.Contact) string { return c.BusinessName }),
		contactTime("dateAdded", func(c *ghl.Contact) ghl.Time { return c.DateAdded }),
		contactTime("dateUpdated", func(c *ghl.Contact) ghl.Time { return c.DateUpdated }),
		contactTime("lastActivity", func(c *ghl.Contact) ghl.Time { return c.LastActivity }),
		contactList("followers", func(c *ghl.Contact) int { return len(c.Followers) }, func(c *ghl.Contact) []string { return c.Followers }),
		contactList("attachments", func(c *ghl.Contact) int { return len(c.Attachments) }, func(c *ghl.Contact) []string { return c.Attachments }),
		contactList("additionalEmails", func(c *ghl.Contact) int { return len(c.AdditionalEmails) }, func(c *ghl.Contact) []string {
			list := make([]string, len(c.AdditionalEmails))
			for i, e := range c.AdditionalEmails {
				list[i] = e.Email
			}
			return list
		}),
		contactList("additionalPhones", func(c *ghl.Contact) int { return len(c.AdditionalPhones) }, func(c *ghl.Contact) []string {
			list := make([]string, len(c.AdditionalPhones))
			for i, p := range c.AdditionalPhones {
				list[i] = p.Phone
			}
			return list
		}),
	},
	pluvo: []*pluvoField[pluvo.Contact]{
		pluvoID("id", func(c *pluvo.Contact) string { return c.ID }),
		pluvoText("email", func(c *pluvo.Contact) *string { return &c.Email }),
		pluvoText("firstName", func(c *pluvo.Contact) *string { return &c.FirstName }),
		pluvoText("lastName", func(c *pluvo.Contact) *string { return &c.LastName }),
		pluvoText("phone", func(c *pluvo.Contact) *string { return &c.Phone }),
		pluvoText("stage", func(c *pluvo.Contact) *string { return &c.Stage }),
		{
			name: "tags", typ: listType, get: func(c *pluvo.Contact) value { return listValue(c.Tags) },
			set: func(c *pluvo.Contact, v value) { c.Tags = Tags(v.list) },
		},
	},
	moreGHL:    customField,
	morePluvo:  furtherField,
	others:     reportOtherContactFields,
	otherPluvo: reportOtherFields,
}

// contactLeftOut are the fields that the function written by hand does not map.
var contactLeftOut = contactFields.except("name", "firstName", "lastName", "email", "phone", "tags")

func contactText(name string, read func(*ghl.Contact) string, create func(*ghl.ContactCreate) *string, change func(*ghl.ContactUpdate) *ghl.Opt[string]) *contactField {
	return textField(name, read, create, func(u *ContactChange) *ghl.Opt[string] { return change(u.update()) })
}

func contactTime(name string, read func(*ghl.Contact) ghl.Time) *contactField {
	return &contactField{name: name, typ: instantType, get: instantOf(read), has: func(c *ghl.Contact) bool { return !read(c).IsZero() }}
}

func contactList(name string, length func(*ghl.Contact) int, read func(*ghl.Contact) []string) *contactField {
	return &contactField{
		name: name, typ: listType, get: func(c *ghl.Contact, _ *scope) value { return listValue(read(c)) },
		has: func(c *ghl.Contact) bool { return length(c) > 0 },
	}
}

// nameField is the first or the last name, which are split where GHL has one field.
func nameField(name string, part int, create func(*ghl.ContactCreate) *string, change func(*ghl.ContactUpdate) *ghl.Opt[string]) *contactField {
	f := contactText(name, nil, create, change)
	f.get = func(c *ghl.Contact, _ *scope) value {
		first, last, noteFirst, noteLast := names(c)
		if part == 0 {
			return value{text: first, note: noteFirst}
		}
		return value{text: last, note: noteLast}
	}
	return f
}

// fullName is the whole name. GHL makes it of the parts, so it is not left out where they are mapped.
func fullName() *contactField {
	f := contactText("name", func(c *ghl.Contact) string {
		if c.Name == "" {
			return c.ContactName
		}
		return c.Name
	}, func(c *ghl.ContactCreate) *string { return &c.Name }, func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Name })
	f.own, f.covers = true, []string{"firstName", "lastName"}
	return f
}

// dayOf returns a day. GHL writes days as midnight UTC, as a date, or in milliseconds.
func dayOf(t ghl.Time) value {
	if t.IsZero() {
		if t.Raw() != "" {
			return value{problem: whyNoTime}
		}
		return value{}
	}
	at := t.In(time.UTC)
	y, mo, d := at.Date()
	if y < 1 || y > 9999 {
		return value{problem: whyNoYear}
	}
	day := timeValue(time.Date(y, mo, d, 0, 0, 0, 0, time.UTC))
	if !day.at.Equal(at) {
		day.note = whyDay
	}
	return day
}

// tagsValue notes that tags were put into another form.
func tagsValue(given, kept []string) value {
	v := listValue(kept)
	switch {
	case len(given) > 0 && len(kept) == 0:
		v.problem = whyBlankTag
	case !slices.Equal(given, kept):
		v.note = whyTagForm
	}
	return v
}

// emailField makes two e-mails the same that HighLevel takes for one.
func emailField(f *contactField) *contactField {
	f.keeps = func(_ *Mapper, v value) value { return textValue(lowerEmail(v.text)) }
	return f
}

func lowerEmail(email string) string { return strings.ToLower(email) }

// phoneField makes two numbers the same that are written in two ways, and refuses what is no number.
func phoneField(f *contactField) *contactField {
	f.keeps = func(m *Mapper, v value) value {
		phone, _ := m.phone(v.text)
		return textValue(phone)
	}
	f.refuses = func(m *Mapper, text string) string {
		if phone, _ := m.phone(text); refusesPhone(phone) {
			return whyNoPhone
		}
		return ""
	}
	return f
}

// fieldsPrefix begins the name of a further field of a person in rules and reports.
const fieldsPrefix = "fields."

// furtherField is a further field of a person, "fields.NAME".
func furtherField(name string) *pluvoField[pluvo.Contact] {
	key, ok := cutPrefix(name, fieldsPrefix)
	if !ok {
		return nil
	}
	return &pluvoField[pluvo.Contact]{
		name: name, typ: textType,
		get: func(c *pluvo.Contact) value { return textValue(c.Fields[key]) },
		set: func(c *pluvo.Contact, v value) {
			if v.text == "" {
				delete(c.Fields, key)
				return
			}
			if c.Fields == nil {
				c.Fields = map[string]string{}
			}
			c.Fields[key] = v.text
		},
	}
}

// reportOtherFields adds an entry for each further field of a person that differs.
func reportOtherFields(s *sink, now, last *pluvo.Contact, written map[string]bool, reason string) {
	for _, key := range sortedNames(now.Fields, last.Fields) {
		if name := fieldsPrefix + key; now.Fields[key] != last.Fields[key] && !written[name] {
			s.leftOut(name, reason)
		}
	}
}

// reportOtherContactFields adds an entry for each value that has no field in the table. Read are the ids and keys of custom
// fields that a rule reads.
func reportOtherContactFields(s *sink, c *ghl.Contact, read map[string]bool, reason string) {
	for i := range c.CustomFields {
		f := &c.CustomFields[i]
		name := f.ID
		if name == "" {
			name = f.Key
		}
		if !f.Value.IsNull() && !read[f.ID] && (f.ID != "" || !read[f.Key]) {
			s.leftOut(customPrefix+name, reason)
		}
	}
	for _, other := range [...]struct {
		name string
		has  bool
	}{
		{"dndSettings", c.DNDSettings != nil}, {"inboundDndSettings", c.InboundDNDSettings != nil}, {"ssn", c.SSN != ""},
		{"keyword", c.Keyword != ""}, {"attributionSource", c.AttributionSource != nil}, {"lastAttributionSource", c.LastAttributionSource != nil},
		{"attributions", len(c.Attributions) > 0}, {"offers", len(c.Offers) > 0}, {"products", len(c.Products) > 0},
		{"visitorId", c.VisitorID != ""}, {"bounceEmail", c.BounceEmail}, {"unsubscribeEmail", c.UnsubscribeEmail},
		{"validEmail", c.ValidEmail != nil}, {"isValidWhatsapp", c.IsValidWhatsApp != nil},
		{"lastSessionActivityAt", !c.LastSessionActivityAt.IsZero()}, {"deleted", c.Deleted},
	} {
		if other.has {
			s.leftOut(other.name, whyNoField)
		}
	}
	reportExtra(s, c.Extra)
}

// reportExtra adds an entry for each property that the SDK does not know, or could not read.
func reportExtra(s *sink, extra ghl.Extra) {
	if len(extra) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		s.leftOut(name, whyNoField)
	}
}
