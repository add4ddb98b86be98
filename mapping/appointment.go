package mapping

import (
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Appointment maps an appointment from GHL to Pluvo, as the contact or a calendar gives it. ContactID is the GHL id of its
// contact; it may be "" where the appointment names it.
func (m *Mapper) Appointment(a *ghl.Appointment, contactID string) (*pluvo.Appointment, *Report, error) {
	if a == nil {
		return nil, &Report{}, noRecord(pluvo.KindAppointment)
	}
	s, out := newSink(pluvo.KindAppointment, a.ID), new(pluvo.Appointment)
	if err := m.appointment(out, a, contactID, &scope{m: m}, s); err != nil {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func (m *Mapper) appointment(out *pluvo.Appointment, a *ghl.Appointment, contactID string, sc *scope, s *sink) error {
	if err := m.checkGHL(pluvo.KindAppointment, a.ID, a.LocationID); err != nil {
		return err
	}
	contactID, err := owner(pluvo.KindAppointment, a.ID, contactID, a.ContactID)
	if err != nil {
		return err
	}
	out.ID, out.ContactID, out.Origin = m.id(pluvo.KindAppointment, a.ID), m.id(pluvo.KindContact, contactID), m.origin(a.ID)
	s.mapped("id", "origin.id")
	s.mapped("contactId", "contactId")
	if rules := m.o.Rules.appointment; rules != nil {
		err = rules.toPluvo(out, a, sc, s)
	} else {
		err = m.plainAppointment(out, a, sc, s)
	}
	if err != nil {
		return err
	}
	return settle(&appointmentFields, out, out, s)
}

func (m *Mapper) plainAppointment(out *pluvo.Appointment, a *ghl.Appointment, sc *scope, s *sink) error {
	if out.Title = a.Title; a.Title != "" {
		s.mapped("title", "title")
	}
	at, note, problem := m.instant(a.StartTime)
	if at.IsZero() {
		return s.missing("startTime", "start", problem)
	}
	out.Start = at
	s.went("startTime", "start", note)
	at, note, problem = m.instant(a.EndTime)
	switch {
	case problem != "":
		s.leftOut("endTime", problem)
	case !at.IsZero():
		out.End = at
		s.went("endTime", "end", note)
	}
	status, note := statusOf(a)
	if out.Status = pluvo.AppointmentStatus(status); status != "" {
		s.went("appointmentStatus", "status", note)
	}
	if out.AssignedUserID = a.AssignedUserID; a.AssignedUserID != "" {
		s.mapped("assignedUserId", "assignedUserId")
	}
	reportLeftOut(s, a, sc, appointmentLeftOut, whyNoField)
	reportOtherAppointmentFields(s, a, nil, whyNoField)
	return nil
}

// statusOf returns what became of an appointment; the older field speaks only where the newer one is silent.
func statusOf(a *ghl.Appointment) (status, note string) {
	if a.AppointmentStatus == "" && a.Status != "" {
		return a.Status, whyOlderStatus
	}
	return string(a.AppointmentStatus), ""
}

// AppointmentCreate maps an appointment of Pluvo to one that is to be booked in GHL. It needs a start. ContactID and
// calendarID are the GHL ids of the contact and of the calendar in which it is booked; Pluvo knows no calendars. The booking
// never switches the check of free slots off.
func (m *Mapper) AppointmentCreate(a *pluvo.Appointment, contactID, calendarID string) (*ghl.AppointmentCreate, *Report, error) {
	switch {
	case a == nil:
		return nil, &Report{}, noRecord(pluvo.KindAppointment)
	case contactID == "":
		return nil, &Report{}, &Error{pluvo.KindAppointment, a.ID, "contactId", "is missing"}
	case calendarID == "":
		return nil, &Report{}, &Error{pluvo.KindAppointment, a.ID, "calendarId", "is missing"}
	}
	s, out := newSink(pluvo.KindAppointment, a.ID), &ghl.AppointmentCreate{ContactID: contactID, CalendarID: calendarID}
	s.mapped("contactId", "contactId")
	if rules := m.o.Rules.appointment; rules != nil {
		if err := rules.create(out, a, m, s); err != nil {
			return nil, s.report, err
		}
	} else {
		m.appointmentCreate(out, a, s)
	}
	if out.StartTime.IsZero() {
		return nil, s.report, s.missing("start", "startTime", "")
	}
	if !out.EndTime.IsZero() && !out.EndTime.After(out.StartTime) {
		out.EndTime = time.Time{}
		s.takeBack("endTime", whyEnd)
	}
	return out, s.report, nil
}

func (m *Mapper) appointmentCreate(out *ghl.AppointmentCreate, a *pluvo.Appointment, s *sink) {
	if out.Title = a.Title; a.Title != "" {
		s.mapped("title", "title")
	}
	for _, f := range [...]struct {
		from, to string
		at       time.Time
		out      *time.Time
	}{{"start", "startTime", a.Start, &out.StartTime}, {"end", "endTime", a.End, &out.EndTime}} {
		at, note, problem := seconds(f.at)
		switch {
		case problem != "":
			s.leftOut(f.from, problem)
		case !at.IsZero():
			*f.out = at
			s.went(f.from, f.to, note)
		}
	}
	if problem := m.refusesStatus(string(a.Status)); problem != "" {
		s.leftOut("status", problem)
	} else if a.Status != "" {
		out.AppointmentStatus = ghl.AppointmentStatus(a.Status)
		s.mapped("status", "appointmentStatus")
	}
	if problem := refusesID(a.AssignedUserID); problem != "" {
		s.leftOut("assignedUserId", problem)
	} else if a.AssignedUserID != "" {
		out.AssignedUserID = a.AssignedUserID
		s.mapped("assignedUserId", "assignedUserId")
	}
}

// refusesStatus says why GHL does not take a state, "" if it does.
func (m *Mapper) refusesStatus(status string) string {
	switch ghl.AppointmentStatus(status) {
	case "", ghl.AppointmentNew, ghl.AppointmentConfirmed, ghl.AppointmentCancelled, ghl.AppointmentShowed, ghl.AppointmentNoShow, ghl.AppointmentInvalid:
		return ""
	case ghl.AppointmentCompleted, ghl.AppointmentActive:
		if m.o.Version == ghl.VersionV3 {
			return ""
		}
		return whyV3Status
	}
	return whyNoStatus
}

// AppointmentUpdate maps what differs between an appointment of Pluvo and the last state of it that GHL is known to have;
// see [Mapper.ContactUpdate]. The update is nil when nothing is to be sent. With a new start the end is sent too, for GHL
// moves it with the start otherwise.
func (m *Mapper) AppointmentUpdate(now, last *pluvo.Appointment) (*ghl.AppointmentUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindAppointment, now, last, (*pluvo.Appointment).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindAppointment, now.ID), new(ghl.AppointmentUpdate)
	end, _, problem := seconds(now.End)
	startNow, _, _ := seconds(now.Start)
	if rules := m.o.Rules.appointment; rules != nil {
		if err = rules.change(out, now, last, known, m, s); err != nil {
			return nil, s.report, err
		}
		end, problem = rules.timeFor("endTime", now, m), ""
		startNow = rules.timeFor("startTime", now, m)
	} else {
		m.appointmentChange(out, now, last, known, s)
	}
	start, moved := out.StartTime.Get()
	if !moved {
		start = startNow
	}
	if moved && out.EndTime.IsZero() && problem == "" && !end.IsZero() {
		out.EndTime = ghl.Some(end)
		s.mapped("end", "endTime")
	}
	if end, ok := out.EndTime.Get(); ok && !end.After(start) {
		out.EndTime = ghl.Opt[time.Time]{}
		s.takeBack("endTime", whyEnd)
	}
	if *out == (ghl.AppointmentUpdate{}) {
		return nil, s.report, nil
	}
	return out, s.report, nil
}

func (m *Mapper) appointmentChange(out *ghl.AppointmentUpdate, now, last *pluvo.Appointment, known bool, s *sink) {
	if now.Title != last.Title {
		out.Title = opt(now.Title)
		s.mapped("title", "title")
	}
	for _, f := range [...]struct {
		from, to  string
		now, last time.Time
		out       *ghl.Opt[time.Time]
	}{{"start", "startTime", now.Start, last.Start, &out.StartTime}, {"end", "endTime", now.End, last.End, &out.EndTime}} {
		at, note, problem := seconds(f.now)
		before, _, _ := seconds(f.last)
		switch {
		case known && f.now.Equal(f.last):
		case problem != "":
			s.leftOut(f.from, problem)
		case at.Equal(before):
		case at.IsZero():
			s.leftOut(f.from, whyNotCleared)
		default:
			*f.out = ghl.Some(at)
			s.went(f.from, f.to, note)
		}
	}
	if now.Status != last.Status {
		problem := m.refusesStatus(string(now.Status))
		switch {
		case problem != "":
			s.leftOut("status", problem)
		case now.Status == "":
			s.leftOut("status", whyNotCleared)
		default:
			out.AppointmentStatus = ghl.Some(ghl.AppointmentStatus(now.Status))
			s.mapped("status", "appointmentStatus")
		}
	}
	if now.AssignedUserID != last.AssignedUserID {
		problem := refusesID(now.AssignedUserID)
		switch {
		case problem != "":
			s.leftOut("assignedUserId", problem)
		case now.AssignedUserID == "":
			s.leftOut("assignedUserId", whyNotCleared)
		default:
			out.AssignedUserID = ghl.Some(now.AssignedUserID)
			s.mapped("assignedUserId", "assignedUserId")
		}
	}
}
