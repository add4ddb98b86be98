package tokens_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/tokens"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/oauth/storetest"
)

func TestMain(m *testing.M) {
	dbtest.Main(m, map[string]func([]string){"hold": hold})
}

func TestConformance(t *testing.T) {
	for name, options := range map[string]tokens.Options{"plain": {},
		"encrypted": {Keys: [][]byte{bytes.Repeat([]byte{7}, 32)}}} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				a, b := dbtest.Open(t, address), dbtest.Open(t, address)
				storetest.Run(t, func() (first, second oauth.Store) {
					require.NoError(t, a.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
						_, err := tx.Exec(ctx, `DELETE FROM ghlsync_token`)
						return err
					}))
					return open(t, a, options), open(t, b, options)
				})
			})
		})
	}
}

func open(t testing.TB, d *db.DB, o tokens.Options) *tokens.Store {
	t.Helper()
	s, err := tokens.New(d, o)
	require.NoError(t, err)
	return s
}

func save(t testing.TB, s *tokens.Store, key string, token *ghl.Token) {
	t.Helper()
	_, err := s.Update(t.Context(), key, func(context.Context, *ghl.Token) (*ghl.Token, error) { return token, nil })
	require.NoError(t, err)
}

func TestEncryption(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	d := dbtest.Open(t, dbtest.SQLite(t))
	stored := func() (body []byte) {
		require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			return tx.Row(ctx, `SELECT body FROM ghlsync_token WHERE key = $1`, []byte("k")).Scan(&body)
		}))
		return body
	}
	token := &ghl.Token{AccessToken: "access-secret", RefreshToken: "refresh-secret"}
	save(t, open(t, d, tokens.Options{}), "k", token)
	require.Contains(t, string(stored()), "refresh-secret")

	first := open(t, d, tokens.Options{Keys: [][]byte{one}})
	_, err := first.Load(t.Context(), "k")
	require.ErrorContains(t, err, "not encrypted")
	require.NoError(t, first.Delete(t.Context(), "k"))
	token.AccessToken = "access-secret-2"
	save(t, first, "k", token)
	require.NotContains(t, string(stored()), "secret")

	_, err = open(t, d, tokens.Options{Keys: [][]byte{two}}).Load(t.Context(), "k")
	require.ErrorContains(t, err, "another key")
	_, err = open(t, d, tokens.Options{}).Load(t.Context(), "k")
	require.ErrorContains(t, err, "another key")
	got, err := open(t, d, tokens.Options{Keys: [][]byte{two, one}}).Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "access-secret-2", got.AccessToken)

	// A token that was moved to another key does not open.
	require.NoError(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_token SET key = $1`, []byte("other"))
		return err
	}))
	_, err = first.Load(t.Context(), "other")
	require.ErrorContains(t, err, "another key")

	_, err = tokens.New(d, tokens.Options{Keys: [][]byte{one[:31]}})
	require.ErrorContains(t, err, "31")
	require.Equal(t, "tokens.Store", fmt.Sprintf("%+v", first))
}

// TestOlderRows: a token that was stored without a header is read, and gets one when it is next saved.
func TestOlderRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		s := open(t, d, tokens.Options{})
		older, err := oauth.EncodeToken(&ghl.Token{AccessToken: "access-1", RefreshToken: "refresh-1"})
		require.NoError(t, err)
		require.NoError(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO ghlsync_token (key, body, changed_at) VALUES ($1, $2, 1)`,
				[]byte("k"), older)
			return err
		}))
		got, err := s.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "refresh-1", got.RefreshToken)
		save(t, s, "k", &ghl.Token{AccessToken: "access-2"})
		got, err = s.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "access-2", got.AccessToken)
	})
}

const shortLease = 700 * time.Millisecond

// hold locks a key, writes a line and never unlocks the key.
func hold(args []string) {
	d, err := db.Open(context.Background(), args[0], db.Options{})
	if err != nil {
		panic(err)
	}
	s, err := tokens.New(d, tokens.Options{})
	if err != nil {
		panic(err)
	}
	s.SetLease(shortLease)
	_, err = s.Update(context.Background(), "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
		fmt.Println("held")
		select {}
	})
	panic(err)
}

