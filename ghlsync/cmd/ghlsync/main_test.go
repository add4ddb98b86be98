package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// output collects the output of a command that may still be running.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// world is a fake HighLevel with settings for it.
type world struct {
	t      *testing.T
	server *ghltest.Server
	env    []string
	in     string
	browse func(string) error
}

func newWorld(t *testing.T, address string) *world {
	server := ghltest.Start(t, ghltest.WithDemoData())
	return &world{t: t, server: server, env: []string{
		"GHLSYNC_DATABASE=" + address, "GHLSYNC_LOCATION_ID=" + server.LocationID(), "GHLSYNC_LOCATION_TOKEN=" + server.Token(), "GHLSYNC_LOCATION_REGION=US",
		"GHLSYNC_HIGHLEVEL_BASE_URL=" + server.URL(), "GHLSYNC_HIGHLEVEL_WEBHOOK_KEYS=" + base64.StdEncoding.EncodeToString(server.WebhookPublicKey()),
		"GHLSYNC_LISTEN=127.0.0.1:0", "GHLSYNC_ADMIN=127.0.0.1:0", "GHLSYNC_PLUVO_INTERVAL=100ms", "GHLSYNC_SETTLE=300ms",
		"GHLSYNC_RETRY_FIRST=100ms", "GHLSYNC_RETRY_MAX=1s",
	}}
}

// set changes a variable; "" unsets it.
func (w *world) set(name, value string) {
	others := w.env[:0:0]
	for _, pair := range w.env {
		if !strings.HasPrefix(pair, name+"=") {
			others = append(others, pair)
		}
	}
	if w.env = others; value != "" {
		w.env = append(w.env, name+"="+value)
	}
}

// do runs a command to its end, and checks that its output contains no secret.
func (w *world) do(args ...string) (code int, out, errs string) {
	w.t.Helper()
	var stdout, stderr output
	p := &program{env: w.env, in: strings.NewReader(w.in), out: &stdout, err: &stderr, browse: w.browse}
	code = p.main(w.t.Context(), args)
	w.clean(stdout.String() + stderr.String())
	return code, stdout.String(), stderr.String()
}

// interrupting presses Ctrl-C as soon as something is printed.
type interrupting struct {
	io.Writer
	press func()
}

func (i interrupting) Write(b []byte) (int, error) {
	i.press()
	return i.Writer.Write(b)
}

func (w *world) clean(text string) {
	w.t.Helper()
	require.NotContains(w.t, text, w.server.Token())
	for _, pair := range w.env {
		if name, value, _ := strings.Cut(pair, "="); strings.Contains(name, "SECRET") ||
			strings.Contains(name, "TOKEN") {
			require.NotContains(w.t, text, value)
		}
	}
}

// ok runs a command that must succeed.
func (w *world) ok(args ...string) string {
	w.t.Helper()
	code, out, errs := w.do(args...)
	require.Zero(w.t, code, "%v\n%s\n%s", args, out, errs)
	return out
}

