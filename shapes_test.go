package ghl_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// fieldOf returns the field of a struct that has a JSON name.
func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func TestModelsReadEitherSpellingOfTheirID(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, zero := range append(generatedModels, ghl.Contact{}) {
		typ := reflect.TypeOf(zero)
		field, ok := fieldOf(typ, "id")
		if !ok {
			field, ok = fieldOf(typ, "_id")
		}
		if !ok {
			continue
		}
		seen++
		for body, want := range map[string]string{
			`{"_id":"r1"}`:           "r1",
			`{"id":"r1"}`:            "r1",
			`{"_id":"r1","id":null}`: "r1",
			`{"id":null,"_id":"r1"}`: "r1",
			`{"id":"","_id":"r1"}`:   "r1",
			`{"_id":"","id":"r1"}`:   "r1",
			`{"id":{},"_id":"r1"}`:   "r1",
			`{"_id":["r1"],"id":""}`: "r1",
			`{"id":"","_id":null}`:   "",
		} {
			record := reflect.New(typ)
			require.NoError(t, json.Unmarshal([]byte(body), record.Interface()))
			require.Equal(t, want, record.Elem().FieldByIndex(field.Index).String(), "%v %s", typ, body)
		}
	}
	require.GreaterOrEqual(t, seen, 9)
}

func TestRecordWithUnderscoreID(t *testing.T) {
	t.Parallel()
	answer := `{"contact":{"_id":"r1"},"contacts":[{"_id":"r1"}],"note":{"_id":"r1"},"notes":[{"_id":"r1"}],
		"task":{"_id":"r1"},"tasks":[{"_id":"r1"}],"event":{"_id":"r1"},"events":[{"_id":"r1"}],
		"calendars":[{"_id":"r1"}],"location":{"_id":"r1"},"customFields":[{"_id":"r1"}],"tags":[{"_id":"r1"}]}`
	calls := map[string]func(ctx context.Context, c *ghl.Client) (any, error){
		"contact":  func(ctx context.Context, c *ghl.Client) (any, error) { return c.Contacts.Get(ctx, "r1") },
		"contacts": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Contacts.List(ctx, nil) },
		"duplicate": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{Email: "a@b.example"})
		},
		"upsert": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
		},
		"note":         func(ctx context.Context, c *ghl.Client) (any, error) { return c.Notes.Get(ctx, "c1", "r1") },
		"notes":        func(ctx context.Context, c *ghl.Client) (any, error) { return c.Notes.List(ctx, "c1") },
		"task":         func(ctx context.Context, c *ghl.Client) (any, error) { return c.Tasks.Get(ctx, "c1", "r1") },
		"tasks":        func(ctx context.Context, c *ghl.Client) (any, error) { return c.Tasks.List(ctx, "c1") },
		"appointment":  func(ctx context.Context, c *ghl.Client) (any, error) { return c.Appointments.Get(ctx, "r1") },
		"appointments": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Appointments.ListForContact(ctx, "c1") },
		"calendars":    func(ctx context.Context, c *ghl.Client) (any, error) { return c.Calendars.List(ctx, nil) },
		"location":     func(ctx context.Context, c *ghl.Client) (any, error) { return c.Locations.Get(ctx, "r1") },
		"customFields": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Locations.CustomFields(ctx, "loc1") },
		"tags":         func(ctx context.Context, c *ghl.Client) (any, error) { return c.Locations.Tags(ctx, "loc1") },
	}
	for name, call := range calls {
		c, _ := mocked(t, answers(200, answer))
		got, err := call(t.Context(), c)
		require.NoError(t, err, name)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.Contains(t, string(text), `"id":"r1"`, name)
	}
}

// TestNoRecordWithoutID: an answer without the promised record, or with one that has no id, is not a success.
func TestNoRecordWithoutID(t *testing.T) {
	t.Parallel()
	calls := map[string]func(ctx context.Context, c *ghl.Client) (any, error){
		"contact": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Contacts.Get(ctx, "r1") },
		"upsert": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@b.example")})
		},
		"note": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Notes.Create(ctx, "c1", &ghl.NoteCreate{Body: "b"})
		},
		"appointment note": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.AppointmentNotes.Create(ctx, "e1", &ghl.NoteCreate{Body: "b"})
		},
		"task": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Tasks.SetCompleted(ctx, "c1", "t1", true)
		},
		"appointment": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Appointments.Get(ctx, "e1") },
		"location":    func(ctx context.Context, c *ghl.Client) (any, error) { return c.Locations.Get(ctx, "l1") },
		"followers": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Followers.Add(ctx, "c1", []string{"u1"})
		},
		"unfollowed": func(ctx context.Context, c *ghl.Client) (any, error) {
			return c.Followers.Remove(ctx, "c1", []string{"u1"})
		},
		"tags": func(ctx context.Context, c *ghl.Client) (any, error) { return c.Tags.Add(ctx, "c1", []string{"t"}) },
	}
	for name, call := range calls {
		for _, record := range []string{`{}`, `{"id":""}`, `{"id":null,"_id":""}`, `{"_id":{"$oid":"x"}}`, `{"firstName":"A"}`} {
			body := `{"contact":` + record + `,"note":` + record + `,"task":` + record + `,"event":` + record + `,"location":` + record + `}`
			for _, body := range []string{body, `{}`, `{"traceId":"t"}`} {
				c, _ := mocked(t, answers(200, body))
				got, err := call(t.Context(), c)
				require.ErrorIs(t, err, ghl.ErrBadResponse, "%s %s", name, body)
				require.True(t, reflect.ValueOf(got).IsZero(), "%s %s", name, body)
			}
		}
	}
}

func TestMisspelledAppointmentStatus(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]ghl.AppointmentStatus{
		`{"id":"e1","appoinmentStatus":"cancelled","status":"booked"}`:               ghl.AppointmentCancelled,
		`{"id":"e1","appoinmentStatus":"cancelled","appointmentStatus":""}`:          ghl.AppointmentCancelled,
		`{"id":"e1","appointmentStatus":null,"appoinmentStatus":"noshow"}`:           ghl.AppointmentNoShow,
		`{"id":"e1","appointmentStatus":"showed","appoinmentStatus":"confirmed"}`:    ghl.AppointmentShowed,
		`{"id":"e1","appoinmentStatus":"confirmed","appointmentStatus":"showed"}`:    ghl.AppointmentShowed,
		`{"id":"e1","appoinmentStatus":"","status":"booked"}`:                        "",
		`{"id":"e1","appointmentStatus":"confirmed","appoinmentStatus":"confirmed"}`: ghl.AppointmentConfirmed,
		`{"id":"e1","appointmentStatus":{},"appoinmentStatus":"cancelled"}`:          ghl.AppointmentCancelled,
	} {
		var got ghl.Appointment
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		require.Equal(t, want, got.AppointmentStatus, body)
	}
	var calendar ghl.Calendar
	require.NoError(t, json.Unmarshal([]byte(`{"id":"k1","appointmentPerSlot":2,"appoinmentPerDay":3}`), &calendar))
	require.Equal(t, [2]float64{2, 3}, [2]float64{calendar.AppointmentPerSlot, calendar.AppointmentPerDay})
}
