package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/webhook"
)

const company = "company1"

// office is a fake HighLevel with an app, the app's installations, and the handler that gets their deliveries.
type office struct {
	*ghltest.Server
	t       *testing.T
	clock   *ghltest.Clock
	app     ghltest.App
	store   *failingStore
	all     *oauth.Installations
	handler http.Handler
}

// failingStore fails on demand.
type failingStore struct {
	oauth.Store
	err     error
	saveErr error
}

func (s *failingStore) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	if s.saveErr != nil {
		return nil, s.saveErr
	}
	return s.Store.Update(ctx, key, fn)
}

func (s *failingStore) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.Load(ctx, key)
}

func newOffice(t *testing.T, opts ...webhook.Option) *office {
	o := &office{t: t, clock: ghltest.NewClock(time.Now().Truncate(time.Second))}
	o.Server = ghltest.Start(t, ghltest.WithClock(o.clock.Now),
		ghltest.WithLocation(ghl.Location{ID: "loc1", CompanyID: company}),
		ghltest.WithLocation(ghl.Location{ID: "loc2", CompanyID: company}),
		ghltest.WithLocation(ghl.Location{ID: "loc3", CompanyID: company}),
		ghltest.WithLocation(ghl.Location{ID: "else1", CompanyID: "company2"}))
	o.app = o.AddApp(ghltest.App{AppID: "our1"})
	app, err := oauth.NewApp(oauth.Config{
		ClientID: o.app.ClientID, ClientSecret: o.app.ClientSecret, AppID: o.app.AppID,
		RedirectURL: "https://example.com/callback", Scopes: []ghl.Scope{ghl.ScopeContactsReadonly},
		BaseURL: o.URL(),
	})
	require.NoError(t, err)
	o.store = &failingStore{Store: oauth.NewMemoryStore()}
	o.all, err = oauth.NewInstallations(app, o.store, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	o.handler = o.newHandler(opts...)
	return o
}

// newHandler returns the handler of another process over the same installations.
func (o *office) newHandler(opts ...webhook.Option) http.Handler {
	v, err := webhook.NewVerifier(webhook.WithOnlyKeys(o.WebhookPublicKey()))
	require.NoError(o.t, err)
	h, err := webhook.NewHandler(v,
		append(opts, webhook.WithClock(o.clock.Now), webhook.FeedInstallations("our1", o.all))...)
	require.NoError(o.t, err)
	return h
}

// connectCompany stores the company's token, as the callback of the consent screen does.
func (o *office) connectCompany(locations ...string) {
	o.keep(oauth.CompanyKey(company),
		o.InstallCompany(o.app, ghltest.CompanyInstall{CompanyID: company, Locations: locations}))
}

// connectLocation stores the token of a location that has installed the app itself.
func (o *office) connectLocation(id string) { o.keep(oauth.LocationKey(id), o.Install(o.app, id)) }

func (o *office) keep(key string, token ghl.Token) {
	token.IssuedAt = o.clock.Now()
	_, err := o.store.Update(o.t.Context(), key,
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return &token, nil })
	require.NoError(o.t, err)
}

// post delivers a body and returns the status.
func (o *office) post(body string, header ...http.Header) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = o.Sign([]byte(body))
	if len(header) > 0 {
		r.Header = header[0]
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w.Code
}

