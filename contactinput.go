package ghl

import (
	"reflect"
	"strings"
	"time"
)

// ContactCreate is the input of [ContactsService.Create]. Email, Phone or a name is required. Zero fields are not sent.
// Some locations refuse a contact that has neither Email nor Phone, with status 400.
type ContactCreate struct {
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	// Name is the full name, for callers that do not know its parts.
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	// Phone should be in E.164. The server completes other forms by the location's country.
	Phone string `json:"phone,omitempty"`
	// Gender is stored with a new contact only; no update changes it.
	Gender             string       `json:"gender,omitempty"`
	Address1           string       `json:"address1,omitempty"`
	City               string       `json:"city,omitempty"`
	State              string       `json:"state,omitempty"`
	PostalCode         string       `json:"postalCode,omitempty"`
	Country            string       `json:"country,omitempty"` // a two-letter code
	Website            string       `json:"website,omitempty"`
	Timezone           string       `json:"timezone,omitempty"` // an IANA name
	CompanyName        string       `json:"companyName,omitempty"`
	Source             string       `json:"source,omitempty"`
	AssignedTo         string       `json:"assignedTo,omitempty"`  // a user's id
	DateOfBirth        string       `json:"dateOfBirth,omitempty"` // YYYY-MM-DD
	DND                bool         `json:"dnd,omitempty"`
	DNDSettings        *DNDSettings `json:"dndSettings,omitempty"`
	InboundDNDSettings *DNDSettings `json:"inboundDndSettings,omitempty"`
	// Tags are stored in lower case.
	Tags         []string      `json:"tags,omitempty"`
	CustomFields []CustomField `json:"customFields,omitempty"`
}

// ContactUpdate is the input of [ContactsService.Update]. A field that is not set keeps its value; [Null] clears a
// field. An update that changes nothing is refused with [ErrBadInput].
type ContactUpdate struct {
	FirstName   Opt[string] `json:"firstName,omitzero"`
	LastName    Opt[string] `json:"lastName,omitzero"`
	Name        Opt[string] `json:"name,omitzero"`
	Email       Opt[string] `json:"email,omitzero"`
	Phone       Opt[string] `json:"phone,omitzero"`
	Address1    Opt[string] `json:"address1,omitzero"`
	City        Opt[string] `json:"city,omitzero"`
	State       Opt[string] `json:"state,omitzero"`
	PostalCode  Opt[string] `json:"postalCode,omitzero"`
	Country     Opt[string] `json:"country,omitzero"`
	Website     Opt[string] `json:"website,omitzero"`
	Timezone    Opt[string] `json:"timezone,omitzero"`
	Source      Opt[string] `json:"source,omitzero"`
	AssignedTo  Opt[string] `json:"assignedTo,omitzero"`
	DateOfBirth Opt[string] `json:"dateOfBirth,omitzero"` // YYYY-MM-DD
	DND         Opt[bool]   `json:"dnd,omitzero"`
	// DNDSettings changes the channels that are not nil, each as a whole. HighLevel does not document what it does to
	// the other channels, or to all channels when DND alone is set.
	DNDSettings        Opt[*DNDSettings] `json:"dndSettings,omitzero"`
	InboundDNDSettings Opt[*DNDSettings] `json:"inboundDndSettings,omitzero"`
	// Tags replaces all tags of the contact. To change single tags, use [TagsService.Add] and [TagsService.Remove].
	Tags Opt[[]string] `json:"tags,omitzero"`
	// CustomFields replaces the whole value of each listed field; the others keep their values.
	CustomFields Opt[[]CustomField] `json:"customFields,omitzero"`
}

