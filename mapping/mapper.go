package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// System is the system in the origin of a record that came from HighLevel.
const System = "highlevel"

// Options configure a [Mapper]. Only Location is required.
type Options struct {
	// Location is the id of the GHL location. A record of another location is refused.
	Location string
	// TimeZone is the location's time zone, see [ghl.Location.TimeLocation]. The mapper reads times without a zone in
	// it. If it is nil, such times are left out.
	TimeZone *time.Location
	// Phone writes phone numbers in E.164; nil leaves them as they are.
	Phone PhoneNormalizer
	// TaskStatus derives the status of a task; nil means [DefaultTaskStatus].
	TaskStatus TaskStatusRule
	// IDs returns the id in Pluvo of a record from GHL. If it returns "" or is nil, the record has the same id as in
	// GHL.
	IDs func(kind pluvo.Kind, origin pluvo.Origin) string
	// Now is the clock that decides whether a task is overdue; nil means time.Now.
	Now func() time.Time
	// Version is the version of the API that creates and updates are for; "" means [ghl.Version20210728]. The states
	// that an appointment can be set to depend on it.
	Version ghl.Version
	// Rules map the kinds of records that they name. The rules of [Template] map the other kinds, and all kinds if
	// Rules is nil.
	Rules *Rules
}

// Mapper maps records of one location to Pluvo and back. It does not change and is safe for concurrent use if the
// functions in its [Options] are.
type Mapper struct {
	o      Options
	rules  *Rules // of every kind
	fields map[pluvo.Kind][]*Field
}

// New returns a mapper. It fails if the location is missing or the version is unknown.
func New(o Options) (*Mapper, error) {
	if o.Location == "" {
		return nil, errors.New("mapping: Options.Location is missing")
	}
	switch o.Version {
	case "":
		o.Version = ghl.Version20210728
	case ghl.Version20210728, ghl.VersionV3:
	default:
		return nil, fmt.Errorf("mapping: Options.Version must be %q or %q, got %q",
			ghl.Version20210728, ghl.VersionV3, o.Version)
	}
	if o.TaskStatus == nil {
		o.TaskStatus = DefaultTaskStatus
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Mapper{o: o, rules: o.Rules.orTemplate()}
	m.fields = m.allFields()
	return m, nil
}

// Error says why a record could not be mapped. Of the record's values it holds the id only.
type Error struct {
	Kind pluvo.Kind
	// ID is the record's id in the system that it comes from; "" if it has none.
	ID string
	// Field is the name of the field that is wrong or missing, in the system that the record comes from. If Pluvo
	// refuses the record, it is the name in Pluvo.
	Field string
	// Problem says what is wrong with the field.
	Problem string
}

// Error returns the kind, the id, the field and the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("mapping: %s %q: %s: %s", e.Kind, e.ID, e.Field, e.Problem)
}

// checkGHL refuses a record without an id, and a record of another location.
func (m *Mapper) checkGHL(kind pluvo.Kind, id, location string) error {
	if id == "" {
		return &Error{kind, id, "id", "is missing"}
	}
	if location != "" && location != m.o.Location {
		return &Error{kind, id, "locationId", "is another location"}
	}
	return nil
}

// owner returns the contact that a record belongs to: the given one or the one that the record names. It fails if they
// differ.
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

// id returns the id in Pluvo of a record of GHL.
func (m *Mapper) id(kind pluvo.Kind, ghlID string) string {
	if ghlID != "" && m.o.IDs != nil {
		if id := m.o.IDs(kind, m.origin(ghlID)); id != "" {
			return id
		}
	}
	return ghlID
}

// samePair refuses a last state that is of another record. It returns a zero state if none is known.
func samePair[P any](kind pluvo.Kind, now, last *P, id func(*P) string) (state *P, known bool, err error) {
	switch {
	case now == nil:
		return nil, false, noRecord(kind)
	case last == nil:
		return new(P), false, nil
	case id(now) != id(last):
		return nil, false, &Error{kind, id(now), "id", "the last state is of another record"}
	}
	return last, true, nil
}

func noRecord(kind pluvo.Kind) error {
	return &Error{Kind: kind, Field: "id", Problem: whyNoRecord}
}

// settle makes a record valid for Pluvo: it leaves out each value that Pluvo refuses. It fails if the record is
// invalid without the value.
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

// fieldErrors returns the errors of single fields in an error of Validate.
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
