package ghltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// WithSeed fills the fake from a JSON document, as [Server.LoadJSON] does. Its locations are added to those of
// [WithLocation]; without any of these the document's first is the first one.
func WithSeed(r io.Reader) Option {
	seed, err := readSeed(r) // at once, so that the option can be used again
	return func(c *config) error {
		if err != nil {
			return fmt.Errorf("ghltest: WithSeed: %w", err)
		}
		c.seeds = append(c.seeds, seed)
		return nil
	}
}

// LoadJSON fills the fake from a JSON document. It is one object of lists, each of which may be missing:
//
//	{
//	  "locations":    [{"id": "lisbon", "name": "Lisbon", "timezone": "Europe/Lisbon"}],
//	  "customFields": [{"id": "shoe", "name": "Shoe size", "dataType": "NUMERICAL"}],
//	  "tags":         ["vip"],
//	  "calendars":    [{"id": "talk", "name": "Consultation"}],
//	  "contacts":     [{
//	    "firstName": "Ada", "email": "ada@example.com", "tags": ["vip"],
//	    "customFields":  [{"id": "shoe", "value": 38}],
//	    "tasks":         [{"title": "Call Ada"}],
//	    "notes":         [{"body": "Prefers mornings"}],
//	    "appointments":  [{"calendarId": "talk", "startTime": "2026-03-03 10:00:00"}],
//	    "opportunities": [{"pipelineId": "sales", "status": "won"}]
//	  }],
//	  "tasks": [], "notes": [], "appointments": [], "opportunities": [], "blockedSlots": []
//	}
//
// Records have the properties that HighLevel answers; what the fake does not know of them is kept and answered again. Those
// that do not stand in their contact name it by contactId. What is left out is filled in as by the methods that begin with
// Add, such as [Server.AddContact].
//
// A mistake fails the test of [Start] at its line, or panics; the words name the place, such as "contacts[2].tasks[0]", or the
// line when the document is no JSON. The document is read to its end first; what stands before a record that cannot be kept
// has been added then. A program that gets a document from somebody else gives it to [WithSeed], where a mistake is the error
// of [New].
func (s *Server) LoadJSON(r io.Reader) {
	s.helper()
	if err := s.load(r); err != nil {
		s.fail("LoadJSON: %v", err)
	}
}

func (s *Server) load(r io.Reader) error {
	seed, err := readSeed(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	defer s.state.reindex(time.Time{})
	for i, in := range seed.locations {
		l, err := s.state.addLocation(in)
		if err != nil {
			return within(fmt.Sprintf("locations[%d]", i), err)
		}
		s.state.installInFuture(l, now)
	}
	return s.state.addSeed(seed, "", now)
}

// seedDocument is a document that has been read. Locations come first, so that an option can add them before all else.
type seedDocument struct {
	locations []ghl.Location
	steps     []seedStep
}

// seedStep adds one record.
type seedStep struct {
	place string
	add   func(s *state, contactID string, now time.Time) error // contactID is of the contact in which it stands
}

// addSeed adds what stands in a document, or in a contact of one.
func (s *state) addSeed(seed *seedDocument, contactID string, now time.Time) error {
	for _, step := range seed.steps {
		if err := step.add(s, contactID, now); err != nil {
			return within(step.place, err)
		}
	}
	return nil
}

// seedLists are the lists of a document in the order in which they are added.
var seedLists = []string{
	"locations", "customFields", "tags", "calendars", "contacts", "tasks", "notes", "appointments", "blockedSlots", "opportunities",
}

func readSeed(r io.Reader) (*seedDocument, error) {
	if r == nil {
		return nil, errors.New("there is no document: the reader is nil")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	lists, err := objectOf(data)
	if err != nil {
		return nil, placed(data, err)
	}
	for name := range lists {
		if !slices.Contains(seedLists, name) {
			return nil, within(name, errors.New("the document has no such list; it has "+strings.Join(seedLists, ", ")))
		}
	}
	seed := new(seedDocument)
	for _, name := range seedLists {
		if err := seed.list(name, lists[name]); err != nil {
			return nil, err
		}
	}
	return seed, nil
}

func objectOf(data []byte) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	if all == nil {
		return nil, errors.New("it is null and no object")
	}
	return all, nil
}

// placed says in which line of the document a mistake is.
func placed(data []byte, err error) error {
	offset := int64(0)
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrongType):
		return errors.New("the document is no JSON object")
	default:
		return err
	}
	before := data[:min(offset, int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: %w", line, max(column, 1), err)
}

// seedError says where in a document a mistake is.
type seedError struct {
	place string
	error
}

func (e *seedError) Error() string { return e.place + ": " + e.error.Error() }
func (e *seedError) Unwrap() error { return e.error }

// within says that a mistake is in a place, or in a place in it.
func within(place string, err error) error {
	if inner, ok := err.(*seedError); ok { //nolint:errorlint // a wrapped one is not ours
		return &seedError{place + "." + inner.place, inner.error}
	}
	return &seedError{place, err}
}

// list reads one list.
func (d *seedDocument) list(name string, data json.RawMessage) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	var records []json.RawMessage
	if err := json.Unmarshal(data, &records); err != nil {
		return within(name, errors.New("it is no list"))
	}
	for i, record := range records {
		place := fmt.Sprintf("%s[%d]", name, i)
		if err := d.record(name, place, record); err != nil {
			return within(place, err)
		}
	}
	return nil
}

