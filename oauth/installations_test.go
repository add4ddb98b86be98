package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
)

// installations returns the installations of an app of the server.
func (s *authServer) installations(t testing.TB, store oauth.Store, opts ...ghl.Option) *oauth.Installations {
	t.Helper()
	i, err := oauth.NewInstallations(s.app(t), store, opts...)
	require.NoError(t, err)
	return i
}

func gather[T any](t testing.TB, seq func(yield func(T, error) bool)) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

// onMarketplace returns the installations of an app that is registered at a fake. connect returns a code of the consent
// screen.
func onMarketplace(t *testing.T, version ghl.Version,
	locations ...string) (all *oauth.Installations, s *ghltest.Server, known ghltest.App,
	connect func(ghltest.Consent) string) {
	t.Helper()
	var opts []ghltest.Option
	for _, id := range locations {
		opts = append(opts, ghltest.WithLocation(ghl.Location{ID: id, CompanyID: "comp1"}))
	}
	s = onFake(t, opts...)
	known = s.AddApp(ghltest.App{RedirectURLs: []string{"https://app.example.com/callback"}})
	config := s.AppConfig(known)
	config.Version = version
	app, err := oauth.NewApp(config)
	require.NoError(t, err)
	all, err = oauth.NewInstallations(app, oauth.NewMemoryStore(),
		ghl.WithHTTPClient(&http.Client{Transport: s.Transport()}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
	require.NoError(t, err)
	return all, s, known, func(consent ghltest.Consent) string {
		s.SetConsent(consent)
		address, err := app.AuthCodeURL("state")
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		resp, err := s.Transport().RoundTrip(r)
		require.NoError(t, err)
		back, err := resp.Location()
		require.NoError(t, err)
		require.Equal(t, "state", back.Query().Get("state"))
		return back.Query().Get("code")
	}
}

func TestInstallByALocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, s, _, connect := onMarketplace(t, "", "loc1")
		_, err := all.Client(t.Context(), "loc1")
		require.ErrorIs(t, err, oauth.ErrNoToken)
		require.ErrorIs(t, err, ghl.ErrReauthRequired)

		token, err := all.Add(t.Context(), connect(ghltest.Consent{}))
		require.NoError(t, err)
		require.Equal(t, "loc1", token.LocationID)
		client, err := all.Client(t.Context(), "loc1")
		require.NoError(t, err)
		require.Equal(t, "loc1", client.Location())
		_, err = client.Contacts.List(t.Context(), nil)
		require.NoError(t, err)
		same, err := all.Client(t.Context(), "loc1")
		require.NoError(t, err)
		require.Same(t, client, same)
		time.Sleep(25 * time.Hour)
		_, err = client.Contacts.List(t.Context(), nil)
		require.NoError(t, err, "refreshed")
		require.Equal(t, ghltest.OAuthCounts{Exchanges: 1, Refreshes: 1}, s.OAuthCounts())

		require.Equal(t, []string{"loc1"}, gather(t, all.Locations(t.Context())))
		require.Empty(t, gather(t, all.Companies(t.Context())))
		require.NoError(t, all.Remove(t.Context(), "loc1"))
		require.Empty(t, gather(t, all.Locations(t.Context())))
		_, err = all.Client(t.Context(), "loc1")
		require.ErrorIs(t, err, oauth.ErrNoToken)
		_, err = client.Contacts.List(t.Context(), nil)
		require.ErrorIs(t, err, ghl.ErrReauthRequired, "a client that is still in use")
		require.NoError(t, all.Remove(t.Context(), "loc1"), "a webhook may come twice")

		_, err = all.Add(t.Context(), connect(ghltest.Consent{}))
		require.NoError(t, err)
		_, err = client.Contacts.List(t.Context(), nil)
		require.NoError(t, err, "the client works after the account was connected again")
	})
}

