package ghltest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones, wherever the test runs

	"github.com/pluvo/ghl"
)

// state is all that the fake holds. The server's lock guards it.
type state struct {
	ids       ids
	first     *location
	locations map[string]*location
	contacts  map[string]*contact
	events    map[string]*event
	grants    map[string]*grant // by token
	oauth     oauthState
	lag       time.Duration // of the search index
	hooks     *hooks
}

func newState() *state {
	return &state{
		ids: newIDs(), locations: map[string]*location{}, contacts: map[string]*contact{},
		events: map[string]*event{}, grants: map[string]*grant{}, oauth: newOAuth(),
	}
}

// location is a sub-account with what belongs to it.
type location struct {
	ghl.Location
	zone         *time.Location
	contacts     []*contact // newest first, which is the order of the list
	identifiers  map[identifier][]*contact
	calendars    []*calendar
	events       []*event
	customFields []*ghl.CustomFieldDefinition
	tags         []*ghl.LocationTag
	paused       bool   // no tokens are to be had for it
	index        *index // nil when searches see every change at once
}

// contact is a contact with what belongs to it. Names that only some endpoints use are made when it is answered.
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
	wire, wireV3  written    // its answer to a read by id, until it changes
	lastSeen      *time.Time // when the last appointment begins, in a version that the index keeps
}

// event is an appointment or a blocked slot.
type event struct {
	ghl.Appointment
	location   *location
	start, end time.Time
	blocked    bool
}

// calendar is a calendar with the hours in which it can be booked.
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
		return nil, fmt.Errorf("there is a location %s already", in.ID)
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

// companyID returns the company of the locations that name none.
func (s *state) companyID() string {
	if s.first != nil {
		return s.first.CompanyID
	}
	return s.ids.id()
}

// place puts a contact into its location's order and makes it findable by its e-mail and phone.
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

// identifier is what a contact is found by as a duplicate.
type identifier struct{ field, value string }

// identifiers lists them, in the order in which they are looked for.
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

// sharing returns a contact other than c with the e-mail, as its first one or a further one, or with the phone, and which of
// the three it is.
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

// learnTags adds tags to those that the location knows.
func (s *state) learnTags(l *location, tags []string) {
	for _, name := range tags {
		if !slices.ContainsFunc(l.tags, func(t *ghl.LocationTag) bool { return t.Name == name }) {
			l.tags = append(l.tags, &ghl.LocationTag{ID: s.ids.id(), Name: name, LocationID: l.ID})
		}
	}
}

// clone copies a record with all that it points to, so that nothing is shared between the fake and its user.
func clone[T any](in T) (out T, err error) {
	data, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	err = json.Unmarshal(data, &out)
	return out, err
}

// extend returns a record with the properties that its model has no field for.
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

// set changes a field if the update holds it; null clears it.
func set[T any](field *T, in ghl.Opt[T]) {
	if !in.IsZero() {
		*field, _ = in.Get()
	}
}

// answers writes each record of a list; an empty list is [] and not null.
func answers[T, U any](list []T, write func(T) U) []U {
	out := make([]U, len(list))
	for i, record := range list {
		out[i] = write(record)
	}
	return out
}
