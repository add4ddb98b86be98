package mapping

import (
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

type appointmentField = ghlField[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate]

var appointmentFields = table[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate, pluvo.Appointment]{
	ghl: []*appointmentField{
		{name: "id", typ: textType, own: true, get: func(a *ghl.Appointment, _ *scope) value { return textValue(a.ID) }},
		appointmentText("title", func(a *ghl.Appointment) string { return a.Title }, func(c *ghl.AppointmentCreate) *string { return &c.Title }, func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Title }),
		{
			name: "startTime", typ: instantType, precise: seconds, get: instantOf(func(a *ghl.Appointment) ghl.Time { return a.StartTime }),
			create: func(c *ghl.AppointmentCreate, v value) { c.StartTime = v.at },
			change: func(u *ghl.AppointmentUpdate, _, now value) { u.StartTime = ghl.Some(now.at) },
		},
		{
			name: "endTime", typ: instantType, precise: seconds, get: instantOf(func(a *ghl.Appointment) ghl.Time { return a.EndTime }),
			create: func(c *ghl.AppointmentCreate, v value) { c.EndTime = v.at },
			change: func(u *ghl.AppointmentUpdate, _, now value) { u.EndTime = ghl.Some(now.at) },
		},
		{
			name: "appointmentStatus", typ: textType, refuses: (*Mapper).refusesStatus,
			get: func(a *ghl.Appointment, _ *scope) value {
				status, note := statusOf(a)
				return value{text: status, note: note}
			},
			create: func(c *ghl.AppointmentCreate, v value) { c.AppointmentStatus = ghl.AppointmentStatus(v.text) },
			change: func(u *ghl.AppointmentUpdate, _, now value) {
				u.AppointmentStatus = ghl.Some(ghl.AppointmentStatus(now.text))
			},
		},
		isUser(notCleared(appointmentText("assignedUserId", func(a *ghl.Appointment) string { return a.AssignedUserID }, func(c *ghl.AppointmentCreate) *string { return &c.AssignedUserID }, func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.AssignedUserID }))),
		appointmentText("address", func(a *ghl.Appointment) string { return a.Address }, func(c *ghl.AppointmentCreate) *string { return &c.Address }, func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Address }),
		appointmentText("description", func(a *ghl.Appointment) string { return a.Description }, func(c *ghl.AppointmentCreate) *string { return &c.Description }, func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Description }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate]("calendarId", func(a *ghl.Appointment) string { return a.CalendarID }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate]("groupId", func(a *ghl.Appointment) string { return a.GroupID }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate]("notes", func(a *ghl.Appointment) string { return a.Notes }),
		{name: "dateAdded", typ: instantType, get: instantOf(func(a *ghl.Appointment) ghl.Time { return a.DateAdded })},
		{name: "dateUpdated", typ: instantType, get: instantOf(func(a *ghl.Appointment) ghl.Time { return a.DateUpdated })},
	},
	pluvo: []*pluvoField[pluvo.Appointment]{
		pluvoID("id", func(a *pluvo.Appointment) string { return a.ID }),
		pluvoText("title", func(a *pluvo.Appointment) *string { return &a.Title }),
		needed(pluvoTime("start", func(a *pluvo.Appointment) *time.Time { return &a.Start })),
		pluvoTime("end", func(a *pluvo.Appointment) *time.Time { return &a.End }),
		{
			name: "status", typ: textType, get: func(a *pluvo.Appointment) value { return textValue(string(a.Status)) },
			set: func(a *pluvo.Appointment, v value) { a.Status = pluvo.AppointmentStatus(v.text) },
		},
		pluvoText("assignedUserId", func(a *pluvo.Appointment) *string { return &a.AssignedUserID }),
	},
	others: reportOtherAppointmentFields,
}

// appointmentLeftOut are the fields that the function written by hand does not map.
var appointmentLeftOut = appointmentFields.except("title", "startTime", "endTime", "appointmentStatus", "assignedUserId")

func appointmentText(name string, read func(*ghl.Appointment) string, create func(*ghl.AppointmentCreate) *string, change func(*ghl.AppointmentUpdate) *ghl.Opt[string]) *appointmentField {
	return textField(name, read, create, change)
}

// reportOtherAppointmentFields adds an entry for each value that has no field in the table.
func reportOtherAppointmentFields(s *sink, a *ghl.Appointment, _ map[string]bool, _ string) {
	for _, other := range [...]struct {
		name string
		has  bool
	}{
		{"users", len(a.Users) > 1 || len(a.Users) == 1 && a.Users[0] != a.AssignedUserID}, {"assignedResources", len(a.AssignedResources) > 0},
		{"meetingLocationType", a.MeetingLocationType != ""}, {"meetingLocationId", a.MeetingLocationID != ""},
		{"isRecurring", a.IsRecurring}, {"rrule", a.RRule != ""}, {"masterEventId", a.MasterEventID != ""},
		{"createdBy", a.CreatedBy.UserID != "" || a.CreatedBy.Source != ""}, {"deleted", a.Deleted},
		{"status", a.Status != "" && a.AppointmentStatus != "" && a.Status != string(a.AppointmentStatus)},
	} {
		if other.has {
			s.leftOut(other.name, whyNoField)
		}
	}
	reportExtra(s, a.Extra)
}
