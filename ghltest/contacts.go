package ghltest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pluvo/ghl"
)

var contactUpdateProperties = properties{
	"firstName": optional(text), "lastName": optional(text), "name": optional(text), "email": optional(text),
	"phone": optional(text), "address1": optional(text), "city": optional(text), "state": optional(text),
	"postalCode": optional(text), "country": optional(text), "website": optional(text), "timezone": optional(text),
	"source": optional(text), "assignedTo": optional(text), "dateOfBirth": optional(text), "dnd": optional(flag),
	"tags": optional(texts),
	"dndSettings": optional(object).
		of(channels("Call", "Email", "SMS", "WhatsApp", "GMB", "FB", "RCS")).
		inV3(channels("call", "email", "sms", "whatsApp", "gmb", "fb", "rcs")),
	"inboundDndSettings": optional(object).of(properties{"all": optional(object).of(properties{
		"status": required(text).in("active", "inactive"), "message": optional(text),
	})}),
	"customFields": optional(list).of(customFieldProperties).
		inV3(customFieldPropertiesV3),
}

var (
	customFieldPropertiesV3 = properties{
		"id": optional(text), "key": optional(text),
		"field_value": optional(anything), "fieldValue": optional(anything),
	}
	customFieldProperties = customFieldPropertiesV3.with(properties{"value": optional(anything)})
)

func channels(names ...string) properties {
	all := properties{}
	for _, name := range names {
		all[name] = optional(object).of(properties{
			"status": required(text).in("active", "inactive", "permanent"), "message": optional(text),
			"code": optional(text),
		})
	}
	return all
}

var contactCreateProperties = contactUpdateProperties.with(properties{
	"locationId": required(text), "gender": optional(text), "companyName": optional(text),
})

var contactUpsertProperties = contactCreateProperties.with(properties{"createNewIfDuplicateAllowed": optional(flag)})

var setBusinessProperties = properties{
	"locationId": required(text), "ids": required(texts), "businessId": {kind: text, required: true, nullable: true},
}

// contact returns the contact in the path.
func (c *call) contact() (*contact, error) {
	id := c.param("contactId")
	found := c.contacts[id]
	switch {
	case found == nil:
		return nil, contactNotFound(id)
	case found.location != c.location:
		return nil, wrongLocation()
	}
	return found, nil
}

func (c *call) getContact() (any, error) {
	found, err := c.contact()
	if err != nil {
		return nil, err
	}
	wire := &found.wire
	if c.v3 {
		wire = &found.wireV3
	}
	if *wire == nil {
		if *wire, err = json.Marshal(map[string]any{"contact": c.byID(found)}); err != nil {
			return nil, err
		}
	}
	return *wire, nil
}

func (c *call) createContact() (any, error) {
	in, err := read[ghl.ContactUpsert](c)
	if err != nil {
		return nil, err
	}
	made, err := c.newContact(in, false)
	if err != nil {
		return nil, err
	}
	if c.v3 {
		return map[string]any{"contact": c.byID(made)}, nil
	}
	return map[string]any{"contact": asCreated(made)}, nil
}

func (c *call) updateContact() (any, error) {
	found, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[ghl.ContactUpsert](c)
	if err != nil {
		return nil, err
	}
	if err := c.change(found, in); err != nil {
		return nil, err
	}
	flag := "succeded"
	if c.v3 {
		flag = "succeeded"
	}
	return map[string]any{flag: true, "contact": c.byID(found)}, nil
}

