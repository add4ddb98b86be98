package ghl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

func TestAppointmentNotesOnTheFake(t *testing.T) {
	c, s := onFake(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	booked := s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(slotStart)})
	ctx := t.Context()
	for i := range 45 {
		s.AddAppointmentNote(booked.ID, ghl.Note{Body: fmt.Sprint("note ", i)})
	}
	all, err := c.AppointmentNotes.List(ctx, booked.ID)
	require.NoError(t, err)
	require.Len(t, all, 45)
	require.Equal(t, []string{"note 44", ada.ID}, []string{all[44].Body, all[44].ContactID})
	require.Len(t, s.Requests(), 3, "the last page says that it is the last")

	made, err := c.AppointmentNotes.Create(ctx, booked.ID, &ghl.NoteCreate{Body: "Bring the plans", UserID: "u1"})
	require.NoError(t, err)
	changed, err := c.AppointmentNotes.Update(ctx, booked.ID, made.ID, &ghl.NoteUpdate{Body: ghl.Some("Bring two plans")})
	require.NoError(t, err)
	require.Equal(t, []string{made.ID, "Bring two plans", "u1"}, []string{changed.ID, changed.Body, changed.UserID})
	require.Len(t, s.AppointmentNotes(booked.ID), 46)
	require.Empty(t, s.Notes(ada.ID))
	require.NoError(t, c.AppointmentNotes.Delete(ctx, booked.ID, made.ID))
	require.Len(t, s.AppointmentNotes(booked.ID), 45)

	_, err = c.AppointmentNotes.List(ctx, "unknown")
	require.Error(t, err)
	_, err = c.AppointmentNotes.Update(ctx, booked.ID, "unknown", &ghl.NoteUpdate{Body: ghl.Some("b")})
	require.Error(t, err)

	none := s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(slotEnd)})
	all, err = c.AppointmentNotes.List(ctx, none.ID)
	require.NoError(t, err)
	require.NotNil(t, all)
	require.Empty(t, all)

	elsewhere := s.AddLocation(ghl.Location{})
	s.AddCalendar(ghl.Calendar{LocationID: elsewhere.ID})
	other := s.AddContact(ghl.Contact{LocationID: elsewhere.ID, FirstName: "Grace"})
	theirs := s.AddAppointment(ghl.Appointment{ContactID: other.ID, LocationID: elsewhere.ID,
		StartTime: ghl.NewTime(slotStart)})
	_, err = c.AppointmentNotes.List(ctx, theirs.ID)
	require.ErrorIs(t, err, ghl.ErrForbidden)

	readOnly := s.AddToken(ghl.Token{Scopes: []ghl.Scope{ghl.ScopeCalendarsEventsReadonly}})
	reader, err := c.With(ghl.WithToken(readOnly.AccessToken))
	require.NoError(t, err)
	_, err = reader.AppointmentNotes.Create(ctx, booked.ID, &ghl.NoteCreate{Body: "b"})
	require.ErrorIs(t, err, ghl.ErrMissingScope)
}

// TestAppointmentNotesEnd: a page that is short, or does not say whether it is the last, is not the end.
func TestAppointmentNotesEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		answers []string
		want    int // -1 for ErrBadResponse
	}{
		"the last page says so":    {[]string{`{"notes":[{"id":"n1"}],"hasMore":false}`}, 1},
		"short pages":              {[]string{`{"notes":[{"id":"n1"}],"hasMore":true}`, `{"notes":[{"id":"n2"}],"hasMore":false}`}, 2},
		"no hasMore":               {[]string{`{"notes":[{"id":"n1"}]}`, `{"notes":[{"id":"n2"}]}`, `{"notes":[]}`}, 2},
		"null":                     {[]string{`{"notes":[{"id":"n1"}],"hasMore":null}`, `{"notes":null}`}, 1},
		"an empty page with more":  {[]string{`{"notes":[{"id":"n1"}],"hasMore":true}`, `{"notes":[],"hasMore":true}`}, 1},
		"_id":                      {[]string{`{"notes":[{"_id":"n1"}],"hasMore":false}`}, 1},
		"the same page again":      {[]string{`{"notes":[{"id":"n1"}],"hasMore":true}`, `{"notes":[{"id":"n1"}],"hasMore":true}`}, -1},
		"no list":                  {[]string{`{"hasMore":false}`}, -1},
		"one that is not a record": {[]string{`{"notes":["odd",{"id":"n1"}],"hasMore":true}`, `{"notes":[],"hasMore":false}`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, m := mocked(t, replies(t, tc.answers...))
			notes, err := c.AppointmentNotes.List(t.Context(), "e1")
			require.Len(t, m.sent(), len(tc.answers))
			if tc.want < 0 {
				require.ErrorIs(t, err, ghl.ErrBadResponse)
				require.Nil(t, notes)
				return
			}
			require.NoError(t, err)
			require.Len(t, notes, tc.want)
			for _, n := range notes {
				require.True(t, strings.HasPrefix(n.ID, "n"))
			}
		})
	}
}

func TestAppointmentNotesRefuseOtherFields(t *testing.T) {
	c, m := mocked(t, unexpected(t))
	for field, in := range map[string]*ghl.NoteCreate{
		"Body": {UserID: "u1"}, "Title": {Body: "b", Title: "T"}, "Color": {Body: "b", Color: "#FFAA00"},
		"Pinned": {Body: "b", Pinned: true}, "UserID": {Body: "b", UserID: "a/b"},
	} {
		_, err := c.AppointmentNotes.Create(t.Context(), "e1", in)
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.Equal(t, field, asError(t, err).Field)
	}
	for field, in := range map[string]*ghl.NoteUpdate{
		"Body": {UserID: ghl.Some("u1")}, "Title": {Body: ghl.Some("b"), Title: ghl.Null[string]()},
		"Color": {Body: ghl.Some("b"), Color: ghl.Some("")}, "Pinned": {Body: ghl.Some("b"), Pinned: ghl.Some(false)},
		"UserID": {Body: ghl.Some("b"), UserID: ghl.Some("a/b")},
	} {
		_, err := c.AppointmentNotes.Update(t.Context(), "e1", "n1", in)
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.Equal(t, field, asError(t, err).Field)
	}
	require.Empty(t, m.sent())
}