// running starts ghlsync run. It returns its addresses and a function that stops it.
func (w *world) running() (webhooks, admin string, end func() string) {
	w.t.Helper()
	var log output
	ctx, cancel := context.WithCancel(context.Background())
	addresses, code := make(chan [2]string, 1), make(chan int, 1)
	p := &program{env: w.env, out: io.Discard, err: &log,
		started: func(webhooks, admin string) { addresses <- [2]string{webhooks, admin} }}
	go func() { code <- p.main(ctx, []string{"run"}) }()
	var once sync.Once
	end = func() string {
		once.Do(func() {
			cancel()
			require.Zero(w.t, <-code, log.String())
			w.clean(log.String())
		})
		return log.String()
	}
	w.t.Cleanup(func() { end() })
	select {
	case at := <-addresses:
		return at[0], at[1], end
	case c := <-code:
		code <- c
		w.t.Fatalf("it ended with %d: %s", c, log.String())
	case <-time.After(20 * time.Second):
		w.t.Fatal("it does not start: " + log.String())
	}
	return
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// TestRun: webhooks are received and synced, a failure is listed and retried, and SIGTERM finishes running work.
func TestRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address)
		webhooks, admin, end := w.running()
		w.server.Subscribe(webhooks)
		client, err := ghl.New(w.server.ClientOptions()...)
		require.NoError(t, err)
		ada, err := client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"})
		require.NoError(t, err)
		require.NoError(t, w.server.Flush(t.Context()))
		for _, d := range w.server.Deliveries() {
			require.True(t, d.Accepted())
		}
		resp, err := http.Post(webhooks, "application/json", strings.NewReader(`{"type":"ContactUpdate"}`))
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Equal(t, 401, resp.StatusCode)
		resp, err = http.Post(strings.TrimSuffix(webhooks, "/webhooks/highlevel")+"/metrics", "", nil)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Equal(t, 404, resp.StatusCode, "the public address has deliveries alone")

		require.Eventually(t, func() bool { return strings.Contains(w.ok("status"), " ok ") }, 10*time.Second,
			50*time.Millisecond)
		status, body := get(t, admin+"/livez")
		require.Equal(t, 200, status, body)
		status, body = get(t, admin+"/healthz")
		require.Equal(t, 200, status, body)
		require.Contains(t, body, `"healthy"`)
		status, body = get(t, admin+"/metrics")
		require.Equal(t, 200, status)
		require.Contains(t, body, "ghlsync_database_up 1")

		// A refused request stops its contact, which waits for a person.
		w.server.Fail(ghltest.Fault{Kind: fault.ValidationString("no"), Operation: "contacts.get"})
		_, err = client.Tags.Add(t.Context(), ada.ID, []string{"vip"})
		require.NoError(t, err)
		require.NoError(t, w.server.Flush(t.Context())) // a later delivery would start another try
		var failures []failureJSON
		require.Eventually(t, func() bool {
			require.NoError(t, json.Unmarshal([]byte(w.ok("failures", "--json")), &failures))
			return len(failures) == 1 && failures[0].State == "stopped"
		}, 10*time.Second, 50*time.Millisecond)
		id := failures[0].ID
		code, out, _ := w.do("status")
		require.Equal(t, exitTrouble, code)
		require.Contains(t, out, "→")
		code, out, _ = w.do("doctor")
		require.Equal(t, exitTrouble, code)
		require.Contains(t, out, "ghlsync retry --all")
		require.Contains(t, w.ok("failures"), "stopped")
		require.Contains(t, w.ok("failures", "show", id), "contacts.get")
		w.server.ClearFaults()
		require.Contains(t, w.ok("retry", id, "--dry-run"), "would")
		require.NoError(t, json.Unmarshal([]byte(w.ok("failures", "--json")), &failures))
		require.Len(t, failures, 1, "nothing was changed")
		require.Contains(t, w.ok("failures", "--limit", "1"), "The latest 1; --limit shows more.")
		require.NotContains(t, w.ok("failures"), "--limit")
		require.Equal(t, "1 failure is retried now.\n", w.ok("retry", "--all"))
		require.Eventually(t, func() bool { return strings.Contains(w.ok("failures"), "Nothing fails") },
			10*time.Second, 50*time.Millisecond)
		require.Contains(t, w.ok("failures", "--all"), "resolved")

		location := w.server.LocationID()
		require.Contains(t, w.ok("pause", location, "--dry-run"), "would pause")
		w.ok("status")
		w.ok("pause", location, "--reason", "moving house")
		code, out, _ = w.do("status")
		require.Equal(t, exitTrouble, code)
		require.Contains(t, out, "moving house")
		w.ok("resume", location)
		w.ok("status")

		log := end()
		require.Contains(t, log, "stopping: ")
	})
}

// TestTakenAddress: an address in use is not a mistake in the settings, after which a supervisor would give up: it may
// be free a moment later.
func TestTakenAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	for _, setting := range []string{"listen", "admin"} {
		w := newWorld(t, dbtest.SQLite(t))
		w.set("GHLSYNC_"+strings.ToUpper(setting), l.Addr().String())
		code, _, errs := w.do("run")
		require.Equal(t, exitFailed, code)
		require.Contains(t, errs, "GHLSYNC_"+strings.ToUpper(setting)+": "+setting+" can't be listened on")
	}
}

