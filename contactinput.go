package ghl

import (
	"strings"
	"time"
)

// ContactCreate is a new contact. It needs Email, Phone or a name. Zero fields are not sent.
type ContactCreate struct {
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	// Name is the full name, for when it is known only as a whole.
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	// Phone is best in E.164; the server normalises it by the location's country.
	Phone string `json:"phone,omitempty"`
	// Gender is accepted and dropped by the API.
	Gender      string `json:"gender,omitempty"`
	Address1    string `json:"address1,omitempty"`
	City        string `json:"city,omitempty"`
	State       string `json:"state,omitempty"`
	PostalCode  string `json:"postalCode,omitempty"`
	Country     string `json:"country,omitempty"` // a two-letter code
	Website     string `json:"website,omitempty"`
	Timezone    string `json:"timezone,omitempty"` // an IANA name
	CompanyName string `json:"companyName,omitempty"`
	Source      string `json:"source,omitempty"`
	AssignedTo  string `json:"assignedTo,omitempty"` // a user's id
	// DateOfBirth is a date, YYYY-MM-DD.
	DateOfBirth        string              `json:"dateOfBirth,omitempty"`
	DND                bool                `json:"dnd,omitempty"`
	DNDSettings        *DNDSettings        `json:"dndSettings,omitempty"`
	InboundDNDSettings *InboundDNDSettings `json:"inboundDndSettings,omitempty"`
	// Tags are put in lower case by the server.
	Tags         []string      `json:"tags,omitempty"`
	CustomFields []CustomField `json:"customFields,omitempty"`
}

// ContactUpdate is a change of a contact: fields that are not set stay as they are, [Null] clears one.
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
	// DNDSettings changes the channels that are set in it.
	DNDSettings        Opt[*DNDSettings]        `json:"dndSettings,omitzero"`
	InboundDNDSettings Opt[*InboundDNDSettings] `json:"inboundDndSettings,omitzero"`
	// Tags replaces all tags of the contact. To add or remove some, use [TagsService.Add] and [TagsService.Remove].
	Tags Opt[[]string] `json:"tags,omitzero"`
	// CustomFields changes the fields that are listed; the others stay.
	CustomFields Opt[[]CustomField] `json:"customFields,omitzero"`
}

// ContactUpsert is a change of a contact that is found by Email or Phone, and made if there is none. Fields as in
// [ContactUpdate], and what only a new contact takes.
type ContactUpsert struct {
	FirstName          Opt[string]              `json:"firstName,omitzero"`
	LastName           Opt[string]              `json:"lastName,omitzero"`
	Name               Opt[string]              `json:"name,omitzero"`
	Email              Opt[string]              `json:"email,omitzero"`
	Phone              Opt[string]              `json:"phone,omitzero"`
	Address1           Opt[string]              `json:"address1,omitzero"`
	City               Opt[string]              `json:"city,omitzero"`
	State              Opt[string]              `json:"state,omitzero"`
	PostalCode         Opt[string]              `json:"postalCode,omitzero"`
	Country            Opt[string]              `json:"country,omitzero"`
	Website            Opt[string]              `json:"website,omitzero"`
	Timezone           Opt[string]              `json:"timezone,omitzero"`
	Source             Opt[string]              `json:"source,omitzero"`
	AssignedTo         Opt[string]              `json:"assignedTo,omitzero"`
	DateOfBirth        Opt[string]              `json:"dateOfBirth,omitzero"` // YYYY-MM-DD
	DND                Opt[bool]                `json:"dnd,omitzero"`
	DNDSettings        Opt[*DNDSettings]        `json:"dndSettings,omitzero"`
	InboundDNDSettings Opt[*InboundDNDSettings] `json:"inboundDndSettings,omitzero"`
	// Tags replaces all tags of the contact. To add or remove some, use [TagsService.Add] and [TagsService.Remove].
	Tags         Opt[[]string]      `json:"tags,omitzero"`
	CustomFields Opt[[]CustomField] `json:"customFields,omitzero"`

	CompanyName Opt[string] `json:"companyName,omitzero"`
	Gender      Opt[string] `json:"gender,omitzero"`
	// CreateNewIfDuplicateAllowed makes a new contact even if there is one, where the location allows duplicates.
	CreateNewIfDuplicateAllowed bool `json:"createNewIfDuplicateAllowed,omitempty"`
}

// The wire forms add the location, and give the fields whose names depend on the version.
type (
	plainContactCreate ContactCreate
	plainContactUpdate ContactUpdate
	plainContactUpsert ContactUpsert
)

