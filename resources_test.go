package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// TestAppointmentsInAnyWrapping decodes a record in "event", in "appointment" and at the top of the answer.
func TestAppointmentsInAnyWrapping(t *testing.T) {
	ctx := t.Context()
	record := `{"id":"e1","calendarId":"k1","startTime":"2026-03-01T09:00:00-06:00","appointmentStatus":"confirmed","traceId":"t"}`
	calls := map[string]func(*ghl.Client) (*ghl.Appointment, error){
		"get": func(c *ghl.Client) (*ghl.Appointment, error) { return c.Appointments.Get(ctx, "e1") },
		"create": func(c *ghl.Client) (*ghl.Appointment, error) {
			return c.Appointments.Create(ctx,
				&ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart})
		},
		"update": func(c *ghl.Client) (*ghl.Appointment, error) {
			return c.Appointments.Update(ctx, "e1", &ghl.AppointmentUpdate{Title: ghl.Some("T"), SkipRead: true})
		},
	}
	for name, call := range calls {
		for wrapping, body := range map[string]string{
			"event": `{"event":` + record + `}`, "appointment": `{"appointment":` + record + `}`, "null beside it": `{"event":null,"appointment":` + record + `}`, "bare": record,
		} {
			if name == "get" && wrapping == "bare" { // the live API does not answer a get so
				continue
			}
			t.Run(name+"/"+wrapping, func(t *testing.T) {
				c, _ := mocked(t, replies(t, body))
				a, err := call(c)
				require.NoError(t, err)
				require.Equal(t, "e1", a.ID)
				require.Equal(t, ghl.AppointmentConfirmed, a.AppointmentStatus)
				at, ok := a.StartTime.Instant()
				require.True(t, ok)
				require.True(t, at.Equal(slotStart))
			})
		}
		for odd, body := range map[string]string{"no body": ``, "empty": `{}`, "null": `{"event":null}`,
			"a success without a record": `{"success":true,"traceId":"t"}`, "an empty id": `{"id":""}`} {
			t.Run(name+"/"+odd, func(t *testing.T) {
				c, m := mocked(t, replies(t, body))
				a, err := call(c)
				require.ErrorIs(t, err, ghl.ErrBadResponse)
				require.Nil(t, a)
				require.Len(t, m.sent(), 1)
			})
		}
	}
}

func TestAppointmentsOfAContactHaveNoZone(t *testing.T) {
	c, s := onFake(t, ghltest.WithLocation(ghl.Location{Timezone: "America/Chicago"}))
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(slotStart)})
	list, err := c.Appointments.ListForContact(t.Context(), ada.ID)
	require.NoError(t, err)
	_, ok := list[0].StartTime.Instant()
	require.False(t, ok, "the time has no zone yet")
	location, err := c.Locations.Get(t.Context(), c.Location())
	require.NoError(t, err)
	zone, err := location.TimeLocation()
	require.NoError(t, err)
	require.True(t, list[0].StartTime.In(zone).Equal(slotStart))
}