// upsertContact finds a contact by its e-mail, then by an additional e-mail, then by its phone. When the e-mail and
// the phone belong to two contacts, the phone is ignored without an error, as HighLevel does. An additional e-mail
// becomes the primary one, and the contact loses its old primary e-mail (issue 337 of the vendor's documents).
func (c *call) upsertContact() (any, error) {
	in, err := read[ghl.ContactUpsert](c)
	if err != nil {
		return nil, err
	}
	email, _ := in.Email.Get()
	phone, _ := in.Phone.Get()
	found, by := c.location.sharing(strings.TrimSpace(email), normalPhone(phone, c.location.Country), nil)
	if found == nil || in.CreateNewIfDuplicateAllowed && c.location.Settings.AllowDuplicateContact {
		if found, err = c.newContact(in, true); err != nil {
			return nil, err
		}
		return c.upserted(found, true), nil
	}
	other, _ := c.location.sharing("", normalPhone(phone, c.location.Country), found)
	if by != "phone" && other != nil {
		in.Phone = ghl.Opt[string]{}
	}
	if err := c.change(found, in); err != nil {
		return nil, err
	}
	return c.upserted(found, false), nil
}

func (c *call) upserted(found *contact, isNew bool) any {
	return map[string]any{"new": isNew, "contact": c.byID(found), "traceId": c.ids.uuid()}
}

func (c *call) deleteContact() (any, error) {
	found, err := c.contact()
	if err != nil {
		return nil, err
	}
	c.location.remove(found)
	delete(c.contacts, found.ID)
	c.emitContact(ContactDelete, found)
	c.deleteEvents(func(e *event) bool { return e.ContactID == found.ID })
	return c.succeeded(), nil
}

// findDuplicate answers null when no contact matches.
func (c *call) findDuplicate() (any, error) {
	email, number := c.query.Get("email"), c.query.Get("number")
	phone := normalPhone(number, c.location.Country)
	if strings.HasPrefix(number, " ") { // an unescaped "+" is a space, and no number begins with a space
		phone = number
	}
	if email == "" && phone == "" {
		return nil, refuse(http.StatusBadRequest, "Pass at least one of number, email query parameter")
	}
	found, _ := c.location.sharing(email, phone, nil)
	if found == nil {
		return map[string]any{"contact": nil, "traceId": c.ids.uuid()}, nil
	}
	return map[string]any{"contact": c.byID(found), "traceId": c.ids.uuid()}, nil
}

func (c *call) setBusiness() (any, error) {
	in, err := read[struct {
		IDs        []string `json:"ids"`
		BusinessID *string  `json:"businessId"`
	}](c)
	if err != nil {
		return nil, err
	}
	business := ""
	if in.BusinessID != nil {
		business = *in.BusinessID
	}
	changed := []string{}
	for _, id := range in.IDs {
		if found := c.contacts[id]; found != nil && found.location == c.location {
			found.BusinessID = business
			for _, task := range found.tasks {
				task.BusinessID = business
			}
			found.touch(c.now)
			c.emitContact(ContactUpdate, found)
			changed = append(changed, id)
		}
	}
	return map[string]any{"success": true, "ids": changed}, nil
}

// newContact creates a contact in the location.
func (c *call) newContact(in *ghl.ContactUpsert, duplicateAllowed bool) (*contact, error) {
	made := &contact{location: c.location, added: c.now.UnixMilli()}
	made.LocationID, made.DateAdded, made.Type = c.location.ID, timestamp(c.now), "lead"
	if err := c.fill(made, nil, in, duplicateAllowed); err != nil {
		return nil, err
	}
	if made.Email == "" && made.Phone == "" && made.fullName() == "" {
		return nil, invalid("one of email, phone or name should not be empty")
	}
	set(&made.CompanyName, in.CompanyName)
	set(&made.Gender, in.Gender) // ignored for a contact that exists
	made.ID = c.ids.id()
	c.addLocationTags(c.location, made.Tags)
	c.contacts[made.ID] = made
	c.location.place(made)
	c.emitContact(ContactCreate, made)
	return made, nil
}

