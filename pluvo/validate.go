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

// ErrInvalid matches every [FieldError], for errors.Is.
var ErrInvalid = errors.New("invalid record")

// FieldError is one mistake in a record. It contains no value of the record, only names of fields, so it can be
// logged.
type FieldError struct {
	Kind Kind
	// Field is the name of the field as in the record's JSON, such as "dueDate" or "tags[2]".
	Field string
	// Problem describes the mistake, such as "is missing".
	Problem string
}

// Error names the record's kind, the field and the problem.
func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s %s", e.Kind, e.Field, e.Problem) }

// Is reports whether target is [ErrInvalid].
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// Validate returns all mistakes in the contact: a missing id, a malformed e-mail address, an empty or repeated tag,
// an extra field without a name or a value, an incomplete origin, text that is not UTF-8. Phone may be any text.
func (c *Contact) Validate() error {
	k := checker{kind: KindContact}
	k.id("id", c.ID)
	k.text("email", c.Email)
	if c.Email != "" && !isEmail(c.Email) {
		k.add("email", "is not an e-mail address")
	}
	k.text("firstName", c.FirstName)
	k.text("lastName", c.LastName)
	k.text("phone", c.Phone)
	k.text("stage", c.Stage)
	for i, tag := range c.Tags {
		if problem := tagProblem(c.Tags[:i], tag); problem != "" {
			k.add(fmt.Sprintf("tags[%d]", i), problem)
		}
	}
	before := len(k.errs)
	for name, text := range c.Fields {
		if field, problem := fieldProblem(name, text); problem != "" {
			k.add(field, problem)
		}
	}
	slices.SortFunc(k.errs[before:], func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return k.done(c.Origin)
}

// tagProblem returns the mistake in a tag that follows the tags before it; "" if it has none.
func tagProblem(before []string, tag string) string {
	switch {
	case !utf8.ValidString(tag):
		return notUTF8
	case strings.TrimSpace(tag) == "":
		return "is empty"
	case slices.Contains(before, tag):
		return "is repeated"
	}
	return ""
}

// fieldProblem returns the mistake in an extra field, and the field to report it for; "" if it has none.
func fieldProblem(name, text string) (field, problem string) {
	switch {
	case !utf8.ValidString(name):
		return "fields", notUTF8
	case strings.TrimSpace(name) == "":
		return "fields", "has a value without a name"
	case !utf8.ValidString(text):
		return "fields." + name, notUTF8
	case text == "":
		return "fields." + name, "is empty; omit the field instead"
	}
	return "", ""
}

const notUTF8 = "is not valid UTF-8"

// Validate returns all mistakes in the task: a missing id, contact or title, an incomplete origin, text that is not
// UTF-8, a due date outside of the years 1 to 9999. The due date is optional.
func (t *Task) Validate() error {
	k := checker{kind: KindTask}
	k.id("taskId", t.ID)
	k.id("contactId", t.ContactID)
	k.required("title", t.Title)
	k.text("status", string(t.Status))
	k.year("dueDate", t.DueDate)
	return k.done(t.Origin)
}

// Validate returns all mistakes in the note: a missing id, contact or content, an incomplete origin, text that is not
// UTF-8, a time outside of the years 1 to 9999.
func (n *Note) Validate() error {
	k := checker{kind: KindNote}
	k.id("noteId", n.ID)
	k.id("contactId", n.ContactID)
	k.required("content", n.Content)
	k.year("createdAt", n.CreatedAt)
	if n.AppointmentID != "" {
		k.id("appointmentId", n.AppointmentID)
	}
	return k.done(n.Origin)
}

// Validate returns all mistakes in the appointment: a missing id, contact or start, an end before the start, an
// incomplete origin, text that is not UTF-8, a time outside of the years 1 to 9999.
func (a *Appointment) Validate() error {
	k := checker{kind: KindAppointment}
	k.id("id", a.ID)
	k.id("contactId", a.ContactID)
	k.text("title", a.Title)
	if a.Start.IsZero() {
		k.add("start", "is missing")
	}
	k.year("start", a.Start)
	k.year("end", a.End)
	if !a.End.IsZero() && a.End.Before(a.Start) {
		k.add("end", "is before the start")
	}
	k.text("status", string(a.Status))
	k.text("assignedUserId", a.AssignedUserID)
	return k.done(a.Origin)
}

// Validate returns all mistakes in the contact and in each of its records, including a record of another contact and a
// repeated record.
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
			errs = append(errs, &FieldError{r.Kind(), "contactId", "names another contact"})
		}
		if k := (key{r.Kind(), r.Key()}); seen[k] {
			errs = append(errs, &FieldError{r.Kind(), "id", "is repeated"})
		} else {
			seen[k] = true
		}
	}
	return errors.Join(errs...)
}

// checker collects the mistakes in a record.
type checker struct {
	kind Kind
	errs []error
}

func (k *checker) add(field, problem string) {
	k.errs = append(k.errs, &FieldError{k.kind, field, problem})
}

// text checks that a text is UTF-8.
func (k *checker) text(field, s string) {
	if !utf8.ValidString(s) {
		k.add(field, notUTF8)
	}
}

// id checks an id: it must not be blank or contain control characters.
func (k *checker) id(field, id string) {
	k.text(field, id)
	if strings.TrimSpace(id) == "" {
		k.add(field, "is missing")
	} else if strings.ContainsFunc(id, unicode.IsControl) {
		k.add(field, "contains a control character")
	}
}

// required checks a text that must not be blank.
func (k *checker) required(field, s string) {
	k.text(field, s)
	if strings.TrimSpace(s) == "" {
		k.add(field, "is missing")
	}
}

// year checks that a time can be written as JSON.
func (k *checker) year(field string, t time.Time) {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		k.add(field, "is outside of the years 1 to 9999")
	}
}

// done checks the origin, which must be complete or zero, and returns all mistakes.
func (k *checker) done(o Origin) error {
	k.text("origin.system", o.System)
	k.text("origin.location", o.Location)
	k.text("origin.id", o.ID)
	if !o.IsZero() {
		parts := [...]struct{ field, value string }{
			{"origin.system", o.System}, {"origin.location", o.Location}, {"origin.id", o.ID},
		}
		for _, part := range parts {
			if part.value == "" {
				k.add(part.field, "is missing")
			}
		}
	}
	return errors.Join(k.errs...)
}

// isEmail reports whether there is text before and after an @, without spaces. Only a mail server can check more.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