// TestConflicts: a conflict is listed, linked and resolved while "run" works.
func TestConflicts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address)
		w.running()
		one := w.server.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+14155550100"})
		two := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		d, err := db.Open(t.Context(), address, db.Options{})
		require.NoError(t, err)
		defer d.Close()
		_, err = records.New(d).Put(t.Context(), &pluvo.Contact{ID: "p1", FirstName: "Ada", Phone: "+14155550100",
			Email: "ada@example.com"}, pluvo.NoVersion)
		require.NoError(t, err)
		var list []conflictJSON
		require.Eventually(t, func() bool {
			require.NoError(t, json.Unmarshal([]byte(w.ok("conflicts", "--json")), &list))
			return len(list) == 1
		}, 10*time.Second, 50*time.Millisecond)
		require.Equal(t, "nobody", list[0].Winner)
		location := w.server.LocationID()
		require.Contains(t, w.ok("conflicts", "link", location, one.ID, "p1", "--dry-run"), "would link")
		client, err := ghl.New(w.server.ClientOptions()...)
		require.NoError(t, err)
		require.NoError(t, client.Contacts.Delete(t.Context(), two.ID))
		code, _, errs := w.do("conflicts", "link", location, one.ID, "nobody")
		require.Equal(t, exitFailed, code)
		require.NotContains(t, errs, "location")
		w.ok("conflicts", "link", location, one.ID, "p1")
		w.ok("conflicts", "resolve", list[0].ID)
		require.Contains(t, w.ok("conflicts"), "There are no conflicts")
		require.Eventually(t, func() bool { c, _ := w.server.Contact(one.ID); return c.Email == "ada@example.com" },
			10*time.Second, 50*time.Millisecond)
	})
}