// change updates a contact, also in the index of e-mails and phones.
func (c *call) change(found *contact, in *ghl.ContactUpsert) error {
	changed := *found
	changed.CustomFields = slices.Clone(found.CustomFields)
	if err := c.fill(&changed, found, in, false); err != nil {
		return err
	}
	set(&changed.CompanyName, in.CompanyName)
	if changed.Email != found.Email { // an additional e-mail that becomes the primary one
		changed.AdditionalEmails = slices.DeleteFunc(slices.Clone(found.AdditionalEmails),
			func(a ghl.AdditionalEmail) bool { return strings.EqualFold(a.Email, changed.Email) })
	}
	c.location.forget(found)
	was := *found
	*found = changed
	c.addLocationTags(c.location, found.Tags)
	c.location.identify(found)
	c.emitContactChange(&was, found)
	return nil
}

// fill sets the fields in a request. It refuses a duplicate of any contact other than own.
func (c *call) fill(to, own *contact, in *ghl.ContactUpsert, duplicateAllowed bool) error {
	if birth, ok := in.DateOfBirth.Get(); ok && birth != "" {
		to.DateOfBirth = parseBirth(birth)
		if to.DateOfBirth.IsZero() {
			return invalid("dateOfBirth" + reasons[instant])
		}
		day := to.DateOfBirth.In(time.UTC)
		to.BirthMonth, to.BirthDay = int(day.Month()), day.Day()
	} else if !in.DateOfBirth.IsZero() {
		to.DateOfBirth, to.BirthMonth, to.BirthDay = ghl.Time{}, 0, 0
	}
	if !in.Name.IsZero() {
		name, _ := in.Name.Get()
		to.FirstName, to.LastName = splitName(name)
	}
	set(&to.FirstName, in.FirstName)
	set(&to.LastName, in.LastName)
	if err := c.identify(to, own, in); err != nil {
		return err
	}
	set(&to.Address1, in.Address1)
	set(&to.City, in.City)
	set(&to.State, in.State)
	set(&to.PostalCode, in.PostalCode)
	set(&to.Country, in.Country)
	set(&to.Website, in.Website)
	set(&to.Timezone, in.Timezone)
	set(&to.Source, in.Source)
	set(&to.AssignedTo, in.AssignedTo)
	set(&to.DND, in.DND)
	if dnd, ok := in.DNDSettings.Get(); ok && dnd != nil {
		to.DNDSettings = mergeDND(to.DNDSettings, dnd)
	} else if !in.DNDSettings.IsZero() {
		to.DNDSettings = nil
	}
	set(&to.InboundDNDSettings, in.InboundDNDSettings)
	if !duplicateAllowed {
		if err := c.checkDuplicate(to, own, in); err != nil {
			return err
		}
	}
	if !in.Tags.IsZero() { // replaces all tags
		tags, _ := in.Tags.Get()
		to.Tags = normalTags(tags)
	}
	fields, _ := in.CustomFields.Get()
	for _, f := range fields {
		c.location.setCustomField(to, f) // ignores an undefined field without an error
	}
	to.touch(c.now)
	return nil
}

// identify sets the e-mail and the phone. It refuses what the options of the server refuse.
func (c *call) identify(to, own *contact, in *ghl.ContactUpsert) error {
	set(&to.Email, in.Email)
	to.Email = strings.TrimSpace(to.Email)
	if !in.Phone.IsZero() {
		phone, _ := in.Phone.Get()
		if c.refuses.malformedPhone && phone != "" && !phoneLike.MatchString(phone) {
			return refuse(http.StatusBadRequest, "Invalid phone number")
		}
		to.Phone = normalPhone(phone, c.location.Country)
	}
	changed := own == nil || !in.Email.IsZero() || !in.Phone.IsZero()
	if c.refuses.unreachable && changed && to.Email == "" && to.Phone == "" {
		return refuse(http.StatusBadRequest, "Please provide at least one of email, phone")
	}
	return nil
}

// birthLayouts are the documented forms of a date that no answer has.
var birthLayouts = []string{
	"2006/01/02", "01/02/2006", "01-02-2006", "2006.01.02", "01.02.2006", "2006_01_02", "01_02_2006",
}

