package pluvo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/pluvo"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// TestFieldNames checks the JSON names of all fields.
func TestFieldNames(t *testing.T) {
	from := pluvo.Origin{System: "highlevel", Location: "loc", ID: "x"}
	const origin = `,"origin":{"system":"highlevel","location":"loc","id":"x"}}`
	for want, record := range map[string]pluvo.Record{
		`{"id":"c","email":"a@b","firstName":"F","lastName":"L","phone":"1","stage":"s",` +
			`"tags":["t"],"fields":{"f":"v"}` + origin: &pluvo.Contact{
			ID: "c", Email: "a@b", FirstName: "F", LastName: "L", Phone: "1", Stage: "s",
			Tags: []string{"t"}, Fields: map[string]string{"f": "v"}, Origin: from},
		`{"taskId":"t","contactId":"c","title":"T","status":"open","dueDate":"2026-05-01T12:00:00Z",` +
			`"completed":false` + origin: &pluvo.Task{
			ID: "t", ContactID: "c", Title: "T", Status: pluvo.TaskOpen, DueDate: noon, Origin: from},
		`{"noteId":"n","contactId":"c","content":"C","createdAt":"2026-05-01T12:00:00Z",` +
			`"appointmentId":"a"` + origin: &pluvo.Note{
			ID: "n", ContactID: "c", Content: "C", CreatedAt: noon, AppointmentID: "a", Origin: from},
		`{"id":"a","contactId":"c","title":"T","start":"2026-05-01T12:00:00Z","end":"2026-05-01T13:00:00Z",` +
			`"status":"new","assignedUserId":"u"` + origin: &pluvo.Appointment{
			ID: "a", ContactID: "c", Title: "T", Start: noon, End: noon.Add(time.Hour),
			Status: pluvo.AppointmentNew, AssignedUserID: "u", Origin: from},
		`{"taskId":"","contactId":"","title":"","completed":false}`: &pluvo.Task{},
	} {
		got, err := json.Marshal(record)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		record pluvo.Record
		fields []string
	}{
		{&pluvo.Contact{ID: "c"}, nil},
		{&pluvo.Contact{ID: "c", Email: "ada@example.com", Phone: "ask at the desk", Tags: []string{"a", "A"}}, nil},
		{&pluvo.Contact{}, []string{"id"}},
		{&pluvo.Contact{
			ID: "a\nb", Email: "ada at example.com",
			Tags: []string{" ", "x", "x"}, Fields: map[string]string{"": "v", "f": ""},
		},
			[]string{"id", "email", "tags[0]", "tags[2]", "fields", "fields.f"}},
		{&pluvo.Contact{ID: "c", FirstName: "\xff", LastName: "\xff", Phone: "\xff", Stage: "\xff", Email: "@"},
			[]string{"email", "firstName", "lastName", "phone", "stage"}},
		{&pluvo.Contact{ID: "c", Origin: pluvo.Origin{ID: "x"}}, []string{"origin.system", "origin.location"}},
		{&pluvo.Task{ID: "t", ContactID: "c", Title: "T"}, nil},
		{&pluvo.Task{DueDate: noon.AddDate(9000, 0, 0), Title: "\t"},
			[]string{"taskId", "contactId", "title", "dueDate"}},
		{&pluvo.Note{ID: "n", ContactID: "c", Content: "C"}, nil},
		{&pluvo.Note{CreatedAt: noon.AddDate(-9000, 0, 0), AppointmentID: " "},
			[]string{"noteId", "contactId", "content", "createdAt", "appointmentId"}},
		{&pluvo.Appointment{ID: "a", ContactID: "c", Start: noon, End: noon}, nil},
		{&pluvo.Appointment{ID: "a", ContactID: "c", Start: noon}, nil},
		{&pluvo.Appointment{Title: "\xff", End: noon.AddDate(9000, 0, 0), Status: "\xff", AssignedUserID: "\xff"},
			[]string{"id", "contactId", "title", "start", "end", "status", "assignedUserId"}},
		{&pluvo.Appointment{ID: "a", ContactID: "c", Start: noon, End: noon.Add(-time.Second)}, []string{"end"}},
	} {
		err := test.record.Validate()
		require.Equal(t, test.fields, fieldsOf(err), "%+v: %v", test.record, err)
		if err == nil {
			continue
		}
		require.ErrorIs(t, err, pluvo.ErrInvalid)
		var field *pluvo.FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, test.record.Kind(), field.Kind)
	}
}

// fieldsOf returns the names of the fields in an error.
func fieldsOf(err error) []string {
	if err == nil {
		return nil
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		var fields []string
		for _, e := range list.Unwrap() {
			fields = append(fields, fieldsOf(e)...)
		}
		return fields
	}
	var field *pluvo.FieldError
	if errors.As(err, &field) {
		return []string{field.Field}
	}
	return []string{"?"}
}

