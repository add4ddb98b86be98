package ghl_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestReadBack: after a create with an unknown outcome the call looks for the record.
func TestReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := func() string { return time.Now().UTC().Format(time.RFC3339) }
		date := func() string { return time.Now().UTC().Format(http.TimeFormat) }
		old := func() string { return time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) }
		rejected := answers(422, `{"message":["something went wrong"]}`)
		start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

		contact := func(c *ghl.Client, opts ...ghl.CallOption) (string, error) {
			got, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "ada@example.com"}, opts...)
			if err != nil {
				return "", err
			}
			return got.ID, nil
		}
		task := func(c *ghl.Client, opts ...ghl.CallOption) (string, error) {
			got, err := c.Tasks.Create(t.Context(), "c1", newTask, opts...)
			if err != nil {
				return "", err
			}
			return got.ID, nil
		}
		note := func(c *ghl.Client, opts ...ghl.CallOption) (string, error) {
			got, err := c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "Hello"}, opts...)
			if err != nil {
				return "", err
			}
			return got.ID, nil
		}
		book := func(c *ghl.Client, opts ...ghl.CallOption) (string, error) {
			got, err := c.Appointments.Create(t.Context(),
				&ghl.AppointmentCreate{CalendarID: "cal1", ContactID: "c1", StartTime: start}, opts...)
			if err != nil {
				return "", err
			}
			return got.ID, nil
		}
		foundContact := func(added func() string) step {
			return func(r *http.Request) (*http.Response, error) {
				return answers(200, `{"contact":{"id":"found","email":"Ada@example.com","dateAdded":"`+added()+`"}}`,
					"Date", date())(r)
			}
		}
		foundTask := answers(200,
			`{"tasks":[{"id":"no","title":"Other","dueDate":"2026-03-01T09:00:00.000Z"},{"id":"found","title":"Call","dueDate":"2026-03-01T09:00:00.000Z"}]}`)
		datedTask := func(added func() string) step {
			return func(r *http.Request) (*http.Response, error) {
				return answers(200,
					`{"tasks":[{"id":"found","title":"Call","dueDate":"2026-03-01T09:00:00.000Z","dateAdded":"`+added()+`"}]}`)(r)
			}
		}
		foundNote := func(added func() string) step {
			return func(r *http.Request) (*http.Response, error) {
				return answers(200,
					`{"notes":[{"id":"old","body":"Hello","dateAdded":"`+old()+`"},{"id":"found","body":"Hello","dateAdded":"`+added()+`"}]}`)(r)
			}
		}
		foundBooking := func(extra string) step {
			return answers(200,
				`{"events":[{"id":"other","contactId":"c2","startTime":"2026-03-01T09:00:00Z"},{"id":"found","contactId":"c1","startTime":"2026-03-01T10:00:00+01:00"`+extra+`}]}`)
		}
		taken := answers(400, `{"message":"The slot you have selected is no longer available."}`)
		for _, tc := range []struct {
			name   string
			create func(*ghl.Client, ...ghl.CallOption) (string, error)
			steps  []step
			want   error // nil means found
			sent   int
		}{
			{"contact after a lost connection", contact, []step{loses, foundContact(now)}, nil, 2},
			{"contact after 500", contact, []step{answers(500, server500), foundContact(now)}, nil, 2},
			{"contact after 422", contact, []step{rejected, foundContact(now)}, nil, 2},
			{"contact that appears later", contact,
				[]step{loses, answers(200, `{"contact":null}`), foundContact(now)}, nil, 3},
			{"an older contact does not match", contact, []step{rejected, foundContact(old), foundContact(old)},
				ghl.ErrValidation, 3},
			{"contact that is not found", contact, []step{loses, answers(200, `{"contact":null}`)}, ghl.ErrAmbiguous,
				4},
			{"contact that was refused", contact, []step{rejected, answers(200, `{"contact":null}`)},
				ghl.ErrValidation, 2},
			{"contact that is a duplicate", contact,
				[]step{answers(400,
					`{"message":"This location does not allow duplicated contacts."}`)}, ghl.ErrDuplicateContact, 1},
			{"task after a lost connection", task, []step{loses, foundTask}, nil, 2},
			{"undated task after 422, which may be older", task, []step{rejected, foundTask}, ghl.ErrValidation, 2},
			{"older task after a lost connection", task, []step{loses, datedTask(old)}, ghl.ErrAmbiguous, 4},
			{"dated task after 422", task, []step{rejected, datedTask(now)}, nil, 2},
			{"task that is not found", task, []step{answers(500, server500), answers(200, `{"tasks":[]}`)},
				ghl.ErrAmbiguous, 4},
			{"note after a lost connection", note, []step{loses, foundNote(now)}, nil, 2},
			{"an older note does not match", note, []step{loses, foundNote(old)}, ghl.ErrAmbiguous, 4},
			{"booking after a lost connection", book, []step{loses, foundBooking("")}, nil, 2},
			{"the slot is taken, by this booking", book, []step{taken, foundBooking("")}, nil, 2},
			{"the slot is taken, by another", book, []step{taken, answers(200, `{"events":[]}`)}, ghl.ErrSlotTaken, 2},
			{"a cancelled booking does not match", book,
				[]step{taken, foundBooking(`,"appointmentStatus":"cancelled"`)}, ghl.ErrSlotTaken, 2},
			{"the reads fail too", task, []step{loses, answers(403, `{}`)}, ghl.ErrAmbiguous, 4},
		} {
			c, s := mocked(t, inTurn(tc.steps...))
			id, err := tc.create(c, ghl.CallReadBack())
			if tc.want == nil {
				require.NoError(t, err, tc.name)
				require.Equal(t, "found", id, tc.name)
			} else {
				require.ErrorIs(t, err, tc.want, tc.name)
			}
			require.Equal(t, tc.sent, s.count(), tc.name)

			c, s = mocked(t, inTurn(tc.steps...))
			_, err = tc.create(c)
			require.Error(t, err, tc.name)
			require.Equal(t, 1, s.count(), "%s: without the option there is no read", tc.name)
		}
	})
}

