package ghlsync_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// imported returns how many contacts an import has, from GHLSYNC_IMPORT or 1,000.
func imported() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_IMPORT")); err == nil {
		return n
	}
	return 1000
}

// recorded are the deliveries of a server, which are not sent anywhere yet.
type recorded struct {
	mu   sync.Mutex
	list []delivery
}

// record collects the deliveries of a server from now on.
func record(server *ghltest.Server) *recorded {
	r := &recorded{}
	server.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.list = append(r.list, delivery{in.Header, body})
	}))
	return r
}

// send sends the deliveries, ten at a time, and forgets them.
func (r *recorded) send(t testing.TB, handler http.Handler) {
	r.mu.Lock()
	list := r.list
	r.list = nil
	r.mu.Unlock()
	var all sync.WaitGroup
	for part := range slices.Chunk(list, (len(list)+9)/10) {
		all.Go(func() {
			for _, d := range part {
				d.to(t, handler)
			}
		})
	}
	all.Wait()
}

// TestRequestsOfAnImport: an import of many contacts in HighLevel, whose deliveries arrive at once, is read with few
// requests, though searches lag behind.
func TestRequestsOfAnImport(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint("lag ", lag), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				server := ghltest.Start(t, ghltest.WithIndexLag(lag))
				c := config(t, address, server)
				c.ReconcileInterval, c.CompareInterval = -1, -1
				c.IndexLag = lag + 500*time.Millisecond
				if lag == 0 {
					c.IndexLag = -1
				}
				c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, ghl.WithMiddleware(fromSync))
				s := start(t, c)
				handler, err := s.WebhookHandler()
				require.NoError(t, err)
				sent := record(server)
				contacts := imported()
				client := clientOf(t, server, unlimited)
				for i := range contacts {
					_, err := client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: fmt.Sprint("c", i),
						Email: fmt.Sprintf("c%d@example.com", i)})
					require.NoError(t, err)
				}
				require.NoError(t, server.Flush(t.Context()))
				require.Len(t, sent.list, contacts)
				server.SetLimits(ghltest.PublishedLimits)
				began := time.Now()
				sent.send(t, handler)
				delivered := time.Since(began)
				require.Eventually(t, s.Quiet, 5*time.Minute, 20*time.Millisecond)
				took := time.Since(began)
				require.Equal(t, contacts, peopleIn(t, s))
				t.Logf("%d contacts: %d requests, %s, delivered in %s", contacts, len(asked(server)), took, delivered)
				require.LessOrEqual(t, len(asked(server)), contacts/40+20)
			})
		})
	}
}

// TestRequestsOfABurst: many events of all kinds about linked contacts, which arrive within a moment, cost a request for
// each contact with notes and few others.
func TestRequestsOfABurst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval, c.IndexLag = -1, -1, -1
		c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, ghl.WithMiddleware(fromSync))
		s := start(t, c)
		handler, err := s.WebhookHandler()
		require.NoError(t, err)
		client := clientOf(t, server, unlimited)
		contacts := max(imported()/25, 1)
		calendar := server.AddCalendar(ghl.Calendar{Name: "Talk"})
		var ids []string
		for i := range contacts {
			ids = append(ids, server.AddContact(ghl.Contact{FirstName: fmt.Sprint("c", i),
				Email: fmt.Sprintf("c%d@example.com", i), DateUpdated: timeOf(time.Now().Add(-time.Hour))}).ID)
			server.AddAppointment(ghl.Appointment{ContactID: ids[i], CalendarID: calendar.ID, Title: "visit",
				StartTime: timeOf(time.Now().Add(time.Duration(i) * time.Hour).Truncate(time.Hour))})
		}
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{}))
		sent := record(server)
		events := 5 * contacts
		for i := range events {
			id := ids[i/4%contacts]
			switch i % 4 {
			case 0:
				_, err = client.Contacts.Update(t.Context(), id, &ghl.ContactUpdate{LastName: ghl.Some(fmt.Sprint(i))})
			case 1:
				_, err = client.Tasks.Create(t.Context(), id, &ghl.TaskCreate{Title: fmt.Sprint(i), DueDate: tomorrow()})
			case 2:
				_, err = client.Notes.Create(t.Context(), id, &ghl.NoteCreate{Body: fmt.Sprint(i)})
			case 3:
				_, err = client.Appointments.Update(t.Context(), server.Appointments(id)[0].ID, &ghl.AppointmentUpdate{
					Title: ghl.Some(fmt.Sprint(i)), AppointmentStatus: ghl.Some(ghl.AppointmentConfirmed)})
			}
			require.NoError(t, err)
		}
		require.NoError(t, server.Flush(t.Context()))
		require.Len(t, sent.list, events)
		server.ResetRequests()
		server.SetLimits(ghltest.PublishedLimits)
		sent.send(t, handler)
		require.Eventually(t, s.Quiet, 5*time.Minute, 20*time.Millisecond)
		same(t, s, server, ids, true)
		counts := map[string]int{}
		for _, operation := range asked(server) {
			counts[operation]++
		}
		t.Logf("%d events about %d contacts: %d requests: %v", events, contacts, len(asked(server)), counts)
		require.LessOrEqual(t, len(asked(server)), contacts*5/4+4*queue.MaxSingle)
	})
}

// peopleIn counts the contacts of Pluvo.
func peopleIn(t testing.TB, s *ghlsync.Syncer) int {
	ids := map[string]bool{}
	for cursor, more := pluvo.Cursor(""), true; more; {
		page, err := s.Pluvo().Changes(context.Background(), cursor, 1000)
		require.NoError(t, err)
		for _, c := range page.Changes {
			if c.Kind == pluvo.KindContact && c.Record != nil {
				ids[c.ID] = true
			}
		}
		cursor, more = page.Next, page.More
	}
	return len(ids)
}