func (in *ContactCreate) check() error {
	switch {
	case in == nil:
		return badInputf("ContactCreate", "there is no contact to create")
	case blank(in.Email, in.Phone, in.Name, in.FirstName, in.LastName):
		return badInputf("Email", "a contact needs an e-mail, a phone or a name")
	}
	return checkContact(in.AssignedTo, in.DateOfBirth, in.Tags, in.CustomFields)
}

func (in *ContactCreate) wire(to target) any {
	body := struct {
		*plainContactCreate
		LocationID   string `json:"locationId"`
		DNDSettings  any    `json:"dndSettings,omitempty"`
		CustomFields any    `json:"customFields,omitempty"`
	}{plainContactCreate: (*plainContactCreate)(in), LocationID: to.location}
	if in.DNDSettings != nil {
		body.DNDSettings = dndBody(Some(in.DNDSettings), to.version)
	}
	if len(in.CustomFields) > 0 {
		body.CustomFields = customFieldsBody(Some(in.CustomFields), to.version)
	}
	return body
}

func (in *ContactUpdate) check() error {
	if in == nil {
		return badInputf("ContactUpdate", "there is nothing to update")
	}
	if err := refuseNull(nullField{"DND", in.DND.IsNull()}); err != nil {
		return err
	}
	return checkContact(valueOf(in.AssignedTo), valueOf(in.DateOfBirth), valueOf(in.Tags), valueOf(in.CustomFields))
}

func (in *ContactUpdate) wire(to target) any {
	return struct {
		*plainContactUpdate
		DNDSettings  any `json:"dndSettings,omitempty"`
		CustomFields any `json:"customFields,omitempty"`
	}{(*plainContactUpdate)(in), dndBody(in.DNDSettings, to.version), customFieldsBody(in.CustomFields, to.version)}
}

func (in *ContactUpsert) check() error {
	switch {
	case in == nil:
		return badInputf("ContactUpsert", "there is no contact to upsert")
	case blank(valueOf(in.Email), valueOf(in.Phone), valueOf(in.Name), valueOf(in.FirstName), valueOf(in.LastName)):
		return badInputf("Email", "a contact needs an e-mail, a phone or a name")
	}
	if err := refuseNull(nullField{"DND", in.DND.IsNull()}); err != nil {
		return err
	}
	return checkContact(valueOf(in.AssignedTo), valueOf(in.DateOfBirth), valueOf(in.Tags), valueOf(in.CustomFields))
}

func (in *ContactUpsert) wire(to target) any {
	return struct {
		*plainContactUpsert
		LocationID   string `json:"locationId"`
		DNDSettings  any    `json:"dndSettings,omitempty"`
		CustomFields any    `json:"customFields,omitempty"`
	}{(*plainContactUpsert)(in), to.location, dndBody(in.DNDSettings, to.version), customFieldsBody(in.CustomFields, to.version)}
}

// nullField is a field of an update, and whether it is null.
type nullField struct {
	name string
	null bool
}

// refuseNull refuses null where it would clear nothing, such as a switch.
func refuseNull(fields ...nullField) error {
	for _, f := range fields {
		if f.null {
			return badInputf(f.name, "%s cannot be null", f.name)
		}
	}
	return nil
}

// checkContact refuses what no contact can have.
func checkContact(assignedTo, dateOfBirth string, tags []string, fields []CustomField) error {
	if err := checkGiven("AssignedTo", assignedTo); err != nil {
		return err
	}
	if dateOfBirth != "" {
		if _, err := time.Parse(time.DateOnly, dateOfBirth); err != nil {
			return badInputf("DateOfBirth", "a date of birth is written YYYY-MM-DD")
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

// checkGiven refuses an id that is given and is none.
func checkGiven(field, id string) error {
	if id == "" {
		return nil
	}
	return checkID(field, id)
}

// dndBody is nil for an absent field, which leaves it out.
func dndBody(dnd Opt[*DNDSettings], v Version) any {
	settings, ok := dnd.Get()
	switch {
	case dnd.IsZero():
		return nil
	case !ok || settings == nil:
		return dnd
	case v == VersionV3:
		return (*dndSettingsV3)(settings)
	}
	return (*dndSettings2021)(settings)
}

// customFieldsBody is nil for an absent field, which leaves it out.
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

// The vendor renamed the value of a custom field between the versions.
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

func wireAs[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// valueOf returns the value, or the zero value where none is set.
func valueOf[T any](o Opt[T]) T {
	v, _ := o.Get()
	return v
}

// blank reports whether all texts are empty or white space.
func blank(texts ...string) bool {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}
