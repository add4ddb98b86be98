package mapping

import (
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

type (
	appointmentField = ghlField[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate]
	appointmentRules = compiled[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate, pluvo.Appointment]
)

var appointmentFields = table[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate, pluvo.Appointment]{
	ghl: []*appointmentField{
		ownText[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"id", func(a *ghl.Appointment) string { return a.ID }),
		textField("title",
			func(a *ghl.Appointment) string { return a.Title },
			func(c *ghl.AppointmentCreate) *string { return &c.Title },
			func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Title }),
		{
			name: "startTime", typ: instantType, sends: inSeconds,
			get:    instantOf(func(a *ghl.Appointment) ghl.Time { return a.StartTime }),
			create: func(c *ghl.AppointmentCreate, v value) { c.StartTime = v.at },
			change: func(u *ghl.AppointmentUpdate, _, now value) { u.StartTime = ghl.Some(now.at) },
		},
		{
			name: "endTime", typ: instantType, sends: inSeconds,
			get:    instantOf(func(a *ghl.Appointment) ghl.Time { return a.EndTime }),
			create: func(c *ghl.AppointmentCreate, v value) { c.EndTime = v.at },
			change: func(u *ghl.AppointmentUpdate, _, now value) { u.EndTime = ghl.Some(now.at) },
		},
		{
			name: "appointmentStatus", typ: textType, refuses: (*Mapper).refusesStatus,
			get:    func(a *ghl.Appointment, _ *scope) value { return statusOf(a) },
			create: func(c *ghl.AppointmentCreate, v value) { c.AppointmentStatus = ghl.AppointmentStatus(v.text) },
			change: func(u *ghl.AppointmentUpdate, _, now value) {
				u.AppointmentStatus = ghl.Some(ghl.AppointmentStatus(now.text))
			},
		},
		userID(notCleared(textField("assignedUserId",
			func(a *ghl.Appointment) string { return a.AssignedUserID },
			func(c *ghl.AppointmentCreate) *string { return &c.AssignedUserID },
			func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.AssignedUserID }))),
		textField("address",
			func(a *ghl.Appointment) string { return a.Address },
			func(c *ghl.AppointmentCreate) *string { return &c.Address },
			func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Address }),
		textField("description",
			func(a *ghl.Appointment) string { return a.Description },
			func(c *ghl.AppointmentCreate) *string { return &c.Description },
			func(u *ghl.AppointmentUpdate) *ghl.Opt[string] { return &u.Description }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"calendarId", func(a *ghl.Appointment) string { return a.CalendarID }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"groupId", func(a *ghl.Appointment) string { return a.GroupID }),
		readOnly[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"notes", func(a *ghl.Appointment) string { return a.Notes }),
		readOnlyTime[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"dateAdded", func(a *ghl.Appointment) ghl.Time { return a.DateAdded }),
		readOnlyTime[ghl.Appointment, ghl.AppointmentCreate, ghl.AppointmentUpdate](
			"dateUpdated", func(a *ghl.Appointment) ghl.Time { return a.DateUpdated }),
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

// statusOf returns the state of an appointment. The older field counts only if the newer one is empty.
func statusOf(a *ghl.Appointment) value {
	if a.AppointmentStatus == "" && a.Status != "" {
		return value{text: a.Status, note: whyOlderStatus}
	}
	return textValue(string(a.AppointmentStatus))
}

// refusesStatus says why GHL does not accept a state, "" if it does.
func (m *Mapper) refusesStatus(status string) string {
	switch ghl.AppointmentStatus(status) {
	case "", ghl.AppointmentNew, ghl.AppointmentConfirmed, ghl.AppointmentCancelled, ghl.AppointmentShowed,
		ghl.AppointmentNoShow, ghl.AppointmentInvalid:
		return ""
	case ghl.AppointmentCompleted, ghl.AppointmentActive:
		if m.o.Version == ghl.VersionV3 {
			return ""
		}
		return whyV3Status
	}
	return whyNoStatus
}

// reportOtherAppointmentFields reports each value that is not in the table.
func reportOtherAppointmentFields(s *sink, a *ghl.Appointment, _ map[string]bool) {
	otherUsers := len(a.Users) > 1 || len(a.Users) == 1 && a.Users[0] != a.AssignedUserID
	otherStatus := a.Status != "" && a.AppointmentStatus != "" && a.Status != string(a.AppointmentStatus)
	reportPresent(s, []presence{
		{"users", otherUsers},
		{"assignedResources", len(a.AssignedResources) > 0},
		{"meetingLocationType", a.MeetingLocationType != ""},
		{"meetingLocationId", a.MeetingLocationID != ""},
		{"isRecurring", a.IsRecurring},
		{"rrule", a.RRule != ""},
		{"masterEventId", a.MasterEventID != ""},
		{"createdBy", a.CreatedBy.UserID != "" || a.CreatedBy.Source != ""},
		{"deleted", a.Deleted},
		{"status", otherStatus},
	})
	reportExtra(s, a.Extra)
}
