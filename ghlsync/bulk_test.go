package ghlsync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghltest"
)

// BenchmarkBulk measures a change of each of many linked contacts, from its delivery until it is in Pluvo: the time, the
// CPU of the process without the fake HighLevel's work before, and the SQL of each change.
func BenchmarkBulk(b *testing.B) {
	for name, open := range databases(b) {
		b.Run(name, func(b *testing.B) {
			server := ghltest.Start(b)
			c := config(b, open(b), server)
			c.ReconcileInterval, c.CompareInterval, c.IndexLag = -1, -1, -1
			s := start(b, c)
			handler, err := s.WebhookHandler()
			require.NoError(b, err)
			sent := record(server)
			client := clientOf(b, server, unlimited)
			contacts := imported()
			ids := make([]string, contacts)
			for i := range ids {
				ids[i] = server.AddContact(ghl.Contact{FirstName: fmt.Sprint("c", i),
					Email: fmt.Sprintf("c%d@example.com", i), DateUpdated: timeOf(time.Now().Add(-time.Hour))}).ID
			}
			require.NoError(b, s.Backfill(b.Context(), server.LocationID(), ghlsync.BackfillOptions{}))
			b.ResetTimer()
			for n := range b.N {
				b.StopTimer()
				for _, id := range ids {
					_, err := client.Contacts.Update(b.Context(), id,
						&ghl.ContactUpdate{LastName: ghl.Some(fmt.Sprint("n", n))})
					require.NoError(b, err)
				}
				require.NoError(b, server.Flush(b.Context()))
				statements, transactions := s.Counts()
				b.StartTimer()
				sent.send(b, handler)
				require.Eventually(b, s.Quiet, 5*time.Minute, 5*time.Millisecond)
				b.StopTimer()
				after, afterwards := s.Counts()
				b.ReportMetric(float64(after-statements)/float64(contacts), "statements/change")
				b.ReportMetric(float64(afterwards-transactions)/float64(contacts), "transactions/change")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(contacts*(n+1)), "µs/change")
				b.StartTimer()
			}
		})
	}
}