// ContactUpsert is the input of [ContactsService.Upsert]. Email or Phone is required. [ContactUpdate] describes the
// fields that both have.
type ContactUpsert struct {
	FirstName          Opt[string]       `json:"firstName,omitzero"`
	LastName           Opt[string]       `json:"lastName,omitzero"`
	Name               Opt[string]       `json:"name,omitzero"`
	Email              Opt[string]       `json:"email,omitzero"`
	Phone              Opt[string]       `json:"phone,omitzero"`
	Address1           Opt[string]       `json:"address1,omitzero"`
	City               Opt[string]       `json:"city,omitzero"`
	State              Opt[string]       `json:"state,omitzero"`
	PostalCode         Opt[string]       `json:"postalCode,omitzero"`
	Country            Opt[string]       `json:"country,omitzero"`
	Website            Opt[string]       `json:"website,omitzero"`
	Timezone           Opt[string]       `json:"timezone,omitzero"`
	Source             Opt[string]       `json:"source,omitzero"`
	AssignedTo         Opt[string]       `json:"assignedTo,omitzero"`
	DateOfBirth        Opt[string]       `json:"dateOfBirth,omitzero"` // YYYY-MM-DD
	DND                Opt[bool]         `json:"dnd,omitzero"`
	DNDSettings        Opt[*DNDSettings] `json:"dndSettings,omitzero"`
	InboundDNDSettings Opt[*DNDSettings] `json:"inboundDndSettings,omitzero"`
	// Tags replaces all tags of the contact. To change single tags, use [TagsService.Add] and [TagsService.Remove].
	Tags         Opt[[]string]      `json:"tags,omitzero"`
	CustomFields Opt[[]CustomField] `json:"customFields,omitzero"`

	CompanyName Opt[string] `json:"companyName,omitzero"`
	// Gender is stored if the call creates the contact; the API ignores it for a contact that exists.
	Gender Opt[string] `json:"gender,omitzero"`
	// CreateNewIfDuplicateAllowed creates a contact even if one exists, if the location allows duplicates.
	CreateNewIfDuplicateAllowed bool `json:"createNewIfDuplicateAllowed,omitempty"`
}

// The wire forms add the location and replace the fields that are written in another form.
type (
	plainContactCreate ContactCreate
	plainContactUpdate ContactUpdate
	plainContactUpsert ContactUpsert
)

func (in *ContactCreate) check() error {
	switch {
	case in == nil:
		return badInputf("ContactCreate", "the input is nil")
	case blank(in.Email, in.Phone, in.Name, in.FirstName, in.LastName):
		return badInputf("Email", "an email, a phone or a name is required")
	}
	if err := checkDND(in.DNDSettings, in.InboundDNDSettings); err != nil {
		return err
	}
	return checkContact(in.AssignedTo, in.DateOfBirth, in.Tags, in.CustomFields)
}

func (in *ContactCreate) wire(to target) any {
	body := struct {
		*plainContactCreate
		LocationID         string `json:"locationId"`
		DNDSettings        any    `json:"dndSettings,omitempty"`
		InboundDNDSettings any    `json:"inboundDndSettings,omitempty"`
		CustomFields       any    `json:"customFields,omitempty"`
	}{plainContactCreate: (*plainContactCreate)(in), LocationID: to.location}
	if in.DNDSettings != nil {
		body.DNDSettings = dndBody(Some(in.DNDSettings), to.version)
	}
	if in.InboundDNDSettings != nil {
		body.InboundDNDSettings = inboundDNDBody(Some(in.InboundDNDSettings))
	}
	if len(in.CustomFields) > 0 {
		body.CustomFields = customFieldsBody(Some(in.CustomFields), to.version)
	}
	return body
}

func (in *ContactUpdate) check() error {
	if err := checkUpdate("ContactUpdate", in.effective()); err != nil {
		return err
	}
	if err := refuseNull(nullField{"DND", in.DND.IsNull()}); err != nil {
		return err
	}
	if err := checkDND(valueOf(in.DNDSettings), valueOf(in.InboundDNDSettings)); err != nil {
		return err
	}
	return checkContact(valueOf(in.AssignedTo), valueOf(in.DateOfBirth), valueOf(in.Tags), valueOf(in.CustomFields))
}