func TestInstallByAnAgency(t *testing.T) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		synctest.Test(t, func(t *testing.T) {
			all, s, known, connect := onMarketplace(t, version, "l1", "l2", "l3", "own")
			token, err := all.Add(t.Context(),
				connect(ghltest.Consent{Company: &ghltest.CompanyInstall{Locations: []string{"l1", "l2"}}}))
			require.NoError(t, err)
			require.True(t, token.BulkInstallation)
			require.Equal(t, []string{"comp1"}, gather(t, all.Companies(t.Context())))
			require.Equal(t, []string{"l1", "l2"}, gather(t, all.Locations(t.Context())))
			for _, client := range gather(t, all.Clients(t.Context())) {
				_, err := client.Contacts.List(t.Context(), nil)
				require.NoError(t, err)
			}
			require.Equal(t, 2, s.OAuthCounts().LocationTokens)

			// A webhook reports another location.
			s.Install(known, "l3")
			client, err := all.AddLocation(t.Context(), "comp1", "l3")
			require.NoError(t, err)
			require.Equal(t, "l3", client.Location())
			again, err := all.AddLocation(t.Context(), "comp1", "l3")
			require.NoError(t, err)
			require.Same(t, client, again)
			require.Equal(t, 3, s.OAuthCounts().LocationTokens)
			_, err = all.AddLocation(t.Context(), "comp1", "elsewhere")
			require.ErrorIs(t, err, ghl.ErrNotFound)
			_, err = all.AddLocation(t.Context(), "comp9", "l9")
			require.ErrorIs(t, err, ghl.ErrReauthRequired, "of an agency that is not there")

			before := s.OAuthCounts().LocationTokens
			ids, err := all.AddInstalled(t.Context(), "comp1")
			require.NoError(t, err)
			require.Equal(t, []string{"l1", "l2", "l3"}, ids)
			require.Equal(t, before, s.OAuthCounts().LocationTokens, "what is there stays as it is")

			_, err = all.Add(t.Context(), connect(ghltest.Consent{LocationID: "own"}))
			require.NoError(t, err)
			removed, err := all.Client(t.Context(), "l2")
			require.NoError(t, err)
			require.NoError(t, all.Remove(t.Context(), "l2"))
			_, err = removed.Contacts.List(t.Context(), nil)
			require.ErrorIs(t, err, ghl.ErrReauthRequired)
			require.Equal(t, []string{"l1", "l3", "own"}, gather(t, all.Locations(t.Context())),
				"a client in use does not bring it back")
			_, err = client.Contacts.List(t.Context(), nil)
			require.NoError(t, err)
			require.NoError(t, all.RemoveCompany(t.Context(), "comp2"))
			require.Equal(t, []string{"l1", "l3", "own"}, gather(t, all.Locations(t.Context())), "another agency's")
			require.NoError(t, all.RemoveCompany(t.Context(), "comp1"))
			require.Equal(t, []string{"own"}, gather(t, all.Locations(t.Context())),
				"its token does not depend on the agency's")
			require.Empty(t, gather(t, all.Companies(t.Context())))
			_, err = client.Contacts.List(t.Context(), nil)
			require.ErrorIs(t, err, ghl.ErrReauthRequired)
		})
	}
}

func TestInstallInEveryLocation(t *testing.T) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	server.installed = []string{"l1", "l2", "l3"}
	server.codes["code-1"] = account{userType: ghl.UserTypeCompany, company: "comp1", locations: []string{}}
	all := server.installations(t, store)
	_, err := all.Add(t.Context(), "code-1")
	require.NoError(t, err)
	require.Equal(t, []string{"l1", "l2", "l3"}, gather(t, all.Locations(t.Context())),
		"without a list of the approved ones, HighLevel's list counts")
}

