package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

type (
	contactField = ghlField[ghl.Contact, ghl.ContactCreate, ContactChange]
	contactTable = table[ghl.Contact, ghl.ContactCreate, ContactChange, pluvo.Contact]
	contactRules = compiled[ghl.Contact, ghl.ContactCreate, ContactChange, pluvo.Contact]
)

var contactFields = contactTable{
	ghl: []*contactField{
		ownText[ghl.Contact, ghl.ContactCreate, ContactChange]("id", func(c *ghl.Contact) string { return c.ID }),
		fullName(),
		derivedName(
			func(c *ghl.Contact) value { first, _ := names(c); return first },
			contactText("firstName", nil,
				func(c *ghl.ContactCreate) *string { return &c.FirstName },
				func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.FirstName })),
		derivedName(
			func(c *ghl.Contact) value { _, last := names(c); return last },
			contactText("lastName", nil,
				func(c *ghl.ContactCreate) *string { return &c.LastName },
				func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.LastName })),
		emailField(contactText("email",
			func(c *ghl.Contact) string { return c.Email },
			func(c *ghl.ContactCreate) *string { return &c.Email },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Email })),
		phoneField(contactText("phone",
			func(c *ghl.Contact) string { return c.Phone },
			func(c *ghl.ContactCreate) *string { return &c.Phone },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Phone })),
		contactText("address1",
			func(c *ghl.Contact) string { return c.Address1 },
			func(c *ghl.ContactCreate) *string { return &c.Address1 },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Address1 }),
		contactText("city",
			func(c *ghl.Contact) string { return c.City },
			func(c *ghl.ContactCreate) *string { return &c.City },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.City }),
		contactText("state",
			func(c *ghl.Contact) string { return c.State },
			func(c *ghl.ContactCreate) *string { return &c.State },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.State }),
		contactText("postalCode",
			func(c *ghl.Contact) string { return c.PostalCode },
			func(c *ghl.ContactCreate) *string { return &c.PostalCode },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.PostalCode }),
		contactText("country",
			func(c *ghl.Contact) string { return c.Country },
			func(c *ghl.ContactCreate) *string { return &c.Country },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Country }),
		contactText("timezone",
			func(c *ghl.Contact) string { return c.Timezone },
			func(c *ghl.ContactCreate) *string { return &c.Timezone },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Timezone }),
		contactText("website",
			func(c *ghl.Contact) string { return c.Website },
			func(c *ghl.ContactCreate) *string { return &c.Website },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Website }),
		contactText("source",
			func(c *ghl.Contact) string { return c.Source },
			func(c *ghl.ContactCreate) *string { return &c.Source },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Source }),
		userID(contactText("assignedTo",
			func(c *ghl.Contact) string { return c.AssignedTo },
			func(c *ghl.ContactCreate) *string { return &c.AssignedTo },
			func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.AssignedTo })),
		{
			name: "companyName", typ: textType,
			get:    func(c *ghl.Contact, _ *scope) value { return textValue(c.CompanyName) },
			create: func(c *ghl.ContactCreate, v value) { c.CompanyName = v.text },
		},
		{
			name: "dateOfBirth", typ: dayType, clears: true,
			get:    func(c *ghl.Contact, _ *scope) value { return dayOf(c.DateOfBirth) },
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
			name: "tags", typ: listType, clears: true, sends: tagsForGHL,
			get:    func(c *ghl.Contact, _ *scope) value { return tagsFromGHL(c.Tags) },
			create: func(c *ghl.ContactCreate, v value) { c.Tags = v.list },
			change: func(u *ContactChange, old, now value) { u.AddTags, u.RemoveTags = TagChanges(now.list, old.list) },
		},
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("type",
			func(c *ghl.Contact) string { return c.Type }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("gender",
			func(c *ghl.Contact) string { return c.Gender }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("businessId",
			func(c *ghl.Contact) string { return c.BusinessID }),
		readOnly[ghl.Contact, ghl.ContactCreate, ContactChange]("businessName",
			func(c *ghl.Contact) string { return c.BusinessName }),
		readOnlyTime[ghl.Contact, ghl.ContactCreate, ContactChange]("dateAdded",
			func(c *ghl.Contact) ghl.Time { return c.DateAdded }),
		readOnlyTime[ghl.Contact, ghl.ContactCreate, ContactChange]("dateUpdated",
			func(c *ghl.Contact) ghl.Time { return c.DateUpdated }),
		readOnlyTime[ghl.Contact, ghl.ContactCreate, ContactChange]("lastActivity",
			func(c *ghl.Contact) ghl.Time { return c.LastActivity }),
		contactList("followers", func(c *ghl.Contact) []string { return c.Followers }, unchanged),
		contactList("attachments", func(c *ghl.Contact) []string { return c.Attachments }, unchanged),
		contactList("additionalEmails",
			func(c *ghl.Contact) []ghl.AdditionalEmail { return c.AdditionalEmails },
			func(e ghl.AdditionalEmail) string { return e.Email }),
		contactList("additionalPhones",
			func(c *ghl.Contact) []ghl.AdditionalPhone { return c.AdditionalPhones },
			func(p ghl.AdditionalPhone) string { return p.Phone }),
	},
	pluvo: []*pluvoField[pluvo.Contact]{
		pluvoID("id", func(c *pluvo.Contact) string { return c.ID }),
		pluvoText("email", func(c *pluvo.Contact) *string { return &c.Email }),
		pluvoText("firstName", func(c *pluvo.Contact) *string { return &c.FirstName }),
		pluvoText("lastName", func(c *pluvo.Contact) *string { return &c.LastName }),
		pluvoText("phone", func(c *pluvo.Contact) *string { return &c.Phone }),
		unwrittenBecause(whyNoStage, pluvoText("stage", func(c *pluvo.Contact) *string { return &c.Stage })),
		{
			name: "tags", typ: listType, get: func(c *pluvo.Contact) value { return listValue(c.Tags) },
			set: func(c *pluvo.Contact, v value) { c.Tags = Tags(v.list) },
		},
	},
	moreGHL:    customField,
	morePluvo:  furtherField,
	others:     reportOtherContactFields,
	otherPluvo: reportFurtherFields,
}

