package ghlsync_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// delivery is a signed request as HighLevel has sent it.
type delivery struct {
	header http.Header
	body   []byte
}

func (d delivery) to(t testing.TB, handler http.Handler) {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(d.body))
	r.Header = d.header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
}

// TestDeliveriesInAnyOrder: deliveries that arrive in another order, twice, and again at the end have the same result
// as deliveries that arrive once and in order.
func TestDeliveriesInAnyOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		inOrder := start(t, config(t, address, server))
		first, err := inOrder.WebhookHandler()
		require.NoError(t, err)
		var mu sync.Mutex
		var sent []delivery
		server.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			sent = append(sent, delivery{r.Header.Clone(), body})
			mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
			first.ServeHTTP(w, r)
		}))
		client := clientOf(t, server)
		ctx := t.Context()
		var ids []string
		for _, name := range []string{"Ada", "Grace", "Edith"} {
			c, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: name, Email: name + "@example.com",
				Tags: []string{"new"}})
			require.NoError(t, err)
			ids = append(ids, c.ID)
			task, err := client.Tasks.Create(ctx, c.ID,
				&ghl.TaskCreate{Title: "Call", DueDate: time.Now().Add(time.Hour)})
			require.NoError(t, err)
			_, err = client.Notes.Create(ctx, c.ID, &ghl.NoteCreate{Body: "Asked for " + name})
			require.NoError(t, err)
			quiet(t, inOrder, server)
			_, err = client.Contacts.Update(ctx, c.ID, &ghl.ContactUpdate{LastName: ghl.Some("Second")})
			require.NoError(t, err)
			_, err = client.Tags.Remove(ctx, c.ID, []string{"new"})
			require.NoError(t, err)
			_, err = client.Tasks.SetCompleted(ctx, c.ID, task.ID, true)
			require.NoError(t, err)
		}
		quiet(t, inOrder, server)
		require.NoError(t, client.Contacts.Delete(ctx, ids[2]))
		quiet(t, inOrder, server)
		same(t, inOrder, server, ids[:2], true)
		require.Greater(t, len(sent), 15)

		server.ResetRequests()
		random := rand.New(rand.NewPCG(1, 1))
		for range 3 {
			other := "sqlite:" + t.TempDir() + "/other.db"
			if address[:6] != "sqlite" {
				other = dbtest.Postgres(t)
			}
			s := start(t, config(t, other, server))
			handler, err := s.WebhookHandler()
			require.NoError(t, err)
			shuffled := slices.Concat(sent, sent)
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			for _, d := range shuffled {
				d.to(t, handler)
			}
			equal := func() bool { // the sync waits for the deleted contact, since events may arrive before it exists
				for _, id := range ids[:2] {
					want, err := inOrder.Pluvo().Full(ctx, id)
					require.NoError(t, err)
					is, err := s.Pluvo().Full(ctx, id)
					if err != nil || !reflect.DeepEqual(want, is) {
						return false
					}
				}
				_, err := s.Pluvo().Full(ctx, ids[2])
				return errors.Is(err, pluvo.ErrNotFound)
			}
			eventually(t, "both have the same records", equal)
			before := s.Units()
			sent[0].to(t, handler) // again at the end
			require.Subset(t, before, s.Units(), "running units may end meanwhile")
		}
		for _, r := range server.Requests() {
			require.Equal(t, http.MethodGet, r.Method, r.Operation)
		}
	})
}

// TestADeliveryThatCannotBeKept: a delivery is answered 429 while the database fails at any step, and is processed
// when it is redelivered. The first attempt stores nothing that would make the redelivery a duplicate.
func TestADeliveryThatCannotBeKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, -1
		s := start(t, c)
		handler, err := s.WebhookHandler()
		require.NoError(t, err)
		hook := server.SubscribeHandler(handler, ghltest.RedeliverOnly429())
		last := func() ghltest.Delivery {
			require.NoError(t, server.Flush(t.Context()))
			sent := hook.Deliveries()
			return sent[len(sent)-1]
		}
		client, err := ghl.New(server.ClientOptions()...)
		require.NoError(t, err)
		for _, table := range []string{"ghlsync_delivery", "ghlsync_unit", "river_job"} {
			ghlsync.Exec(t, address, "ALTER TABLE "+table+" RENAME TO elsewhere")
			made, err := client.Contacts.Create(t.Context(),
				&ghl.ContactCreate{FirstName: table, Email: table + "@example.com"})
			require.NoError(t, err)
			require.Equal(t, http.StatusTooManyRequests, last().Status, table)

			ghlsync.Exec(t, address, "ALTER TABLE elsewhere RENAME TO "+table)
			require.Equal(t, 1, server.Redeliver())
			require.Equal(t, http.StatusOK, last().Status, table)
			eventually(t, table, func() bool { return shape(t, s, made.ID) != nil })
		}
	})
}