func TestTheZoneOfALocation(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"its own":      {`{"id":"l","timezone":"Europe/Berlin","business":{"timezone":"Asia/Tokyo"}}`, "Europe/Berlin"},
		"its business": {`{"id":"l","business":{"timezone":"Asia/Tokyo"}}`, "Asia/Tokyo"},
		"none":         {`{"id":"l"}`, ""},
		"unknown":      {`{"id":"l","timezone":"Mars/Phobos"}`, ""},
		"a file":       {`{"id":"l","timezone":"../../etc/passwd"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := mocked(t, replies(t, `{"location":`+tc.body+`}`))
			l, err := c.Locations.Get(t.Context(), c.Location())
			require.NoError(t, err)
			zone, err := l.TimeLocation()
			if tc.want == "" {
				require.ErrorIs(t, err, ghl.ErrBadResponse)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, zone.String())
		})
	}
}

func TestFreeSlots(t *testing.T) {
	ask := &ghl.FreeSlotsQuery{From: slotStart, To: slotStart.AddDate(0, 0, 31), UserIDs: []string{"u1"}}
	c, m := mocked(t,
		replies(t,
			`{"traceId":"t","2026-03-01":{"slots":null},"2026-03-03":{"slots":["odd","2026-03-03T09:00:00-06:00"]},"2026-03-02":{"slots":[]}}`, `{"traceId":"t"}`, `[]`, ``))
	days, err := c.Calendars.FreeSlots(t.Context(), "k1", ask)
	require.NoError(t, err)
	require.Len(t, days, 3)
	require.Equal(t, []string{"2026-03-01", "2026-03-02", "2026-03-03"},
		[]string{days[0].Date, days[1].Date, days[2].Date})
	require.Empty(t, days[0].Slots)
	require.Equal(t, "odd", days[2].Slots[0].Raw())
	require.True(t, days[2].Slots[0].IsZero())
	require.Contains(t, m.sent()[0].RawQuery, "userId=u1")
	require.NotContains(t, m.sent()[0].RawQuery, "timezone")

	days, err = c.Calendars.FreeSlots(t.Context(), "k1", ask)
	require.NoError(t, err)
	require.Empty(t, days)
	for range 2 {
		days, err = c.Calendars.FreeSlots(t.Context(), "k1", ask)
		require.ErrorIs(t, err, ghl.ErrBadResponse)
		require.Nil(t, days)
	}
}

func TestFreeSlotsInOtherShapes(t *testing.T) {
	const nine, ten = "2026-01-09T09:00:00-05:00", "2026-01-09T10:00:00-05:00"
	nineUTC := strconv.FormatInt(time.Date(2026, 1, 9, 14, 0, 0, 0, time.UTC).UnixMilli(), 10)
	for body, want := range map[string]string{
		`{"_dates_":{"2026-01-09":{"slots":["` + nine + `"]}},"traceId":"t"}`:                     "2026-01-09 " + nine,
		`{"_dates_":{"2026-01-09":["` + nine + `"]}}`:                                             "2026-01-09 " + nine,
		`{"_dates_":{"2026-01-10":{"slots":[]},"2026-01-09":{"slots":["` + nine + `"]}}}`:         "2026-01-09 " + nine + "|2026-01-10",
		`{"slots":["` + nine + `"]}`:                                                              "2026-01-09 " + nine,
		`{"slots":["` + nine + `","2026-01-10T09:00:00-05:00","` + ten + `"],"traceId":"t"}`:      "2026-01-09 " + nine + " " + ten + "|2026-01-10 2026-01-10T09:00:00-05:00",
		`{"slots":["2026-01-09T23:30:00-05:00"]}`:                                                 "2026-01-09 2026-01-09T23:30:00-05:00",
		`{"slots":["2026-01-09 09:00:00"]}`:                                                       "2026-01-09 2026-01-09 09:00:00",
		`{"slots":["2026-01-10T03:00:00Z"]}`:                                                      "2026-01-09 2026-01-10T03:00:00Z",
		`{"slots":[` + nineUTC + `]}`:                                                             "2026-01-09 " + nineUTC,
		`{"slots":{"2026-01-09":["` + nine + `"]}}`:                                               "2026-01-09 " + nine,
		`{"slots":[{"startTime":"` + nine + `","endTime":"` + ten + `"}]}`:                        "2026-01-09 " + nine,
		`{"2026-01-09":["` + nine + `"],"traceId":"t"}`:                                           "2026-01-09 " + nine,
		`{"2026-01-09":[{"startTime":"` + nine + `"},{"time":"` + ten + `"}]}`:                    "2026-01-09 " + nine + " " + ten,
		`{"2026-01-09":{"slots":[{"start":"` + nine + `"}]}}`:                                     "2026-01-09 " + nine,
		`{"2026-01-09T00:00:00.000Z":{"slots":["` + nine + `"]}}`:                                 "2026-01-09 " + nine,
		`{"2026-01-09":{"slots":["` + nine + `"]},"meta":{"total":1},"count":1,"timezone":"x"}`:   "2026-01-09 " + nine,
		`{"2026-01-09":{"slots":["` + nine + `",null]},"_dates_":{"2026-01-09":["` + ten + `"]}}`: "2026-01-09 " + nine + " " + ten,
		`{}`:                           "",
		`{"traceId":"t"}`:              "",
		`{"slots":[]}`:                 "",
		`{"slots":null}`:               "",
		`{"_dates_":{},"traceId":"t"}`: "",
		`{"2026-01-09":{"slots":[]}}`:  "2026-01-09",
		`{"2026-01-09":[]}`:            "2026-01-09",
		`{"2026-01-09":null}`:          "2026-01-09",
		`{"2026-01-09":{}}`:            "2026-01-09",
		`{"data":{"2026-01-09":["` + nine + `"]}}`:                            "error",
		`{"dates":[{"date":"2026-01-09"}]}`:                                   "error",
		`["` + nine + `"]`:                                                    "error",
		`{"_dates_":"none"}`:                                                  "error",
		`{"_dates_":{"days":{}}}`:                                             "error",
		`{"2026-01-09":{"times":["` + nine + `"]}}`:                           "error",
		`{"2026-01-09":{"slots":{"09:00":true}}}`:                             "error",
		`{"2026-01-09":{"slots":[{"from":"x"}]}}`:                             "error",
		`{"2026-01-09":"` + nine + `"}`:                                       "error",
		`{"2026-01-09":true}`:                                                 "error",
		`{"slots":["soon"]}`:                                                  "error",
		`{"09/01/2026":{"slots":["` + nine + `"]}}`:                           "error",
		`{"2026-01-09":{"slots":[]},"2026/01/10":{"slots":["` + nine + `"]}}`: "error",
		`{"2026-01-09":{"slots":[]},"other":["` + nine + `"]}`:                "error",
		`{"message":"no calendar"}`:                                           "error",
	} {
		c, _ := mocked(t, replies(t, body))
		days, err := c.Calendars.FreeSlots(t.Context(), "k1", &ghl.FreeSlotsQuery{From: slotStart, To: slotEnd,
			Timezone: "America/New_York"})
		if want == "error" {
			require.ErrorIs(t, err, ghl.ErrBadResponse, body)
			require.Nil(t, days, body)
			continue
		}
		require.NoError(t, err, body)
		var got []string
		for _, day := range days {
			line := day.Date
			for _, slot := range day.Slots {
				require.False(t, slot.IsZero(), body)
				line += " " + slot.Raw()
			}
			got = append(got, line)
		}
		require.Equal(t, want, strings.Join(got, "|"), body)
	}
}

func TestBlockForAUser(t *testing.T) {
	c, m := mocked(t, replies(t, `{"event":{"id":"e1"}}`))
	e, err := c.Calendars.Block(t.Context(),
		&ghl.BlockSlot{AssignedUserID: "u1", StartTime: slotStart, EndTime: slotEnd})
	require.NoError(t, err)
	require.Equal(t, "e1", e.ID)
	require.JSONEq(t,
		`{"assignedUserId":"u1","locationId":"loc1","startTime":"2026-03-01T09:00:00-06:00","endTime":"2026-03-01T09:30:00-06:00"}`, m.sent()[0].Body)
}

func TestSmallInputs(t *testing.T) {
	ctx := t.Context()
	for _, tc := range []struct {
		name, want string
		call       func(*ghl.Client) error
	}{
		{"workflow now, nil", `{}`, func(c *ghl.Client) error { return c.Workflows.Add(ctx, "c1", "w1", nil) }},
		{"workflow now", `{}`, func(c *ghl.Client) error {
			return c.Workflows.Add(ctx, "c1", "w1", &ghl.WorkflowStart{})
		}},
		{"all tasks", `{}`, func(c *ghl.Client) error { _, err := c.Tasks.Search(ctx, nil); return err }},
		{"open tasks", `{"completed":false}`, func(c *ghl.Client) error {
			_, err := c.Tasks.Search(ctx, &ghl.TaskSearch{Completed: &no})
			return err
		}},
		{"done tasks", `{"completed":true}`, func(c *ghl.Client) error {
			_, err := c.Tasks.Search(ctx, &ghl.TaskSearch{Completed: &yes})
			return err
		}},
		{"done task", `{"title":"T","dueDate":"2026-03-02T17:00:00Z","completed":true}`, func(c *ghl.Client) error {
			_, err := c.Tasks.Create(ctx, "c1", &ghl.TaskCreate{Title: "T", DueDate: dueAt, Completed: true})
			return err
		}},
		{"tick off", `{"completed":true}`, func(c *ghl.Client) error {
			_, err := c.Tasks.SetCompleted(ctx, "c1", "t1", true)
			return err
		}},
		{"note", `{"body":"b"}`, func(c *ghl.Client) error {
			_, err := c.Notes.Create(ctx, "c1", &ghl.NoteCreate{Body: "b"})
			return err
		}},
		{"bulk add", `{"contacts":["c1"],"tags":["a"],"locationId":"loc1"}`, func(c *ghl.Client) error {
			_, err := c.Tags.BulkUpdate(ctx,
				&ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1"}, Tags: []string{"a"}})
			return err
		}},
		{"appointment",
			`{"calendarId":"k1","contactId":"c1","locationId":"loc1","startTime":"2026-03-01T09:00:00-06:00"}`, func(c *ghl.Client) error {
				_, err := c.Appointments.Create(ctx,
					&ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart})
				return err
			}},
		{"mirrored appointment",
			`{"calendarId":"k1","contactId":"c1","locationId":"loc1","startTime":"2026-03-01T09:00:00-06:00","ignoreFreeSlotValidation":true,"ignoreDateRange":true,"overrideLocationConfig":true,"toNotify":true}`, func(c *ghl.Client) error {
				_, err := c.Appointments.Create(ctx,
					&ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart,
						IgnoreFreeSlotValidation: true, IgnoreDateRange: true, OverrideLocationConfig: true,
						ToNotify: ghl.Some(true)})
				return err
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, m := mocked(t,
				replies(t, `{"task":{"id":"x"},"note":{"id":"x"},"event":{"id":"x"},"tasks":[],"responses":[]}`))
			require.NoError(t, tc.call(c))
			require.JSONEq(t, tc.want, m.sent()[0].Body)
		})
	}
}

func TestBulkTagsReportsEachContact(t *testing.T) {
	c, _ := mocked(t,
		replies(t,
			`{"succeded":false,"errorCount":1,"responses":[{"contactId":"c1","type":"success","oldTags":["a"],"tagsAdded":["b"],"tagsRemoved":null},{"contactId":"c2","type":"error","message":"Contact not found"}]}`))
	result, err := c.Tags.BulkUpdate(t.Context(),
		&ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1", "c2"}, Tags: []string{"b"}})
	require.NoError(t, err)
	require.False(t, result.Succeeded)
	require.Equal(t, 1, result.ErrorCount)
	require.Equal(t, "Contact not found", result.Responses[1].Message)
	require.Equal(t, []string{"b"}, result.Responses[0].TagsAdded)
}

func TestLocationTokenNeedsAToken(t *testing.T) {
	for _, body := range []string{`{}`, ``, `{"access_token":""}`, `{"access_token":"a b"}`, `{"error":"x"}`} {
		c, _ := mocked(t, replies(t, body))
		token, err := c.OAuth.LocationToken(t.Context(), "co1", "loc2")
		require.ErrorIs(t, err, ghl.ErrBadResponse)
		require.Nil(t, token)
		require.NotContains(t, err.Error(), "a b")
	}
}

// readBackCase is a create and the answers to the reads that look for its record.
type readBackCase struct {
	create func(context.Context, *ghl.Client, ...ghl.CallOption) (string, error)
	path   string // of the create
	found  func(now time.Time) string
	none   string
	looks  string // the path of the first read
}

func readBackCases() map[string]readBackCase {
	id := func(id string, err error) (string, error) { return id, err }
	iso := func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
	due := time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.UTC)
	return map[string]readBackCase{
		"contact": {
			create: func(ctx context.Context, c *ghl.Client, opts ...ghl.CallOption) (string, error) {
				r, err := c.Contacts.Create(ctx, &ghl.ContactCreate{Name: "Ada", Email: "ada@example.com"}, opts...)
				if r == nil {
					return "", err
				}
				return id(r.ID, err)
			},
			path: "/contacts/", looks: "/contacts/search/duplicate", none: `{"contact":null}`,
			found: func(now time.Time) string {
				return fmt.Sprintf(`{"contact":{"id":"x1","email":"Ada@example.com","dateAdded":%q}}`, iso(now))
			},
		},
		"task": {
			create: func(ctx context.Context, c *ghl.Client, opts ...ghl.CallOption) (string, error) {
				r, err := c.Tasks.Create(ctx, "c1",
					&ghl.TaskCreate{Title: "Call", Body: "b", DueDate: due, AssignedTo: "u1"}, opts...)
				if r == nil {
					return "", err
				}
				return id(r.ID, err)
			},
			path: "/contacts/c1/tasks", looks: "/contacts/c1/tasks", none: `{"tasks":[{"id":"other","title":"Call","dueDate":"2026-03-01T09:00:00.123Z","assignedTo":"u2","body":"b"}]}`,
			found: func(now time.Time) string {
				return fmt.Sprintf(`{"tasks":[{"id":"other","title":"Call"},{"id":"x1","title":"Call","body":"b","assignedTo":"u1","dueDate":"2026-03-01T09:00:00.123Z","completed":false,"dateAdded":%q}]}`, iso(now))
			},
		},
		"note": {
			create: func(ctx context.Context, c *ghl.Client, opts ...ghl.CallOption) (string, error) {
				r, err := c.Notes.Create(ctx, "c1", &ghl.NoteCreate{Body: "hello"}, opts...)
				if r == nil {
					return "", err
				}
				return id(r.ID, err)
			},
			path: "/contacts/c1/notes", looks: "/contacts/c1/notes",
			none: `{"notes":[{"id":"old","body":"hello","dateAdded":"1999-12-31T00:00:00Z"}]}`,
			found: func(now time.Time) string {
				return fmt.Sprintf(`{"notes":[{"id":"old","body":"hello","dateAdded":"1999-12-31T00:00:00Z"},{"id":"x1","body":"hello","dateAdded":%q}]}`, iso(now))
			},
		},
		"appointment": {
			create: func(ctx context.Context, c *ghl.Client, opts ...ghl.CallOption) (string, error) {
				r, err := c.Appointments.Create(ctx,
					&ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart}, opts...)
				if r == nil {
					return "", err
				}
				return id(r.ID, err)
			},
			path: "/calendars/events/appointments", looks: "/calendars/events",
			none: `{"events":[{"id":"theirs","contactId":"c2","startTime":"2026-03-01T09:00:00-06:00"},{"id":"cancelled","contactId":"c1","startTime":"2026-03-01T09:00:00-06:00","appointmentStatus":"cancelled"},{"id":"deleted","contactId":"c1","startTime":"2026-03-01T09:00:00-06:00","deleted":true},{"id":"later","contactId":"c1","startTime":"2026-03-01T10:00:00-06:00"}]}`,
			found: func(time.Time) string {
				return `{"events":[{"id":"x1","contactId":"c1","startTime":"2026-03-01T15:00:00Z"}]}`
			},
		},
	}
}

func TestReadBackOfEachCreate(t *testing.T) {
	failures := map[string]struct {
		answer step
		want   error
		looks  int // when the record is not found
	}{
		"500":             {answers(500, server500), ghl.ErrAmbiguous, 3},
		"lost connection": {loses, ghl.ErrAmbiguous, 3},
		"422":             {answers(422, `{"message":["odd"],"statusCode":422}`), ghl.ErrValidation, 1},
	}
	for name, tc := range readBackCases() {
		for failing, failure := range failures {
			// The record exists from the read of number there on; -1 means never.
			run := func(title string, there int, opts []ghl.CallOption,
				check func(t *testing.T, id string, err error, looks []sent, took time.Duration)) {
				t.Run(name+"/"+failing+"/"+title, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						looks := 0
						c, m := mocked(t, func(r *http.Request) (*http.Response, error) {
							looks++
							if there >= 0 && looks > there {
								return answers(200, tc.found(time.Now()))(r)
							}
							return answers(200, tc.none)(r)
						})
						m.RegisterResponder(http.MethodPost, tc.path,
							failure.answer.Delay(200*time.Millisecond))
						began := time.Now()
						id, err := tc.create(t.Context(), c, opts...)
						requests := m.sent()
						require.Equal(t, tc.path, requests[0].Path)
						posts := 0
						for _, r := range requests {
							if r.Method == http.MethodPost {
								posts++
							}
						}
						require.Equal(t, 1, posts, "a create is not repeated")
						check(t, id, err, requests[1:], time.Since(began))
					})
				})
			}
			original := func(t *testing.T, id string, err error) {
				t.Helper()
				require.Empty(t, id)
				require.ErrorIs(t, err, failure.want)
				var e *ghl.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, 1, e.Attempts)
				require.True(t, strings.HasSuffix(e.Operation, ".create"), e.Operation)
				require.Equal(t, failing == "lost connection", errors.Is(err, errReset))
			}
			with := []ghl.CallOption{nil, ghl.CallReadBack()}
			run("found", 0, with, func(t *testing.T, id string, err error, looks []sent, took time.Duration) {
				require.NoError(t, err)
				require.Equal(t, "x1", id)
				require.Equal(t, tc.looks, looks[0].Path)
				require.Less(t, took, time.Second)
			})
			run("not found", -1, with, func(t *testing.T, id string, err error, looks []sent, took time.Duration) {
				original(t, id, err)
				require.Len(t, looks, failure.looks)
			})
			run("without the option", 0, nil,
				func(t *testing.T, id string, err error, looks []sent, took time.Duration) {
					original(t, id, err)
					require.Empty(t, looks)
					require.Equal(t, 200*time.Millisecond, took)
				})
			if failure.want == ghl.ErrAmbiguous {
				run("found later", 2, with, func(t *testing.T, id string, err error, looks []sent, took time.Duration) {
					require.NoError(t, err)
					require.Equal(t, "x1", id)
					require.Len(t, looks, 3)
					require.Less(t, took, 10*time.Second)
				})
			}
		}
	}
}

// TestReadBackOfATakenSlot: the booking that took the slot may be that of the lost answer.
func TestReadBackOfATakenSlot(t *testing.T) {
	at := time.Date(2026, time.March, 3, 15, 0, 0, 0, time.UTC) // 10:00 in New York
	for _, own := range []bool{true, false} {
		c, s := onFake(t, ghltest.WithClock(func() time.Time { return at.Add(-24 * time.Hour) }))
		calendar, ada := s.AddCalendar(ghl.Calendar{}), s.AddContact(ghl.Contact{FirstName: "Ada"})
		if own { // the answer to the first attempt is lost, and the second attempt finds the slot taken
			s.Fail(ghltest.Fault{Operation: "appointments.create", Kind: fault.SlotTaken().AfterWork()})
		} else {
			s.AddAppointment(ghl.Appointment{ContactID: s.AddContact(ghl.Contact{FirstName: "Bo"}).ID,
				StartTime: ghl.NewTime(at)})
		}
		booked, err := c.Appointments.Create(t.Context(),
			&ghl.AppointmentCreate{CalendarID: calendar.ID, ContactID: ada.ID, StartTime: at}, ghl.CallReadBack())
		require.Len(t, s.Requests(), 2)
		if own {
			require.NoError(t, err)
			require.Equal(t, s.Appointments(ada.ID)[0].ID, booked.ID)
		} else {
			require.ErrorIs(t, err, ghl.ErrSlotTaken)
			require.Empty(t, s.Appointments(ada.ID))
		}
	}
}

// TestReadBackFindsOnlyWhatIsNew: a contact that existed before the create does not match.
func TestReadBackFindsOnlyWhatIsNew(t *testing.T) {
	tc := readBackCases()["contact"]
	for name, contact := range map[string]string{
		"an older one":              `{"id":"old","email":"ada@example.com","dateAdded":"1999-12-31T00:00:00Z"}`,
		"one with another e-mail":   `{"id":"x","email":"eve@example.com","dateAdded":"2000-01-01T00:00:00.1Z"}`,
		"one without a date at all": `{"id":"x","email":"ada@example.com"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, m := mocked(t, answers(200, `{"contact":`+contact+`}`))
				m.RegisterResponder(http.MethodPost, tc.path, answers(422, `{"message":"no"}`))
				id, err := tc.create(t.Context(), c, ghl.CallReadBack())
				require.ErrorIs(t, err, ghl.ErrValidation)
				require.Empty(t, id)
			})
		})
	}
	t.Run("only the full record has the date", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, m := mocked(t, answers(200, `{"contact":{"id":"x1","email":"ada@example.com"}}`))
			m.RegisterResponder(http.MethodPost, tc.path, answers(422, `{"message":"no"}`))
			m.RegisterResponder(http.MethodGet, "/contacts/x1", answers(200, tc.found(time.Now())))
			id, err := tc.create(t.Context(), c, ghl.CallReadBack())
			require.NoError(t, err)
			require.Equal(t, "x1", id)
			require.Len(t, m.sent(), 3)
		})
	})
	t.Run("without an e-mail or phone there is no read", func(t *testing.T) {
		c, m := mocked(t, answers(422, `{"message":"no"}`))
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Name: "Ada"}, ghl.CallReadBack())
		require.ErrorIs(t, err, ghl.ErrValidation)
		require.Len(t, m.sent(), 1)
	})
}

