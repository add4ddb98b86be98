package ghlsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// BenchmarkWebhookToPluvo measures changes per second from HighLevel's delivery to Pluvo's record. Each change is of
// another contact and is read by itself or with others; HighLevel answers at once and without limits.
func BenchmarkWebhookToPluvo(b *testing.B) {
	for name, address := range databases(b) {
		b.Run(name, func(b *testing.B) {
			server := ghltest.Start(b)
			c := config(b, address(b), server)
			c.Workers, c.PluvoInterval = 16, time.Second
			c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, unlimited)
			s := start(b, c)
			handler, err := s.WebhookHandler()
			require.NoError(b, err)
			ids := make([]string, 500)
			for i := range ids {
				ids[i] = server.AddContact(ghl.Contact{FirstName: fmt.Sprint("c", i),
					Email: fmt.Sprintf("c%d@example.com", i)}).ID
				require.NoError(b, s.Touch(b.Context(), server.LocationID(), ids[i]))
			}
			idle(b, s, server)
			server.SubscribeHandler(handler)
			client := clientOf(b, server, unlimited)
			n := 0
			for b.Loop() { // 500 changes
				n++
				for _, id := range ids {
					_, err := client.Contacts.Update(b.Context(), id,
						&ghl.ContactUpdate{LastName: ghl.Some(fmt.Sprint("n", n))})
					require.NoError(b, err)
				}
				idle(b, s, server)
			}
			b.ReportMetric(float64(n*len(ids))/b.Elapsed().Seconds(), "changes/s")
			full, err := s.Pluvo().Full(b.Context(), ids[0])
			require.NoError(b, err)
			require.Equal(b, fmt.Sprint("n", n), full.Contact.LastName)
		})
	}
}

func databases(b *testing.B) map[string]func(testing.TB) string {
	all := map[string]func(testing.TB) string{"sqlite": dbtest.SQLite}
	if os.Getenv(dbtest.Variable) != "" {
		all["postgres"] = dbtest.Postgres
	}
	return all
}

func idle(b *testing.B, s interface {
	Units() []string
}, server *ghltest.Server) {
	b.Helper()
	require.NoError(b, server.Flush(context.Background()))
	for len(s.Units()) > 0 {
		time.Sleep(2 * time.Millisecond)
	}
}

// BenchmarkMemory measures the memory of a process that syncs GHLSYNC_CONTACTS contacts, or 2,000, after a thousand
// changes.
func BenchmarkMemory(b *testing.B) {
	contacts := 2000
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_CONTACTS")); err == nil {
		contacts = n
	}
	for name, address := range databases(b) {
		b.Run(name, func(b *testing.B) {
			server := ghltest.Start(b)
			at := address(b)
			c := config(b, at, server)
			c.PluvoInterval = time.Hour
			fill(b, dbtest.Open(b, at), server.LocationID(), contacts)
			s := start(b, c)
			var ids []string
			for i := range 100 {
				ids = append(ids, server.AddContact(ghl.Contact{FirstName: fmt.Sprint("x", i),
					Email: fmt.Sprintf("x%d@example.com", i)}).ID)
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				for range 10 {
					for _, id := range ids {
						require.NoError(b, s.Touch(b.Context(), server.LocationID(), id))
					}
					idle(b, s, server)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc)/(1<<20), "MiB-heap")
			b.ReportMetric(float64(after.Sys-after.HeapReleased)/(1<<20), "MiB-from-system")
		})
	}
}

// fill stores contacts that are synced.
func fill(b *testing.B, d *db.DB, location string, contacts int) {
	b.Helper()
	for from := 0; from < contacts; from += 1000 {
		require.NoError(b, d.Write(b.Context(), func(ctx context.Context, tx *db.Tx) error {
			for i := from; i < min(from+1000, contacts); i++ {
				id := fmt.Sprintf("contact%d", i)
				record := &pluvo.Contact{ID: id, FirstName: "First", LastName: id, Email: id + "@example.com",
					Tags:   []string{"one", "two"},
					Origin: pluvo.Origin{System: "highlevel", Location: location, ID: id}}
				text, err := json.Marshal(record)
				if err != nil {
					return err
				}
				origin, _ := json.Marshal([]string{"highlevel", location, id})
				if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_record (kind, id, owner, origin, body, sequence)
					VALUES ('contact', $1, $2, $3, $4, $5)`, id, id, string(origin), string(text), int64(i+1)); err != nil {
					return err
				}
				synced := `{"highlevel":` + string(text) + `,"pluvo":` + string(text) + `}`
				if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_link (location, kind, ghl_id, pluvo_id, contact, synced)
					VALUES ($1, 'contact', $2, $3, $4, $5)`, location, id, id, id, synced); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, `UPDATE ghlsync_sequence SET last = $1 WHERE name = 'record'`, int64(contacts))
			return err
		}))
	}
}