// TestReadBackGoesByTheServersClock: the local clock may be wrong.
func TestReadBackGoesByTheServersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
			server := time.Now().Add(ahead).UTC()
			c, _ := mocked(t,
				inTurn(loses,
					answers(200,
						`{"notes":[{"id":"old","body":"Hello","dateAdded":"`+server.Add(-time.Minute).Format(time.RFC3339)+`"},{"id":"found","body":"Hello","dateAdded":"`+server.Format(time.RFC3339)+`"}]}`, "Date", server.Format(http.TimeFormat))))
			note, err := c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "Hello"}, ghl.CallReadBack())
			require.NoError(t, err)
			require.Equal(t, "found", note.ID)
		}
	})
}

// TestReadBackIsOfTheSameCall: the reads use the location, the retry policy and the priority of the create.
func TestReadBackIsOfTheSameCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &marks{}
		c, s := mocked(t, answers(500, server500), ghl.WithLimiter(w))
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "ada@example.com"}, ghl.CallReadBack(),
			ghl.CallBackground(),
			ghl.CallLocation("loc9"), ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 1}))
		require.ErrorIs(t, err, ghl.ErrAmbiguous)
		require.Equal(t, 4, s.count(), "one attempt of each read")
		require.Equal(t, []bool{true, true, true, true}, w.background)
		for _, r := range s.requests[1:] {
			require.Equal(t, "loc9", r.URL.Query().Get("locationId"))
		}
	})
}

// marks is a limiter that records which calls are background calls.
type marks struct{ background []bool }

func (m *marks) Wait(ctx context.Context) error {
	op, _ := ghl.OperationFromContext(ctx)
	m.background = append(m.background, op.Background())
	return nil
}
