package ghltest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// inbox is a handler that stores its deliveries.
type inbox struct {
	mu      sync.Mutex
	bodies  [][]byte
	headers []http.Header
	answer  func(n int) int // returns the status for the n-th delivery, from 0; nil means 200
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	n := len(i.bodies)
	i.bodies, i.headers = append(i.bodies, body), append(i.headers, r.Header)
	i.mu.Unlock()
	if i.answer != nil {
		w.WriteHeader(i.answer(n))
	}
}

func (i *inbox) events(t *testing.T) []map[string]any {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	list := make([]map[string]any, len(i.bodies))
	for n, body := range i.bodies {
		require.NoError(t, json.Unmarshal(body, &list[n]), "%s", body)
	}
	return list
}

func (i *inbox) types(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, e := range i.events(t) {
		list = append(list, e["type"].(string))
	}
	return list
}

func flush(t *testing.T, s *ghltest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Flush(ctx))
}

func verified(s *ghltest.Server, h http.Header, body []byte) bool {
	signature, err := base64.StdEncoding.DecodeString(h.Get("X-GHL-Signature"))
	return err == nil && ed25519.Verify(s.WebhookPublicKey(), body, signature)
}

func verifiedLegacy(s *ghltest.Server, h http.Header, body []byte) bool {
	signature, err := base64.StdEncoding.DecodeString(h.Get("X-WH-Signature"))
	sum := sha256.Sum256(body)
	return err == nil && rsa.VerifyPKCS1v15(s.LegacyWebhookPublicKey(), crypto.SHA256, sum[:], signature) == nil
}

