package ghlsync_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghlsync/internal/tokens"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/webhook"
)

var tokenKey = []byte(strings.Repeat("k", 32))

// changes returns the number of changes that the load makes, from GHLSYNC_CHANGES or 400, and the number of contacts.
func changes() (changes, contacts int) {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_CHANGES")); err == nil {
		return n, max(n/40, 1)
	}
	return 400, 20
}

// watcher is a proxy before HighLevel that finds two processes that work on the location at once: no request of one
// may be under way while one of another is.
type watcher struct {
	http.Handler
	mu       sync.Mutex
	underWay map[string]int // requests, by process
	overlaps int
	asked    int
	refused  int
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	who := r.UserAgent()
	ours := strings.HasPrefix(r.URL.Path, "/contacts/") && strings.HasPrefix(who, "process")
	if ours {
		w.mu.Lock()
		for other, n := range w.underWay {
			if other != who && n > 0 {
				w.overlaps++
			}
		}
		w.underWay[who]++
		w.mu.Unlock()
	}
	sw := &statusWriter{ResponseWriter: rw, status: http.StatusOK}
	w.Handler.ServeHTTP(sw, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if ours {
		w.underWay[who]--
	}
	if strings.HasPrefix(who, "process") {
		w.asked++
		if sw.status == http.StatusTooManyRequests {
			w.refused++
		}
	}
}

// TestLoad: four processes on PostgreSQL, or one on SQLite, sync many changes of HighLevel within its limits while
// tokens expire.
func TestLoad(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		processes := 4
		if d.SQLite() != nil {
			processes = 1
		}
		changes, contacts := changes()
		// A few changes settle within seconds, 20,000 changes within minutes. A quarter of them may wait when a token
		// expires.
		within := max(time.Minute, time.Duration(changes)*30*time.Millisecond)
		if processes == 1 {
			changes /= 4
		}
		server := ghltest.Start(t, ghltest.WithLimits(ghltest.Limits{Requests: 1500, Interval: time.Second,
			Daily: 100_000_000}))
		w := &watcher{Handler: server.Handler(), underWay: map[string]int{}}
		front := httptest.NewServer(w)
		defer front.Close()

		known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://example.com/callback"}})
		token := server.Install(known, server.LocationID())
		store, err := tokens.New(d, tokens.Options{Keys: [][]byte{tokenKey}})
		require.NoError(t, err)
		_, err = store.Update(t.Context(), oauth.LocationKey(server.LocationID()),
			func(context.Context, *ghl.Token) (*ghl.Token, error) { return &token, nil })
		require.NoError(t, err)

		to := &receivers{addresses: make([]string, processes)}
		for i := range processes {
			p := dbtest.Start(t, "load", address, front.URL, server.LocationID(), known.ClientID, known.ClientSecret,
				base64.StdEncoding.EncodeToString(server.WebhookPublicKey()), fmt.Sprint("process", i))
			to.addresses[i] = p.Line(t)
			go func() {
				for range p.Lines() { // so that the child can print
				}
			}()
		}
		server.SubscribeHandler(to)

		people := clientOf(t, server, unlimited)
		ids := make([]string, contacts)
		for i := range ids {
			contact := &ghl.ContactCreate{FirstName: fmt.Sprint("c", i), Email: fmt.Sprintf("c%d@example.com", i)}
			c, err := people.Contacts.Create(t.Context(), contact)
			require.NoError(t, err)
			ids[i] = c.ID
		}
		began, refreshes := time.Now(), 0
		var wg sync.WaitGroup
		work := make(chan int, 4)
		for range 4 {
			wg.Go(func() {
				for n := range work {
					id := ids[rand.New(rand.NewPCG(uint64(n), 1)).IntN(contacts)]
					update := &ghl.ContactUpdate{LastName: ghl.Some(fmt.Sprint("n", n))}
					_, err := people.Contacts.Update(context.Background(), id, update,
						ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 10}))
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for n := range changes {
			// Once: the clock of the processes does not move, so a process that was idle during two expiries would take
			// the token of the first one, which looks valid, for good.
			if n == changes/2 {
				settled(t, d, server, within)
				server.Advance(25 * time.Hour)
				refreshes++
			}
			work <- n
		}
		close(work)
		wg.Wait()
		settled(t, d, server, within)
		took := time.Since(began)

		pluvo := records.New(d)
		for _, id := range ids {
			theirs, ok := server.Contact(id)
			require.True(t, ok)
			ours, err := pluvo.Full(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, theirs.LastName, ours.Contact.LastName, "stale")
		}
		w.mu.Lock() // the last answers may still be counted
		defer w.mu.Unlock()
		require.Zero(t, w.overlaps, "two processes work on the location at once")
		require.Less(t, w.refused*50, w.asked, "fewer than one in 50 refused")
		require.Equal(t, refreshes, server.OAuthCounts().Refreshes, "one refresh at each expiry")
		require.Zero(t, server.OAuthCounts().Reuses)
		t.Logf("%d changes of %d contacts by %d processes in %s; %d requests, %d refused, %d refreshes",
			changes, contacts, processes, took.Round(time.Millisecond), w.asked, w.refused, refreshes)
	})
}

// loadRole is a process as in production, with an app that stores its tokens in the database. Its deliveries may have
// any timestamp, since the test moves the clock of HighLevel.
func loadRole(args []string) {
	address, server, location, id, secret, key, name := args[0], args[1], args[2], args[3], args[4], args[5], args[6]
	app, err := oauth.NewApp(oauth.Config{
		ClientID: id, ClientSecret: secret, RedirectURL: "https://example.com/callback",
		Scopes:  []ghl.Scope{ghl.ScopeContactsReadonly},
		BaseURL: server, UserAgent: name,
	})
	exitOn(err)
	serve(ghlsync.Config{
		Database: address, Webhooks: verifierOf(key), App: app, TokenKeys: [][]byte{tokenKey},
		Logger: slog.New(slog.DiscardHandler), Workers: 8, IndexLag: -1, // the fake has none
		WebhookOptions: []webhook.Option{webhook.WithReplayWindow(10_000*time.Hour, 10_000*time.Hour)},
		Locations:      []ghlsync.Location{{ID: location, TimeZone: "America/Chicago"}},
	})
}
