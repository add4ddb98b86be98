package ghlsync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
)

// pager receives alerts and refuses the first few.
type pager struct {
	*httptest.Server
	mu      sync.Mutex
	refuse  int
	refused int
	got     []ghlsync.Alert
	texts   []string
}

func newPager(t testing.TB) *pager {
	p := &pager{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.refuse > 0 {
			p.refuse--
			p.refused++
			http.Error(w, "later", http.StatusBadGateway)
			return
		}
		var a struct {
			ghlsync.Alert
			Text string `json:"text"`
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &a) != nil || r.Header.Get("Idempotency-Key") != a.ID ||
			r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.got, p.texts = append(p.got, a.Alert), append(p.texts, a.Text)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pager) alerts() []ghlsync.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]ghlsync.Alert(nil), p.got...)
}

func (p *pager) config(t testing.TB, address string, server *ghltest.Server) ghlsync.Config {
	c := config(t, address, server)
	var err error
	c.Notifier, err = ghlsync.NewWebhookNotifier(p.URL+"/hook?key=verysecret", nil)
	require.NoError(t, err)
	return c
}

// TestOneAlert: a contact that can't be synced causes one alert although the receiver is down at first, and no second
// alert by another process, after a restart, or when the contact fails again.
func TestOneAlert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server, pager := ghltest.Start(t), newPager(t)
		pager.refuse = 1
		c := pager.config(t, address, server)
		s := start(t, c)
		ctx := t.Context()
		server.Fail(ghltest.Fault{Kind: fault.ValidationString("no: ada@example.com"), Operation: "contacts.create"})
		_, err := s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"},
			pluvo.NoVersion)
		require.NoError(t, err)
		s.PluvoChanged()
		eventually(t, "it is refused",
			func() bool { pager.mu.Lock(); defer pager.mu.Unlock(); return pager.refused == 1 })
		require.Equal(t, ghlsync.Degraded, s.Health(ctx).State)
		stop(t, s)
		require.Empty(t, pager.alerts())
		ghlsync.AlertsDue(t, address)

		others := 1
		if !strings.HasPrefix(address, "sqlite:") {
			others = 3
		}
		var next []*ghlsync.Syncer
		for range others {
			next = append(next, start(t, c))
		}
		eventually(t, "1 alert", func() bool { return len(pager.alerts()) == 1 })
		a := pager.alerts()[0]
		failures, err := next[0].Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Len(t, failures, 1)
		require.Equal(t, ghlsync.AlertContact, a.Kind)
		require.Equal(t, failures[0].ID, a.Failure)
		require.Equal(t, failures[0].Category, a.Category)
		require.Equal(t, server.LocationID(), a.Location)
		require.Equal(t, 1, a.Incidents)
		require.Contains(t, pager.texts[0], "has stopped: validation failed")
		require.NotContains(t, pager.texts[0], "ada@")

		require.NoError(t, next[0].Retry(ctx, failures[0].ID))
		eventually(t, "it fails again", func() bool {
			f, err := next[0].Failures(ctx, ghlsync.FailureFilter{})
			return err == nil && len(f) == 1 && f[0].Attempts == 2 && f[0].State == ghlsync.Stopped
		})
		for _, s := range next {
			stop(t, s)
		}
		ghlsync.AlertsDue(t, address)
		s = start(t, c)
		time.Sleep(300 * time.Millisecond)
		require.Len(t, pager.alerts(), 1)
		require.Zero(t, s.Health(ctx).AlertsWaiting)
	})
}