// TestNoSuch: an unknown id is refused with one line that names the command which lists the ids.
func TestNoSuch(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.ok("migrate", "--dry-run")
	w.ok("migrate")
	for want, args := range map[string][]string{
		"list failures: ghlsync failures":   {"retry", "nonesuch"},
		"no such failure":                   {"failures", "show", "nonesuch"},
		"no such location":                  {"resume", "nonesuch", "--dry-run"},
		"list conflicts: ghlsync conflicts": {"conflicts", "resolve", "nonesuch", "--dry-run"},
		"locations: ghlsync status":         {"pause", "nonesuch"},
		"resolve nonesuch: no":              {"conflicts", "resolve", "nonesuch"},
		"skip nonesuch: ":                   {"failures", "skip", "nonesuch"},
	} {
		code, _, errs := w.do(args...)
		require.Equal(t, exitFailed, code, errs)
		require.Contains(t, errs, want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	require.Contains(t, w.ok("conflicts"), "There are no conflicts")
	require.JSONEq(t, "[]", w.ok("conflicts", "--json"))
	for want, args := range map[string][]string{
		`no command "stat"; did you mean "status"?`:  {"stat"},
		`no command "chek"; did you mean "check"?`:   {"config", "chek"},
		"usage: ghlsync pause LOCATION":              {"pause"},
		"unknown flag: --so; see ghlsync run --help": {"run", "--so"},
		`the settings have no location nonesuch`:     {"backfill", "nonesuch"},
		"usage: ghlsync conflicts resolve ID":        {"conflicts", "resolve"},
		"--limit must be at":                         {"failures", "--limit", "-1"},
		"--limit must be at least 1":                 {"conflicts", "--limit", "0"},
	} {
		code, _, errs := w.do(args...)
		require.Equal(t, exitWrong, code, errs)
		require.Contains(t, errs, want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	require.Contains(t, w.ok("tokens"), "private integration")
}

// TestConnect: an account is connected through the consent screen, and wrong or missing redirects are refused.
func TestConnect(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	free := freeAddress(t)
	app := w.server.AddApp(ghltest.App{RedirectURLs: []string{"http://" + free + "/callback"}})
	w.set("GHLSYNC_LOCATION_TOKEN", "")
	for name, value := range map[string]string{
		"GHLSYNC_APP_CLIENT_ID": app.ClientID, "GHLSYNC_APP_CLIENT_SECRET": app.ClientSecret, "GHLSYNC_APP_REDIRECT_URL": app.RedirectURLs[0],
		"GHLSYNC_TOKEN_KEYS": strings.Repeat("0f", 32), "GHLSYNC_HIGHLEVEL_AUTH_URL": w.server.AuthorizeURL(),
	} {
		w.set(name, value)
	}
	file := strings.TrimPrefix(w.env[0], "GHLSYNC_DATABASE=sqlite:")
	require.Contains(t, w.ok("connect", "--dry-run"), "would open "+w.server.AuthorizeURL())
	for _, looks := range [][]string{{"tokens"}, {"status"}, {"failures"}, {"doctor"},
		{"tokens", "remove", "x", "--dry-run"}, {"retry", "--all", "--dry-run"}} {
		_, out, errs := w.do(looks...)
		require.Contains(t, out+errs, "run ghlsync migrate", looks)
		require.NoFileExists(t, file, looks)
	}
	require.Contains(t, w.ok("migrate", "--dry-run"), "would migrate")
	require.NoFileExists(t, file)
	w.ok("migrate")
	require.Contains(t, w.ok("migrate", "--dry-run"), "nothing")
	require.Contains(t, w.ok("tokens"), "There are no tokens")

	consents := func(url string) error { // the fake consents at once
		go func() {
			if resp, err := http.Get(url); err == nil {
				_ = resp.Body.Close()
			}
		}()
		return nil
	}
	w.browse = func(url string) error {
		status, _ := get(t, app.RedirectURLs[0]+"?code=stolen&state=guessed")
		require.Equal(t, http.StatusForbidden, status, "a forged state")
		return consents(url)
	}
	require.Contains(t, w.ok("connect"), w.server.LocationID()+" is connected")
	require.Contains(t, w.ok("tokens"), w.server.LocationID())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(data), "accessToken")

	w.browse = nil
	w.in = app.RedirectURLs[0] + "?code=stolen&state=guessed\n"
	code, _, errs := w.do("connect", "--paste")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "start again")
	require.NotContains(t, errs, "stolen")
	silent, write := io.Pipe() // a terminal without input
	defer func() { _ = write.Close() }()
	for _, how := range []string{"--paste", "--no-browser"} {
		var errs output
		p := &program{env: w.env, in: silent, out: io.Discard, err: &errs}
		require.Equal(t, exitFailed, p.main(t.Context(), []string{"connect", how, "--wait", "50ms"}))
		require.Contains(t, errs.String(), "no answer from the consent screen")
		ctx, cancel := context.WithCancel(t.Context())
		p.err = interrupting{&errs, cancel}
		require.Equal(t, exitInterrupted, p.main(ctx, []string{"connect", how}))
		require.Contains(t, errs.String(), "ghlsync: interrupted\n")
	}

	// A refused token: doctor and status say what to do, and connecting again resumes the location.
	w.set("GHLSYNC_RECONCILE_INTERVAL", "200ms")
	webhooks, _, _ := w.running()
	w.server.Uninstall(app, w.server.LocationID())
	require.Eventually(t, func() bool { code, _, _ := w.do("tokens"); return code == exitTrouble }, 10*time.Second,
		50*time.Millisecond)
	_, out, _ := w.do("tokens")
	require.Contains(t, out, "HighLevel refuses it: ghlsync connect")
	code, out, _ = w.do("doctor")
	require.Equal(t, exitTrouble, code)
	require.Contains(t, out, "ghlsync connect")
	w.browse = consents
	require.Contains(t, w.ok("connect"), "is connected")
	require.NotContains(t, w.ok("tokens"), "refuses")
	_, out, _ = w.do("doctor")
	require.Contains(t, out, "valid: ")

	// The webhook of an uninstall pauses the location too, whether or not it gets lost.
	client, err := ghl.New(w.server.ClientOptions()...)
	require.NoError(t, err)
	for i, events := range [][]ghltest.EventType{nil, {ghltest.AppUninstall, ghltest.ContactUpdate}} {
		subscription := w.server.Subscribe(webhooks, ghltest.ForApp(app.AppID, ""), ghltest.Events(events...))
		w.server.Uninstall(app, w.server.LocationID())
		require.NoError(t, w.server.Flush(t.Context()))
		_, err = client.Contacts.Update(t.Context(), w.server.Contacts()[0].ID,
			&ghl.ContactUpdate{LastName: ghl.Some(fmt.Sprint("Name", i))})
		require.NoError(t, err)
		health := func() (l ghlsync.LocationHealth) {
			var h ghlsync.Health
			_, out, _ := w.do("status", "--json")
			require.NoError(t, json.Unmarshal([]byte(out), &h))
			return h.Locations[0]
		}
		require.Eventually(t, func() bool { return !health().Paused.IsZero() }, 10*time.Second, 50*time.Millisecond)
		_, out, _ = w.do("status")
		require.Contains(t, out, "ghlsync connect")
		require.Contains(t, w.ok("connect"), "resumes")
		require.Eventually(t, func() bool { l := health(); return l.Paused.IsZero() && l.Waiting == 0 }, 10*time.Second,
			50*time.Millisecond)
		subscription.Cancel()
	}
	require.Contains(t, w.ok("tokens", "remove", w.server.LocationID(), "--dry-run"), "would")
	w.ok("tokens", "remove", w.server.LocationID())
	require.Contains(t, w.ok("tokens"), "There are no tokens")
}

// TestDoctor: each problem has a line that says what to do.
func TestDoctor(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.ok("migrate")
	webhooks, _, _ := w.running()
	w.set("GHLSYNC_WEBHOOK_URL", webhooks)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte("contact:\n  frobnicate: yes\n"), 0o600))
	out := w.ok("doctor")
	for _, want := range []string{"ok    settings", "ok    HighLevel", "ok    database", "ok    work", "ok    token",
		"ok    scopes", "ok    webhooks"} {
		require.Contains(t, out, want)
	}
	for line := range strings.Lines(out) { // messages begin in the same column
		if line != "\n" && !strings.HasPrefix(line, "location ") {
			require.Regexp(t, `^(ok   |look |bad  ) .{10} \S|^ {17}→ `, line)
		}
	}

	w.set("GHLSYNC_LOCATION_RULES", rules)
	w.set("GHLSYNC_LOCATION_CALENDAR", "nonesuch")
	w.set("GHLSYNC_WEBHOOK_URL", "http://"+freeAddress(t)+"/webhooks/highlevel")
	weak := w.server.AddToken(ghl.Token{Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}})
	code, out, _ := w.do("doctor")
	require.Equal(t, exitTrouble, code)
	for _, want := range []string{"bad   rules", "bad   calendar", "has no calendar nonesuch", "bad   webhooks",
		"start ghlsync run"} {
		require.Contains(t, out, want)
	}
	w.set("GHLSYNC_LOCATION_TOKEN", weak.AccessToken)
	code, out, _ = w.do("doctor")
	require.Equal(t, exitTrouble, code)
	require.Contains(t, out, "the token lacks")
	require.Contains(t, out, string(ghl.ScopeLocationsReadonly))
	w.set("GHLSYNC_LOCATION_TOKEN", "pit-wrong")
	code, out, _ = w.do("doctor", "--json")
	require.Equal(t, exitTrouble, code)
	var findings []finding
	require.NoError(t, json.Unmarshal([]byte(out), &findings))
	require.NotContains(t, out, "pit-wrong")
	for _, f := range findings {
		require.Equal(t, f.State == "ok", f.Do == "", "%+v", f)
	}
}