// TestEachLocationItsOwn: each location has its own token and limiter, and all share the transport.
func TestEachLocationItsOwn(t *testing.T) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	var mu sync.Mutex
	limiters := map[string]int{}
	seen := map[string]string{} // the token of each location
	transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		if r.URL.Path == "/contacts/" {
			seen[r.URL.Query().Get("locationId")] = r.Header.Get("Authorization")
		}
		mu.Unlock()
		return server.RoundTrip(r)
	})
	for i := range 5 {
		id := fmt.Sprintf("loc%d", i)
		server.stored(t, store, oauth.LocationKey(id),
			account{userType: ghl.UserTypeLocation, company: "comp1", location: id}, time.Hour)
	}
	save(t, store, "another program's", someToken(1))
	all := server.installations(t, store, ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithLimiterFor(func(resource string) ghl.Limiter {
			mu.Lock()
			defer mu.Unlock()
			limiters[resource]++
			return nil
		}))
	clients := gather(t, all.Clients(t.Context()))
	require.Len(t, clients, 5)
	require.NoError(t, errors.Join(together(100, func(i int) error {
		_, err := clients[i%5].Contacts.List(t.Context(), nil)
		if errors.Is(err, ghl.ErrBadResponse) { // the answer is not this test's matter
			return nil
		}
		return err
	})...))
	require.Equal(t, map[string]int{"loc0": 1, "loc1": 1, "loc2": 1, "loc3": 1, "loc4": 1}, limiters)
	tokens := map[string]bool{}
	for _, token := range seen {
		tokens[token] = true
	}
	require.Len(t, tokens, 5)
	again, err := oauth.NewInstallations(server.app(t), store)
	require.NoError(t, err)
	require.Len(t, gather(t, again.Clients(t.Context())), 5, "they are found again after a start")
	for range again.Clients(t.Context()) {
		break
	}
}

// TestAddOutlivesTheCaller: a code that was sent is used up, so its token is saved although the caller no longer waits.
func TestAddOutlivesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.codes["code-1"] = oneLocation
		app := server.app(t, func(c *oauth.Config) {
			c.HTTPClient = &http.Client{Transport: slow{server, 5 * time.Second}}
		})
		all, err := oauth.NewInstallations(app, store)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = all.Add(ctx, "code-1")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, app.Flush(t.Context()))
		require.Equal(t, []string{"loc1"}, gather(t, all.Locations(t.Context())))
		_, err = all.Add(ctx, "code-2")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, server.count("/oauth/token"))
	})
}

func TestAddThatCannotSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		var told hooked
		server.codes["code-1"] = oneLocation
		diskFull := errors.New("disk full")
		store.breaks(diskFull, nil)
		app := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook })
		all, err := oauth.NewInstallations(app, store)
		require.NoError(t, err)
		token, err := all.Add(t.Context(), "code-1")
		require.ErrorIs(t, err, diskFull)
		require.NotContains(t, err.Error(), "secret-")
		require.NotNil(t, token)
		require.Len(t, told.list(), 1)
		client, err := all.Client(t.Context(), "loc1")
		require.NoError(t, err)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err, "calls succeed")
		store.breaks(nil, nil)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		list := told.list()
		require.NoError(t, list[len(list)-1])
		saved, err := store.Load(t.Context(), oauth.LocationKey("loc1"))
		require.NoError(t, err)
		require.Equal(t, token.RefreshToken, saved.RefreshToken)
	})
}

