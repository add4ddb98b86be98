package ghltest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// The Add methods take the models of package ghl and return them as stored, with their ids. An invalid seed, such as
// a task of an unknown contact, fails the test of [Start] at the line of the call, and panics without a test.

// AddLocation adds a location. No token has access to it until [Server.AddToken] adds one.
func (s *Server) AddLocation(in ghl.Location) ghl.Location {
	s.helper()
	return seed(s, "AddLocation", in, func(in ghl.Location) (*ghl.Location, error) {
		l, err := s.state.addLocation(in)
		if err != nil {
			return nil, err
		}
		s.state.installInFuture(l, s.now())
		return &l.Location, nil
	})
}

// AddToken adds a bearer token for the location LocationID, "" meaning the first one. With UserType
// [ghl.UserTypeCompany] it is a company's token, without access to a location. Nil Scopes mean all scopes, a zero
// ExpiresAt means never, and an empty AccessToken is generated. The token cannot be refreshed; [Server.Install]
// returns tokens that can.
func (s *Server) AddToken(in ghl.Token) ghl.Token {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	setDefault(&in.AccessToken, s.state.ids.uuid())
	g := &grant{scopes: slices.Clone(in.Scopes), expires: in.ExpiresAt}
	switch {
	case strings.ContainsAny(in.AccessToken, " \t\r\n"):
		s.fail("AddToken: the token has white space")
		return ghl.Token{}
	case s.state.grants[in.AccessToken] != nil:
		s.fail("AddToken: the token already exists")
		return ghl.Token{}
	case in.RefreshToken != "":
		s.fail("AddToken: only Install and InstallCompany return tokens that can be refreshed")
		return ghl.Token{}
	case in.UserType != "" && in.UserType != ghl.UserTypeCompany && in.UserType != ghl.UserTypeLocation:
		s.fail("AddToken: unknown user type %q", in.UserType)
		return ghl.Token{}
	case in.UserType == ghl.UserTypeCompany:
		setDefault(&in.CompanyID, s.state.companyID())
		g.company = in.CompanyID
	default:
		l, err := s.state.locationOf(in.LocationID)
		if err != nil {
			s.fail("AddToken: %v", err)
			return ghl.Token{}
		}
		in.LocationID, in.CompanyID, in.UserType = l.ID, l.CompanyID, ghl.UserTypeLocation
		g.location = l
	}
	s.state.grants[in.AccessToken] = g
	return in
}

// AddContact adds a contact to the location LocationID, "" meaning the first one. DateAdded and DateUpdated default
// to the clock's time. Duplicates are allowed. A custom field is identified by key or id; an undefined one must have
// an id.
func (s *Server) AddContact(in ghl.Contact) ghl.Contact {
	s.helper()
	return seed(s, "AddContact", in, func(in ghl.Contact) (*ghl.Contact, error) {
		c, err := s.state.addContact(in, s.now())
		if err != nil {
			return nil, err
		}
		return &c.Contact, nil
	})
}

// AddTask adds a task to the contact ContactID. DueDate defaults to a day after the clock's time.
func (s *Server) AddTask(in ghl.Task) ghl.Task {
	s.helper()
	return seed(s, "AddTask", in, func(in ghl.Task) (*ghl.Task, error) { return s.state.addTask(in, s.now()) })
}

// AddNote adds a note to the contact ContactID.
func (s *Server) AddNote(in ghl.Note) ghl.Note {
	s.helper()
	return seed(s, "AddNote", in, func(in ghl.Note) (*ghl.Note, error) { return s.state.addNote(in, s.now()) })
}

// AddCalendar adds a calendar. By default it is open from Monday to Friday, 9:00 to 17:00, with slots of 30 minutes.
// The calendar is active, whatever IsActive is; [Server.SetCalendarActive] makes it a draft.
func (s *Server) AddCalendar(in ghl.Calendar) ghl.Calendar {
	s.helper()
	return seed(s, "AddCalendar", in, func(in ghl.Calendar) (*ghl.Calendar, error) {
		in.IsActive = true
		c, err := s.state.addCalendar(in)
		if err != nil {
			return nil, err
		}
		return &c.Calendar, nil
	})
}

// SetCalendarActive makes a calendar active, or a draft.
func (s *Server) SetCalendarActive(calendarID string, active bool) {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.state.locations {
		if cal := s.state.calendarOf(l, calendarID); cal != nil {
			cal.IsActive = active
			return
		}
	}
	s.fail("SetCalendarActive: unknown calendar %q", calendarID)
}

