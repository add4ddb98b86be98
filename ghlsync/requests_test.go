package ghlsync_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// fromSync marks the requests of the Syncer, so that a test can tell them from those of its own client.
func fromSync(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("X-Test-Sync", "1")
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// asked returns the operations that the Syncer has called since the last reset.
func asked(server *ghltest.Server) (operations []string) {
	for _, r := range server.Requests() {
		if r.Header.Get("X-Test-Sync") != "" {
			operations = append(operations, r.Operation)
		}
	}
	return operations
}

// pair is a contact that is linked with a task, a note and an appointment.
type pair struct {
	t                       testing.TB
	ctx                     context.Context
	sync                    *ghlsync.Syncer
	server                  *ghltest.Server
	client                  *ghl.Client
	contact                 string
	task, note, appointment string
}

func newPair(t *testing.T, address string) *pair {
	server := ghltest.Start(t)
	c := config(t, address, server)
	c.ReconcileInterval, c.CompareInterval = -1, -1
	c.Settle = time.Millisecond // a deletion is believed at once
	c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, ghl.WithMiddleware(fromSync))
	s := start(t, c)
	subscribe(t, s, server)
	p := &pair{t: t, ctx: t.Context(), sync: s, server: server, client: clientOf(t, server)}
	contact, err := p.client.Contacts.Create(p.ctx, &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com",
		Phone: "+14155550100", Tags: []string{"new"}})
	require.NoError(t, err)
	p.contact = contact.ID
	task, err := p.client.Tasks.Create(p.ctx, p.contact, &ghl.TaskCreate{Title: "Call", DueDate: tomorrow()})
	require.NoError(t, err)
	note, err := p.client.Notes.Create(p.ctx, p.contact, &ghl.NoteCreate{Body: "Asked for Ada"})
	require.NoError(t, err)
	p.task, p.note, p.appointment = task.ID, note.ID, addVisit(server, p.contact).ID
	require.NoError(t, s.Touch(p.ctx, server.LocationID(), p.contact))
	quiet(t, s, server)
	full := p.full()
	require.Len(t, full.Records(), 4)
	server.ResetRequests()
	return p
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour).Truncate(time.Minute) }

func (p *pair) full() *pluvo.FullContact {
	p.t.Helper()
	full, err := p.sync.Pluvo().Full(p.ctx, p.contact)
	require.NoError(p.t, err)
	return full
}

func (p *pair) put(r pluvo.Record) error {
	_, err := p.sync.Pluvo().Put(p.ctx, r, pluvo.AnyVersion)
	p.sync.PluvoChanged()
	return err
}

