package oauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