// known returns the keys of the store, in order.
func (o *office) known() []string {
	keys := map[string]bool{}
	for key, err := range o.store.Keys(o.t.Context()) {
		require.NoError(o.t, err)
		keys[key] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// happened returns the body of an event of the app at a time.
func happened(kind webhook.Type, at time.Time, where string) string {
	return fmt.Sprintf(`{"type":%q,"appId":"our1",%s,"timestamp":%q}`, kind, where,
		at.UTC().Format("2006-01-02T15:04:05.000Z"))
}

const (
	inLoc1    = `"companyId":"company1","locationId":"loc1"`
	inCompany = `"companyId":"company1"`
)

func TestFeedInstallations(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"installed in a location", `{"type":"INSTALL","appId":"our1","companyId":"company1","locationId":"loc3"}`,
			[]string{"company/company1", "location/loc1", "location/loc2", "location/loc3", "location/own"}},
		{"nested", `{"type":"INSTALL","data":{"appId":"our1","companyId":"company1","locationId":"loc3"}}`,
			[]string{"company/company1", "location/loc1", "location/loc2", "location/loc3", "location/own"}},
		{"installed in a company", `{"type":"INSTALL","appId":"our1","companyId":"company1"}`,
			[]string{"company/company1", "location/loc1", "location/loc2", "location/loc3", "location/own"}},
		{"installed in a location of a company that is not connected", `{"type":"INSTALL","appId":"our1","companyId":"company2","locationId":"else1"}`, nil},
		{"installed in a company that is not connected", `{"type":"INSTALL","appId":"our1","companyId":"company2"}`, nil},
		{"installed in a location of no company", `{"type":"INSTALL","appId":"our1","locationId":"loc3"}`, nil},
		{"removed from a location", `{"type":"UNINSTALL","appId":"our1","locationId":"loc1"}`,
			[]string{"company/company1", "location/loc2", "location/own"}},
		{"removed from a location of a company", `{"type":"UNINSTALL","appId":"our1","companyId":"company1","locationId":"loc1"}`,
			[]string{"company/company1", "location/loc2", "location/own"}},
		{"removed from a location that installed it itself", `{"type":"UNINSTALL","appId":"our1","locationId":"own"}`,
			[]string{"company/company1", "location/loc1", "location/loc2"}},
		{"removed from a company", `{"type":"UNINSTALL","appId":"our1","companyId":"company1"}`, []string{"location/own"}},
		{"removed from a company that is not connected", `{"type":"UNINSTALL","appId":"our1","companyId":"company2"}`, nil},
		{"removed from nowhere", `{"type":"UNINSTALL","appId":"our1"}`, nil},
		{"another app", `{"type":"UNINSTALL","appId":"their1","locationId":"loc1"}`, nil},
		{"no app", `{"type":"UNINSTALL","locationId":"loc1"}`, nil},
		{"another event", `{"type":"ContactDelete","appId":"our1","locationId":"loc1"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOffice(t)
			o.connectCompany("loc1", "loc2", "loc3")
			for _, id := range []string{"loc1", "loc2"} {
				_, err := o.all.AddLocation(t.Context(), company, id)
				require.NoError(t, err)
			}
			o.AddLocation(ghl.Location{ID: "own", CompanyID: "company2"})
			o.connectLocation("own")
			before := o.known()
			exchanges := o.OAuthCounts().LocationTokens

			require.Equal(t, 401, o.post(test.body, http.Header{}))
			require.Equal(t, 401, o.post(test.body, o.Sign([]byte(test.body+" "))))
			require.Equal(t, before, o.known(), "no change without a valid signature")
			require.Equal(t, exchanges, o.OAuthCounts().LocationTokens)

			require.Equal(t, 200, o.post(test.body))
			if test.want == nil {
				test.want = before
			}
			require.Equal(t, test.want, o.known())
		})
	}
}

// TestInstallationsFollowTheDeliveries follows the deliveries from the consent to the last uninstall.
func TestInstallationsFollowTheDeliveries(t *testing.T) {
	o := newOffice(t)
	o.SubscribeHandler(o.handler, ghltest.ForApp("our1", ""), ghltest.Events(ghltest.AppInstall, ghltest.AppUninstall))
	flush := func() {
		require.NoError(t, o.Flush(t.Context()))
		for _, d := range o.Deliveries() {
			require.True(t, d.Accepted(), "%s %s: %d %s", d.Type, d.LocationID, d.Status, d.Error)
		}
	}
	o.connectCompany()
	flush()
	require.Equal(t, []string{"company/company1"}, o.known())

	o.Install(o.app, "loc1") // in a location; no code reaches us, but the company's token gives one
	flush()
	require.Equal(t, []string{"company/company1", "location/loc1"}, o.known())
	client, err := o.all.Client(t.Context(), "loc1")
	require.NoError(t, err)
	_, err = client.Contacts.List(t.Context(), nil)
	require.NoError(t, err)

	o.Install(o.app, "else1")
	flush()
	require.Equal(t, []string{"company/company1", "location/loc1"}, o.known(), "its company is not connected")

	o.clock.Advance(time.Hour)
	o.Uninstall(o.app, "loc1")
	flush()
	require.Equal(t, []string{"company/company1"}, o.known())
	_, err = client.Contacts.List(t.Context(), nil)
	require.ErrorIs(t, err, ghl.ErrReauthRequired)

	o.Install(o.app, "loc2")
	flush()
	o.clock.Advance(time.Hour)
	o.UninstallCompany(o.app, company)
	flush()
	require.Empty(t, o.known())
}

// TestFeedInstallationsFails: a delivery is answered 429 if the installations cannot be updated.
func TestFeedInstallationsFails(t *testing.T) {
	o := newOffice(t)
	o.connectCompany("loc1")
	install := happened(webhook.AppInstall, o.clock.Now(), inLoc1)
	uninstall := happened(webhook.AppUninstall, o.clock.Now().Add(time.Minute), inLoc1)
	o.store.err = errors.New("the store is away")
	require.Equal(t, 429, o.post(install))
	require.Equal(t, 429, o.post(uninstall))
	o.store.err = nil
	require.Equal(t, []string{"company/company1"}, o.known())

	broken := o.Fail(ghltest.Fault{Operation: "oauth.locationToken", Kind: fault.InternalServerError()})
	require.Equal(t, 429, o.post(install))
	require.Positive(t, broken.Hits())
	broken.Remove()
	o.SetLocationActive("loc1", false)
	require.Equal(t, 429, o.post(install), "it may become active")
	require.Equal(t, []string{"company/company1"}, o.known())
}

// TestALateUninstallSparesWhatWasInstalledSince: a late uninstall does not remove a later installation, in the same
// process or in another one.
func TestALateUninstallSparesWhatWasInstalledSince(t *testing.T) {
	o := newOffice(t)
	began := o.clock.Now()
	o.connectCompany("loc1")
	require.Equal(t, 200, o.post(happened(webhook.AppInstall, began, inLoc1)))
	all := []string{"company/company1", "location/loc1"}
	require.Equal(t, all, o.known())

	for name, handler := range map[string]http.Handler{"same process": o.handler, "another process": o.newHandler()} {
		o.handler = handler
		for _, where := range []string{inLoc1, inCompany} {
			require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(-2*time.Minute), where)))
			require.Equal(t, all, o.known(), name)
		}
	}

	// The order of the events decides, whatever the times of the tokens.
	o.handler = o.newHandler()
	require.Equal(t, 200, o.post(happened(webhook.AppInstall, began, inLoc1)))
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(-time.Second), inLoc1)))
	require.Equal(t, all, o.known())

	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(time.Second), inLoc1)))
	require.Equal(t, all[:1], o.known())
	require.Equal(t, 200, o.post(happened(webhook.AppInstall, began, inLoc1)),
		"a late install restores nothing")
	require.Equal(t, all[:1], o.known())
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(time.Second), inCompany)))
	require.Empty(t, o.known())

	// A token that was issued after the uninstall stays.
	o.handler = o.newHandler()
	o.connectLocation("loc2")
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(-5*time.Second), `"locationId":"loc2"`)))
	require.Equal(t, []string{"location/loc2"}, o.known())
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, began.Add(5*time.Second), `"locationId":"loc2"`)))
	require.Empty(t, o.known())
}

// TestUninstallOfACompany: the company's uninstall removes only tokens that are derived from the company's token.
func TestUninstallOfACompany(t *testing.T) {
	o := newOffice(t)
	o.connectCompany("loc1", "loc2")
	require.Equal(t, 200, o.post(happened(webhook.AppInstall, o.clock.Now(), inCompany)))
	o.connectLocation("loc3")
	o.connectLocation("else1")
	require.Equal(t, []string{"company/company1", "location/else1", "location/loc1", "location/loc2",
		"location/loc3"}, o.known())
	o.clock.Advance(time.Hour)
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, o.clock.Now(), inCompany)))
	require.Equal(t, []string{"location/else1", "location/loc3"}, o.known())
}

// slowStore is a store with a Load that waits.
type slowStore struct {
	oauth.Store
	loads   int
	release chan struct{}
}

func (s *slowStore) Load(ctx context.Context, key string) (*ghl.Token, error) {
	s.loads++
	<-s.release
	return s.Store.Load(ctx, key)
}

func TestInstallationsAreFedOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, err := oauth.NewApp(oauth.Config{ClientID: "our1-a", ClientSecret: "s",
			RedirectURL: "https://example.com/callback", Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}})
		require.NoError(t, err)
		store := &slowStore{Store: oauth.NewMemoryStore(), release: make(chan struct{})}
		all, err := oauth.NewInstallations(app, store)
		require.NoError(t, err)
		router, err := webhook.NewRouter(webhook.FeedInstallations("our1", all))
		require.NoError(t, err)
		server, err := ghltest.NewHandler()
		require.NoError(t, err)
		defer func() { require.NoError(t, server.Close()) }()
		v, err := webhook.NewVerifier(webhook.WithOnlyKeys(server.WebhookPublicKey()))
		require.NoError(t, err)
		keep := func(ctx context.Context, body string) error {
			d, err := v.Open([]byte(body), server.Sign([]byte(body)))
			require.NoError(t, err)
			return router.Keep(ctx, d)
		}
		first := make(chan error)
		go func() { first <- keep(t.Context(), happened(webhook.AppUninstall, time.Now(), inLoc1)) }()
		synctest.Wait()
		require.Equal(t, 1, store.loads)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, keep(ctx, happened(webhook.AppUninstall, time.Now(), inCompany)), context.DeadlineExceeded,
			"the context ends before the lock is free")
		require.Equal(t, 1, store.loads)
		close(store.release)
		require.NoError(t, <-first)
		require.NoError(t, keep(t.Context(), happened(webhook.AppUninstall, time.Now(), inCompany)))
		require.Equal(t, 2, store.loads)
	})
}