// TestRemoveIssuedBefore: a late uninstall event does not remove an account that was connected after it.
func TestRemoveIssuedBefore(t *testing.T) {
	at := time.Date(2025, 11, 7, 12, 0, 0, 0, time.UTC)
	issued := func(n int, when time.Time, company, refresh string) *ghl.Token {
		token := someToken(n)
		token.IssuedAt, token.CompanyID, token.RefreshToken = when, company, refresh
		return token
	}
	for _, test := range []struct {
		name    string
		issued  time.Time
		removed bool
	}{
		{"before", at.Add(-time.Nanosecond), true}, {"at that time", at, false}, {"later", at.Add(time.Hour), false}, {"unknown", time.Time{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, store := newAuthServer(), oauth.NewMemoryStore()
			all := server.installations(t, store)
			save(t, store, oauth.LocationKey("own"), issued(1, test.issued, "comp1", "refresh"))
			save(t, store, oauth.LocationKey("derived"), issued(2, at.Add(-time.Hour), "comp1", ""))
			save(t, store, oauth.LocationKey("new"), issued(3, at, "comp1", ""))
			save(t, store, oauth.LocationKey("other"), issued(4, at.Add(-time.Hour), "comp2", ""))
			save(t, store, oauth.CompanyKey("comp1"), issued(5, test.issued, "comp1", "refresh"))
			removed, err := all.RemoveCompanyIssuedBefore(t.Context(), "comp1", at)
			require.NoError(t, err)
			require.Equal(t, test.removed, removed)
			companies, locations := []string{"comp1"}, []string{"derived", "new", "other", "own"}
			if test.removed {
				companies, locations = nil, []string{"new", "other", "own"}
			}
			require.ElementsMatch(t, companies, gather(t, all.Companies(t.Context())))
			require.ElementsMatch(t, locations, gather(t, all.Locations(t.Context())))

			removed, err = all.RemoveIssuedBefore(t.Context(), "own", at)
			require.NoError(t, err)
			require.Equal(t, test.removed, removed)
			_, err = store.Load(t.Context(), oauth.LocationKey("own"))
			require.Equal(t, test.removed, errors.Is(err, oauth.ErrNoToken))
			removed, err = all.RemoveIssuedBefore(t.Context(), "nowhere", at)
			require.NoError(t, err)
			require.True(t, removed, "nothing was spared")
			removed, err = all.RemoveIssuedBefore(t.Context(), "own", time.Time{})
			require.NoError(t, err)
			require.True(t, removed)
		})
	}
}

// TestRemoveDuringARefresh: a refresh under way does not bring the token back.
func TestRemoveDuringARefresh(t *testing.T) {
	for name, broken := range map[string]error{"saved": nil, "not saved": errors.New("disk full")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, store := newAuthServer(), newShaky()
				server.stored(t, store, oauth.LocationKey("loc1"), oneLocation, -time.Hour)
				app := server.app(t, func(c *oauth.Config) {
					c.HTTPClient = &http.Client{Transport: slow{server, 5 * time.Second}}
				})
				all, err := oauth.NewInstallations(app, store)
				require.NoError(t, err)
				client, err := all.Client(t.Context(), "loc1")
				require.NoError(t, err)
				store.breaks(broken, nil)
				failed := make(chan error, 1)
				go func() { _, err := client.Contacts.Get(t.Context(), "c1"); failed <- err }()
				time.Sleep(time.Second)
				require.NoError(t, all.Remove(t.Context(), "loc1"))
				require.ErrorIs(t, <-failed, ghl.ErrReauthRequired, "who waited for the refresh gets nothing of it")
				store.breaks(nil, nil)
				time.Sleep(time.Minute)
				_, err = store.Load(t.Context(), oauth.LocationKey("loc1"))
				require.ErrorIs(t, err, oauth.ErrNoToken)
				_, err = client.Contacts.Get(t.Context(), "c1")
				require.ErrorIs(t, err, ghl.ErrReauthRequired)
			})
		})
	}
}

// TestAddDuringARefresh: a refresh that ends after the account was connected anew does not replace the newer token.
func TestAddDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newAuthServer()
		store := &lateStore{MemoryStore: oauth.NewMemoryStore(), late: 1}
		server.stored(t, store.MemoryStore, oauth.LocationKey("loc1"), oneLocation, -time.Hour)
		server.codes["code-1"] = oneLocation
		app := server.app(t)
		all, err := oauth.NewInstallations(app, store)
		require.NoError(t, err)
		source := app.TokenSource(store, oauth.LocationKey("loc1"))
		waited := make(chan *ghl.Token, 1)
		go func() { token, _ := source.Token(t.Context()); waited <- token }()
		time.Sleep(time.Second)
		require.Equal(t, 1, server.refreshed())
		token, err := all.Add(t.Context(), "code-1")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		got, err := source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, token.AccessToken, got.AccessToken)
		require.Equal(t, token.AccessToken, (<-waited).AccessToken, "also for who waited for the refresh")
	})
}

// lateStore returns from its first updates long after the save.
type lateStore struct {
	*oauth.MemoryStore
	mu   sync.Mutex
	late int
}

