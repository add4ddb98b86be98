package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/webhook"
)

// skewedOffice is an office with a clock of HighLevel that differs from this machine's.
type skewedOffice struct {
	*office
	skew time.Duration
	auth *oauth.App
}

func newSkewedOffice(t *testing.T, skew time.Duration) *skewedOffice {
	o := &office{t: t, clock: ghltest.NewClock(time.Now().Add(skew))}
	o.Server = ghltest.Start(t, ghltest.WithClock(o.clock.Now),
		ghltest.WithLocation(ghl.Location{ID: "loc1", CompanyID: company}),
		ghltest.WithLocation(ghl.Location{ID: "loc2", CompanyID: company}))
	o.app = o.AddApp(ghltest.App{AppID: "our1", RedirectURLs: []string{"https://example.com/callback"}})
	app, err := oauth.NewApp(o.AppConfig(o.app))
	require.NoError(t, err)
	o.store = &failingStore{Store: oauth.NewMemoryStore()}
	o.all, err = oauth.NewInstallations(app, o.store, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 2, MinBackoff: time.Millisecond}))
	require.NoError(t, err)
	s := &skewedOffice{office: o, skew: skew, auth: app}
	s.restart()
	return s
}

// restart replaces the handler by that of another process, which knows only the store.
func (o *skewedOffice) restart() {
	v, err := webhook.NewVerifier(webhook.WithOnlyKeys(o.WebhookPublicKey()))
	require.NoError(o.t, err)
	o.handler, err = webhook.NewHandler(v, webhook.FeedInstallations("our1", o.all),
		webhook.WithClock(func() time.Time { return o.clock.Now().Add(-o.skew) }))
	require.NoError(o.t, err)
}

// consent lets a person connect an account.
func (o *skewedOffice) consent(chosen ghltest.Consent) { require.NoError(o.t, o.add(chosen)) }

func (o *skewedOffice) add(chosen ghltest.Consent) error {
	o.SetConsent(chosen)
	address, err := o.auth.AuthCodeURL("state")
	require.NoError(o.t, err)
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, address, nil)
	require.NoError(o.t, err)
	resp, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(o.t, err)
	require.NoError(o.t, resp.Body.Close())
	back, err := resp.Location()
	require.NoError(o.t, err)
	_, err = o.all.Add(o.t.Context(), back.Query().Get("code"))
	return err
}

// works reports whether the location has a token that HighLevel accepts.
func (o *skewedOffice) works(location string) bool {
	client, err := o.all.Client(o.t.Context(), location)
	if err != nil {
		require.ErrorIs(o.t, err, ghl.ErrReauthRequired)
		return false
	}
	_, err = client.Contacts.List(o.t.Context(), nil)
	require.NoError(o.t, err)
	return true
}

// account is a way in which an app is connected.
type account struct {
	connect   func(*skewedOffice) // by a person
	uninstall func(*skewedOffice)
	where     string // of the events
	installed bool   // connect is followed by an INSTALL, which adds the location
}

func accounts() map[string]account {
	byAgency := ghltest.Consent{Company: &ghltest.CompanyInstall{CompanyID: company, Locations: []string{"loc1"}}}
	fromLocation := func(o *skewedOffice) { o.Uninstall(o.app, "loc1") }
	return map[string]account{
		"a location": {where: inLoc1, uninstall: fromLocation,
			connect: func(o *skewedOffice) { o.consent(ghltest.Consent{LocationID: "loc1"}) }},
		"an agency": {where: inCompany, uninstall: func(o *skewedOffice) { o.UninstallCompany(o.app, company) },
			connect: func(o *skewedOffice) { o.consent(byAgency) }},
		"a location by its agency": {where: inLoc1, uninstall: fromLocation,
			connect: func(o *skewedOffice) { o.consent(byAgency) }},
		"a location of a connected agency": {where: inLoc1, uninstall: fromLocation, installed: true,
			connect: func(o *skewedOffice) {
				if len(o.known()) == 0 {
					o.consent(ghltest.Consent{Company: &ghltest.CompanyInstall{CompanyID: company, Locations: []string{"loc2"}}})
				}
				o.Install(o.app, "loc1")
			}},
	}
}

