package mapping_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// newMapper returns a mapper for the location "loc" in New York, at noon UTC on 1 May 2026.
func newMapper(t testing.TB, set func(*mapping.Options)) *mapping.Mapper {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	o := mapping.Options{Location: "loc", TimeZone: zone, Now: func() time.Time { return noon }}
	if set != nil {
		set(&o)
	}
	m, err := mapping.New(o)
	require.NoError(t, err)
	return m
}

func load(t testing.TB, text string, definitions ...*ghl.CustomFieldDefinition) *mapping.Rules {
	t.Helper()
	rules, err := mapping.LoadRules("rules.yaml", []byte(text), ghl.NewCustomFieldResolver(definitions))
	require.NoError(t, err)
	return rules
}

// withRules returns a mapper with rules.
func withRules(t testing.TB, text string, definitions ...*ghl.CustomFieldDefinition) *mapping.Mapper {
	t.Helper()
	return newMapper(t, func(o *mapping.Options) { o.Rules = load(t, text, definitions...) })
}

// body returns the JSON of an update or a create.
func body(t testing.TB, in any) string {
	t.Helper()
	data, err := json.Marshal(in)
	require.NoError(t, err)
	return string(data)
}

// entry returns the first entry of a report for a field.
func entry(r *mapping.Report, from string) mapping.Entry {
	for _, e := range r.Entries {
		if e.From == from {
			return e
		}
	}
	return mapping.Entry{}
}

// outcomes returns the entries of a report without their reasons.
func outcomes(r *mapping.Report) []string {
	var list []string
	for _, e := range r.Entries {
		list = append(list, fmt.Sprintf("%s %s %s>%s %s", e.Kind, e.ID, e.From, e.To, e.Outcome))
	}
	return list
}

// contact is a contact from GHL with many values.
func contact() *ghl.Contact {
	return &ghl.Contact{
		ID: "c1", LocationID: "loc", FirstName: "Ada", LastName: "Lovelace", Name: "Ada Lovelace",
		Email: "ada@example.com", Phone: "+18005550100",
		City: "London", Tags: []string{"vip", "customer"}, DateAdded: ghl.ParseTime("2026-04-01T10:00:00Z"),
		CustomFields: []ghl.CustomField{{ID: "cf1", Value: ghl.ValueOf("38")}},
	}
}

// fullContact is a contact with five tasks, five notes and two appointments.
func fullContact() *mapping.FullContact {
	in := &mapping.FullContact{Contact: contact(), NoteAppointments: map[string]string{"n1": "a1"}}
	for i := range 5 {
		n := fmt.Sprint(i + 1)
		in.Tasks = append(in.Tasks, &ghl.Task{ID: "t" + n, Title: "Task " + n, DueDate: ghl.ParseTime("2026-05-0" + n +
			"T09:00:00Z"), Completed: i%2 == 0, ContactID: "c1", AssignedTo: "u1"})
		in.Notes = append(in.Notes, &ghl.Note{ID: "n" + n, Body: "Note " + n,
			DateAdded: ghl.ParseTime("2026-04-0" + n + "T09:00:00Z"), ContactID: "c1", UserID: "u1"})
	}
	for i := range 2 {
		n := fmt.Sprint(i + 1)
		in.Appointments = append(in.Appointments, &ghl.Appointment{
			ID: "a" + n, Title: "Visit " + n, StartTime: ghl.ParseTime("2026-05-0" + n + " 09:00:00"),
			EndTime:           ghl.ParseTime("2026-05-0" + n + " 10:00:00"),
			AppointmentStatus: ghl.AppointmentConfirmed, AssignedUserID: "u1", ContactID: "c1", CalendarID: "cal",
		})
	}
	return in
}

func origin(id string) pluvo.Origin {
	return pluvo.Origin{System: mapping.System, Location: "loc", ID: id}
}
