package ghl

import (
	"bytes"
	"encoding/json"
	"maps"
)

// Each model reads itself through decodeModel, which forgives odd values and keeps unknown ones, and writes itself with
// what was kept.

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (i *InstalledLocation) UnmarshalJSON(data []byte) error {
	type plain InstalledLocation
	*i = InstalledLocation{}
	return decodeModel(data, (*plain)(i), &i.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CustomFieldFile) UnmarshalJSON(data []byte) error {
	type plain CustomFieldFile
	*c = CustomFieldFile{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (f *FileMetadata) UnmarshalJSON(data []byte) error {
	type plain FileMetadata
	*f = FileMetadata{}
	return decodeModel(data, (*plain)(f), &f.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CustomFieldDefinition) UnmarshalJSON(data []byte) error {
	type plain CustomFieldDefinition
	*c = CustomFieldDefinition{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (a *AdditionalEmail) UnmarshalJSON(data []byte) error {
	type plain AdditionalEmail
	*a = AdditionalEmail{}
	if text, ok := scalar(bytes.TrimSpace(data)); ok {
		a.Email = text
		return nil
	}
	return decodeModel(data, (*plain)(a), &a.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (a *AdditionalPhone) UnmarshalJSON(data []byte) error {
	type plain AdditionalPhone
	*a = AdditionalPhone{}
	if text, ok := scalar(bytes.TrimSpace(data)); ok {
		a.Phone = text
		return nil
	}
	return decodeModel(data, (*plain)(a), &a.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (a *Attribution) UnmarshalJSON(data []byte) error {
	type plain Attribution
	*a = Attribution{}
	return decodeModel(data, (*plain)(a), &a.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (d *DNDSettings) UnmarshalJSON(data []byte) error {
	type plain DNDSettings
	*d = DNDSettings{}
	return decodeModel(data, (*plain)(d), &d.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (b *BusinessUpdateResult) UnmarshalJSON(data []byte) error {
	type plain BusinessUpdateResult
	*b = BusinessUpdateResult{}
	return decodeModel(data, (*plain)(b), &b.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (f *FollowersResult) UnmarshalJSON(data []byte) error {
	type plain FollowersResult
	*f = FollowersResult{}
	return decodeModel(data, (*plain)(f), &f.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *Location) UnmarshalJSON(data []byte) error {
	type plain Location
	*l = Location{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *LocationBusiness) UnmarshalJSON(data []byte) error {
	type plain LocationBusiness
	*l = LocationBusiness{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *LocationSocial) UnmarshalJSON(data []byte) error {
	type plain LocationSocial
	*l = LocationSocial{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *LocationSettings) UnmarshalJSON(data []byte) error {
	type plain LocationSettings
	*l = LocationSettings{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *LocationTag) UnmarshalJSON(data []byte) error {
	type plain LocationTag
	*l = LocationTag{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *Calendar) UnmarshalJSON(data []byte) error {
	type plain Calendar
	*c = Calendar{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CalendarTeamMember) UnmarshalJSON(data []byte) error {
	type plain CalendarTeamMember
	*c = CalendarTeamMember{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (m *MeetingLocation) UnmarshalJSON(data []byte) error {
	type plain MeetingLocation
	*m = MeetingLocation{}
	return decodeModel(data, (*plain)(m), &m.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CalendarNotification) UnmarshalJSON(data []byte) error {
	type plain CalendarNotification
	*c = CalendarNotification{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (o *OpenHours) UnmarshalJSON(data []byte) error {
	type plain OpenHours
	*o = OpenHours{}
	return decodeModel(data, (*plain)(o), &o.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CalendarAvailability) UnmarshalJSON(data []byte) error {
	type plain CalendarAvailability
	*c = CalendarAvailability{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (c *CalendarRecurring) UnmarshalJSON(data []byte) error {
	type plain CalendarRecurring
	*c = CalendarRecurring{}
	return decodeModel(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (l *LookBusy) UnmarshalJSON(data []byte) error {
	type plain LookBusy
	*l = LookBusy{}
	return decodeModel(data, (*plain)(l), &l.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (n *Note) UnmarshalJSON(data []byte) error {
	type plain Note
	*n = Note{}
	return decodeModel(data, (*plain)(n), &n.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (a *Appointment) UnmarshalJSON(data []byte) error {
	type plain Appointment
	*a = Appointment{}
	return decodeModel(data, (*plain)(a), &a.Extra)
}

// UnmarshalJSON reads the record; an odd value does not fail it, see [Extra].
func (b *BulkTagsContact) UnmarshalJSON(data []byte) error {
	type plain BulkTagsContact
	*b = BulkTagsContact{}
	return decodeModel(data, (*plain)(b), &b.Extra)
}

// MarshalJSON writes the record with its Extra.
func (i InstalledLocation) MarshalJSON() ([]byte, error) {
	type plain InstalledLocation
	return encodeModel(plain(i), i.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CustomField) MarshalJSON() ([]byte, error) {
	type plain CustomField
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CustomFieldFile) MarshalJSON() ([]byte, error) {
	type plain CustomFieldFile
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (f FileMetadata) MarshalJSON() ([]byte, error) {
	type plain FileMetadata
	return encodeModel(plain(f), f.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CustomFieldDefinition) MarshalJSON() ([]byte, error) {
	type plain CustomFieldDefinition
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra, and with its Cursor under the name that a search gives it.
func (c Contact) MarshalJSON() ([]byte, error) {
	type plain Contact
	extra := c.Extra
	if c.Cursor.check() == nil && c.Cursor != "" {
		extra = Extra{}
		maps.Copy(extra, c.Extra)
		extra["searchAfter"] = json.RawMessage(c.Cursor)
	}
	return encodeModel(plain(c), extra)
}

// MarshalJSON writes the record with its Extra.
func (a AdditionalEmail) MarshalJSON() ([]byte, error) {
	type plain AdditionalEmail
	return encodeModel(plain(a), a.Extra)
}

// MarshalJSON writes the record with its Extra.
func (a AdditionalPhone) MarshalJSON() ([]byte, error) {
	type plain AdditionalPhone
	return encodeModel(plain(a), a.Extra)
}

// MarshalJSON writes the record with its Extra.
func (a Attribution) MarshalJSON() ([]byte, error) {
	type plain Attribution
	return encodeModel(plain(a), a.Extra)
}

// MarshalJSON writes the record with its Extra.
func (d DNDSettings) MarshalJSON() ([]byte, error) {
	type plain DNDSettings
	return encodeModel(plain(d), d.Extra)
}

// MarshalJSON writes the record with its Extra.
func (u UpsertResult) MarshalJSON() ([]byte, error) {
	type plain UpsertResult
	return encodeModel(plain(u), u.Extra)
}

// MarshalJSON writes the record with its Extra.
func (b BusinessUpdateResult) MarshalJSON() ([]byte, error) {
	type plain BusinessUpdateResult
	return encodeModel(plain(b), b.Extra)
}

// MarshalJSON writes the record with its Extra.
func (f FollowersResult) MarshalJSON() ([]byte, error) {
	type plain FollowersResult
	return encodeModel(plain(f), f.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l Location) MarshalJSON() ([]byte, error) {
	type plain Location
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l LocationBusiness) MarshalJSON() ([]byte, error) {
	type plain LocationBusiness
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l LocationSocial) MarshalJSON() ([]byte, error) {
	type plain LocationSocial
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l LocationSettings) MarshalJSON() ([]byte, error) {
	type plain LocationSettings
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l LocationTag) MarshalJSON() ([]byte, error) {
	type plain LocationTag
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c Calendar) MarshalJSON() ([]byte, error) {
	type plain Calendar
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CalendarTeamMember) MarshalJSON() ([]byte, error) {
	type plain CalendarTeamMember
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (m MeetingLocation) MarshalJSON() ([]byte, error) {
	type plain MeetingLocation
	return encodeModel(plain(m), m.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CalendarNotification) MarshalJSON() ([]byte, error) {
	type plain CalendarNotification
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (o OpenHours) MarshalJSON() ([]byte, error) {
	type plain OpenHours
	return encodeModel(plain(o), o.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CalendarAvailability) MarshalJSON() ([]byte, error) {
	type plain CalendarAvailability
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (c CalendarRecurring) MarshalJSON() ([]byte, error) {
	type plain CalendarRecurring
	return encodeModel(plain(c), c.Extra)
}

// MarshalJSON writes the record with its Extra.
func (l LookBusy) MarshalJSON() ([]byte, error) {
	type plain LookBusy
	return encodeModel(plain(l), l.Extra)
}

// MarshalJSON writes the record with its Extra.
func (n Note) MarshalJSON() ([]byte, error) {
	type plain Note
	return encodeModel(plain(n), n.Extra)
}

// MarshalJSON writes the record with its Extra.
func (a Appointment) MarshalJSON() ([]byte, error) {
	type plain Appointment
	return encodeModel(plain(a), a.Extra)
}

// MarshalJSON writes the record with its Extra.
func (t Task) MarshalJSON() ([]byte, error) {
	type plain Task
	return encodeModel(plain(t), t.Extra)
}

// MarshalJSON writes the record with its Extra.
func (b BulkTagsResult) MarshalJSON() ([]byte, error) {
	type plain BulkTagsResult
	return encodeModel(plain(b), b.Extra)
}

// MarshalJSON writes the record with its Extra.
func (b BulkTagsContact) MarshalJSON() ([]byte, error) {
	type plain BulkTagsContact
	return encodeModel(plain(b), b.Extra)
}
