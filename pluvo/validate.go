package pluvo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrInvalid is every [FieldError], for errors.Is.
var ErrInvalid = errors.New("invalid record")

// FieldError is one mistake in a record. It holds no value of the record, so it can be logged.
type FieldError struct {
	Kind Kind
	// Field is the name of the field as in the record's JSON, such as "dueDate" or "tags[2]".
	Field string
	// Problem is what is wrong with it.
	Problem string
}

// Error names the record's kind, the field and the problem.
func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s %s", e.Kind, e.Field, e.Problem) }

// Is reports whether target is [ErrInvalid].
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// Validate says what is wrong with the contact: no id, an e-mail that is none, an empty tag or one that comes twice, a field
// without a name or a value, half an origin, text that is no UTF-8. A phone number may be anything.
func (c *Contact) Validate() error {
	k := checker{kind: KindContact}
	k.id("id", c.ID)
	k.text("email", c.Email)
	if c.Email != "" && !isEmail(c.Email) {
		k.wrong("email", "is no e-mail address")
	}
	k.text("firstName", c.FirstName)
	k.text("lastName", c.LastName)
	k.text("phone", c.Phone)
	k.text("stage", c.Stage)
	for i, tag := range c.Tags {
		if problem := tagProblem(c.Tags[:i], tag); problem != "" {
			k.wrong(fmt.Sprintf("tags[%d]", i), problem)
		}
	}
	before := len(k.errs)
	for name, text := range c.Fields {
		if field, problem := fieldProblem(name, text); problem != "" {
			k.wrong(field, problem)
		}
	}
	slices.SortFunc(k.errs[before:], func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return k.done(c.Origin)
}

// tagProblem says what is wrong with a tag, "" if nothing is.
func tagProblem(before []string, tag string) string {
	switch {
	case !utf8.ValidString(tag):
		return noUTF8
	case strings.TrimSpace(tag) == "":
		return "is empty"
	case slices.Contains(before, tag):
		return "comes twice"
	}
	return ""
}

// fieldProblem says what is wrong with a further field.
func fieldProblem(name, text string) (field, problem string) {
	switch {
	case !utf8.ValidString(name):
		return "fields", noUTF8
	case strings.TrimSpace(name) == "":
		return "fields", "has a value without a name"
	case !utf8.ValidString(text):
		return "fields." + name, noUTF8
	case text == "":
		return "fields." + name, "is empty: leave it out"
	}
	return "", ""
}

const noUTF8 = "is no UTF-8"

// Validate says what is wrong with the task: no id, contact or title, half an origin, text that is no UTF-8, a due date
// outside of the years 1 to 9999. The due date may be missing.
func (t *Task) Validate() error {
	k := checker{kind: KindTask}
	k.id("taskId", t.ID)
	k.id("contactId", t.ContactID)
	k.needed("title", t.Title)
	k.text("status", string(t.Status))
	k.year("dueDate", t.DueDate)
	return k.done(t.Origin)
}

// Validate says what is wrong with the note: no id, contact or content, half an origin, text that is no UTF-8, a time
// outside of the years 1 to 9999.
func (n *Note) Validate() error {
	k := checker{kind: KindNote}
	k.id("noteId", n.ID)
	k.id("contactId", n.ContactID)
	k.needed("content", n.Content)
	k.year("createdAt", n.CreatedAt)
	if n.AppointmentID != "" {
		k.id("appointmentId", n.AppointmentID)
	}
	return k.done(n.Origin)
}

// Validate says what is wrong with the appointment: no id, contact or start, an end before the start, half an origin, text
// that is no UTF-8, a time outside of the years 1 to 9999.
func (a *Appointment) Validate() error {
	k := checker{kind: KindAppointment}
	k.id("id", a.ID)
	k.id("contactId", a.ContactID)
	k.text("title", a.Title)
	if a.Start.IsZero() {
		k.wrong("start", "is missing")
	}
	k.year("start", a.Start)
	k.year("end", a.End)
	if !a.End.IsZero() && a.End.Before(a.Start) {
		k.wrong("end", "is before the start")
	}
	k.text("status", string(a.Status))
	k.text("assignedUserId", a.AssignedUserID)
	return k.done(a.Origin)
}

// Validate says what is wrong with the contact and with each record that belongs to it, also that one belongs to another
// contact or comes twice.
func (f *FullContact) Validate() error {
	var errs []error
	type key struct {
		kind Kind
		id   string
	}
	seen := map[key]bool{}
	for _, r := range f.Records() {
		errs = append(errs, r.Validate())
		if r.Owner() != f.Contact.ID {
			errs = append(errs, &FieldError{r.Kind(), "contactId", "is another contact"})
		}
		if k := (key{r.Kind(), r.Key()}); seen[k] {
			errs = append(errs, &FieldError{r.Kind(), "id", "comes twice"})
		} else {
			seen[k] = true
		}
	}
	return errors.Join(errs...)
}

type checker struct {
	kind Kind
	errs []error
}

func (k *checker) wrong(field, problem string) {
	k.errs = append(k.errs, &FieldError{k.kind, field, problem})
}

func (k *checker) text(field, s string) {
	if !utf8.ValidString(s) {
		k.wrong(field, noUTF8)
	}
}

// id refuses what identifies nothing.
func (k *checker) id(field, id string) {
	k.text(field, id)
	if strings.TrimSpace(id) == "" {
		k.wrong(field, "is missing")
	} else if strings.ContainsFunc(id, unicode.IsControl) {
		k.wrong(field, "holds a control character")
	}
}

func (k *checker) needed(field, s string) {
	k.text(field, s)
	if strings.TrimSpace(s) == "" {
		k.wrong(field, "is missing")
	}
}

// year refuses times that JSON cannot hold.
func (k *checker) year(field string, t time.Time) {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		k.wrong(field, "is not in the years 1 to 9999")
	}
}

func (k *checker) done(o Origin) error {
	k.text("origin.system", o.System)
	k.text("origin.location", o.Location)
	k.text("origin.id", o.ID)
	if !o.IsZero() {
		for _, part := range [...]struct{ name, value string }{{"system", o.System}, {"location", o.Location}, {"id", o.ID}} {
			if part.value == "" {
				k.wrong("origin."+part.name, "is missing")
			}
		}
	}
	return errors.Join(k.errs...)
}

// isEmail reports whether something stands before and after an @. More only the mail server knows.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