// TestDeadProcess: a lock becomes free when its process is killed, and not before.
func TestDeadProcess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		s := open(t, dbtest.Open(t, address), tokens.Options{})
		s.SetLease(shortLease)
		save(t, s, "k", &ghl.Token{AccessToken: "before"})
		child := dbtest.Start(t, "hold", address)
		require.Equal(t, "held", child.Line(t))

		// A living holder renews the lock beyond the lease.
		ctx, cancel := context.WithTimeout(t.Context(), 2*shortLease)
		defer cancel()
		_, err := s.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
			return &ghl.Token{AccessToken: "no"}, nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)

		child.Kill()
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = s.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
			require.Equal(t, "before", current.AccessToken)
			return &ghl.Token{AccessToken: "after"}, nil
		})
		require.NoError(t, err)
	})
}

// TestSavedWithoutTheLock: a new token is saved even if the connection, and the lock with it, was lost.
func TestSavedWithoutTheLock(t *testing.T) {
	d := dbtest.Open(t, dbtest.Postgres(t))
	s := open(t, d, tokens.Options{})
	_, err := s.Update(t.Context(), "k", func(ctx context.Context, _ *ghl.Token) (*ghl.Token, error) {
		_, err := d.Postgres().Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND state = 'idle in transaction' AND query LIKE '%ghlsync_token%'`)
		return &ghl.Token{AccessToken: "new"}, err
	})
	require.NoError(t, err)
	got, err := s.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "new", got.AccessToken)
}

// TestOneRefresh: of many callers in several processes, one refreshes at each expiry.
func TestOneRefresh(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		var mu sync.Mutex
		current, refreshes, burned := "refresh-0", 0, 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.PostFormValue("refresh_token") != current {
				burned++
				http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
				return
			}
			refreshes++
			current = fmt.Sprint("refresh-", refreshes)
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("access-", refreshes),
				"refresh_token": current,
				"expires_in":    86400, "userType": "Location", "locationId": "loc"})
		}))
		defer server.Close()
		const processes, callers = 4, 10
		var sources []ghl.TokenSource
		for i := range processes {
			app, err := oauth.NewApp(oauth.Config{ClientID: "id", ClientSecret: "secret", BaseURL: server.URL,
				RedirectURL: "https://example.com/callback", UserType: ghl.UserTypeLocation,
				Scopes: []ghl.Scope{"contacts.readonly"}})
			require.NoError(t, err)
			s := open(t, dbtest.Open(t, address), tokens.Options{})
			if i == 0 {
				save(t, s, "k", &ghl.Token{AccessToken: "old", RefreshToken: current,
					ExpiresAt: time.Now().Add(-time.Hour), UserType: ghl.UserTypeLocation, LocationID: "loc"})
			}
			sources = append(sources, app.TokenSource(s, "k"))
		}
		var all sync.WaitGroup
		errs := make([]error, processes*callers)
		for i := range errs {
			all.Go(func() {
				token, err := sources[i%processes].Token(t.Context())
				if err == nil && token.AccessToken != "access-1" {
					err = errors.New("another token")
				}
				errs[i] = err
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, 1, refreshes)
		require.Zero(t, burned)
	})
}

// TestWaitEndsWithTheContext: a caller that waits for the database returns soon after the end of its context, although
// another process holds the lock of the row or writes to the file.
func TestWaitEndsWithTheContext(t *testing.T) {
	const soon = 5 * time.Second // much less than the time for which the locks are held
	dbtest.Each(t, func(t *testing.T, address string) {
		d, other := dbtest.Open(t, address), dbtest.Open(t, address)
		s := open(t, d, tokens.Options{})
		save(t, s, "k", &ghl.Token{AccessToken: "a"})
		held, release, ended := make(chan bool), make(chan bool), make(chan error)
		go func() {
			ended <- other.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE ghlsync_token SET changed_at = 5 WHERE key = $1`, []byte("k"))
				close(held)
				select {
				case <-release:
				case <-time.After(2 * soon):
				}
				return err
			})
		}()
		<-held
		for name, wait := range map[string]func(context.Context) error{
			"Delete": func(ctx context.Context) error { return s.Delete(ctx, "k") },
			"Update": func(ctx context.Context) error {
				_, err := s.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
					return nil, errors.New("the key is locked")
				})
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			start := time.Now()
			err := wait(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Less(t, time.Since(start), soon, name)
			t.Logf("%s returned after %s", name, time.Since(start))
		}
		close(release)
		require.NoError(t, <-ended)
		save(t, s, "k", &ghl.Token{AccessToken: "b"}) // no caller that gave up holds the lock
	})
}
