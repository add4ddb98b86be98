package ghl_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

const noShow = `{"event":{"id":"e1","title":"Visit","appointmentStatus":"noshow"}}`

// TestUpdateKeepsTheAppointmentStatus: the API confirms an appointment when an update does not name its status.
func TestUpdateKeepsTheAppointmentStatus(t *testing.T) {
	t.Parallel()
	title := ghl.Some("Visit, second floor")
	for name, tc := range map[string]struct {
		in       ghl.AppointmentUpdate
		read     string // "" for none
		want     string
		wantRead bool
	}{
		"the title alone": {in: ghl.AppointmentUpdate{Title: title}, read: noShow,
			want: `{"title":"Visit, second floor","appointmentStatus":"noshow"}`},
		"the user alone": {in: ghl.AppointmentUpdate{AssignedUserID: ghl.Some("u2")}, read: noShow,
			want: `{"assignedUserId":"u2","appointmentStatus":"noshow"}`},
		"a move": {in: ghl.AppointmentUpdate{StartTime: ghl.Some(slotStart)}, read: noShow,
			want: `{"startTime":"2026-03-01T09:00:00-06:00","appointmentStatus":"noshow"}`},
		"cleared": {in: ghl.AppointmentUpdate{Address: ghl.Null[string]()}, read: noShow,
			want: `{"address":null,"appointmentStatus":"noshow"}`},
		"in appointment, misspelled": {in: ghl.AppointmentUpdate{Title: title},
			read: `{"appointment":{"_id":"e1","appoinmentStatus":"cancelled","status":"booked"}}`,
			want: `{"title":"Visit, second floor","appointmentStatus":"cancelled"}`},
		"a status of the caller": {
			in:   ghl.AppointmentUpdate{Title: title, AppointmentStatus: ghl.Some(ghl.AppointmentShowed)},
			want: `{"title":"Visit, second floor","appointmentStatus":"showed"}`},
		"skipped": {in: ghl.AppointmentUpdate{Title: title, SkipRead: true}, want: `{"title":"Visit, second floor"}`},
	} {
		t.Run(name, func(t *testing.T) {
			bodies := []string{tc.read, `{"id":"e1"}`}
			if tc.read == "" {
				bodies = bodies[1:]
			}
			c, m := mocked(t, replies(t, bodies...))
			before := tc.in
			_, err := c.Appointments.Update(t.Context(), "e1", &tc.in)
			require.NoError(t, err)
			require.Equal(t, before, tc.in, "the input is the caller's")
			sent := m.sent()
			require.Len(t, sent, len(bodies))
			last := sent[len(sent)-1]
			require.Equal(t, "PUT", last.Method)
			require.JSONEq(t, tc.want, last.Body)
			if tc.read != "" {
				require.Equal(t, "GET", sent[0].Method)
				require.Equal(t, last.Path, sent[0].Path)
				require.Equal(t, "2021-04-15", sent[0].Header.Get("Version"))
			}
		})
	}
}

func TestUpdateOfAnAppointmentThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer step
		want   error
		text   string
	}{
		"not found":    {answers(404, `{"statusCode":404,"message":"Event not found"}`), nil, "Event not found"},
		"no scope":     {answers(401, `{"statusCode":401,"message":"The token is not authorized for this scope."}`), ghl.ErrMissingScope, "calendars/events.readonly"},
		"two details":  {answers(422, `{"statusCode":422,"message":["a is wrong","b is wrong"]}`), ghl.ErrValidation, "a is wrong; b is wrong"},
		"server":       {answers(500, server500), ghl.ErrServer, "Internal server error"},
		"lost":         {loses, nil, ""},
		"empty":        {answers(200, ``), ghl.ErrBadResponse, ""},
		"no record":    {answers(200, `{"event":null}`), ghl.ErrBadResponse, ""},
		"no status":    {answers(200, `{"event":{"id":"e1"}}`), ghl.ErrBadResponse, "no appointmentStatus"},
		"empty status": {answers(200, `{"event":{"id":"e1","appointmentStatus":"","status":"booked"}}`), ghl.ErrBadResponse, "no appointmentStatus"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, m := mocked(t, tc.answer, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 2}))
				_, err := c.Appointments.Update(t.Context(), "e1", &ghl.AppointmentUpdate{Title: ghl.Some("T")})
				require.Error(t, err)
				if tc.want != nil {
					require.ErrorIs(t, err, tc.want)
				}
				require.NotErrorIs(t, err, ghl.ErrAmbiguous)
				require.ErrorContains(t, err, "ghl: appointments.update: ")
				require.ErrorContains(t, err, "nothing was sent, because the appointment's status could not be read")
				require.ErrorContains(t, err, tc.text)
				for _, r := range m.sent() {
					require.Equal(t, "GET", r.Method)
				}
			})
		})
	}
	for field, call := range map[string]func(c *ghl.Client) error{
		"EndTime": func(c *ghl.Client) error {
			in := &ghl.AppointmentUpdate{EndTime: ghl.Null[time.Time]()}
			_, err := c.Appointments.Update(t.Context(), "e1", in)
			return err
		},
		"AppointmentStatus": func(c *ghl.Client) error {
			_, err := c.Appointments.Update(t.Context(), "e1",
				&ghl.AppointmentUpdate{AppointmentStatus: ghl.Some(ghl.AppointmentStatus(" "))})
			return err
		},
		"AppointmentUpdate": func(c *ghl.Client) error {
			_, nothing := c.Appointments.Update(t.Context(), "e1", &ghl.AppointmentUpdate{SkipRead: true})
			require.ErrorIs(t, nothing, ghl.ErrBadInput)
			_, err := c.Appointments.Update(t.Context(), "e1", nil)
			return err
		},
		"eventId": func(c *ghl.Client) error {
			_, err := c.Appointments.Update(t.Context(), "../e1", &ghl.AppointmentUpdate{Title: ghl.Some("T")})
			return err
		},
		"locationId": func(c *ghl.Client) error {
			_, err := c.Appointments.Update(t.Context(), "e1", &ghl.AppointmentUpdate{Title: ghl.Some("T")},
				ghl.CallLocation(""))
			return err
		},
	} {
		c, m := mocked(t, unexpected(t))
		err := call(c)
		require.ErrorIs(t, err, ghl.ErrBadInput, field)
		e := asError(t, err)
		require.Equal(t, []string{"appointments.update", field}, []string{e.Operation, e.Field})
		require.NotContains(t, err.Error(), "could not be read")
		require.Empty(t, m.sent())
	}
}

// TestUpdateReadsWithTheSameOptions: both requests have the options of the call; CallResponse describes the second.
func TestUpdateReadsWithTheSameOptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var background []string
		c, m := mocked(t, inTurn(answers(500, server500), answers(200, noShow), answers(200, `{"id":"e1","traceId":"put"}`)),
			ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return transportFunc(func(r *http.Request) (*http.Response, error) {
					if op, ok := ghl.OperationFromContext(r.Context()); ok && op.Background() {
						background = append(background, op.Name)
					}
					return next.RoundTrip(r)
				})
			}))
		var resp ghl.Response
		_, err := c.Appointments.Update(t.Context(), "e1", &ghl.AppointmentUpdate{Title: ghl.Some("T")},
			ghl.CallLocation("loc2"), ghl.CallHeader("X-Reason", "test"), ghl.CallBackground(),
			ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 2, MinBackoff: time.Millisecond}), ghl.CallResponse(&resp))
		require.NoError(t, err)
		require.Equal(t, []string{"appointments.get", "appointments.get", "appointments.update"}, background)
		require.Equal(t, ghl.Response{Status: 200, TraceID: "put", Attempts: 1, Header: resp.Header,
			RateLimit: resp.RateLimit}, resp)
		for _, r := range m.sent() {
			require.Equal(t, "test", r.Header.Get("X-Reason"))
		}

		c, m = mocked(t, answers(http.StatusNotFound, `{"message":"Event not found"}`))
		_, err = c.Appointments.Update(t.Context(), "e1", &ghl.AppointmentUpdate{Title: ghl.Some("T")},
			ghl.CallResponse(&resp))
		require.Error(t, err)
		require.Equal(t, 404, resp.Status, "of the read, when the update was not sent")
		require.Len(t, m.sent(), 1)
	})
}

// TestABookingWithoutTimes: real answers to a booking have no times.
func TestABookingWithoutTimes(t *testing.T) {
	t.Parallel()
	c, _ := mocked(t, replies(t, `{"id":"e1","address":"","appoinmentStatus":"confirmed","appointmentStatus":"confirmed",`+
		`"calendarId":"cal1","contactId":"c1","isRecurring":false,"status":"booked","title":"Visit","traceId":"t"}`))
	a, err := c.Appointments.Create(t.Context(),
		&ghl.AppointmentCreate{CalendarID: "cal1", ContactID: "c1", StartTime: slotStart})
	require.NoError(t, err)
	require.Equal(t, "e1", a.ID)
	require.True(t, a.StartTime.IsZero() && a.EndTime.IsZero())
}