// TestALateUninstallAfterANewConnection: an account that was connected again stays connected, whenever the uninstall
// from before arrives, in whichever process, whatever the clocks say. A later uninstall removes it.
func TestALateUninstallAfterANewConnection(t *testing.T) {
	for name, account := range accounts() {
		for _, skew := range []time.Duration{-50 * time.Second, -5 * time.Second, 0, 20 * time.Second, 4 * time.Minute} {
			for _, gap := range []time.Duration{0, 900 * time.Millisecond, 5 * time.Second, 50 * time.Second} {
				t.Run(fmt.Sprintf("%s, clock ahead by %v, again after %v", name, skew, gap), func(t *testing.T) {
					o := newSkewedOffice(t, skew)
					connect := func() {
						account.connect(o)
						if account.installed {
							require.Equal(t, 200, o.post(happened(webhook.AppInstall, o.clock.Now(), account.where)))
						}
						require.True(t, o.works("loc1"))
					}
					connect()
					o.clock.Advance(30 * time.Second)
					removed := happened(webhook.AppUninstall, o.clock.Now(), account.where)
					account.uninstall(o)
					o.clock.Advance(gap)
					connect()
					for range 2 { // late, and replayed to another process
						require.Equal(t, 200, o.post(removed))
						require.True(t, o.works("loc1"), "connected again after the uninstall")
						o.restart()
						o.clock.Advance(time.Minute)
					}
					installed := happened(webhook.AppInstall, o.clock.Now(), account.where)
					o.clock.Advance(5 * time.Second)
					account.uninstall(o)
					require.Equal(t, 200, o.post(happened(webhook.AppUninstall, o.clock.Now(), account.where)))
					require.NotContains(t, o.known(), "location/loc1", "the new uninstall counts")
					require.Equal(t, 200, o.post(installed), "a late install")
					require.NotContains(t, o.known(), "location/loc1")
					o.restart()
					o.post(installed) // 429 if the company's token is asked, which HighLevel refuses for this location
					require.False(t, o.works("loc1"))
				})
			}
		}
	}
}

// TestAnUninstallSoonAfterTheConnection: the order counts, not how much time is between.
func TestAnUninstallSoonAfterTheConnection(t *testing.T) {
	for name, account := range accounts() {
		for _, skew := range []time.Duration{-50 * time.Second, 0, 50 * time.Second} {
			for _, after := range []time.Duration{time.Second, 5 * time.Second, 50 * time.Second} {
				o := newSkewedOffice(t, skew)
				account.connect(o)
				if account.installed {
					require.Equal(t, 200, o.post(happened(webhook.AppInstall, o.clock.Now(), account.where)))
				}
				require.True(t, o.works("loc1"))
				o.clock.Advance(after)
				removed := happened(webhook.AppUninstall, o.clock.Now(), account.where)
				account.uninstall(o)
				o.restart()
				require.Equal(t, 200, o.post(removed))
				require.False(t, o.works("loc1"), "%s, clock ahead by %v, removed after %v", name, skew, after)
			}
		}
	}
}

// TestAnUninstallSparesATokenThatIsNotSavedYet: the new token of an account can be in memory only.
func TestAnUninstallSparesATokenThatIsNotSavedYet(t *testing.T) {
	o := newSkewedOffice(t, 0)
	o.consent(ghltest.Consent{LocationID: "loc1"})
	o.clock.Advance(time.Minute)
	removed := happened(webhook.AppUninstall, o.clock.Now(), inLoc1)
	o.Uninstall(o.app, "loc1")
	o.clock.Advance(20 * time.Second)
	o.store.saveErr = errors.New("the disk is full")
	require.ErrorIs(t, o.add(ghltest.Consent{LocationID: "loc1"}), o.store.saveErr)
	require.True(t, o.works("loc1"))
	require.Equal(t, 200, o.post(removed))
	require.True(t, o.works("loc1"))
	o.store.saveErr = nil
	o.clock.Advance(time.Minute)
	require.Equal(t, 200, o.post(happened(webhook.AppUninstall, o.clock.Now(), inLoc1)))
	require.False(t, o.works("loc1"))
}