// TestDemo: the demo ends with equal sides, and calls only operations that the list of scopes covers.
func TestDemo(t *testing.T) {
	var out, errs output
	p := &program{out: &out, err: &errs}
	d := newDemo(p, 3*time.Second, 7)
	require.NoError(t, d.run(t.Context()), out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Regexp(t, `^equal: \d+ changes \(\d+ in HighLevel, \d+ in Pluvo\), \d+ conflicts?, \d+ retr(y|ies)$`,
		lines[len(lines)-1])
	require.Greater(t, d.people.theirs, 2)
	require.Greater(t, d.people.ours, 2)
	for _, r := range d.server.Requests() {
		require.Contains(t, used, r.Operation)
	}
	code := p.main(t.Context(), []string{"demo", "--for", "-1s"})
	require.Equal(t, exitWrong, code)
}

// TestScreen: the status line is one line, and output is printed above it.
func TestScreen(t *testing.T) {
	var out, errs output
	p := &program{out: &out, err: &errs, terminal: true, width: func() int { return 20 }}
	s := p.screen()
	s.show("one")
	s.show(strings.Repeat("é", 30))
	fmt.Fprintln(p.out, "printed")
	fmt.Fprintln(p.err, "logged")
	s.clear()
	s.clear()
	fmt.Fprintln(p.out, "end")
	below := strings.Repeat("é", 18) + "…"
	const erase = "\r\x1b[K"
	require.Equal(t, erase+"one"+erase+below+erase+"printed\n"+below+erase+below+erase+"end\n", out.String())
	require.Equal(t, "logged\n", errs.String())

	out = output{}
	p = &program{out: &out, err: &errs, terminal: true, json: true}
	p.screen().show("nothing")
	require.Empty(t, out.String())
	require.Equal(t, "███████░░░░░░░", bar(50, 100))
	require.Equal(t, "░░░░░░░░░░░░░░", bar(0, 0))
	require.Equal(t, "██████████████", bar(3, 2))
}

// TestStatusFits: a row fits in a line of a terminal.
func TestStatusFits(t *testing.T) {
	last := time.Now().Add(-59*time.Minute - time.Second)
	for want, l := range map[string]ghlsync.LocationHealth{
		"healthy +0 +- +0 +0 +0 +ok +-": {State: ghlsync.Healthy, Token: ghlsync.TokenHealth{State: ghlsync.TokenOK}},
		"degraded +1234 +59m +12 +34 +56 +ok +59m ago": {
			State: ghlsync.Degraded, Waiting: 1234, Lag: 59 * time.Minute, Retrying: 12, Stopped: 34, Conflicts: 56,
			Token: ghlsync.TokenHealth{State: ghlsync.TokenOK}, LastDelivery: last,
		},
		"paused +1234 +59m +0 +0 +0 +refused +59m ago": {
			State: ghlsync.Degraded, Paused: last, Waiting: 1234, Lag: 59 * time.Minute,
			Token: ghlsync.TokenHealth{State: ghlsync.TokenRefused}, LastDelivery: last,
		},
	} {
		var out output
		l.ID = "RoWfufIEbJwSSaNKvvY6"
		(&program{out: &out}).health(ghlsync.Health{Locations: []ghlsync.LocationHealth{l}})
		head, row, _ := strings.Cut(out.String(), "\n")
		row, _, _ = strings.Cut(row, "\n")
		require.Regexp(t, "^"+l.ID+" +"+want+"$", row)
		require.LessOrEqual(t, max(len(head), len(row)), 80, row)
	}
}

// TestComparison: the comparison finds lost, duplicate and different records.
func TestComparison(t *testing.T) {
	server := ghltest.Start(t, ghltest.WithDemoData())
	p := &program{out: io.Discard}
	d := newDemo(p, time.Millisecond, 1)
	require.NoError(t, d.run(t.Context()))
	c, err := compare(t.Context(), server, pluvo.NewMemoryStore())
	require.NoError(t, err)
	require.Len(t, c.different, len(d.server.Contacts())+c.theirs["tasks"]+c.theirs["notes"]+c.theirs["appointments"])
	require.Contains(t, (&people{names: []string{"ada@example.com"},
		made: map[string]string{"task x": "ada@example.com"}}).missing(c), "task of ada@example.com: x")
	s := &side{records: map[string]string{}, count: map[string]int{}}
	s.add("task", "Ada@example.com", "x", "")
	s.add("task", "ada@example.com", "x", "")
	require.Len(t, s.twice, 1)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	return address
}

// TestHelp: every command explains itself.
func TestHelp(t *testing.T) {
	p := &program{}
	var visit func(prefix string, args []string)
	seen := 0
	visit = func(prefix string, args []string) {
		var out output
		p.out, p.err = &out, &out
		require.Zero(t, p.main(t.Context(), append(args, "--help")))
		require.Contains(t, out.String(), "Usage:")
		for line := range strings.Lines(out.String()) {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 81, "it wraps on a terminal: %s", line)
		}
		seen++
		command, _, err := p.command().Find(args)
		require.NoError(t, err)
		for _, sub := range command.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" {
				visit(prefix+" "+sub.Name(), append(args[:len(args):len(args)], sub.Name()))
			}
		}
	}
	visit("ghlsync", nil)
	require.Greater(t, seen, 20, fmt.Sprint(seen))

	help := func(args ...string) string {
		var out output
		p.out, p.err = &out, &out
		p.main(t.Context(), args)
		return out.String()
	}
	require.NotContains(t, help("--help"), "Additional Commands", "an empty heading")
	require.Equal(t, help("config", "init", "--help"), help("help", "config", "init"))
	require.Equal(t, "ghlsync: ghlsync has no command \"stat\"; did you mean \"status\"?\n", help("help", "stat"))
	require.Equal(t, "ghlsync: ghlsync config has no command \"chek\"; did you mean \"check\"?\n",
		help("help", "config", "chek"))
}