func keysOf(e map[string]any) []string {
	var list []string
	for key := range e {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// Every change through the API emits its events in the form of the vendor's samples.
func TestEvents(t *testing.T) {
	s, c := start(t)
	ctx, in := t.Context(), &inbox{}
	s.SubscribeHandler(in)
	seed := s.AddContact(ghl.Contact{FirstName: "Seed"})
	calendar := s.AddCalendar(ghl.Calendar{IsActive: true})
	app := s.AddApp(ghltest.App{})
	none := func() error { return nil }
	var contact *ghl.Contact
	var task *ghl.Task
	var note *ghl.Note
	var booked *ghl.Appointment
	envelope := []string{"appId", "locationId", "timestamp", "type", "versionId", "webhookId"}
	person := []string{"assignedTo", "attachments", "customFields", "dateAdded", "dnd", "email", "firstName", "id",
		"lastName", "name", "tags"}
	for _, step := range []struct {
		name  string
		do    func() error
		types []string
		keys  []string // of the first event without the envelope; nil means any
	}{
		{"seeds are no change", none, nil, nil},
		{"contact created", func() (err error) {
			contact, err = c.Contacts.Create(ctx, &ghl.ContactCreate{
				FirstName: "Ada", LastName: "Love", Email: "ada@example.com", AssignedTo: "u", Tags: []string{"A"},
			})
			return err
		}, []string{"ContactCreate"}, person},
		{"updated", func() error {
			_, err := c.Contacts.Update(ctx, contact.ID, &ghl.ContactUpdate{FirstName: ghl.Some("Eda")})
			return err
		}, []string{"ContactUpdate"}, person},
		{"updated with tags and DND", func() error {
			_, err := c.Contacts.Update(ctx, contact.ID, &ghl.ContactUpdate{
				Tags: ghl.Some([]string{"b"}), DND: ghl.Some(true),
			})
			return err
		}, []string{"ContactUpdate", "ContactTagUpdate", "ContactDndUpdate"}, person},
		{"upserted, new", func() error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("new@example.com")})
			return err
		}, []string{"ContactCreate"}, nil},
		{"upserted, known", func() error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{
				Email: ghl.Some("new@example.com"), City: ghl.Some("Rome"),
			})
			return err
		}, []string{"ContactUpdate"}, nil},
		{"tags", func() error { _, err := c.Tags.Add(ctx, contact.ID, []string{"c"}); return err }, []string{"ContactTagUpdate"}, person},
		{"the same tags", func() error { _, err := c.Tags.Add(ctx, contact.ID, []string{"c"}); return err }, nil, nil},
		{"bulk tags", func() error {
			_, err := c.Tags.BulkUpdate(ctx, &ghl.BulkTags{
				Type: ghl.BulkAdd, ContactIDs: []string{contact.ID, seed.ID}, Tags: []string{"d"},
			})
			return err
		}, []string{"ContactTagUpdate", "ContactTagUpdate"}, nil},
		{"business", func() error {
			_, err := c.Contacts.SetBusiness(ctx, &ghl.BusinessUpdate{
				ContactIDs: []string{contact.ID}, BusinessID: "b",
			})
			return err
		}, []string{"ContactUpdate"}, nil},
		{"followers", func() error { _, err := c.Followers.Add(ctx, contact.ID, []string{"u"}); return err }, []string{"ContactUpdate"}, nil},
		{"task", func() (err error) {
			task, err = c.Tasks.Create(ctx, contact.ID, &ghl.TaskCreate{Title: "T", Body: "B", DueDate: noon})
			return err
		}, []string{"TaskCreate"}, []string{"body", "contactId", "dateAdded", "dueDate", "id", "title"}},
		{"an edited task has no event", func() error {
			_, err := c.Tasks.Update(ctx, contact.ID, task.ID, &ghl.TaskUpdate{Title: ghl.Some("U")})
			return err
		}, nil, nil},
		{"completed", func() error { _, err := c.Tasks.SetCompleted(ctx, contact.ID, task.ID, true); return err }, []string{"TaskComplete"},
			[]string{"body", "contactId", "dateAdded", "dueDate", "id", "title"}},
		{"completed again", func() error { _, err := c.Tasks.SetCompleted(ctx, contact.ID, task.ID, true); return err }, nil, nil},
		{"task deleted", func() error { return c.Tasks.Delete(ctx, contact.ID, task.ID) }, []string{"TaskDelete"}, nil},
		{"note", func() (err error) {
			note, err = c.Notes.Create(ctx, contact.ID, &ghl.NoteCreate{Body: "N", UserID: "u"})
			return err
		}, []string{"NoteCreate"}, []string{"body", "contactId", "dateAdded", "id"}},
		{"note updated", func() error {
			_, err := c.Notes.Update(ctx, contact.ID, note.ID, &ghl.NoteUpdate{Body: ghl.Some("M")})
			return err
		}, []string{"NoteUpdate"}, nil},
		{"note deleted", func() error { return c.Notes.Delete(ctx, contact.ID, note.ID) }, []string{"NoteDelete"}, nil},
		{"appointment", func() (err error) {
			booked, err = c.Appointments.Create(ctx, &ghl.AppointmentCreate{
				CalendarID: calendar.ID, ContactID: contact.ID, StartTime: noon.Add(3 * time.Hour),
			})
			return err
		}, []string{"AppointmentCreate"}, []string{"appointment"}},
		{"appointment updated", func() error {
			_, err := c.Appointments.Update(ctx, booked.ID, &ghl.AppointmentUpdate{Title: ghl.Some("T")})
			return err
		}, []string{"AppointmentUpdate"}, []string{"appointment"}},
		{"a blocked slot is no appointment", func() error {
			_, err := c.Calendars.Block(ctx, &ghl.BlockSlot{
				CalendarID: calendar.ID, StartTime: noon.Add(5 * time.Hour), EndTime: noon.Add(6 * time.Hour),
			})
			return err
		}, nil, nil},
		{"appointment deleted", func() error { return c.Appointments.Delete(ctx, booked.ID) }, []string{"AppointmentDelete"}, nil},
		{"contact deleted", func() error { return c.Contacts.Delete(ctx, contact.ID) }, []string{"ContactDelete"}, nil},
		{"a refused change is none", func() error { _ = c.Contacts.Delete(ctx, contact.ID); return nil }, nil, nil},
		{"installed", func() error { s.Install(app, ""); return nil }, []string{"INSTALL"},
			[]string{"companyId", "companyName", "installType", "isWhitelabelCompany", "userId", "whitelabelDetails"}},
		{"uninstalled", func() error { s.Uninstall(app, ""); return nil }, []string{"UNINSTALL"}, []string{}},
	} {
		t.Run(step.name, func(t *testing.T) {
			before := len(in.events(t))
			require.NoError(t, step.do())
			flush(t, s)
			events := in.events(t)[before:]
			var types []string
			for _, e := range events {
				types = append(types, e["type"].(string))
				require.Equal(t, "2026-03-02T13:00:00.000Z", e["timestamp"])
				require.Len(t, e["webhookId"], 36)
				require.NotEmpty(t, e["appId"])
			}
			require.Equal(t, step.types, types)
			if step.keys != nil {
				require.ElementsMatch(t, append(slices.Clone(envelope), step.keys...), keysOf(events[0]))
				require.Equal(t, s.LocationID(), events[0]["locationId"])
			}
		})
	}
	for i, body := range in.bodies {
		require.True(t, verified(s, in.headers[i], body))
		require.Empty(t, in.headers[i].Values("X-WH-Signature"))
	}
	require.Len(t, s.Deliveries(), len(in.bodies))
}