// effective returns in without the lists and settings that are set and empty, and therefore change nothing.
func (in *ContactUpdate) effective() *ContactUpdate {
	if in == nil {
		return nil
	}
	fields, hasFields := in.CustomFields.Get()
	noFields := hasFields && len(fields) == 0
	noDND, noInbound := emptyDND(in.DNDSettings), emptyDND(in.InboundDNDSettings)
	if !noFields && !noDND && !noInbound {
		return in
	}
	rest := *in
	if noFields {
		rest.CustomFields = Opt[[]CustomField]{}
	}
	if noDND {
		rest.DNDSettings = Opt[*DNDSettings]{}
	}
	if noInbound {
		rest.InboundDNDSettings = Opt[*DNDSettings]{}
	}
	return &rest
}

// emptyDND reports whether settings are set but have no channel.
func emptyDND(o Opt[*DNDSettings]) bool {
	settings := valueOf(o)
	return settings != nil && channelsOf(settings) == (dnd2021{}) && settings.All == nil
}

func (in *ContactUpdate) wire(to target) any {
	return struct {
		*plainContactUpdate
		DNDSettings        any `json:"dndSettings,omitempty"`
		InboundDNDSettings any `json:"inboundDndSettings,omitempty"`
		CustomFields       any `json:"customFields,omitempty"`
	}{
		(*plainContactUpdate)(in), dndBody(in.DNDSettings, to.version), inboundDNDBody(in.InboundDNDSettings),
		customFieldsBody(in.CustomFields, to.version),
	}
}

func (in *ContactUpsert) check() error {
	switch {
	case in == nil:
		return badInputf("ContactUpsert", "the input is nil")
	case blank(valueOf(in.Email), valueOf(in.Phone)):
		return badInputf("Email", "an upsert finds the contact by Email or Phone: an email or a phone is required")
	}
	if err := refuseNull(nullField{"DND", in.DND.IsNull()}); err != nil {
		return err
	}
	if err := checkDND(valueOf(in.DNDSettings), valueOf(in.InboundDNDSettings)); err != nil {
		return err
	}
	return checkContact(valueOf(in.AssignedTo), valueOf(in.DateOfBirth), valueOf(in.Tags), valueOf(in.CustomFields))
}

func (in *ContactUpsert) wire(to target) any {
	return struct {
		*plainContactUpsert
		LocationID         string `json:"locationId"`
		DNDSettings        any    `json:"dndSettings,omitempty"`
		InboundDNDSettings any    `json:"inboundDndSettings,omitempty"`
		CustomFields       any    `json:"customFields,omitempty"`
	}{
		(*plainContactUpsert)(in), to.location, dndBody(in.DNDSettings, to.version),
		inboundDNDBody(in.InboundDNDSettings),
		customFieldsBody(in.CustomFields, to.version),
	}
}

// checkUpdate refuses an input of an update that is nil or sets no field. in is a pointer.
func checkUpdate(name string, in any) error {
	v := reflect.ValueOf(in)
	switch {
	case v.IsNil():
		return badInputf(name, "the input is nil")
	case v.Elem().IsZero():
		return badInputf(name, "the update sets no field")
	}
	return nil
}

// nullField is a field of an update and whether the update sets it to null.
type nullField struct {
	name string
	null bool
}

// refuseNull refuses null for fields that cannot be cleared.
func refuseNull(fields ...nullField) error {
	for _, f := range fields {
		if f.null {
			return badInputf(f.name, "%s cannot be null", f.name)
		}
	}
	return nil
}

// checkContact refuses fields that the API would refuse.
func checkContact(assignedTo, dateOfBirth string, tags []string, fields []CustomField) error {
	if err := checkGiven("AssignedTo", assignedTo); err != nil {
		return err
	}
	if dateOfBirth != "" {
		if _, err := time.Parse(time.DateOnly, dateOfBirth); err != nil {
			return badInputf("DateOfBirth", "a date of birth must have the form YYYY-MM-DD")
		}
	}
	if err := checkTags(tags); err != nil {
		return err
	}
	for _, f := range fields {
		if f.ID == "" && f.Key == "" {
			return badInputf("CustomFields", "a custom field needs its ID or Key")
		}
		if err := checkGiven("CustomFields", f.ID); err != nil {
			return err
		}
	}
	return nil
}

// checkGiven refuses an invalid id; "" is valid.
func checkGiven(field, id string) error {
	if id == "" {
		return nil
	}
	return checkID(field, id)
}