func TestValidateFullContact(t *testing.T) {
	full := pluvo.FullContact{
		Contact:      pluvo.Contact{ID: "c"},
		Tasks:        []pluvo.Task{{ID: "t", ContactID: "c", Title: "T"}, {ID: "t", ContactID: "c", Title: "T"}},
		Notes:        []pluvo.Note{{ID: "n", ContactID: "elsewhere", Content: "C"}},
		Appointments: []pluvo.Appointment{{ID: "a", ContactID: "c"}},
	}
	require.Equal(t, []string{"id", "start", "contactId"}, fieldsOf(full.Validate()))
	require.NoError(t, (&pluvo.FullContact{Contact: pluvo.Contact{ID: "c"}}).Validate())
}

func TestEqualAndClone(t *testing.T) {
	records := []pluvo.Record{
		&pluvo.Contact{ID: "x", Tags: []string{"a", "b"}, Fields: map[string]string{"f": "v"}},
		&pluvo.Task{ID: "x", DueDate: noon},
		&pluvo.Note{ID: "x", CreatedAt: noon},
		&pluvo.Appointment{ID: "x", Start: noon},
	}
	for i, a := range records {
		for j, b := range records {
			require.Equal(t, i == j, pluvo.Equal(a, b))
		}
		copied := pluvo.Clone(a)
		require.True(t, pluvo.Equal(a, copied))
		require.NotSame(t, a, copied)
	}
	contact := records[0].(*pluvo.Contact)
	copied := pluvo.Clone(contact)
	copied.Tags[0], copied.Fields["f"] = "z", "z"
	require.Equal(t, "a", contact.Tags[0])
	require.Equal(t, "v", contact.Fields["f"])
	require.False(t, pluvo.Equal(contact, copied))

	require.True(t, pluvo.Equal(&pluvo.Contact{Tags: []string{"a", "b"}}, &pluvo.Contact{Tags: []string{"b", "a"}}))
	require.True(t, pluvo.Equal(&pluvo.Contact{Tags: []string{}, Fields: map[string]string{}}, &pluvo.Contact{}))
	require.False(t, pluvo.Equal(&pluvo.Contact{Tags: []string{"a"}}, &pluvo.Contact{Tags: []string{"a", "b"}}))
	require.True(t, pluvo.Equal(&pluvo.Task{DueDate: noon}, &pluvo.Task{DueDate: noon.In(time.FixedZone("", 3600))}))

	var none *pluvo.Task
	require.True(t, pluvo.Equal(none, nil))
	require.False(t, pluvo.Equal(none, &pluvo.Task{}))
	require.Nil(t, pluvo.Clone(none))
	_, err := pluvo.NewMemoryStore().Put(t.Context(), none, pluvo.AnyVersion)
	require.ErrorIs(t, err, pluvo.ErrInvalid)
}

// TestMemoryStoreDropsReplacedStates: many changes of few records use little memory, and an old cursor remains valid.
func TestMemoryStoreDropsReplacedStates(t *testing.T) {
	s := pluvo.NewMemoryStore()
	_, err := s.Put(t.Context(), &pluvo.Contact{ID: "first"}, pluvo.NoVersion)
	require.NoError(t, err)
	page, err := s.Changes(t.Context(), "", 1)
	require.NoError(t, err)
	for i := range 1000 {
		_, err := s.Put(t.Context(), &pluvo.Contact{ID: strconv.Itoa(i % 10), Stage: strconv.Itoa(i)}, pluvo.AnyVersion)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, s.LogLength(), 100)
	page, err = s.Changes(t.Context(), page.Next, 0)
	require.NoError(t, err)
	require.Len(t, page.Changes, 10)
	for _, cursor := range []pluvo.Cursor{"m", "1", "m01", "m-1", "m1001000", "x1"} {
		_, err := s.Changes(t.Context(), cursor, 0)
		require.ErrorIs(t, err, pluvo.ErrBadCursor, cursor)
	}
}

// Write a contact, update it at its version, and read the changes.
func ExampleStore() {
	ctx := context.Background()
	var store pluvo.Store = pluvo.NewMemoryStore()

	ada := &pluvo.Contact{ID: "1", FirstName: "Ada", Tags: []string{"vip"}}
	version, err := store.Put(ctx, ada, pluvo.NoVersion)
	if err != nil {
		fmt.Println(err)
		return
	}
	ada.Stage = "customer"
	if _, err := store.Put(ctx, ada, version); err != nil {
		fmt.Println(err)
		return
	}
	_, err = store.Put(ctx, ada, "an older version")
	fmt.Println("conflict:", errors.Is(err, pluvo.ErrConflict))

	page, err := store.Changes(ctx, "", 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, change := range page.Changes {
		fmt.Println(change.Kind, change.ID, change.Record.(*pluvo.Contact).Stage)
	}
	// Output:
	// conflict: true
	// contact 1 customer
}

func ExampleFieldError() {
	err := (&pluvo.Task{ID: "t1", ContactID: "c1"}).Validate()
	var field *pluvo.FieldError
	if errors.As(err, &field) {
		fmt.Println(field.Field)
	}
	fmt.Println(err)
	// Output:
	// title
	// task: title is missing
}