func TestShapesOnRequest(t *testing.T) {
	s, c := start(t)
	plain, odd, nested, some := &inbox{}, &inbox{}, &inbox{}, &inbox{}
	s.SubscribeHandler(plain)
	s.SubscribeHandler(odd, ghltest.BareTaskCreate(), ghltest.FlatAppointments(), ghltest.MistypedAppointments(),
		ghltest.ForApp("myapp", "v7"))
	s.SubscribeHandler(nested, ghltest.NestedRecords(), nil)
	s.SubscribeHandler(some, ghltest.Events(ghltest.TaskDelete, ghltest.NoteCreate))
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	booked := s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(noon)})
	_, err := c.Tasks.Create(t.Context(), ada.ID, &ghl.TaskCreate{Title: `say "hi" <b>`, Body: "B", DueDate: noon})
	require.NoError(t, err)
	require.NoError(t, c.Appointments.Delete(t.Context(), booked.ID))
	_, err = c.Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "N"})
	require.NoError(t, err)
	flush(t, s)

	require.Equal(t, []string{"TaskCreate", "AppointmentDelete", "NoteCreate"}, plain.types(t))
	require.Equal(t, `say "hi" <b>`, plain.events(t)[0]["title"])
	require.Equal(t, booked.ID, plain.events(t)[1]["appointment"].(map[string]any)["id"])

	task := odd.events(t)[0]
	require.NotContains(t, task, "body")
	require.NotContains(t, task, "contactId")
	require.Equal(t, "myapp", task["appId"])
	require.Equal(t, "v7", task["versionId"])
	require.Equal(t, plain.events(t)[0]["webhookId"], task["webhookId"], "one event, two subscribers")
	require.Equal(t, "AppointmentCreate", odd.events(t)[1]["type"])
	require.Equal(t, booked.ID, odd.events(t)[1]["id"])

	require.Equal(t, ada.ID, nested.events(t)[0]["data"].(map[string]any)["contactId"])
	require.Equal(t, []string{"NoteCreate"}, some.types(t))
}

func TestDeliveriesOverLoopback(t *testing.T) {
	s, c := start(t)
	in := &inbox{}
	receiver := httptest.NewServer(in)
	defer receiver.Close()
	s.Subscribe(receiver.URL+"/hooks", ghltest.Signatures(ghltest.Signed, ghltest.Signed))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	require.Equal(t, []string{"ContactCreate"}, in.types(t))
	require.True(t, verified(s, in.headers[0], in.bodies[0]))
	require.True(t, verifiedLegacy(s, in.headers[0], in.bodies[0]))
	require.Equal(t, "application/json", in.headers[0].Get("Content-Type"))

	d := s.Deliveries()[0]
	require.Equal(t, in.bodies[0], d.Body)
	require.True(t, d.Accepted())
	require.Equal(t, 1, d.Attempts)
	require.Equal(t, s.LocationID(), d.LocationID)

	receiver.Close()
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Bo"})
	require.NoError(t, err)
	flush(t, s)
	d = s.Deliveries()[1]
	require.Zero(t, d.Status)
	require.NotEmpty(t, d.Error, "the receiver is closed")
}

