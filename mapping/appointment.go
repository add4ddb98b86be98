package mapping

import (
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Appointment maps an appointment from GHL to Pluvo, as the contact or a calendar returns it. ContactID is the GHL id
// of its contact; it may be "" if the appointment names its contact.
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
	out.ID, out.Origin = m.id(pluvo.KindAppointment, a.ID), m.origin(a.ID)
	out.ContactID = m.id(pluvo.KindContact, contactID)
	s.mapped("id", "origin.id")
	s.mapped("contactId", "contactId")
	if err := m.rules.appointment.toPluvo(out, a, sc, s); err != nil {
		return err
	}
	return settle(&appointmentFields, out, out, s)
}

// AppointmentCreate maps an appointment of Pluvo to one that GHL books. It fails unless the result has a start.
// ContactID and calendarID are the GHL ids of the contact and of the calendar; Pluvo has no calendars. The booking
// always checks that the slot is free.
func (m *Mapper) AppointmentCreate(
	a *pluvo.Appointment, contactID, calendarID string,
) (*ghl.AppointmentCreate, *Report, error) {
	switch {
	case a == nil:
		return nil, &Report{}, noRecord(pluvo.KindAppointment)
	case contactID == "":
		return nil, &Report{}, &Error{pluvo.KindAppointment, a.ID, "contactId", "is missing"}
	case calendarID == "":
		return nil, &Report{}, &Error{pluvo.KindAppointment, a.ID, "calendarId", "is missing"}
	}
	s := newSink(pluvo.KindAppointment, a.ID)
	out := &ghl.AppointmentCreate{ContactID: contactID, CalendarID: calendarID}
	s.mapped("contactId", "contactId")
	if err := m.rules.appointment.create(out, a, m, s); err != nil {
		return nil, s.report, err
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

// AppointmentUpdate maps the difference between an appointment of Pluvo and the last state of it that GHL is known to
// have; see [Mapper.ContactUpdate]. It returns nil if there is nothing to send. With a new start it sends the end
// too, because GHL moves the end with the start otherwise.
func (m *Mapper) AppointmentUpdate(now, last *pluvo.Appointment) (*ghl.AppointmentUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindAppointment, now, last, (*pluvo.Appointment).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out, rules := newSink(pluvo.KindAppointment, now.ID), new(ghl.AppointmentUpdate), m.rules.appointment
	if err := rules.change(out, now, last, known, m, s); err != nil {
		return nil, s.report, err
	}
	start, moved := out.StartTime.Get()
	if !moved {
		start = rules.timeFor("startTime", now, m)
	} else if out.EndTime.IsZero() {
		if end := rules.timeFor("endTime", now, m); !end.IsZero() {
			out.EndTime = ghl.Some(end)
			s.mapped("end", "endTime")
		}
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