func (s *lateStore) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	token, err := s.MemoryStore.Update(ctx, key, fn)
	s.mu.Lock()
	s.late--
	late := s.late >= 0
	s.mu.Unlock()
	if late {
		time.Sleep(10 * time.Second)
	}
	return token, err
}

func TestWrongInstallations(t *testing.T) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	app := server.app(t)
	for field, do := range map[string]func() error{
		"app":     func() error { _, err := oauth.NewInstallations(nil, store); return err },
		"store":   func() error { _, err := oauth.NewInstallations(app, nil); return err },
		"BaseURL": func() error { _, err := oauth.NewInstallations(app, store, ghl.WithBaseURL("x")); return err },
	} {
		require.Equal(t, field, asError(t, do()).Field)
	}
	all := server.installations(t, store)
	for field, do := range map[string]func() error{
		"locationID": func() error { _, err := all.Client(t.Context(), "a/b"); return err },
		"companyID":  func() error { _, err := all.Company(t.Context(), ""); return err },
		"code":       func() error { _, err := all.Add(t.Context(), ""); return err },
	} {
		require.Equal(t, field, asError(t, do()).Field)
	}
	_, err := all.AddLocation(t.Context(), "", "l")
	require.ErrorIs(t, err, ghl.ErrBadInput)
	require.ErrorIs(t, all.Remove(t.Context(), ""), ghl.ErrBadInput)
	require.ErrorIs(t, all.RemoveCompany(t.Context(), ""), ghl.ErrBadInput)
	_, err = all.RemoveIssuedBefore(t.Context(), "a/b", time.Now())
	require.ErrorIs(t, err, ghl.ErrBadInput)
	_, err = all.RemoveCompanyIssuedBefore(t.Context(), "", time.Now())
	require.ErrorIs(t, err, ghl.ErrBadInput)
	_, err = all.AddInstalled(t.Context(), "nobody")
	require.ErrorIs(t, err, oauth.ErrNoToken)

	dir := t.TempDir() + "/tokens"
	files := openStore(t, dir)
	save(t, files, oauth.LocationKey("bad"), someToken(1))
	save(t, files, oauth.LocationKey("good"), someToken(2))
	spoil(t, files.TokenFile(oauth.LocationKey("bad")))
	good, bad := 0, 0
	for client, err := range server.installations(t, files).Clients(t.Context()) {
		if err != nil {
			bad++
			continue
		}
		require.Equal(t, "good", client.Location())
		good++
	}
	require.Equal(t, [2]int{1, 1}, [2]int{good, bad}, "one that can't be read does not hide the others")
}

// bulk connects an agency and some of its locations.
func (s *authServer) bulk(t testing.TB, store oauth.Store, locations ...string) {
	t.Helper()
	s.codes["bulk"] = account{userType: ghl.UserTypeCompany, company: "comp1", locations: locations}
	_, err := s.installations(t, store).Add(t.Context(), "bulk")
	require.NoError(t, err)
}

// TestRemoveBeforeTheLock: a renewal that waits for the lock does not bring a removed location back.
func TestRemoveBeforeTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.bulk(t, store, "l1")
		app := server.app(t, func(c *oauth.Config) {
			c.HTTPClient = &http.Client{Transport: slow{server, 5 * time.Second}}
		})
		all, err := oauth.NewInstallations(app, store)
		require.NoError(t, err)
		client, err := all.Client(t.Context(), "l1")
		require.NoError(t, err)
		time.Sleep(25 * time.Hour)
		failed := make(chan error, 2)
		go func() { _, err := client.Contacts.Get(t.Context(), "c1"); failed <- err }()
		go func() {
			_, err := app.LocationTokenSource(store, oauth.CompanyKey("comp1"), "comp1", "l1").Token(t.Context())
			failed <- err
		}()
		time.Sleep(time.Second) // the company's token is being renewed
		require.NoError(t, all.Remove(t.Context(), "l1"))
		require.ErrorIs(t, <-failed, ghl.ErrReauthRequired)
		require.ErrorIs(t, <-failed, ghl.ErrReauthRequired)
		require.NoError(t, app.Flush(t.Context()))
		require.Empty(t, gather(t, all.Locations(t.Context())))
	})
}