// TestRequestsOfAChange: a change on either side of a linked contact costs as few requests as it can, with the
// deliveries that it causes.
func TestRequestsOfAChange(t *testing.T) {
	visit := func(p *pair, title string) *ghl.AppointmentUpdate {
		return &ghl.AppointmentUpdate{Title: ghl.Some(title), AppointmentStatus: ghl.Some(ghl.AppointmentConfirmed)}
	}
	for _, c := range []struct {
		name   string
		change func(p *pair) error
		asks   string
		shows  func(f *pluvo.FullContact) bool
	}{
		{"contact updated in HighLevel", func(p *pair) error {
			_, err := p.client.Contacts.Update(p.ctx, p.contact, &ghl.ContactUpdate{LastName: ghl.Some("L")})
			return err
		}, "contacts.get", func(f *pluvo.FullContact) bool { return f.Contact.LastName == "L" }},
		{"tags changed in HighLevel", func(p *pair) error {
			_, err := p.client.Tags.Add(p.ctx, p.contact, []string{"vip"})
			return err
		}, "contacts.get", func(f *pluvo.FullContact) bool { return slices.Contains(f.Contact.Tags, "vip") }},
		{"task created in HighLevel", func(p *pair) error {
			_, err := p.client.Tasks.Create(p.ctx, p.contact, &ghl.TaskCreate{Title: "B", DueDate: tomorrow()})
			return err
		}, "tasks.list", func(f *pluvo.FullContact) bool { return len(f.Tasks) == 2 }},
		{"task completed in HighLevel", func(p *pair) error {
			_, err := p.client.Tasks.SetCompleted(p.ctx, p.contact, p.task, true)
			return err
		}, "tasks.list", func(f *pluvo.FullContact) bool { return f.Tasks[0].Completed }},
		{"task deleted in HighLevel", func(p *pair) error { return p.client.Tasks.Delete(p.ctx, p.contact, p.task) },
			"tasks.list", func(f *pluvo.FullContact) bool { return len(f.Tasks) == 0 }},
		{"note created in HighLevel", func(p *pair) error {
			_, err := p.client.Notes.Create(p.ctx, p.contact, &ghl.NoteCreate{Body: "B"})
			return err
		}, "notes.list", func(f *pluvo.FullContact) bool { return len(f.Notes) == 2 }},
		{"note updated in HighLevel", func(p *pair) error {
			_, err := p.client.Notes.Update(p.ctx, p.contact, p.note, &ghl.NoteUpdate{Body: ghl.Some("B")})
			return err
		}, "notes.list", func(f *pluvo.FullContact) bool { return f.Notes[0].Content == "B" }},
		{"note deleted in HighLevel", func(p *pair) error { return p.client.Notes.Delete(p.ctx, p.contact, p.note) },
			"notes.list", func(f *pluvo.FullContact) bool { return len(f.Notes) == 0 }},
		{"appointment updated in HighLevel", func(p *pair) error {
			_, err := p.client.Appointments.Update(p.ctx, p.appointment, visit(p, "B"))
			return err
		}, "appointments.listForContact", func(f *pluvo.FullContact) bool { return f.Appointments[0].Title == "B" }},
		{"appointment deleted in HighLevel",
			func(p *pair) error { return p.client.Appointments.Delete(p.ctx, p.appointment) },
			"appointments.listForContact", func(f *pluvo.FullContact) bool { return len(f.Appointments) == 0 }},

		{"contact updated in Pluvo", func(p *pair) error {
			c := p.full().Contact
			c.LastName = "P"
			return p.put(&c)
		}, "contacts.get contacts.update", nil},
		{"task created in Pluvo", func(p *pair) error {
			return p.put(&pluvo.Task{ID: "t2", ContactID: p.contact, Title: "P", Status: pluvo.TaskOpen,
				DueDate: tomorrow()})
		}, "tasks.create", nil},
		{"task completed in Pluvo", func(p *pair) error {
			task := p.full().Tasks[0]
			task.Completed = true
			return p.put(&task)
		}, "tasks.list tasks.update", nil},
		{"task deleted in Pluvo", func(p *pair) error {
			task := p.full().Tasks[0]
			defer p.sync.PluvoChanged()
			return p.sync.Pluvo().Delete(p.ctx, pluvo.KindTask, task.ID, pluvo.AnyVersion)
		}, "tasks.list tasks.delete", nil},
		{"note created in Pluvo", func(p *pair) error {
			return p.put(&pluvo.Note{ID: "n2", ContactID: p.contact, Content: "P"})
		}, "notes.create", nil},
		{"note updated in Pluvo", func(p *pair) error {
			note := p.full().Notes[0]
			note.Content = "P"
			return p.put(&note)
		}, "notes.list notes.update", nil},
		{"appointment updated in Pluvo", func(p *pair) error {
			a := p.full().Appointments[0]
			a.Title = "P"
			return p.put(&a)
		}, "appointments.listForContact appointments.update", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				p := newPair(t, address)
				require.NoError(t, c.change(p))
				p.sync.PluvoChanged()
				eventually(t, "the sync has called HighLevel", func() bool {
					return len(asked(p.server)) == len(strings.Fields(c.asks))
				})
				quiet(t, p.sync, p.server)
				require.Equal(t, strings.Fields(c.asks), asked(p.server))
				if c.shows != nil {
					require.True(t, c.shows(p.full()), "Pluvo has the change")
				}
			})
		})
	}
}