// contactText is a text of a contact that GHL accepts and clears.
func contactText(
	name string, read func(*ghl.Contact) string, create func(*ghl.ContactCreate) *string,
	change func(*ghl.ContactUpdate) *ghl.Opt[string],
) *contactField {
	return textField(name, read, create, func(u *ContactChange) *ghl.Opt[string] { return change(u.update()) })
}

// contactList is a list of a contact that GHL does not accept.
func contactList[T any](name string, read func(*ghl.Contact) []T, text func(T) string) *contactField {
	return &contactField{
		name: name, typ: listType,
		has: func(c *ghl.Contact) bool { return len(read(c)) > 0 },
		get: func(c *ghl.Contact, _ *scope) value {
			var list []string
			for _, item := range read(c) {
				list = append(list, text(item))
			}
			return listValue(list)
		},
	}
}

// derivedName gives the first or the last name its value.
func derivedName(read func(*ghl.Contact) value, f *contactField) *contactField {
	f.get = func(c *ghl.Contact, _ *scope) value { return read(c) }
	return f
}

// fullName is the whole name, which GHL derives from its parts.
func fullName() *contactField {
	f := contactText("name", wholeName,
		func(c *ghl.ContactCreate) *string { return &c.Name },
		func(u *ghl.ContactUpdate) *ghl.Opt[string] { return &u.Name })
	f.own, f.covers = true, []string{"firstName", "lastName"}
	return f
}

// dayOf returns a day. GHL writes a day as midnight UTC, as a date, or in milliseconds.
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

// emailField marks a text of which GHL compares the lower case.
func emailField(f *contactField) *contactField {
	f.stored = func(_ *Mapper, v value) value { return textValue(strings.ToLower(v.text)) }
	return f
}

// phoneField marks a text that must be a phone number, which can be written in several ways.
func phoneField(f *contactField) *contactField {
	f.stored = func(m *Mapper, v value) value {
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

// furtherField returns a further field of a person by a name such as "fields.NAME"; nil for another name.
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

// reportFurtherFields reports each further field of a person that differs and that no rule writes to GHL.
func reportFurtherFields(s *sink, now, last *pluvo.Contact, written map[string]bool) {
	for _, key := range sortedNames(now.Fields, last.Fields) {
		if name := fieldsPrefix + key; now.Fields[key] != last.Fields[key] && !written[name] {
			s.leftOut(name, whyNoRule)
		}
	}
}

// reportOtherContactFields reports each value that is not in the table: the custom fields that no rule reads, and
// values for which Pluvo has no field. Read holds the ids and keys of the custom fields that rules read.
func reportOtherContactFields(s *sink, c *ghl.Contact, read map[string]bool) {
	for i := range c.CustomFields {
		f := &c.CustomFields[i]
		name := f.ID
		if name == "" {
			name = f.Key
		}
		if !f.Value.IsNull() && !read[name] {
			s.leftOut(customPrefix+name, whyNoRule)
		}
	}
	reportPresent(s, []presence{
		{"dndSettings", c.DNDSettings != nil},
		{"inboundDndSettings", c.InboundDNDSettings != nil},
		{"ssn", c.SSN != ""},
		{"keyword", c.Keyword != ""},
		{"attributionSource", c.AttributionSource != nil},
		{"lastAttributionSource", c.LastAttributionSource != nil},
		{"attributions", len(c.Attributions) > 0},
		{"offers", len(c.Offers) > 0},
		{"products", len(c.Products) > 0},
		{"visitorId", c.VisitorID != ""},
		{"bounceEmail", c.BounceEmail},
		{"unsubscribeEmail", c.UnsubscribeEmail},
		{"validEmail", c.ValidEmail != nil},
		{"isValidWhatsapp", c.IsValidWhatsApp != nil},
		{"lastSessionActivityAt", !c.LastSessionActivityAt.IsZero()},
		{"deleted", c.Deleted},
	})
	reportExtra(s, c.Extra)
}
