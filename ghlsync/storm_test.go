package ghlsync_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

func TestMain(m *testing.M) {
	dbtest.Main(m, map[string]func([]string){"sync": syncRole, "load": loadRole, "backfill": backfillRole})
}

// syncRole is a process as in production: it receives deliveries, follows Pluvo and syncs. It prints the address of
// its webhook.
func syncRole(args []string) {
	address, server, token, location, key := args[0], args[1], args[2], args[3], args[4]
	serve(ghlsync.Config{
		Database: address, Webhooks: verifierOf(key), Logger: slog.New(slog.DiscardHandler),
		Settle: 300 * time.Millisecond, IndexLag: -1, // the fake has none
		PluvoInterval: 20 * time.Millisecond, Lease: time.Second,
		Retry: ghlsync.RetryPolicy{First: 100 * time.Millisecond, Max: time.Second, Attempts: 1000},
		Locations: []ghlsync.Location{{
			ID: location, TokenSource: ghl.StaticTokenSource(token), Region: "US", TimeZone: "America/Chicago",
			ClientOptions: []ghl.Option{ghl.WithBaseURL(server), unlimited},
		}},
	})
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

func verifierOf(key string) *webhook.Verifier {
	public, err := base64.StdEncoding.DecodeString(key)
	exitOn(err)
	verifier, err := webhook.NewVerifier(webhook.WithKeys(public))
	exitOn(err)
	return verifier
}

// serve runs a Syncer and receives deliveries until the process is killed. It prints the address of the webhook.
func serve(c ghlsync.Config) {
	s, err := ghlsync.New(context.Background(), c)
	exitOn(err)
	handler, err := s.WebhookHandler()
	exitOn(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	exitOn(err)
	fmt.Println("http://" + listener.Addr().String())
	exitOn(s.Start(context.Background()))
	exitOn((&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}).Serve(listener))
}

// kills returns how often a storm kills a process: GHLSYNC_KILLS, or a few times.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_KILLS")); err == nil {
		return n
	}
	return 10
}

// receivers forwards deliveries to processes that end and restart.
type receivers struct {
	mu        sync.Mutex
	addresses []string
	turn      int
}

func (r *receivers) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	r.mu.Lock()
	r.turn++
	address := r.addresses[r.turn%len(r.addresses)]
	r.mu.Unlock()
	out, err := http.NewRequestWithContext(in.Context(), in.Method, address, in.Body)
	if err == nil {
		out.Header = in.Header.Clone()
		var resp *http.Response
		if resp, err = http.DefaultClient.Do(out); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			w.WriteHeader(resp.StatusCode)
			return
		}
	}
	w.WriteHeader(http.StatusBadGateway)
}

// people makes the changes of a storm on both sides. Every record has a unique name, which shows lost and duplicate
// records.
type people struct {
	t      *testing.T
	random *rand.Rand
	server *ghltest.Server
	client *ghl.Client
	store  pluvo.Store
	db     *db.DB
	n      int
	made   []string            // names of contacts
	tasks  map[string][]string // by contact, names of tasks that are not deleted
	notes  map[string][]string
}

func (p *people) name(kind string) string {
	p.n++
	return fmt.Sprintf("%s%d", kind, p.n)
}

// theirs returns the contact of HighLevel with a name.
func (p *people) theirs(name string) (ghl.Contact, bool) {
	for _, c := range p.server.Contacts() {
		if strings.EqualFold(c.Email, name+"@example.com") {
			return c, true
		}
	}
	return ghl.Contact{}, false
}

// ours returns the contact of Pluvo with a name.
func (p *people) ours(name string) (*pluvo.FullContact, bool) {
	for id := range p.contacts() {
		full, err := p.store.Full(p.t.Context(), id)
		if err == nil && strings.EqualFold(full.Contact.Email, name+"@example.com") {
			return full, true
		}
	}
	return nil, false
}

func (p *people) contacts() map[string]bool {
	ids := map[string]bool{}
	var at pluvo.Cursor
	for {
		page, err := p.store.Changes(p.t.Context(), at, 0)
		require.NoError(p.t, err)
		for _, c := range page.Changes {
			if c.Kind == pluvo.KindContact {
				if c.Deleted() {
					delete(ids, c.ID)
				} else {
					ids[c.ID] = true
				}
			}
		}
		if at = page.Next; !page.More {
			return ids
		}
	}
}