func TestSignatures(t *testing.T) {
	s, c := start(t)
	for name, test := range map[string]struct {
		current, legacy ghltest.Signature
		want, wantOld   string // "" absent, "N/A", "good", "bad"
	}{
		"none":   {ghltest.Absent, ghltest.Absent, "", ""},
		"N/A":    {ghltest.NotAvailable, ghltest.NotAvailable, "N/A", "N/A"},
		"legacy": {ghltest.NotAvailable, ghltest.Signed, "N/A", "good"},
		"forged": {ghltest.Forged, ghltest.Forged, "bad", "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &inbox{}
			defer s.SubscribeHandler(in, ghltest.Signatures(test.current, test.legacy)).Cancel()
			_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
			require.NoError(t, err)
			flush(t, s)
			got := func(header string, good func(*ghltest.Server, http.Header, []byte) bool) string {
				values := in.headers[0].Values(header)
				switch {
				case len(values) == 0:
					return ""
				case values[0] == "N/A":
					return "N/A"
				case good(s, in.headers[0], in.bodies[0]):
					return "good"
				}
				return "bad"
			}
			require.Equal(t, test.want, got("X-GHL-Signature", verified))
			require.Equal(t, test.wantOld, got("X-WH-Signature", verifiedLegacy))
		})
	}
}

func TestKeysAreTheServersOwn(t *testing.T) {
	s, other := ghltest.Start(t), ghltest.Start(t)
	require.NotEqual(t, s.WebhookPublicKey(), other.WebhookPublicKey())
	body := []byte(`{"type":"Mine"}`)
	require.True(t, verified(s, s.Sign(body), body))
	require.False(t, verified(s, s.Sign(body), []byte(`{"type":"mine"}`)))
	require.False(t, verified(other, s.Sign(body), body))
	require.True(t, verifiedLegacy(s, s.SignLegacy(body), body))

	for text, want := range map[string]any{s.WebhookPublicKeyPEM(): s.WebhookPublicKey(),
		s.LegacyWebhookPublicKeyPEM(): s.LegacyWebhookPublicKey()} {
		block, rest := pem.Decode([]byte(text))
		require.Empty(t, rest)
		require.Equal(t, "PUBLIC KEY", block.Type)
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		require.NoError(t, err)
		require.Equal(t, want, key)
	}
}

func TestRedelivery(t *testing.T) {
	var now atomic.Int64
	now.Store(noon.UnixMilli())
	s := ghltest.Start(t, ghltest.WithClock(func() time.Time { return time.UnixMilli(now.Load()) }))
	c := clientOf(t, s)
	in := &inbox{answer: func(n int) int { return []int{429, 500, 302, 200}[min(n, 3)] }}
	s.SubscribeHandler(in, ghltest.Redelivery(10*time.Minute, 10*time.Minute, time.Hour))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	d := s.Deliveries()[0]
	require.Equal(t, 429, d.Status)
	require.True(t, d.Next.Equal(noon.Add(10*time.Minute)))
	flush(t, s)
	require.Len(t, in.bodies, 1, "the delivery is not due yet")

	now.Add((10 * time.Minute).Milliseconds())
	flush(t, s)
	require.Len(t, in.bodies, 2)
	s.Advance(10 * time.Minute)
	flush(t, s)
	require.Len(t, in.bodies, 3)

	require.Equal(t, 1, s.Redeliver(), "Redeliver does not wait for the hour")
	require.Zero(t, s.Redeliver())
	flush(t, s)
	require.Len(t, in.bodies, 4)
	for _, body := range in.bodies {
		require.Equal(t, in.bodies[0], body, "webhookId and timestamp are those of the first attempt")
	}
	d = s.Deliveries()[0]
	require.Equal(t, []any{4, 200, true, true}, []any{d.Attempts, d.Status, d.Next.IsZero(), d.Accepted()})
}

