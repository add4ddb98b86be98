package ghltest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // has time zones on systems without them

	"github.com/pluvo/ghl"
)

// state has all records of a server. The server's lock guards it.
type state struct {
	ids       ids
	first     *location
	locations map[string]*location
	contacts  map[string]*contact
	events    map[string]*event
	grants    map[string]*grant // by token
	oauth     oauthState
	lag       time.Duration // of the search index
	refuses   contactRules
	hooks     *hooks
}

func newState() *state {
	return &state{
		ids: newIDs(), locations: map[string]*location{}, contacts: map[string]*contact{},
		events: map[string]*event{}, grants: map[string]*grant{}, oauth: newOAuth(),
	}
}

// location is a sub-account with its records.
type location struct {
	ghl.Location
	zone         *time.Location
	contacts     []*contact // newest first, which is the order of the list
	identifiers  map[identifier][]*contact
	calendars    []*calendar
	events       []*event
	customFields []*ghl.CustomFieldDefinition
	tags         []*ghl.LocationTag
	paused       bool   // tokens for the location are refused
	index        *index // nil when searches do not lag
}

// contact is a contact with its records. Properties that only some endpoints answer are derived from them.
type contact struct {
	ghl.Contact
	location  *location
	added     int64 // milliseconds since 1970
	updated   int64
	tasks     []*ghl.Task
	notes     []*ghl.Note
	campaigns []string
	workflows []string

	opportunities []*Opportunity
	wire, wireV3  written    // the cached answer to a read by id; nil after a change
	lastSeen      *time.Time // the start of the last appointment, in a snapshot for the index
}

// event is an appointment or a blocked slot.
type event struct {
	ghl.Appointment
	location   *location
	start, end time.Time
	blocked    bool
	notes      []*ghl.Note // those of its own
}

// calendar is a calendar that can be booked.
type calendar struct{ ghl.Calendar }

func defaultLocation() ghl.Location {
	return ghl.Location{Name: "Test Location", Email: "office@example.com", Timezone: "America/New_York", Country: "US"}
}

func (s *state) addLocation(in ghl.Location) (*location, error) {
	in, err := clone(in)
	if err != nil {
		return nil, err
	}
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	setDefault(&in.CompanyID, s.companyID())
	if err := s.ids.give(&in.CompanyID); err != nil {
		return nil, err
	}
	setDefault(&in.Timezone, "America/New_York")
	setDefault(&in.Country, "US")
	if s.locations[in.ID] != nil {
		return nil, fmt.Errorf("location %s already exists", in.ID)
	}
	zone, err := time.LoadLocation(in.Timezone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of location %s: %w", in.ID, err)
	}
	l := &location{Location: in, zone: zone, identifiers: map[identifier][]*contact{}, index: newIndex(s.lag)}
	s.locations[in.ID] = l
	if s.first == nil {
		s.first = l
	}
	return l, nil
}

// companyID returns the default company.
func (s *state) companyID() string {
	if s.first != nil {
		return s.first.CompanyID
	}
	return s.ids.id()
}

// place inserts a contact into its location's list and into the index of e-mails and phones.
func (l *location) place(c *contact) {
	at, _ := slices.BinarySearchFunc(l.contacts, c, newestFirst)
	l.contacts = slices.Insert(l.contacts, at, c)
	l.identify(c)
	l.indexLater(c.ID)
}

func (l *location) remove(c *contact) {
	l.forget(c)
	l.indexLater(c.ID)
	if at, found := slices.BinarySearchFunc(l.contacts, c, newestFirst); found {
		l.contacts = slices.Delete(l.contacts, at, at+1)
	}
}

func newestFirst(a, b *contact) int {
	return cmp.Or(cmp.Compare(b.added, a.added), cmp.Compare(a.ID, b.ID))
}

// identifier is an e-mail or a phone by which a duplicate is found.
type identifier struct{ field, value string }

// identifiers returns a contact's identifiers in the order of the search for a duplicate.
func identifiers(c *ghl.Contact) []identifier {
	list := []identifier{{"email", strings.ToLower(c.Email)}, {"phone", c.Phone}}
	for _, more := range c.AdditionalEmails {
		list = append(list, identifier{"additionalEmail", strings.ToLower(more.Email)})
	}
	return slices.DeleteFunc(list, func(i identifier) bool { return i.value == "" })
}

func (l *location) identify(c *contact) {
	for _, key := range identifiers(&c.Contact) {
		l.identifiers[key] = append(l.identifiers[key], c)
	}
}

func (l *location) forget(c *contact) {
	for _, key := range identifiers(&c.Contact) {
		l.identifiers[key] = slices.DeleteFunc(l.identifiers[key], func(other *contact) bool { return other == c })
		if len(l.identifiers[key]) == 0 {
			delete(l.identifiers, key)
		}
	}
}

// sharing returns a contact other than c with the e-mail or the phone, and the field that matches: email,
// additionalEmail or phone.
func (l *location) sharing(email, phone string, c *contact) (other *contact, field string) {
	email = strings.ToLower(email)
	for _, key := range []identifier{{"email", email}, {"additionalEmail", email}, {"phone", phone}} {
		if key.value == "" {
			continue
		}
		for _, other := range l.identifiers[key] {
			if other != c {
				return other, key.field
			}
		}
	}
	return nil, ""
}

// addLocationTags adds new tags to the location's tags.
func (s *state) addLocationTags(l *location, tags []string) {
	for _, name := range tags {
		if !slices.ContainsFunc(l.tags, func(t *ghl.LocationTag) bool { return t.Name == name }) {
			l.tags = append(l.tags, &ghl.LocationTag{ID: s.ids.id(), Name: name, LocationID: l.ID})
		}
	}
}

// clone returns a deep copy of a record.
func clone[T any](in T) (out T, err error) {
	data, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	err = json.Unmarshal(data, &out)
	return out, err
}

// extend returns a record whose JSON also has the extra properties.
func extend(record any, extra ghl.Extra) any {
	if len(extra) == 0 {
		return record
	}
	return extended{record, extra}
}

type extended struct {
	record any
	extra  ghl.Extra
}

func (e extended) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(e.record)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for name, value := range e.extra {
		all[name] = value
	}
	return json.Marshal(all)
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// set sets a field that is in the update. Null clears the field.
func set[T any](field *T, in ghl.Opt[T]) {
	if !in.IsZero() {
		*field, _ = in.Get()
	}
}

// answers returns each record of a list in a form. An empty list is [] in JSON, not null.
func answers[T, U any](list []T, write func(T) U) []U {
	out := make([]U, len(list))
	for i, record := range list {
		out[i] = write(record)
	}
	return out
}