func parseBirth(text string) ghl.Time {
	for _, layout := range birthLayouts {
		if day, err := time.Parse(layout, text); err == nil {
			return ghl.ParseTime(day.Format(time.DateOnly))
		}
	}
	return ghl.ParseTime(text)
}

// checkDuplicate refuses an e-mail or phone of another contact, unless the location allows duplicates. It ignores
// values that the request does not change, because seeds may share them.
func (c *call) checkDuplicate(to, own *contact, in *ghl.ContactUpsert) error {
	if c.location.Settings.AllowDuplicateContact {
		return nil
	}
	email, phone := "", ""
	if !in.Email.IsZero() {
		email = to.Email
	}
	if !in.Phone.IsZero() {
		phone = to.Phone
	}
	other, field := c.location.sharing(email, phone, own)
	if other == nil {
		return nil
	}
	return &refusal{http.StatusBadRequest, map[string]any{
		"statusCode": http.StatusBadRequest,
		"message":    "This location does not allow duplicated contacts.",
		"meta":       map[string]string{"contactName": other.fullName(), "contactId": other.ID, "matchingField": field},
		"traceId":    c.ids.uuid(),
	}}
}

// touch sets the time of a change and drops cached answers. Every change of a contact calls it.
func (c *contact) touch(now time.Time) {
	c.wire, c.wireV3 = nil, nil
	c.updated = now.UnixMilli()
	c.DateUpdated = timestamp(now)
	c.location.indexLater(c.ID)
}

func (c *contact) fullName() string { return strings.TrimSpace(c.FirstName + " " + c.LastName) }

// splitName returns the first word as the first name and the rest as the last name.
func splitName(name string) (first, last string) {
	first, last, _ = strings.Cut(strings.TrimSpace(name), " ")
	return first, strings.TrimSpace(last)
}

// mergeDND returns the old settings with the channels of the change.
func mergeDND(old, change *ghl.DNDSettings) *ghl.DNDSettings {
	merged := ghl.DNDSettings{}
	if old != nil {
		merged = *old
	}
	for _, channel := range []struct{ to, from **ghl.DNDSetting }{
		{&merged.Call, &change.Call}, {&merged.Email, &change.Email}, {&merged.SMS, &change.SMS},
		{&merged.WhatsApp, &change.WhatsApp},
		{&merged.GMB, &change.GMB}, {&merged.FB, &change.FB}, {&merged.RCS, &change.RCS},
	} {
		if *channel.from != nil {
			*channel.to = *channel.from
		}
	}
	return &merged
}

// callingCodes has the calling code of each country in which the fake completes national numbers.
var callingCodes = map[string]string{
	"US": "1", "CA": "1", "GB": "44", "DE": "49", "FR": "33", "AU": "61", "NL": "31", "ES": "34",
	"IT": "39", "AT": "43",
	"CH": "41",
}

// phoneLike matches a phone number of 5 to 15 digits, with separators and an extension.
var phoneLike = regexp.MustCompile(`(?i)^\s*\+?(?:[ ()./-]*[0-9]){5,15}[ ()./-]*(?:(?:ext\.?|x)\s*[0-9]+)?\s*$`)

// normalPhone returns a phone number in E.164, "" for a text without digits.
func normalPhone(phone, country string) string {
	phone = strings.TrimSpace(phone)
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) && r < unicode.MaxASCII {
			return r
		}
		return -1
	}, phone)
	code := callingCodes[strings.ToUpper(country)]
	switch {
	case digits == "":
		return ""
	case strings.HasPrefix(phone, "+"):
		return "+" + digits
	case strings.HasPrefix(digits, "00"):
		return "+" + digits[2:]
	case code == "1" && len(digits) == 11 && digits[0] == '1':
		return "+" + digits
	}
	if code != "39" { // Italy's numbers keep their 0
		digits = strings.TrimPrefix(digits, "0")
	}
	return "+" + code + digits
}