// TestRevokedTokenIsOneAlert: a revoked token causes one alert for all contacts and processes.
func TestRevokedTokenIsOneAlert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server, pager := ghltest.Start(t), newPager(t)
		c := pager.config(t, address, server)
		s := start(t, c)
		ctx := t.Context()
		require.Equal(t, ghlsync.Healthy, s.Health(ctx).State, s.Health(ctx).Problems)
		server.Fail(ghltest.Fault{Kind: fault.InvalidPrivateToken()})
		for i := range 10 {
			require.NoError(t, s.Touch(ctx, server.LocationID(), fmt.Sprint("contact", i)))
		}
		eventually(t, "an alert", func() bool { return len(pager.alerts()) > 0 })
		stop(t, s)
		s = start(t, c) // no new alert, although the location can't be opened either
		require.Eventually(t, func() bool { return s.Health(ctx).Processes == 1 }, 10*time.Second, 20*time.Millisecond)
		for range 3 { // no new alert after the time for which alerts of a topic wait
			ghlsync.AlertsDue(t, address)
			time.Sleep(time.Second)
		}
		got := pager.alerts()
		require.Len(t, got, 1)
		require.Equal(t, ghlsync.AlertLocation, got[0].Kind)
		require.Equal(t, ghlsync.CategoryUnauthorized, got[0].Category)
		require.Contains(t, pager.texts[0], "Connect the location again")

		h := s.Health(ctx)
		require.Equal(t, ghlsync.Degraded, h.State)
		require.Len(t, h.Problems, 1, h.Problems)
		require.Equal(t, "location paused", h.Problems[0].Code)
		require.Contains(t, h.Problems[0].Text, "unauthorized")
		require.Contains(t, h.Problems[0].Do, "Connect the location again")
		require.Equal(t, ghlsync.TokenRefused, h.Locations[0].Token.State)

		// A failure after a person has resumed the location is another incident.
		server.ClearFaults()
		require.NoError(t, s.Resume(ctx, server.LocationID()))
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Closed == "" })
		server.Fail(ghltest.Fault{Kind: fault.InvalidPrivateToken()})
		require.NoError(t, s.Touch(ctx, server.LocationID(), "contact99"))
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return !l.Paused.IsZero() })
		eventually(t, "another alert", func() bool { ghlsync.AlertsDue(t, address); return len(pager.alerts()) == 2 })
	})
}

// TestAlertOnItsWay: Health does not report an alert that is being sent as unsent.
func TestAlertOnItsWay(t *testing.T) {
	server := ghltest.Start(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-goOn
	}))
	defer receiver.Close()
	c := config(t, dbtest.SQLite(t), server)
	var err error
	c.Notifier, err = ghlsync.NewWebhookNotifier(receiver.URL, nil)
	require.NoError(t, err)
	s := start(t, c)
	server.Fail(ghltest.Fault{Kind: fault.InvalidPrivateToken()})
	require.NoError(t, s.Touch(t.Context(), server.LocationID(), "some"))
	<-arrived
	h := s.Health(t.Context())
	close(goOn)
	require.Equal(t, []string{"location paused"}, codes(h))
}

// TestRevokedTokenIsFound: a revoked token is found although nothing changes.
func TestRevokedTokenIsFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server, pager := ghltest.Start(t), newPager(t)
		c := pager.config(t, address, server)
		c.ReconcileInterval = 200 * time.Millisecond
		s := start(t, c)
		server.Fail(ghltest.Fault{Kind: fault.InvalidPrivateToken()})
		becomes(t, s, func(l ghlsync.LocationHealth) bool {
			return l.Token.State == ghlsync.TokenRefused && !l.Paused.IsZero()
		})
		eventually(t, "1 alert", func() bool { return len(pager.alerts()) == 1 })
		require.Equal(t, ghlsync.AlertLocation, pager.alerts()[0].Kind)
	})
}