// AddAppointment adds an appointment of the contact ContactID in the calendar CalendarID, "" meaning the location's
// first one. A StartTime without a zone is in the location's zone, and EndTime defaults to the end of a slot. The
// slot need not be free.
func (s *Server) AddAppointment(in ghl.Appointment) ghl.Appointment {
	s.helper()
	return seed(s, "AddAppointment", in, func(in ghl.Appointment) (*ghl.Appointment, error) {
		return s.state.addAppointment(in, s.now())
	})
}

// AddBlockedSlot blocks a time range of the calendar CalendarID. Times are as in [Server.AddAppointment].
func (s *Server) AddBlockedSlot(in ghl.Appointment) ghl.Appointment {
	s.helper()
	return seed(s, "AddBlockedSlot", in, func(in ghl.Appointment) (*ghl.Appointment, error) {
		return s.state.addBlockedSlot(in, s.now())
	})
}

// AddCustomField adds the definition of a custom field. An empty FieldKey is derived from the name, and DataType
// defaults to TEXT.
func (s *Server) AddCustomField(in ghl.CustomFieldDefinition) ghl.CustomFieldDefinition {
	s.helper()
	return seed(s, "AddCustomField", in, s.state.addCustomField)
}

func seed[T any](s *Server, name string, in T, add func(T) (*T, error)) T {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := clone(in)
	if err == nil {
		var stored *T
		if stored, err = add(out); err == nil {
			out, err = clone(*stored)
		}
	}
	s.state.reindex(time.Time{})
	if err != nil {
		s.fail("%s: %v", name, err)
	}
	return out
}

// locationOf returns a location by its id, "" meaning the first one.
func (s *state) locationOf(id string) (*location, error) {
	if id == "" {
		return s.first, nil
	}
	if l := s.locations[id]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("unknown location %q", id)
}

func (s *state) contactOf(id string) (*contact, error) {
	if c := s.contacts[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("unknown contact %q", id)
}

func (s *state) addContact(in ghl.Contact, now time.Time) (*contact, error) {
	l, err := s.locationOf(in.LocationID)
	if err != nil {
		return nil, err
	}
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	if s.contacts[in.ID] != nil {
		return nil, fmt.Errorf("contact %s already exists", in.ID)
	}
	if in.FirstName == "" && in.LastName == "" {
		in.FirstName, in.LastName = splitName(in.Name)
	}
	in.LocationID = l.ID
	in.Phone = normalPhone(in.Phone, l.Country)
	in.Tags = normalTags(in.Tags)
	if in.DateAdded.IsZero() {
		in.DateAdded = timestamp(now)
	}
	if in.DateUpdated.IsZero() {
		in.DateUpdated = in.DateAdded
	}
	added, ok := in.DateAdded.Instant()
	updated, alsoOK := in.DateUpdated.Instant()
	if !ok || !alsoOK {
		return nil, errors.New("DateAdded and DateUpdated need a zone")
	}
	setDefault(&in.Type, "lead")
	c := &contact{Contact: in, location: l, added: added.UnixMilli(), updated: updated.UnixMilli()}
	c.CustomFields = nil
	for _, f := range in.CustomFields {
		if !l.setCustomField(c, f) {
			if f.ID == "" {
				return nil, fmt.Errorf("the location has no custom field %q", f.Key)
			}
			c.CustomFields = append(c.CustomFields, f)
		}
	}
	s.addLocationTags(l, c.Tags)
	s.contacts[c.ID] = c
	l.place(c)
	return c, nil
}

func (s *state) addTask(in ghl.Task, now time.Time) (*ghl.Task, error) {
	c, err := s.contactOf(in.ContactID)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Title) == "" {
		return nil, errors.New("a task needs a title")
	}
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.tasks, func(other *ghl.Task) bool { return other.ID == in.ID }) {
		return nil, fmt.Errorf("the contact already has a task %s", in.ID)
	}
	in.LocationID, in.BusinessID = c.LocationID, c.BusinessID
	if in.DueDate.IsZero() {
		in.DueDate = timestamp(now.Add(24 * time.Hour))
	}
	if in.DateAdded.IsZero() {
		in.DateAdded = timestamp(now)
	}
	if in.DateUpdated.IsZero() {
		in.DateUpdated = in.DateAdded
	}
	c.tasks = append(c.tasks, &in)
	return &in, nil
}

func (s *state) addNote(in ghl.Note, now time.Time) (*ghl.Note, error) {
	c, err := s.contactOf(in.ContactID)
	if err != nil {
		return nil, err
	}
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.notes, func(other *ghl.Note) bool { return other.ID == in.ID }) {
		return nil, fmt.Errorf("the contact already has a note %s", in.ID)
	}
	if in.DateAdded.IsZero() {
		in.DateAdded = timestamp(now)
	}
	c.notes = append(c.notes, &in)
	return &in, nil
}