func (d *seedDocument) record(name, place string, data json.RawMessage) error {
	switch name {
	case "locations":
		l, err := record[ghl.Location](data)
		if err == nil {
			d.locations = append(d.locations, l)
		}
		return err
	case "tags":
		return d.tag(place, data)
	case "contacts":
		return d.contact(place, data)
	case "customFields":
		return step(d, place, data, func(s *state, in ghl.CustomFieldDefinition, _ string, _ time.Time) error {
			_, err := s.addCustomField(in)
			return err
		})
	case "calendars":
		return step(d, place, data, func(s *state, in ghl.Calendar, _ string, _ time.Time) error {
			_, err := s.addCalendar(in)
			return err
		})
	case "tasks":
		return step(d, place, data, func(s *state, in ghl.Task, contactID string, now time.Time) error {
			setDefault(&in.ContactID, contactID)
			_, err := s.addTask(in, now)
			return err
		})
	case "notes":
		return step(d, place, data, func(s *state, in ghl.Note, contactID string, now time.Time) error {
			setDefault(&in.ContactID, contactID)
			_, err := s.addNote(in, now)
			return err
		})
	case "appointments":
		return step(d, place, data, func(s *state, in ghl.Appointment, contactID string, now time.Time) error {
			setDefault(&in.ContactID, contactID)
			_, err := s.addAppointment(in, now)
			return err
		})
	case "blockedSlots":
		return step(d, place, data, func(s *state, in ghl.Appointment, _ string, now time.Time) error {
			_, err := s.addBlockedSlot(in, now)
			return err
		})
	}
	return step(d, place, data, func(s *state, in Opportunity, contactID string, _ time.Time) error {
		setDefault(&in.ContactID, contactID)
		_, err := s.addOpportunity(in)
		return err
	})
}

// step reads a record and puts off adding it until the fake is there.
func step[T any](d *seedDocument, place string, data json.RawMessage, add func(*state, T, string, time.Time) error) error {
	if _, err := record[T](data); err != nil {
		return err
	}
	d.steps = append(d.steps, seedStep{place, func(s *state, contactID string, now time.Time) error {
		in, err := record[T](data) // each fake gets records of its own
		if err != nil {
			return err
		}
		return add(s, in, contactID, now)
	}})
	return nil
}

// record reads one record of a list.
func record[T any](data json.RawMessage) (T, error) {
	var in T
	if len(data) == 0 || data[0] != '{' {
		return in, errors.New("it is no object")
	}
	err := json.Unmarshal(data, &in)
	return in, err
}

// tag reads a tag: its name, or an object.
func (d *seedDocument) tag(place string, data json.RawMessage) error {
	var in ghl.LocationTag
	if json.Unmarshal(data, &in.Name) != nil {
		var err error
		if in, err = record[ghl.LocationTag](data); err != nil {
			return errors.New("it is neither a name nor an object")
		}
	}
	d.steps = append(d.steps, seedStep{place, func(s *state, _ string, _ time.Time) error {
		l, err := s.locationOf(in.LocationID)
		if err != nil {
			return err
		}
		names := lowered([]string{in.Name})
		if len(names) == 0 {
			return errors.New("a tag needs a name")
		}
		for _, t := range l.tags {
			if t.Name == names[0] || in.ID != "" && t.ID == in.ID {
				return fmt.Errorf("there is a tag %s (%s) already", t.ID, t.Name)
			}
		}
		tag := in
		tag.Name, tag.LocationID = names[0], l.ID
		if err := s.ids.give(&tag.ID); err != nil {
			return err
		}
		l.tags = append(l.tags, &tag)
		return nil
	}})
	return nil
}

// contactLists are what can stand in a contact.
var contactLists = []string{"tasks", "notes", "appointments", "opportunities"}

// contact reads a contact with what stands in it. Its id is made up when it is added.
func (d *seedDocument) contact(place string, data json.RawMessage) error {
	parts, err := objectOf(data)
	if err != nil {
		return errors.New("it is no object")
	}
	inner := new(seedDocument)
	for _, name := range contactLists {
		if err := inner.list(name, parts[name]); err != nil {
			return err
		}
		delete(parts, name)
	}
	if data, err = json.Marshal(parts); err != nil {
		return err
	}
	if _, err := record[ghl.Contact](data); err != nil {
		return err
	}
	d.steps = append(d.steps, seedStep{place, func(s *state, _ string, now time.Time) error {
		in, err := record[ghl.Contact](data)
		if err != nil {
			return err
		}
		c, err := s.addContact(in, now)
		if err != nil {
			return err
		}
		return s.addSeed(inner, c.ID, now)
	}})
	return nil
}
