package oauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
)

// TestConnectedAt: a token records when its account was connected. A renewal does not change that, a new consent does.
func TestConnectedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, _, _, connect := onMarketplace(t, "", "loc1", "l1")
		connected := func(location string) (at time.Time) {
			client, err := all.Client(t.Context(), location)
			require.NoError(t, err)
			_, err = client.Contacts.List(t.Context(), nil)
			require.NoError(t, err)
			token, err := all.Store().Load(t.Context(), oauth.LocationKey(location))
			require.NoError(t, err)
			require.False(t, token.IssuedAt.Before(token.ConnectedAt))
			return token.ConnectedAt
		}
		start := time.Now()
		token, err := all.Add(t.Context(), connect(ghltest.Consent{LocationID: "loc1"}))
		require.NoError(t, err)
		require.WithinDuration(t, start, token.ConnectedAt, 0)
		_, err = all.Add(t.Context(),
			connect(ghltest.Consent{Company: &ghltest.CompanyInstall{Locations: []string{"l1"}}}))
		require.NoError(t, err)
		for range 2 { // a day with the first token, and one with a renewed token
			require.WithinDuration(t, start, connected("loc1"), 0)
			require.WithinDuration(t, start, connected("l1"), 0, "derived from the company's token")
			time.Sleep(25 * time.Hour)
		}
		_, err = all.Add(t.Context(), connect(ghltest.Consent{LocationID: "loc1"}))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), connected("loc1"), 0)
		require.NoError(t, all.Remove(t.Context(), "l1"))
		_, err = all.AddLocation(t.Context(), "comp1", "l1")
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), connected("l1"), 0)
	})
}

// TestMarkConnected: the latest time at which a location was connected decides what an uninstall removes.
func TestMarkConnected(t *testing.T) {
	at := time.Date(2025, 11, 7, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name              string
		connected, issued time.Time
		marked            time.Time
		want              time.Time // ConnectedAt
		removed           bool      // by an uninstall at at
	}{
		{"connected before, renewed after", at.Add(-time.Hour), at.Add(time.Hour), time.Time{}, at.Add(-time.Hour), true},
		{"connected at that time", at, at.Add(-time.Hour), time.Time{}, at, false},
		{"connected after", at.Add(time.Second), time.Time{}, time.Time{}, at.Add(time.Second), false},
		{"marked after", at.Add(-time.Hour), at.Add(-time.Hour), at.Add(time.Second), at.Add(time.Second), false},
		{"marked before", at.Add(-time.Hour), at, at.Add(-time.Second), at.Add(-time.Second), true},
		{"marked earlier than connected", at.Add(time.Hour), at, at.Add(-time.Second), at.Add(time.Hour), false},
		{"unknown, issued after", time.Time{}, at.Add(time.Hour), at.Add(-time.Second), time.Time{}, false},
		{"unknown, issued before", time.Time{}, at.Add(-time.Hour), at.Add(time.Second), at.Add(time.Second), false},
		{"unknown", time.Time{}, time.Time{}, time.Time{}, time.Time{}, true},
		{"unknown, marked", time.Time{}, time.Time{}, at, at, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := oauth.NewMemoryStore()
			all := newAuthServer().installations(t, store)
			token := someToken(1)
			token.ConnectedAt, token.IssuedAt = test.connected, test.issued
			save(t, store, oauth.LocationKey("loc1"), token)
			require.NoError(t, all.MarkConnected(t.Context(), "loc1", test.marked))
			stored, err := store.Load(t.Context(), oauth.LocationKey("loc1"))
			require.NoError(t, err)
			require.True(t, test.want.Equal(stored.ConnectedAt), stored.ConnectedAt)
			require.Equal(t, token.AccessToken, stored.AccessToken)
			removed, err := all.RemoveIssuedBefore(t.Context(), "loc1", at)
			require.NoError(t, err)
			require.Equal(t, test.removed, removed)
		})
	}
	all := newAuthServer().installations(t, oauth.NewMemoryStore())
	require.NoError(t, all.MarkConnected(t.Context(), "nowhere", at), "nothing is stored")
	require.Empty(t, gather(t, all.Locations(t.Context())))
	require.ErrorIs(t, all.MarkConnected(t.Context(), "a/b", at), ghl.ErrBadInput)
}