// act makes a random change on one of the sides.
func (p *people) act() {
	action := p.random.IntN(9)
	if action < 2 {
		p.addContact(action == 0)
		return
	}
	name := p.made[p.random.IntN(len(p.made))]
	switch action {
	case 2, 4, 6, 8:
		if c, ok := p.theirs(name); ok {
			p.changeTheirs(action, name, c.ID)
		}
	default:
		if full, ok := p.ours(name); ok {
			p.changeOurs(action, name, full)
		}
	}
}

// addContact creates a contact in HighLevel or in Pluvo.
func (p *people) addContact(theirs bool) {
	side := "pluvo"
	if theirs {
		side = "ghl"
	}
	name := p.name(side)
	email := name + "@example.com"
	p.made = append(p.made, name)
	var err error
	if theirs {
		_, err = p.client.Contacts.Create(p.t.Context(), &ghl.ContactCreate{FirstName: name, Email: email})
	} else {
		_, err = p.store.Put(p.t.Context(), &pluvo.Contact{ID: name, FirstName: name, Email: email}, pluvo.NoVersion)
	}
	p.done(err)
}

var stormDueDate = time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC)

// changeTheirs changes a contact of HighLevel or one of its records.
func (p *people) changeTheirs(action int, name, id string) {
	ctx := p.t.Context()
	switch action {
	case 2:
		_, err := p.client.Contacts.Update(ctx, id, &ghl.ContactUpdate{LastName: ghl.Some(p.name("Last"))})
		p.done(err)
	case 4:
		task := p.name("task")
		_, err := p.client.Tasks.Create(ctx, id, &ghl.TaskCreate{Title: task, DueDate: stormDueDate})
		p.done(err)
		p.tasks[name] = append(p.tasks[name], task)
	case 6:
		note := p.name("note")
		_, err := p.client.Notes.Create(ctx, id, &ghl.NoteCreate{Body: note})
		p.done(err)
		p.notes[name] = append(p.notes[name], note)
	case 8:
		tasks := p.server.Tasks(id)
		if len(tasks) == 0 {
			return
		}
		gone := tasks[p.random.IntN(len(tasks))]
		if !p.linked(gone.ID) {
			// If the answer of a create is lost and the record is deleted before the sync looks for it, the sync
			// creates it again, since it looks like a create that never happened.
			return
		}
		p.done(p.client.Tasks.Delete(ctx, id, gone.ID))
		p.tasks[name] = slices.DeleteFunc(p.tasks[name], func(title string) bool { return title == gone.Title })
	}
}

// changeOurs changes a contact of Pluvo or adds a record to it.
func (p *people) changeOurs(action int, name string, full *pluvo.FullContact) {
	switch action {
	case 3:
		full.Contact.Phone = fmt.Sprintf("(415) 555-%04d", p.random.IntN(10000))
		p.put(&full.Contact)
	case 5:
		task := p.name("task")
		if p.put(&pluvo.Task{ID: task, ContactID: full.Contact.ID, Title: task, DueDate: stormDueDate}) {
			p.tasks[name] = append(p.tasks[name], task)
		}
	case 7:
		note := p.name("note")
		if p.put(&pluvo.Note{ID: note, ContactID: full.Contact.ID, Content: note}) {
			p.notes[name] = append(p.notes[name], note)
		}
	}
}

