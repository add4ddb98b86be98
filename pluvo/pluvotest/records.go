package pluvotest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

var noon = time.Date(2026, 3, 29, 12, 0, 0, 123e6, time.UTC)

func origin(id string) pluvo.Origin {
	return pluvo.Origin{System: "highlevel", Location: "loc-1", ID: id}
}

func contact(id string) *pluvo.Contact {
	return &pluvo.Contact{
		ID: id, Email: id + "@example.com", FirstName: "Ada", LastName: "Lovelace", Phone: "+18005550100",
		Stage: "lead",
		Tags:  []string{"vip", "new"}, Fields: map[string]string{"shoe size": "38"}, Origin: origin(id),
	}
}

func task(id, contactID string) *pluvo.Task {
	return &pluvo.Task{
		ID:        id,
		ContactID: contactID,
		Title:     "Call back",
		Status:    pluvo.TaskOpen,
		DueDate:   noon,
		Origin:    origin(id),
	}
}

func note(id, contactID string) *pluvo.Note {
	return &pluvo.Note{
		ID:            id,
		ContactID:     contactID,
		Content:       "<p>Hello</p>",
		CreatedAt:     noon,
		AppointmentID: "a1",
		Origin:        origin(id),
	}
}

func appointment(id, contactID string) *pluvo.Appointment {
	return &pluvo.Appointment{
		ID: id, ContactID: contactID, Title: "Consultation", Start: noon, End: noon.Add(time.Hour),
		Status: pluvo.AppointmentConfirmed, AssignedUserID: "u1", Origin: origin(id),
	}
}

// oneOfEach returns a contact, followed by one record of each other kind that belongs to it.
func oneOfEach() []pluvo.Record {
	return []pluvo.Record{contact("c1"), appointment("a1", "c1"), task("t1", "c1"), note("n1", "c1")}
}

// want returns an error unless got is the expected error.
func want(what string, got, expected error) error {
	if errors.Is(got, expected) {
		return nil
	}
	return fmt.Errorf("%s: got the error %v instead of %q", what, got, expected)
}

// same returns an error unless the records are equal.
func same(what string, got, expected pluvo.Record) error {
	if pluvo.Equal(got, expected) {
		return nil
	}
	return fmt.Errorf("%s: got %+v instead of %+v", what, got, expected)
}

// ids returns the names of the changes, such as "contact/c1" or, for a deletion, "-task/t1".
func ids(list []pluvo.Change) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c.Kind) + "/" + c.ID
		if c.Deleted() {
			names[i] = "-" + names[i]
		}
	}
	return names
}

// sameNames returns an error unless the names are the expected ones, in order.
func sameNames(what string, got, expected []string) error {
	if slices.Equal(got, expected) {
		return nil
	}
	return fmt.Errorf("%s: got %v instead of %v", what, got, expected)
}