// TestReadBackThatCannotRead: if the reads fail, the call returns the error of the create, and ends with the context.
func TestReadBackThatCannotRead(t *testing.T) {
	for name, tc := range readBackCases() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, m := mocked(t, answers(403, `{"message":"Forbidden resource"}`))
				m.RegisterResponder(http.MethodPost, tc.path, loses)
				_, err := tc.create(t.Context(), c, ghl.CallReadBack())
				require.ErrorIs(t, err, ghl.ErrAmbiguous)
				require.ErrorIs(t, err, errReset)
				require.NotErrorIs(t, err, ghl.ErrForbidden)
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				c, m := mocked(t, answers(200, tc.none))
				m.RegisterResponder(http.MethodPost, tc.path, loses)
				began := time.Now()
				_, err := tc.create(ctx, c, ghl.CallReadBack())
				require.ErrorIs(t, err, errReset)
				require.Equal(t, 500*time.Millisecond, time.Since(began))
			})
		})
	}
}

// TestReadBackKeepsTheCallsOptions: the reads use the location of the create.
func TestReadBackKeepsTheCallsOptions(t *testing.T) {
	c, m := mocked(t, inTurn(answers(422, `{"message":"no"}`), answers(200, `{"contact":null}`)))
	_, err := readBackCases()["contact"].create(t.Context(), c, ghl.CallReadBack(), ghl.CallLocation("loc7"))
	require.ErrorIs(t, err, ghl.ErrValidation)
	require.Equal(t, "email=ada%40example.com&locationId=loc7", m.sent()[1].RawQuery)
}
