package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/pluvo"
)

// TestBackfill: --dry-run prints what would change and changes neither side; then the backfill changes it.
func TestBackfill(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address)
		if strings.HasPrefix(address, "sqlite:") {
			require.Contains(t, w.ok("backfill", "--dry-run"), "would create contact", "before the database exists")
			require.NoFileExists(t, strings.TrimPrefix(address, "sqlite:"))
		}
		w.ok("migrate")
		count := func() (n int) {
			d, err := db.Open(t.Context(), address, db.Options{})
			require.NoError(t, err)
			defer d.Close()
			require.NoError(t, eachContact(t.Context(), records.New(d), func(*pluvo.FullContact) { n++ }))
			return n
		}
		put := func(r pluvo.Record) {
			d, err := db.Open(t.Context(), address, db.Options{})
			require.NoError(t, err)
			defer d.Close()
			_, err = records.New(d).Put(t.Context(), r, pluvo.AnyVersion)
			require.NoError(t, err)
		}
		out := w.ok("backfill", "--dry-run")
		require.Contains(t, out, "Nothing was changed")
		require.Equal(t, 12, strings.Count(out, "would create contact"), out)
		require.Zero(t, count())

		out = w.ok("backfill", "--notes")
		require.Contains(t, out, "12 contacts")
		require.Equal(t, 12, count())
		var data []backfilled
		require.NoError(t, json.Unmarshal([]byte(w.ok("backfill", "--json", w.server.LocationID())), &data))
		require.Equal(t, 12, data[0].Contacts)

		// A new contact in Pluvo and a changed one in HighLevel are both found, on a copy that has the existing links.
		put(&pluvo.Contact{ID: "p1", FirstName: "Nova", Email: "nova@example.com"})
		client, err := ghl.New(w.server.ClientOptions()...)
		require.NoError(t, err)
		one := w.server.Contacts()[0]
		_, err = client.Contacts.Update(t.Context(), one.ID, &ghl.ContactUpdate{LastName: ghl.Some("Newname")})
		require.NoError(t, err)
		before := len(w.server.Contacts())
		out = w.ok("backfill", "--dry-run")
		require.Contains(t, out, "would contacts.create")
		require.Contains(t, out, "would change contact "+one.ID+": lastName")
		require.NotContains(t, out, "would create contact")
		require.Contains(t, out, "It would change 1 record of Pluvo and send 1 request to HighLevel")
		require.Len(t, w.server.Contacts(), before)

		code, _, errs := w.do("backfill", "elsewhere")
		require.Equal(t, exitWrong, code)
		require.Contains(t, errs, "no location elsewhere")
	})
}