// checkDND refuses settings that the two fields do not have.
func checkDND(outbound, inbound *DNDSettings) error {
	if outbound != nil && outbound.All != nil {
		return badInputf("DNDSettings", "DNDSettings has no All, only InboundDNDSettings has")
	}
	if inbound == nil {
		return nil
	}
	if channels := channelsOf(inbound); channels != (dnd2021{}) || inbound.All != nil && inbound.All.Code != "" {
		return badInputf("InboundDNDSettings", "InboundDNDSettings has only All, with a Status and a Message")
	}
	return nil
}

// The wire forms of DNDSettings. They have no Extra, which the API would refuse.
type (
	dnd2021 struct {
		Call     *DNDSetting `json:"Call,omitempty"`
		Email    *DNDSetting `json:"Email,omitempty"`
		SMS      *DNDSetting `json:"SMS,omitempty"`
		WhatsApp *DNDSetting `json:"WhatsApp,omitempty"`
		GMB      *DNDSetting `json:"GMB,omitempty"`
		FB       *DNDSetting `json:"FB,omitempty"`
		RCS      *DNDSetting `json:"RCS,omitempty"`
	}
	dndV3 struct {
		Call     *DNDSetting `json:"call,omitempty"`
		Email    *DNDSetting `json:"email,omitempty"`
		SMS      *DNDSetting `json:"sms,omitempty"`
		WhatsApp *DNDSetting `json:"whatsApp,omitempty"`
		GMB      *DNDSetting `json:"gmb,omitempty"`
		FB       *DNDSetting `json:"fb,omitempty"`
		RCS      *DNDSetting `json:"rcs,omitempty"`
	}
	dndInbound struct {
		All *DNDSetting `json:"all,omitempty"`
	}
)

func channelsOf(s *DNDSettings) dnd2021 {
	return dnd2021{s.Call, s.Email, s.SMS, s.WhatsApp, s.GMB, s.FB, s.RCS}
}

// dndBody returns the wire form of DNDSettings; nil if dnd is absent.
func dndBody(dnd Opt[*DNDSettings], v Version) any {
	return dndWire(dnd, func(s *DNDSettings) any {
		if v == VersionV3 {
			return dndV3(channelsOf(s))
		}
		return channelsOf(s)
	})
}

// inboundDNDBody returns the wire form of InboundDNDSettings; nil if dnd is absent.
func inboundDNDBody(dnd Opt[*DNDSettings]) any {
	return dndWire(dnd, func(s *DNDSettings) any { return dndInbound{s.All} })
}

func dndWire(dnd Opt[*DNDSettings], form func(*DNDSettings) any) any {
	if dnd.IsZero() {
		return nil
	}
	if settings := valueOf(dnd); settings != nil {
		return form(settings)
	}
	return dnd
}

// customFieldsBody returns the wire form of custom fields; nil if fields is absent.
func customFieldsBody(fields Opt[[]CustomField], v Version) any {
	list, ok := fields.Get()
	switch {
	case fields.IsZero():
		return nil
	case !ok:
		return fields
	case v == VersionV3:
		return wireAs(list, func(f CustomField) customFieldV3 { return customFieldV3{f.ID, f.Key, f.Value} })
	}
	return wireAs(list, func(f CustomField) customField2021 { return customField2021{f.ID, f.Key, f.Value} })
}

// A custom field's value has another name in each version.
type (
	customField2021 struct {
		ID    string           `json:"id,omitempty"`
		Key   string           `json:"key,omitempty"`
		Value CustomFieldValue `json:"field_value"`
	}
	customFieldV3 struct {
		ID    string           `json:"id,omitempty"`
		Key   string           `json:"key,omitempty"`
		Value CustomFieldValue `json:"fieldValue"`
	}
)

// wireAs converts each element of a list to its wire form.
func wireAs[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// valueOf returns the value of o, or the zero value if o is absent or null.
func valueOf[T any](o Opt[T]) T {
	v, _ := o.Get()
	return v
}

// blank reports whether all texts are empty or only white space.
func blank(texts ...string) bool {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}