// TestRemovedByAnotherProcess: a process with a client of the removed location does not bring its token back, but can
// add the location again.
func TestRemovedByAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.bulk(t, store, "l1", "l2")
		here, there := server.installations(t, store), server.installations(t, store)
		client, err := here.Client(t.Context(), "l1")
		require.NoError(t, err)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.NoError(t, there.Remove(t.Context(), "l1"))
		before := server.exchanges
		time.Sleep(25 * time.Hour)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		require.Equal(t, before, server.exchanges)
		require.Equal(t, []string{"l2"}, gather(t, there.Locations(t.Context())))

		_, err = here.AddLocation(t.Context(), "comp1", "l1")
		require.NoError(t, err)
		require.Equal(t, []string{"l1", "l2"}, gather(t, there.Locations(t.Context())),
			"added although a client was in memory")
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)

		require.NoError(t, here.Remove(t.Context(), "l1"))
		_, err = there.AddLocation(t.Context(), "comp1", "l1")
		require.NoError(t, err)
		_, err = here.Client(t.Context(), "l1")
		require.NoError(t, err)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err, "removed here, added there")

		require.NoError(t, here.Remove(t.Context(), "l1"))
		server.installed = []string{"l2"}
		_, err = here.AddLocation(t.Context(), "comp1", "l1")
		require.ErrorIs(t, err, ghl.ErrNotFound)
		server.installed = nil
		time.Sleep(2 * time.Minute)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired, "what could not be added is not added by a call")

		_, err = here.AddLocation(t.Context(), "comp1", "l1")
		require.NoError(t, err)
		require.NoError(t, there.RemoveCompany(t.Context(), "comp1"))
		time.Sleep(25 * time.Hour)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		require.Empty(t, gather(t, here.Locations(t.Context())))
	})
}

// TestConnectedInTheOtherWay: the stored token decides how it is renewed, also for clients made before it was stored.
func TestConnectedInTheOtherWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.bulk(t, store, "loc1")
		here, there := server.installations(t, store), server.installations(t, store)
		client, err := here.Client(t.Context(), "loc1")
		require.NoError(t, err)
		get := func() error { _, err := client.Contacts.Get(t.Context(), "c1"); return err }
		require.NoError(t, get())

		server.codes["own"] = oneLocation
		_, err = there.Add(t.Context(), "own")
		require.NoError(t, err)
		exchanges, refreshes := server.exchanges, server.refreshes
		time.Sleep(25 * time.Hour)
		require.NoError(t, get())
		require.Equal(t, exchanges, server.exchanges, "the location's own refresh token is used")
		require.Equal(t, refreshes+1, server.refreshes)
		saved, err := store.Load(t.Context(), oauth.LocationKey("loc1"))
		require.NoError(t, err)
		require.NotEmpty(t, saved.RefreshToken, "and not lost")

		require.NoError(t, there.Remove(t.Context(), "loc1"))
		_, err = there.AddLocation(t.Context(), "comp1", "loc1")
		require.NoError(t, err)
		exchanges = server.exchanges
		time.Sleep(25 * time.Hour)
		require.NoError(t, get(), "derived from the agency's")
		require.Equal(t, exchanges+1, server.exchanges)
	})
}

func TestAddLocationThatCannotSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.bulk(t, store, "l1")
		var told hooked
		all, err := oauth.NewInstallations(server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook }), store)
		require.NoError(t, err)
		store.breaks(errors.New("disk full"), nil)
		client, err := all.AddLocation(t.Context(), "comp1", "l2")
		require.NoError(t, err, "its token is in memory")
		again, err := all.AddLocation(t.Context(), "comp1", "l2")
		require.NoError(t, err)
		require.Same(t, client, again)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, 2, server.exchanges)
		require.NotEmpty(t, told.list())
		store.breaks(nil, nil)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.NoError(t, told.list()[len(told.list())-1])
		require.Equal(t, []string{"l1", "l2"}, gather(t, all.Locations(t.Context())))
	})
}
