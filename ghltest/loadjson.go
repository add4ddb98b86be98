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

// WithSeed seeds the server from a JSON document, as [Server.LoadJSON] does. The document's locations follow those of
// [WithLocation].
func WithSeed(r io.Reader) Option {
	seed, err := readSeed(r) // once, so that the option can be used for several servers
	return func(c *config) error {
		if err != nil {
			return fmt.Errorf("ghltest: WithSeed: %w", err)
		}
		c.seeds = append(c.seeds, seed)
		return nil
	}
}

// LoadJSON seeds the server from a JSON document: an object of lists, each of which is optional.
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
// Records have the properties of HighLevel's answers. Unknown properties are stored and answered. A record outside of
// its contact has its contactId. Missing properties get the defaults of the Add methods, such as [Server.AddContact].
//
// An invalid document fails the test of [Start] at the line of the call, and panics without a test. The message has
// the place of the mistake, such as "contacts[2].tasks[0]", or its line and column when the document is not JSON. The
// records before an invalid record are added. A program that gets documents from its users passes them to [WithSeed],
// whose mistakes are errors of [New].
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

// seedDocument is a decoded document. An option adds its locations before all other records.
type seedDocument struct {
	locations []ghl.Location
	steps     []seedStep
}

// seedStep adds one record.
type seedStep struct {
	place string
	add   func(s *state, contactID string, now time.Time) error // contactID is the enclosing contact's
}

// addSeed adds the records of a document, or of a contact in it.
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
	"locations", "customFields", "tags", "calendars", "contacts", "tasks", "notes", "appointments", "blockedSlots",
	"opportunities",
}

func readSeed(r io.Reader) (*seedDocument, error) {
	if r == nil {
		return nil, errors.New("the reader is nil")
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
			return nil, within(name, errors.New("unknown list; use one of "+strings.Join(seedLists, ", ")))
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
		return nil, errors.New("must be an object, got null")
	}
	return all, nil
}

// placed adds the line and column to an error of encoding/json.
func placed(data []byte, err error) error {
	offset := int64(0)
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrongType):
		return errors.New("the document must be a JSON object")
	default:
		return err
	}
	before := data[:min(offset, int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: %w", line, max(column, 1), err)
}

// seedError is an error with its place in a document.
type seedError struct {
	place string
	error
}

func (e *seedError) Error() string { return e.place + ": " + e.error.Error() }
func (e *seedError) Unwrap() error { return e.error }

// within adds an enclosing place to an error.
func within(place string, err error) error {
	if inner, ok := err.(*seedError); ok { //nolint:errorlint // a wrapped seedError has the place of another document
		return &seedError{place + "." + inner.place, inner.error}
	}
	return &seedError{place, err}
}

// list decodes one list.
func (d *seedDocument) list(name string, data json.RawMessage) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	var records []json.RawMessage
	if err := json.Unmarshal(data, &records); err != nil {
		return within(name, errors.New("must be a list"))
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
			var given struct {
				IsActive *bool `json:"isActive"`
			}
			in.IsActive = json.Unmarshal(data, &given) != nil || given.IsActive == nil || in.IsActive // true by default
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

// step decodes a record and adds it in a later step, when the server exists.
func step[T any](
	d *seedDocument, place string, data json.RawMessage, add func(*state, T, string, time.Time) error,
) error {
	if _, err := record[T](data); err != nil {
		return err
	}
	d.steps = append(d.steps, seedStep{place, func(s *state, contactID string, now time.Time) error {
		in, err := record[T](data) // again, so that servers share no record
		if err != nil {
			return err
		}
		return add(s, in, contactID, now)
	}})
	return nil
}

// record decodes one record of a list.
func record[T any](data json.RawMessage) (T, error) {
	var in T
	if len(data) == 0 || data[0] != '{' {
		return in, errors.New("must be an object")
	}
	err := json.Unmarshal(data, &in)
	return in, err
}

// tag decodes a tag, which is a name or an object.
func (d *seedDocument) tag(place string, data json.RawMessage) error {
	var in ghl.LocationTag
	if json.Unmarshal(data, &in.Name) != nil {
		var err error
		if in, err = record[ghl.LocationTag](data); err != nil {
			return errors.New("must be a name or an object")
		}
	}
	d.steps = append(d.steps, seedStep{place, func(s *state, _ string, _ time.Time) error {
		l, err := s.locationOf(in.LocationID)
		if err != nil {
			return err
		}
		names := normalTags([]string{in.Name})
		if len(names) == 0 {
			return errors.New("a tag needs a name")
		}
		for _, t := range l.tags {
			if t.Name == names[0] || in.ID != "" && t.ID == in.ID {
				return fmt.Errorf("tag %q (%s) already exists", t.Name, t.ID)
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

// contactLists are the lists that a contact can have.
var contactLists = []string{"tasks", "notes", "appointments", "opportunities"}

// contact decodes a contact with its lists.
func (d *seedDocument) contact(place string, data json.RawMessage) error {
	parts, err := objectOf(data)
	if err != nil {
		return errors.New("must be an object")
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