func TestRedeliveryEnds(t *testing.T) {
	s, c := start(t)
	never := &inbox{answer: func(int) int { return 500 }}
	s.SubscribeHandler(never)
	only429 := &inbox{answer: func(n int) int { return 429 + 71*n }}
	s.SubscribeHandler(only429, ghltest.RedeliverOnly429())
	none := &inbox{answer: func(int) int { return 500 }}
	s.SubscribeHandler(none, ghltest.Redelivery())
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	for range 20 {
		flush(t, s)
		s.Redeliver()
	}
	flush(t, s)
	require.Len(t, never.bodies, 7, "one attempt and six repetitions")
	require.Len(t, only429.bodies, 2, "a 500 is not repeated")
	require.Len(t, none.bodies, 1)
}

// A handler without an answer does not stop the worker.
func TestHandlersThatDoNotAnswer(t *testing.T) {
	s, c := start(t)
	var calls atomic.Int32
	s.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			panic("oops")
		case 2:
			require.Fail(noTest{}, "ends this goroutine")
		case 3:
			<-r.Context().Done() // after the timeout
		case 4:
			_, _ = w.Write([]byte("ok"))
		}
	}), ghltest.DeliveryTimeout(50*time.Millisecond), ghltest.Redelivery())
	for range 4 {
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
		require.NoError(t, err)
	}
	flush(t, s)
	var errs []string
	for _, d := range s.Deliveries() {
		errs = append(errs, d.Error)
	}
	require.Equal(t, []string{"the handler panicked: oops", "the handler ended its goroutine",
		"context deadline exceeded", ""}, errs)
	require.Equal(t, 200, s.Deliveries()[3].Status)
}

type noTest struct{}

func (noTest) Errorf(string, ...any) {}
func (noTest) FailNow()              { runtime.Goexit() }

func TestFaultyDeliveries(t *testing.T) {
	for name, test := range map[string]struct {
		faults ghltest.DeliveryFaults
		opts   []ghltest.SubscribeOption
		want   []string // the first names in the order of the deliveries
		bad    int      // the number of deliveries without a valid signature
		marks  string   // the faults of the first delivery
	}{
		"none":        {ghltest.DeliveryFaults{}, nil, []string{"A", "B", "C", "D"}, 0, ""},
		"lost":        {ghltest.DeliveryFaults{Lose: ghltest.First(2)}, nil, []string{"C", "D"}, 0, "lost"},
		"all lost":    {ghltest.DeliveryFaults{Lose: ghltest.Always()}, nil, nil, 0, "lost"},
		"duplicated":  {ghltest.DeliveryFaults{Duplicate: ghltest.First(1)}, nil, []string{"A", "A", "B", "C", "D"}, 0, ""},
		"reordered":   {ghltest.DeliveryFaults{Reorder: ghltest.First(1)}, nil, []string{"B", "A", "C", "D"}, 0, "reordered"},
		"all swapped": {ghltest.DeliveryFaults{Reorder: ghltest.Always()}, nil, []string{"B", "A", "D", "C"}, 0, "reordered"},
		"delayed":     {ghltest.DeliveryFaults{Delay: ghltest.First(1), DelayBy: time.Minute}, nil, []string{"B", "C", "D", "A"}, 0, "delayed"},
		"forged":      {ghltest.DeliveryFaults{Forge: ghltest.First(1)}, nil, []string{"A", "B", "C", "D"}, 1, "forged"},
		"unsigned":    {ghltest.DeliveryFaults{Unsign: ghltest.First(3)}, nil, []string{"A", "B", "C", "D"}, 3, "unsigned"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t)
			in := &inbox{}
			s.SubscribeHandler(in, append(test.opts, ghltest.WithDeliveryFaults(test.faults))...)
			for _, name := range []string{"A", "B", "C", "D"} {
				_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: name})
				require.NoError(t, err)
			}
			flush(t, s)
			s.Redeliver()
			flush(t, s)
			var names []string
			bad := 0
			for i, e := range in.events(t) {
				names = append(names, e["firstName"].(string))
				if !verified(s, in.headers[i], in.bodies[i]) {
					bad++
				}
			}
			require.Equal(t, test.want, names)
			require.Equal(t, test.bad, bad)
			marks := s.Deliveries()[0].Faults
			if test.marks == "" {
				require.Empty(t, marks)
			} else {
				require.Equal(t, []string{test.marks}, marks)
			}
			if name == "duplicated" {
				require.Equal(t, in.bodies[0], in.bodies[1])
				require.Equal(t, []string{"duplicate"}, s.Deliveries()[1].Faults)
			}
		})
	}
}

