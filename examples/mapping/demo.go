package main

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// clock always returns the same time, so that the tables are always the same.
func clock() time.Time { return time.Date(2026, 5, 4, 14, 0, 0, 0, time.UTC) }

// highLevel starts a HighLevel API with one contact.
func highLevel() (fake *ghltest.Server, contactID string, err error) {
	fake, err = ghltest.New(ghltest.WithClock(clock), ghltest.WithLocation(ghl.Location{
		ID: "portland", Name: "Portland", Timezone: "America/New_York", Country: "US",
	}))
	if err != nil {
		return nil, "", err
	}
	stage := fake.AddCustomField(ghl.CustomFieldDefinition{
		Name: "Pipeline stage", DataType: "SINGLE_OPTIONS",
		PicklistOptions: []string{"New lead", "Consultation booked", "Won"},
	})
	shoe := fake.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"})
	interests := fake.AddCustomField(ghl.CustomFieldDefinition{
		Name: "Interests", DataType: "MULTIPLE_OPTIONS", PicklistOptions: []string{"Design", "Pastry", "Travel"},
	})
	notes := fake.AddCustomField(ghl.CustomFieldDefinition{Name: "Internal remarks", DataType: "LARGE_TEXT"})
	contact := fake.AddContact(ghl.Contact{
		FirstName: "Amelia ", LastName: "Ortega", Email: "Amelia@Example.com", Phone: "(202) 555-0143",
		City:        "Portland",
		Tags:        []string{"customer", "newsletter"},
		DateOfBirth: ghl.ParseTime("1991-03-14"), CompanyName: "Ortega Bakery",
		CustomFields: []ghl.CustomField{
			{ID: stage.ID, Value: ghl.ValueOf("Consultation booked")},
			{ID: shoe.ID, Value: ghl.ValueOf(38.5)},
			{ID: interests.ID, Value: ghl.ValueOf([]string{"Pastry", "Travel"})},
			{ID: notes.ID, Value: ghl.ValueOf("Likes to be called early.")},
		},
	})
	fake.AddTask(ghl.Task{
		ContactID: contact.ID, Title: "Call Amelia", Body: "About the offer.",
		DueDate: ghl.ParseTime("2026-05-05T13:30:00Z"),
	})
	fake.AddNote(ghl.Note{ContactID: contact.ID, Body: "<p>Found us by website.</p>", Pinned: true})
	calendar := fake.AddCalendar(ghl.Calendar{Name: "Consultation", IsActive: true})
	fake.AddAppointment(ghl.Appointment{
		ContactID: contact.ID, CalendarID: calendar.ID, Title: "Consultation",
		StartTime: ghl.ParseTime("2026-05-06 10:00:00"),
	})
	return fake, contact.ID, nil
}

// change makes changes in Pluvo.
func (t *trip) change(ctx context.Context) error {
	full, err := t.store.Full(ctx, t.contactID)
	if err != nil {
		return err
	}
	if len(full.Tasks) != 1 || len(full.Notes) != 1 || len(full.Appointments) != 1 {
		return errors.New("mapping: a record was left out, see the table above")
	}
	contact, task, note, appointment := &full.Contact, &full.Tasks[0], &full.Notes[0], &full.Appointments[0]
	contact.LastName, contact.Stage, contact.Phone = "Ortega-Ruiz", "customer", "(202) 555-0199"
	contact.Tags = []string{"Customer", "VIP"}
	if contact.Fields == nil {
		contact.Fields = map[string]string{}
	}
	contact.Fields["interests"], contact.Fields["source"], contact.Fields["locker"] = "Design", "fair", "17"
	delete(contact.Fields, "birthday")
	task.Completed, task.Status = true, pluvo.TaskCompleted
	note.Content = "<p>Found us by website, came back.</p>"
	appointment.Start, appointment.End = appointment.Start.Add(4*time.Hour), appointment.End.Add(4*time.Hour)
	for _, r := range full.Records() {
		if _, err := t.store.Put(ctx, r, pluvo.AnyVersion); err != nil {
			return err
		}
	}
	return nil
}
