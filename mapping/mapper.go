package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// System is what the origin of a record names that came from HighLevel.
const System = "highlevel"

// Options say how a [Mapper] maps. Only Location is needed.
type Options struct {
	// Location is the id of the GHL location whose records are mapped. A record of another one is refused.
	Location string
	// TimeZone is the location's, see [ghl.Location.TimeLocation]. Times that come without a zone are meant in it; without
	// it they are left out, for nobody could say which instant they are.
	TimeZone *time.Location
	// Phone places phone numbers that are not in E.164; nil leaves them as written.
	Phone PhoneNormalizer
	// TaskStatus derives the status of a task; nil means [DefaultTaskStatus].
	TaskStatus TaskStatusRule
	// IDs gives the id that a record from GHL has in Pluvo. "", and a nil IDs, mean the id that it has in GHL.
	IDs func(kind pluvo.Kind, origin pluvo.Origin) string
	// Now is the clock by which a task is overdue; nil means time.Now.
	Now func() time.Time
	// Version is the API's version that updates are meant for; zero means [ghl.Version20210728]. It decides which states an
	// appointment may be set to.
	Version ghl.Version
	// Rules map the kinds of records that they describe, instead of the functions written by hand; nil describes none.
	Rules *Rules
}

// Mapper maps records of one location to Pluvo and back. It does not change and is safe for concurrent use, as far as the
// functions in its [Options] are.
type Mapper struct {
	o      Options
	fields map[pluvo.Kind][]*Field
}

// New returns a mapper.
func New(o Options) (*Mapper, error) {
	if o.Location == "" {
		return nil, errors.New("mapping: Options.Location is missing")
	}
	switch o.Version {
	case "":
		o.Version = ghl.Version20210728
	case ghl.Version20210728, ghl.VersionV3:
	default:
		return nil, fmt.Errorf("mapping: Options.Version %q is none", o.Version)
	}
	if o.TaskStatus == nil {
		o.TaskStatus = DefaultTaskStatus
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rules == nil {
		o.Rules = &Rules{}
	}
	m := &Mapper{o: o}
	m.fields = m.allFields()
	return m, nil
}

// Error says why a record could not be mapped. It holds no value of the record but its id.
type Error struct {
	Kind pluvo.Kind
	// ID is the record's id in the system that it comes from, where it has one.
	ID string
	// Field is the field that is wrong or missing, by its name in the system that it comes from or, where Pluvo refuses the
	// record, in Pluvo.
	Field   string
	Problem string
}

// Error names the kind, the id, the field and the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("mapping: %s %q: %s: %s", e.Kind, e.ID, e.Field, e.Problem)
}

// checkGHL refuses a record that cannot be kept: one without an id, or of another location.
func (m *Mapper) checkGHL(kind pluvo.Kind, id, location string) error {
	if id == "" {
		return &Error{kind, id, "id", "is missing"}
	}
	if location != "" && location != m.o.Location {
		return &Error{kind, id, "locationId", "is another location"}
	}
	return nil
}

// owner returns the contact that a record belongs to: the one given, or the one it names. They must agree.
func owner(kind pluvo.Kind, id, given, named string) (string, error) {
	switch {
	case given == "" && named == "":
		return "", &Error{kind, id, "contactId", "is missing"}
	case given == "":
		return named, nil
	case named != "" && named != given:
		return "", &Error{kind, id, "contactId", "is another contact"}
	}
	return given, nil
}

func (m *Mapper) origin(id string) pluvo.Origin {
	return pluvo.Origin{System: System, Location: m.o.Location, ID: id}
}

// id returns the id in Pluvo of a record that has an id in GHL.
func (m *Mapper) id(kind pluvo.Kind, ghlID string) string {
	if ghlID != "" && m.o.IDs != nil {
		if id := m.o.IDs(kind, m.origin(ghlID)); id != "" {
			return id
		}
	}
	return ghlID
}

// samePair refuses the last known state of another record. If none is known, it is a zero one.
func samePair[P any](kind pluvo.Kind, now, last *P, id func(*P) string) (state *P, known bool, err error) {
	switch {
	case now == nil:
		return nil, false, noRecord(kind)
	case last == nil:
		return new(P), false, nil
	case id(now) != id(last):
		return nil, false, &Error{kind, id(now), "id", "the last known state is of another record"}
	}
	return last, true, nil
}

func noRecord(kind pluvo.Kind) error {
	return &Error{Kind: kind, Field: "id", Problem: "there is no record"}
}

// settle makes a record one that Pluvo takes: a value that it refuses is left out, and a record that cannot do without it
// is an error.
func settle[R, C, U, P any](t *table[R, C, U, P], out *P, r pluvo.Record, s *sink) error {
	wrong := r.Validate()
	if wrong == nil {
		return nil
	}
	for _, e := range fieldErrors(wrong) {
		name := e.Field
		if strings.HasPrefix(name, "tags[") { // such as tags[2]
			name = "tags"
		}
		f := t.pluvoField(name)
		if f == nil && t.morePluvo != nil {
			f = t.morePluvo(name)
		}
		if f == nil || f.set == nil {
			return &Error{s.kind, s.id, e.Field, e.Problem}
		}
		f.set(out, value{})
		s.takeBack(f.name, e.Problem)
	}
	if list := fieldErrors(r.Validate()); len(list) > 0 {
		return &Error{s.kind, s.id, list[0].Field, list[0].Problem}
	}
	return nil
}

// fieldErrors returns all that an error of Validate names.
func fieldErrors(err error) []*pluvo.FieldError {
	switch e := err.(type) {
	case *pluvo.FieldError:
		return []*pluvo.FieldError{e}
	case interface{ Unwrap() []error }:
		var list []*pluvo.FieldError
		for _, err := range e.Unwrap() {
			list = append(list, fieldErrors(err)...)
		}
		return list
	}
	return nil
}