// linked reports whether a task of HighLevel has a link.
func (p *people) linked(id string) bool {
	var n int64
	require.NoError(p.t, p.db.Read(p.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM ghlsync_link WHERE ghl_id = $1`, id).Scan(&n)
	}))
	return n > 0
}

// done treats a lost answer as a success: the fault cuts the connection after the server has done the work.
func (p *people) done(err error) {
	if !errors.Is(err, ghl.ErrAmbiguous) {
		require.NoError(p.t, err)
	}
}

// put writes a record that was read before to Pluvo. It reports false if the sync has changed the record meanwhile.
func (p *people) put(r pluvo.Record) bool {
	_, expect, err := p.store.Get(p.t.Context(), r.Kind(), r.Key())
	if err != nil {
		expect = pluvo.NoVersion
	}
	_, err = p.store.Put(p.t.Context(), r, expect)
	return err == nil
}

// check asserts that both sides are equal and that no record is lost or duplicated.
func (p *people) check() {
	t := p.t
	require.Len(t, p.server.Contacts(), len(p.made), "contacts of HighLevel")
	require.Len(t, p.contacts(), len(p.made), "contacts of Pluvo")
	for _, name := range p.made {
		theirs, ok := p.theirs(name)
		require.True(t, ok, name)
		ours, ok := p.ours(name)
		require.True(t, ok, name)
		require.Equal(t, theirs.FirstName, ours.Contact.FirstName)
		require.Equal(t, theirs.LastName, ours.Contact.LastName)
		e164, _ := ghlsync.PhoneNumbers("US").NormalizePhone(ours.Contact.Phone)
		if ours.Contact.Phone != "" && e164 == "" {
			e164 = ours.Contact.Phone
		}
		their164, ok := ghlsync.PhoneNumbers("US").NormalizePhone(theirs.Phone)
		if !ok {
			their164 = theirs.Phone
		}
		require.Equal(t, their164, e164, "%s's phone: %q and %q", name, theirs.Phone, ours.Contact.Phone)
		var theirTasks, ourTasks, theirNotes, ourNotes []string
		for _, x := range p.server.Tasks(theirs.ID) {
			theirTasks = append(theirTasks, x.Title)
		}
		for _, x := range ours.Tasks {
			ourTasks = append(ourTasks, x.Title)
		}
		for _, x := range p.server.Notes(theirs.ID) {
			theirNotes = append(theirNotes, x.Body)
		}
		for _, x := range ours.Notes {
			ourNotes = append(ourNotes, x.Content)
		}
		require.ElementsMatch(t, p.tasks[name], theirTasks, "%s's tasks in HighLevel", name)
		require.ElementsMatch(t, p.tasks[name], ourTasks, "%s's tasks in Pluvo", name)
		require.ElementsMatch(t, p.notes[name], theirNotes, "%s's notes in HighLevel", name)
		require.ElementsMatch(t, p.notes[name], ourNotes, "%s's notes in Pluvo", name)
	}
}

// TestStorm: processes that sync are killed at random and restarted at once, while both sides change, answers get
// lost, and deliveries arrive late, twice or in another order. At the end no record is lost or duplicated.
func TestStorm(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		processes := 2
		if d.SQLite() != nil {
			processes = 1
		}
		server := ghltest.Start(t)
		to := &receivers{addresses: make([]string, processes)}
		server.SubscribeHandler(to, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Duplicate: ghltest.Chance(0.2),
			Reorder: ghltest.Chance(0.2), Seed: 3}))
		for i, op := range []string{"contacts.create", "tasks.create", "notes.create", "contacts.update"} {
			server.Fail(ghltest.Fault{Operation: op, Kind: fault.CutAfterWork(), Chance: 0.1, Seed: uint64(i)})
		}
		everyday := clientOf(t, server, unlimited)

		children := make([]*dbtest.Process, processes)
		begin := func(i int) {
			children[i] = dbtest.Start(t, "sync", address, server.URL(), server.Token(), server.LocationID(),
				base64.StdEncoding.EncodeToString(server.WebhookPublicKey()))
			to.mu.Lock()
			to.addresses[i] = children[i].Line(t)
			to.mu.Unlock()
		}
		for i := range children {
			begin(i)
		}
		random := rand.New(rand.NewPCG(5, uint64(processes)))
		p := &people{t: t, random: random, server: server, client: everyday, store: records.New(d), db: d,
			made: []string{"first"}, tasks: map[string][]string{}, notes: map[string][]string{}}
		_, err := everyday.Contacts.Upsert(t.Context(),
			&ghl.ContactUpsert{FirstName: ghl.Some("first"), Email: ghl.Some("first@example.com")})
		require.NoError(t, err)
		for range kills() {
			for range 2 {
				p.act()
			}
			time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond)
			i := random.IntN(processes)
			children[i].Kill()
			begin(i)
		}
		server.ClearFaults()
		began := time.Now()
		settled(t, d, server, time.Minute)
		p.check()
		t.Logf("%d contacts and %d changes in total; %d requests; settled %s after the last kill",
			len(p.made), p.n, len(server.Requests()), time.Since(began).Round(100*time.Millisecond))
	})
}

// settled waits until every delivery is accepted and nothing is left to do.
func settled(t *testing.T, d *db.DB, server *ghltest.Server, within time.Duration) {
	t.Helper()
	quiet, began := 0, time.Now()
	var waiting []string
	for quiet < 5 {
		require.Less(t, time.Since(began), within, "it does not settle: %d wait", len(waiting))
		time.Sleep(100 * time.Millisecond)
		redelivered := server.Redeliver()
		require.NoError(t, server.Flush(t.Context()))
		require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
			waiting, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
				`SELECT unit FROM ghlsync_unit WHERE number > synced`)
			return err
		}))
		if quiet++; redelivered > 0 || len(waiting) > 0 {
			quiet = 0
		}
	}
}