// The same seed gives the same faults.
func TestChancesHaveASeed(t *testing.T) {
	run := func(seed uint64) []string {
		s, c := start(t)
		in := &inbox{}
		s.SubscribeHandler(in, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Seed: seed, Lose: ghltest.Chance(0.5),
			Duplicate: ghltest.Chance(0.3)}))
		for i := range 30 {
			_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: string(rune('A' + i))})
			require.NoError(t, err)
		}
		flush(t, s)
		var names []string
		for _, e := range in.events(t) {
			names = append(names, e["firstName"].(string))
		}
		return names
	}
	first := run(1)
	require.NotEmpty(t, first)
	require.Equal(t, first, run(1))
	require.NotEqual(t, first, run(2))
}

func TestCloseEndsDeliveries(t *testing.T) {
	s, err := ghltest.New()
	require.NoError(t, err)
	entered := make(chan struct{})
	s.SubscribeHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), ghltest.DeliveryTimeout(time.Hour))
	c := clientOf(t, s)
	for range 3 {
		_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
		require.NoError(t, err)
	}
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Flush(ctx), context.Canceled)
	waiting := make(chan error)
	go func() { waiting <- s.Flush(context.Background()) }()
	require.NoError(t, s.Close())
	const closed = "ghltest: Flush: the server was closed before every delivery was sent"
	require.EqualError(t, <-waiting, closed)
	require.EqualError(t, s.Flush(t.Context()), closed)
	require.NoError(t, s.Close())
	require.PanicsWithValue(t, "ghltest: SubscribeHandler: the server is closed",
		func() { s.SubscribeHandler(&inbox{}) })
}

// A redelivery is sent on time without a call that moves the clock.
func TestRedeliveryByTheRealClock(t *testing.T) {
	s := ghltest.Start(t)
	c := clientOf(t, s)
	came := make(chan []byte)
	var calls atomic.Int32
	s.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		came <- body
	}), ghltest.Redelivery(20*time.Millisecond))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	require.Equal(t, <-came, <-came)
}

// Closed servers with subscribers and faults leave no goroutines.
func TestClosedServersLeaveNoGoroutines(t *testing.T) {
	errs := make(chan error)
	const servers = 6
	for range servers {
		go func() {
			errs <- func() error {
				s, err := ghltest.New()
				if err != nil {
					return err
				}
				in := &inbox{answer: func(n int) int { return 200 + n%2*229 }}
				receiver := httptest.NewServer(in)
				defer receiver.Close()
				s.Subscribe(receiver.URL,
					ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Duplicate: ghltest.Chance(0.3),
						Reorder: ghltest.Chance(0.3)}))
				s.SubscribeHandler(in)
				s.Fail(ghltest.Fault{Kind: fault.InternalServerError(), Chance: 0.2})
				s.Fail(ghltest.Fault{Kind: fault.CutBody(), Chance: 0.2})
				s.Fail(ghltest.Fault{Kind: fault.NumbersAsStrings()})
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				c, err := ghl.New(append(s.ClientOptions(), patient,
					ghl.WithHTTPClient(&http.Client{Transport: transport}))...)
				if err != nil {
					return err
				}
				for range 20 {
					_, _ = c.Contacts.Create(context.Background(), &ghl.ContactCreate{FirstName: "Ada"})
				}
				if err := s.Flush(context.Background()); err != nil {
					return err
				}
				s.Redeliver()
				return s.Close()
			}()
		}()
	}
	for range servers {
		require.NoError(t, <-errs)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, left := range []string{"ghltest.(*Subscription)", "ghltest.(*hooks)", "ghltest.(*Server)", "ghltest.New"} {
		require.NotContains(t, string(stacks), left)
	}
}