func (s *state) addCalendar(in ghl.Calendar) (*calendar, error) {
	l, err := s.locationOf(in.LocationID)
	if err != nil {
		return nil, err
	}
	in.LocationID = l.ID
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	setDefault(&in.Name, "Calendar")
	setDefault(&in.CalendarType, "event")
	setDefault(&in.SlotDurationUnit, "mins")
	if in.SlotDuration == 0 {
		in.SlotDuration, in.SlotDurationUnit = 30, "mins"
	}
	if in.SlotInterval == 0 {
		in.SlotInterval, in.SlotIntervalUnit = in.SlotDuration, in.SlotDurationUnit
	}
	if in.AppointmentPerSlot == 0 {
		in.AppointmentPerSlot = 1
	}
	if len(in.OpenHours) == 0 && len(in.Availabilities) == 0 {
		in.OpenHours = slices.Grow(in.OpenHours, 1)[:1]
		in.OpenHours[0].DaysOfTheWeek = []int{1, 2, 3, 4, 5}
		in.OpenHours[0].Hours = []hour{{OpenHour: 9, CloseHour: 17}}
	}
	if s.calendarOf(l, in.ID) != nil {
		return nil, fmt.Errorf("calendar %s already exists", in.ID)
	}
	c := &calendar{in}
	if err := c.check(); err != nil {
		return nil, err
	}
	l.calendars = append(l.calendars, c)
	return c, nil
}

func (s *state) addAppointment(in ghl.Appointment, now time.Time) (*ghl.Appointment, error) {
	c, err := s.contactOf(in.ContactID)
	if err != nil {
		return nil, err
	}
	if in.CalendarID == "" {
		if len(c.location.calendars) == 0 {
			if _, err := s.addCalendar(ghl.Calendar{LocationID: c.LocationID, IsActive: true}); err != nil {
				return nil, err
			}
		}
		in.CalendarID = c.location.calendars[0].ID
	}
	if in.AppointmentStatus == "" {
		in.AppointmentStatus = ghl.AppointmentConfirmed
	}
	setDefault(&in.Title, c.fullName())
	return s.seedEvent(&event{Appointment: in, location: c.location}, now)
}

func (s *state) addBlockedSlot(in ghl.Appointment, now time.Time) (*ghl.Appointment, error) {
	for _, l := range s.locations {
		if s.calendarOf(l, in.CalendarID) != nil {
			setDefault(&in.Title, "Blocked")
			return s.seedEvent(&event{Appointment: in, location: l, blocked: true}, now)
		}
	}
	return nil, fmt.Errorf("unknown calendar %q", in.CalendarID)
}

func (s *state) seedEvent(e *event, now time.Time) (*ghl.Appointment, error) {
	cal := s.calendarOf(e.location, e.CalendarID)
	switch {
	case cal == nil:
		return nil, fmt.Errorf("location %s has no calendar %q", e.location.ID, e.CalendarID)
	case e.StartTime.IsZero():
		return nil, errors.New("the StartTime is missing")
	case s.events[e.ID] != nil:
		return nil, fmt.Errorf("event %s already exists", e.ID)
	}
	if err := s.ids.give(&e.ID); err != nil {
		return nil, err
	}
	e.start = e.StartTime.In(e.location.zone)
	e.end = e.start.Add(cal.length())
	if !e.EndTime.IsZero() {
		e.end = e.EndTime.In(e.location.zone)
	}
	if !e.end.After(e.start) {
		return nil, errors.New("the EndTime is not after the StartTime")
	}
	s.storeEvent(e, now)
	return &e.Appointment, nil
}

func (s *state) addCustomField(in ghl.CustomFieldDefinition) (*ghl.CustomFieldDefinition, error) {
	l, err := s.locationOf(in.LocationID)
	if err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, errors.New("a custom field needs a name")
	}
	in.LocationID = l.ID
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	setDefault(&in.Model, "contact")
	setDefault(&in.DataType, "TEXT")
	setDefault(&in.FieldKey, in.Model+"."+strings.Join(strings.Fields(strings.ToLower(in.Name)), "_"))
	for _, other := range l.customFields {
		if other.ID == in.ID || other.FieldKey == in.FieldKey {
			return nil, fmt.Errorf("custom field %s (%s) already exists", other.ID, other.FieldKey)
		}
	}
	l.customFields = append(l.customFields, &in)
	return &in, nil
}
