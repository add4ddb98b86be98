package oauth_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/oauth/storetest"
)

// TestStoreOfTheExample: the store that the documentation shows passes the conformance suite, but for what needs a
// database.
func TestStoreOfTheExample(t *testing.T) {
	storetest.Run(t, func() (first, second oauth.Store) {
		s := &tableStore{table: &table{rows: map[string][]byte{}}, ring: ring(t, storeKey(1))}
		return s, s
	})
}

func TestUpdate(t *testing.T) {
	current := someToken(1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		current *ghl.Token
		next    *ghl.Token
		err     error
		changed bool
		fails   bool
	}{
		"a new token":         {current: current, next: someToken(2), changed: true},
		"the first token":     {next: someToken(2), changed: true},
		"the same token":      {current: current, next: someToken(1)},
		"still no token":      {},
		"no token any more":   {current: current, fails: true},
		"an error":            {current: current, next: someToken(2), err: errReset, fails: true},
		"an unstorable token": {current: current, next: &ghl.Token{AccessToken: "a b"}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.next != nil && tc.current != nil {
				tc.next.ExpiresAt = tc.current.ExpiresAt
			}
			got, changed, err := oauth.Update(ended, tc.current,
				func(ctx context.Context, given *ghl.Token) (*ghl.Token, error) {
					require.NoError(t, ctx.Err(), "the end of the caller's context does not reach fn")
					deadline, ok := ctx.Deadline()
					require.True(t, ok)
					require.WithinDuration(t, time.Now().Add(oauth.UpdateTimeout), deadline, time.Minute)
					require.Equal(t, tc.current, given)
					if given != nil {
						given.AccessToken = "changed by fn"
					}
					return tc.next, tc.err
				})
			require.Equal(t, tc.changed, changed)
			if tc.fails {
				require.Error(t, err)
				require.Nil(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.next, got)
			if got != nil {
				require.NotSame(t, tc.next, got)
			}
		})
	}
	require.Equal(t, "secret-access-1", current.AccessToken, "fn gets a copy")
}

func TestSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tries := 0
		require.NoError(t, oauth.Save(ended, func(ctx context.Context) error {
			require.NoError(t, ctx.Err())
			if tries++; tries < 5 {
				return errReset
			}
			return nil
		}))
		require.Equal(t, 5, tries)

		start := time.Now()
		err := oauth.Save(ended, func(context.Context) error { return errReset })
		require.ErrorIs(t, err, errReset)
		require.Equal(t, oauth.SaveTimeout, time.Since(start))
	})
}

func TestKeyLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks oauth.KeyLocks
		unlock, err := locks.Lock(t.Context(), "a")
		require.NoError(t, err)
		other, err := locks.Lock(t.Context(), "b")
		require.NoError(t, err, "keys are apart")
		other()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = locks.Lock(ctx, "a")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = locks.Lock(ctx, "free")
		require.ErrorIs(t, err, context.DeadlineExceeded, "an ended context gets no lock, not even a free one")

		got := make(chan error)
		go func() {
			again, err := locks.Lock(t.Context(), "a")
			if err == nil {
				again()
			}
			got <- errors.Join(err, t.Context().Err())
		}()
		synctest.Wait()
		unlock()
		require.NoError(t, <-got)
	})
}