func TestCancelledSubscription(t *testing.T) {
	s, c := start(t)
	in := &inbox{answer: func(int) int { return 429 }}
	sub := s.SubscribeHandler(in)
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	sub.Cancel()
	sub.Cancel()
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Bo"})
	require.NoError(t, err)
	require.Zero(t, s.Redeliver())
	flush(t, s)
	require.Len(t, in.bodies, 1)
	require.Equal(t, s.Deliveries(), sub.Deliveries())
	require.Len(t, s.Deliveries(), 1)
}

// A subscriber may call the API, and its changes are delivered too.
func TestASubscriberThatWritesBack(t *testing.T) {
	s, c := start(t)
	var in inbox
	s.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		in.ServeHTTP(w, r)
		var e struct{ Type, ID string }
		if json.Unmarshal(body, &e) == nil && e.Type == "ContactCreate" {
			_, _ = c.Tags.Add(r.Context(), e.ID, []string{"seen"})
		}
	}))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	require.Equal(t, []string{"ContactCreate", "ContactTagUpdate"}, in.types(t))
}

func TestWrongSubscriptions(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	for want, subscribe := range map[string]func(){
		`Subscribe: "https://example.com/x" is not a URL on this machine`: func() { s.Subscribe("https://example.com/x") },
		`Subscribe: "nowhere" is not a URL on this machine`:               func() { s.Subscribe("nowhere") },
		`SubscribeHandler: the handler is nil`:                            func() { s.SubscribeHandler(nil) },
		`SubscribeHandler: Events: unknown event "TaskUpdate"`:            func() { s.SubscribeHandler(&inbox{}, ghltest.Events("TaskUpdate")) },
		`SubscribeHandler: DeliveryTimeout: the timeout must be positive`: func() { s.SubscribeHandler(&inbox{}, ghltest.DeliveryTimeout(0)) },
		`SubscribeHandler: Redelivery: a wait must not be negative`:       func() { s.SubscribeHandler(&inbox{}, ghltest.Redelivery(-1)) },
		`SubscribeHandler: Signatures: unknown Signature`:                 func() { s.SubscribeHandler(&inbox{}, ghltest.Signatures(9, 0)) },
		`SubscribeHandler: WithDeliveryFaults: Lose must be a count of at least 0 or a chance between 0 and 1`: func() {
			s.SubscribeHandler(&inbox{}, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Lose: ghltest.Chance(2)}))
		},
		`SubscribeHandler: WithDeliveryFaults: Delay needs DelayBy`: func() {
			s.SubscribeHandler(&inbox{}, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Delay: ghltest.First(1)}))
		},
		`SubscribeHandler: WithDeliveryFaults: DelayBy needs Delay`: func() {
			s.SubscribeHandler(&inbox{}, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{DelayBy: time.Second}))
		},
		`SubscribeHandler: NestedRecords and FlatAppointments cannot be used together`: func() {
			s.SubscribeHandler(&inbox{}, ghltest.FlatAppointments(), ghltest.NestedRecords())
		},
	} {
		require.PanicsWithValue(t, "ghltest: "+want, subscribe)
	}
	require.NoError(t, s.Close())

	f := &failingTest{}
	require.Nil(t, ghltest.Start(f).Subscribe("nowhere"))
	require.Contains(t, f.failed, "is not a URL on this machine")
	require.Contains(t, f.helpers, "github.com/pluvo/ghl/ghltest.(*Server).Subscribe")
	f.cleanups[0]()
}
