//go:build unix

package ghlsync_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// TestLateWrite: a process is frozen while it writes to HighLevel, beyond every time-out. Another process takes over and
// makes the write itself, a person changes the same field, and then the first write arrives. It counts as a change by
// another program: both sides are equal at the end, and the frozen process changes nothing.
func TestLateWrite(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	d := dbtest.Open(t, address)
	store := records.New(d)
	server := ghltest.Start(t)
	held, arrive := make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(arrive) })
	arrived := make(chan struct{})
	var hold atomic.Bool
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		late := r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/contacts/") && hold.CompareAndSwap(true, false)
		if late {
			close(held)
			<-arrive
			defer close(arrived)
		}
		server.Handler().ServeHTTP(w, r)
	}))
	defer front.Close()
	defer goOn()
	child := dbtest.Start(t, "sync", address, front.URL, server.Token(), server.LocationID(),
		base64.StdEncoding.EncodeToString(server.WebhookPublicKey()))
	to := &receivers{addresses: []string{child.Line(t)}}
	server.SubscribeHandler(to)
	person := clientOf(t, server, unlimited)
	made, err := person.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ann", Email: "ann@example.com"})
	require.NoError(t, err)
	ours := func() *pluvo.Contact {
		full, err := store.Full(t.Context(), made.ID)
		if err != nil {
			return &pluvo.Contact{}
		}
		return &full.Contact
	}
	eventually(t, "the contact is in Pluvo", func() bool { return ours().FirstName == "Ann" })

	hold.Store(true)
	record, version, err := store.Get(t.Context(), pluvo.KindContact, made.ID)
	require.NoError(t, err)
	record.(*pluvo.Contact).LastName = "Pluvo"
	_, err = store.Put(t.Context(), record, version)
	require.NoError(t, err)
	wait(t, held)
	child.Signal(t, syscall.SIGSTOP)

	c := config(t, address, server)
	c.Lease = time.Second
	other := start(t, c)
	handler, err := other.WebhookHandler()
	require.NoError(t, err)
	receiver := httptest.NewServer(handler)
	defer receiver.Close()
	to.mu.Lock()
	to.addresses[0] = receiver.URL
	to.mu.Unlock()
	theirs := func() string {
		contact, _ := server.Contact(made.ID)
		return contact.LastName
	}
	eventually(t, "the other process makes the write", func() bool { return theirs() == "Pluvo" })
	quiet(t, other, server)
	_, err = person.Contacts.Update(t.Context(), made.ID, &ghl.ContactUpdate{LastName: ghl.Some("Person")})
	require.NoError(t, err)
	eventually(t, "the person's change is in Pluvo", func() bool { return ours().LastName == "Person" })
	quiet(t, other, server)

	goOn()
	wait(t, arrived)
	require.Equal(t, "Pluvo", theirs())
	child.Signal(t, syscall.SIGCONT)
	eventually(t, "the late write is in Pluvo", func() bool { return ours().LastName == "Pluvo" })
	quiet(t, other, server)
	require.Equal(t, "Pluvo", theirs())
	require.Equal(t, "Pluvo", ours().LastName)
	require.Len(t, server.Contacts(), 1)
	eventually(t, "the frozen process works again", func() bool {
		var n int
		require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			return tx.Row(ctx, `SELECT count(*) FROM ghlsync_process`).Scan(&n)
		}))
		return n == 2
	})
}

// wait waits until a channel is closed.
func wait(t testing.TB, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing happens")
	}
}