// TestNotYetInstalled: a location without the app is an incident, which ends when the app is installed.
func TestNotYetInstalled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server, pager := ghltest.Start(t), newPager(t)
		known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://example.com/callback"}})
		app, err := oauth.NewApp(oauth.Config{ClientID: known.ClientID, ClientSecret: known.ClientSecret,
			BaseURL:     server.URL(),
			RedirectURL: "https://example.com/callback", Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}})
		require.NoError(t, err)
		c := pager.config(t, address, server)
		c.App, c.TokenKeys = app, [][]byte{tokenKey}
		c.Locations[0].TokenSource, c.Locations[0].TimeZone, c.Locations[0].ClientOptions = nil, "UTC", nil
		s := start(t, c)
		ctx := t.Context()
		eventually(t, "1 alert", func() bool { return len(pager.alerts()) == 1 })
		h := s.Health(ctx)
		require.Equal(t, ghlsync.TokenMissing, h.Locations[0].Token.State)
		require.NotEmpty(t, h.Locations[0].Closed)
		require.Equal(t, ghlsync.Degraded, h.State)

		token := server.Install(known, server.LocationID())
		store := ghlsync.Tokens(s)
		_, err = store.Update(ctx, oauth.LocationKey(server.LocationID()),
			func(context.Context, *ghl.Token) (*ghl.Token, error) {
				return &token, nil
			})
		require.NoError(t, err)
		eventually(t, "it is open", func() bool { return s.Health(ctx).State == ghlsync.Healthy })
		h = s.Health(ctx)
		require.Equal(t, ghlsync.TokenOK, h.Locations[0].Token.State)
		require.WithinDuration(t, token.ExpiresAt, h.Locations[0].Token.ExpiresAt, time.Minute)
		require.Len(t, pager.alerts(), 1)

		// A location that was open and closes again is another incident.
		require.NoError(t, store.Delete(ctx, oauth.LocationKey(server.LocationID())))
		stop(t, s)
		s = start(t, c)
		eventually(t, "another alert", func() bool { ghlsync.AlertsDue(t, address); return len(pager.alerts()) == 2 })
		store = ghlsync.Tokens(s)
		_, err = store.Update(ctx, oauth.LocationKey(server.LocationID()),
			func(context.Context, *ghl.Token) (*ghl.Token, error) {
				return &token, nil
			})
		require.NoError(t, err)
		eventually(t, "it is open again", func() bool { return s.Health(ctx).State == ghlsync.Healthy })

		// A location token can't be renewed after the token of its agency is deleted.
		update := func(change func(*ghl.Token)) ghlsync.TokenState {
			_, err = store.Update(ctx, oauth.LocationKey(server.LocationID()),
				func(_ context.Context, t *ghl.Token) (*ghl.Token, error) { change(t); return t, nil })
			require.NoError(t, err)
			return s.Health(ctx).Locations[0].Token.State
		}
		require.Equal(t, ghlsync.TokenEnds, update(func(t *ghl.Token) {
			t.RefreshToken, t.CompanyID, t.ExpiresAt = "", "gone", time.Now().Add(time.Hour)
		}))
		require.Equal(t, ghlsync.TokenExpired, update(func(t *ghl.Token) { t.ExpiresAt = time.Now().Add(-time.Hour) }))
		stop(t, s)
		c.TokenKeys = [][]byte{make([]byte, 32)}
		s, err = ghlsync.New(ctx, c)
		require.NoError(t, err)
		defer stop(t, s)
		h = s.Health(ctx)
		require.Equal(t, ghlsync.TokenUnreadable, h.Locations[0].Token.State)
		require.Equal(t, ghlsync.Failing, h.State, "no process works on the database")
		require.Equal(t, "no process works", h.Problems[0].Code)
	})
}

func TestWebhookNotifier(t *testing.T) {
	for _, wrong := range []string{"", "example.com/hook", "ftp://example.com", "http://", "http://%zz"} {
		_, err := ghlsync.NewWebhookNotifier(wrong, nil)
		var setting *ghlsync.ConfigError
		require.ErrorAs(t, err, &setting, wrong)
		require.Equal(t, "Notifier", setting.Setting)
	}
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/elsewhere":
			followed = true
		case "/broken":
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	notify := func(url string) error {
		n, err := ghlsync.NewWebhookNotifier(url, nil)
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", n, n, n, n), "verysecret")
		return n.Notify(t.Context(), ghlsync.Alert{ID: "a"})
	}
	require.NoError(t, notify(server.URL+"/?key=verysecret"))
	for _, path := range []string{"/moved", "/broken"} {
		err := notify(server.URL + path + "?key=verysecret")
		require.ErrorContains(t, err, "status")
		require.NotContains(t, err.Error(), "verysecret")
	}
	require.False(t, followed)
	server.Close()
	err := notify(server.URL + "/?key=verysecret")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "verysecret")
	require.NotContains(t, err.Error(), "http://")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := ghlsync.NewWebhookNotifier("http://127.0.0.1:1/verysecret", http.DefaultClient)
	require.NoError(t, err)
	require.True(t, errors.Is(n.Notify(ctx, ghlsync.Alert{}), context.Canceled))
}
