package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/conf"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/oauth"
)

// finding is the result of a check, and what to do about it.
type finding struct {
	Check string `json:"check"`
	// Location is the location that was checked; "" for checks of no single location.
	Location string `json:"location,omitempty"`
	// State is "ok", "look" for what may be intended, or "bad".
	State   string `json:"state"`
	Message string `json:"message"`
	Do      string `json:"do,omitempty"`
}

type doctor struct {
	p          *program
	s          *settings
	works      bool     // whether a process works
	at         string   // the location that is checked
	wrongRules []string // files of rules with mistakes
	findings   []finding
}

func (d *doctor) ok(check, format string, args ...any) {
	d.add(finding{check, d.at, "ok", fmt.Sprintf(format, args...), ""})
}
func (d *doctor) look(check, message, do string) { d.add(finding{check, d.at, "look", message, do}) }
func (d *doctor) bad(check, message, do string)  { d.add(finding{check, d.at, "bad", message, do}) }

func (d *doctor) add(f finding) {
	f.Message, f.Do = oneLine(f.Message), oneLine(f.Do)
	d.findings = append(d.findings, f)
	if d.p.json {
		return
	}
	fmt.Fprintf(d.p.out, "%-5s %-10s %s\n", f.State, f.Check, f.Message)
	if f.Do != "" {
		fmt.Fprintf(d.p.out, "%16s → %s\n", "", f.Do)
	}
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check everything, and say what to do about problems",
		Long: `Checks the settings, the database, the clock, the token and scopes of each
location, its mapping rules and calendar, and the address of the webhooks. It
changes nothing. Below each problem it says what to do, and the exit code is 3.

The scopes of an app are compared with those that the sync uses. The scopes of a
private integration token are tried by reading: only the first write shows
whether the token can write.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &doctor{p: p}
			if err := d.all(c.Context()); err != nil {
				return err
			}
			if err := p.show(d.findings, func() {}); err != nil {
				return err
			}
			return trouble(slices.ContainsFunc(d.findings, func(f finding) bool { return f.State == "bad" }))
		},
	}
}

func (d *doctor) all(ctx context.Context) error {
	s, err := d.p.load()
	if err != nil {
		return err
	}
	d.s = s
	log := slog.New(slog.DiscardHandler) // the findings are printed
	config, mistakes := s.validate(log)
	if !d.settings(mistakes) {
		return nil
	}
	config.MigrateByHand = true
	d.clock(ctx)
	var sync *ghlsync.Syncer
	if d.database(ctx) {
		if sync, err = ghlsync.New(ctx, config); err != nil {
			d.bad("database", err.Error(), "correct what the message says")
			sync = nil
		}
	}
	if sync != nil {
		defer func() { _ = stop(ctx, sync, 5*time.Second) }()
		d.processes(ctx, sync)
	}
	d.webhook(ctx)
	for i := range config.Locations {
		d.at = config.Locations[i].ID
		if !d.p.json {
			fmt.Fprintf(d.p.out, "\nlocation %s\n", d.at)
		}
		d.location(ctx, sync, &config.Locations[i])
	}
	return nil
}

// settings prints the mistakes in the settings. It reports whether the other checks can follow, as they can if only
// files of rules have mistakes.
func (d *doctor) settings(mistakes []conf.Mistake) (usable bool) {
	usable = true
	for _, m := range d.s.sorted(mistakes) {
		if m.At.File != "" && m.At.File != d.s.file {
			d.wrongRules = append(d.wrongRules, m.At.File)
			d.bad("rules", m.String(), "correct "+m.At.File)
			continue
		}
		usable = false
		d.bad("settings", m.String(), "correct it; ghlsync config init --dry-run explains each setting")
	}
	if len(mistakes) == 0 {
		d.ok("settings", "%s, %s", d.s.origin(), plural(len(d.s.Locations), "location"))
	}
	for _, name := range d.s.unknown {
		d.look("settings", ignored(name), "correct its name or unset it")
	}
	return usable
}

// database opens the database without migrating it, and reports whether it can be used. The first start creates the
// database.
func (d *doctor) database(ctx context.Context) bool {
	shown, _, _ := strings.Cut(d.s.Database, ":") // without a password
	opened, err := db.Open(ctx, d.s.Database, db.Options{ByHand: true})
	if err != nil {
		what := "check that the server runs, that address, user and password are right, " +
			"and that its schema is not newer than this program"
		if shown == "sqlite" {
			what = "check that the file and its folder are writable, and that its schema is not newer than this program"
		}
		if errors.Is(err, db.ErrMigrate) {
			d.look("database", err.Error(), "run ghlsync migrate, or start ghlsync run")
		} else {
			d.bad("database", err.Error(), what)
		}
		return false
	}
	defer opened.Close()
	if off := time.Until(opened.Now()).Abs(); off > 5*time.Second {
		message := fmt.Sprintf("%s answers; its clock and this machine's are %s apart", shown, off.Round(time.Second))
		d.look("database", message, "set both clocks by NTP")
		return true
	}
	d.ok("database", "%s answers and has the schema of this version", shown)
	return true
}

// processes checks whether a process works.
func (d *doctor) processes(ctx context.Context, sync *ghlsync.Syncer) {
	if n := sync.Health(ctx).Processes; n > 0 {
		d.works = true
		d.ok("work", "%s", many(n, "process works", "processes work"))
		return
	}
	d.look("work", "no process works", "start it: ghlsync run")
}

// apiServer is the default of highlevel.base_url.
const apiServer = "https://services.leadconnectorhq.com"

// clock compares this machine's time with HighLevel's. The webhook handler refuses deliveries that are too old or
// from the future.
func (d *doctor) clock(ctx context.Context) {
	base := d.s.HighLevel.BaseURL
	if base == "" {
		base = apiServer
	}
	began := time.Now()
	resp, err := request(ctx, http.MethodGet, base, nil)
	if err != nil {
		d.bad("HighLevel", base+" does not answer: "+reason(err),
			"check the internet connection of this machine, and its proxy")
		return
	}
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		d.ok("HighLevel", "%s answers", base)
		return
	}
	if off := time.Since(theirs) - time.Since(began)/2; off.Abs() > time.Minute {
		message := fmt.Sprintf("this machine's clock and HighLevel's are %s apart", off.Abs().Round(time.Second))
		d.bad("clock", message, "set the clock by NTP: webhooks with a wrong time are refused")
		return
	}
	d.ok("HighLevel", "%s answers, and its clock agrees with this machine", base)
}

// request sends a request without following redirects, and discards the body of the answer.
func request(ctx context.Context, method, url string, body io.Reader) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp, nil
}

// reason returns why a request failed, without its URL.
func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the host name is unknown"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within 15 s"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

// location checks the token of a location, its scopes, and the settings of the location.
func (d *doctor) location(ctx context.Context, sync *ghlsync.Syncer, l *ghlsync.Location) {
	if sync != nil {
		d.state(ctx, sync, l.ID)
	}
	client, connected := d.client(ctx, sync, l)
	if client == nil {
		return
	}
	page, err := client.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 1}, once)
	switch {
	case errors.Is(err, ghl.ErrMissingScope): // reported by scopes
	case errors.Is(err, ghl.ErrReauthRequired), errors.Is(err, ghl.ErrUnauthorized):
		what := "create a new private integration token in HighLevel (Settings, Private Integrations), " +
			"write it into the settings and restart"
		if connected {
			what = "connect the account again: ghlsync connect"
		}
		d.bad("token", "HighLevel refuses the token: "+short(err), what)
		return
	case errors.Is(err, ghl.ErrForbidden), errors.Is(err, ghl.ErrNotFound), errors.Is(err, ghl.ErrValidation):
		d.bad("token", "the token does not reach this location: "+short(err),
			"check that the token belongs to the location with this id")
		return
	case err != nil:
		d.bad("token", short(err), "try again; if the error persists, see HighLevel's status page")
		return
	default:
		d.ok("token", "valid: the location has %s", plural(page.Total, "contact"))
	}
	d.scopes(ctx, l, client, connected)
	d.rules(ctx, l, client)
}

// once turns retries off, because a person waits for the answer.
var once = ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 1})

// short returns the text of an error in at most 160 characters.
func short(err error) string {
	var failed *ghl.Error
	if errors.As(err, &failed) && failed.Status > 0 {
		return fmt.Sprintf("%s: %d %s", failed.Operation, failed.Status, cut(failed.Message, 120))
	}
	return cut(err.Error(), 160)
}

// state checks whether a location is paused or has stopped contacts.
func (d *doctor) state(ctx context.Context, sync *ghlsync.Syncer, id string) {
	locations, err := sync.Locations(ctx)
	if err != nil {
		d.bad("work", err.Error(), "check the database")
		return
	}
	i := slices.IndexFunc(locations, func(l queue.Location) bool { return l.ID == id })
	if i < 0 && !d.works {
		return
	}
	if i < 0 {
		d.look("work", "no process has opened the location yet",
			"restart ghlsync run, which reads the settings at its start")
		return
	}
	if l := locations[i]; !l.Paused.IsZero() {
		d.bad("work", "paused "+ago(l.Paused)+": "+l.Reason,
			"correct that, then: ghlsync resume "+id+" (ghlsync connect resumes it by itself)")
		return
	}
	filter := ghlsync.FailureFilter{Location: id, States: []ghlsync.FailureState{ghlsync.Stopped}}
	stopped, err := sync.Failures(ctx, filter)
	if err == nil && len(stopped) > 0 {
		d.bad("work", many(len(stopped), "contact waits", "contacts wait")+" for a person",
			"list them with ghlsync failures, correct the causes, then: ghlsync retry --all")
	}
}

// client returns a client with the location's token, or nil if there is none. Connected reports whether an app
// issued the token.
func (d *doctor) client(ctx context.Context, sync *ghlsync.Syncer, l *ghlsync.Location,
) (client *ghl.Client, connected bool) {
	var err error
	if l.TokenSource != nil {
		client, err = ghl.New(append(slices.Clone(l.ClientOptions), ghl.WithTokenSource(l.TokenSource),
			ghl.WithLocation(l.ID))...)
	} else {
		if sync == nil {
			d.look("token", "unknown without the database", "correct the database first")
			return nil, true
		}
		connected = true
		client, err = sync.Installations().Client(ctx, l.ID)
	}
	switch {
	case errors.Is(err, oauth.ErrNoToken):
		d.bad("token", "the location is not connected", "to connect it: ghlsync connect")
	case err != nil:
		d.bad("token", short(err), "check token_keys and the settings of the location")
	default:
		return client, connected
	}
	return nil, connected
}

// scopes reports the scopes that a token lacks: from the list of the token, or from reading calls if it has no list.
func (d *doctor) scopes(ctx context.Context, l *ghlsync.Location, client *ghl.Client, connected bool) {
	if connected {
		if a, err := d.p.accounts(ctx, d.s, true); err == nil {
			token, err := a.store.Load(ctx, oauth.LocationKey(l.ID))
			a.db.Close()
			if err == nil && token.Scopes != nil {
				if lacks := missing(token.Scopes); len(lacks) > 0 {
					d.bad("scopes", "the token lacks "+scopeList(lacks),
						"add them on the page of the app in the marketplace, then: ghlsync connect")
				} else {
					d.ok("scopes", "the token has all scopes that the sync uses")
				}
				return
			}
		}
	}
	var lacks []ghl.Scope
	try := func(operation string, call func() error) {
		if errors.Is(call(), ghl.ErrMissingScope) {
			lacks = append(lacks, scopesOf(operation)...)
		}
	}
	try("contacts.list", func() error {
		_, err := client.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 1}, once)
		return err
	})
	try("tasks.search", func() error {
		_, err := client.Tasks.Search(ctx, &ghl.TaskSearch{Limit: 1}, once)
		return err
	})
	try("calendars.list", func() error { _, err := client.Calendars.List(ctx, nil, once); return err })
	try("locations.get", func() error { _, err := client.Locations.Get(ctx, l.ID, once); return err })
	try("locations.customFields", func() error { _, err := client.Locations.CustomFields(ctx, l.ID, once); return err })
	if len(lacks) > 0 {
		slices.Sort(lacks)
		d.bad("scopes", "the token lacks "+scopeList(slices.Compact(lacks)),
			"add them to the private integration in HighLevel; the sync uses: "+scopeList(scopesOf(used...)))
		return
	}
	d.ok("scopes", "the token can read everything; it must also have: %s",
		scopeList(slices.DeleteFunc(scopesOf(used...), func(s ghl.Scope) bool {
			return !strings.HasSuffix(string(s), ".write")
		})))
}

// scopeList joins scopes for a message.
func scopeList(scopes []ghl.Scope) string {
	list := make([]string, len(scopes))
	for i, s := range scopes {
		list[i] = string(s)
	}
	return strings.Join(list, ", ")
}

// rules checks the settings of a location against HighLevel.
func (d *doctor) rules(ctx context.Context, l *ghlsync.Location, client *ghl.Client) {
	if l.Rules != nil && !slices.Contains(d.wrongRules, l.RulesName) {
		fields, err := client.Locations.CustomFieldResolver(ctx, l.ID, once)
		if err == nil {
			_, err = mapping.LoadRules(l.RulesName, l.Rules, fields)
		}
		var mistakes *mapping.RulesError
		switch {
		case errors.As(err, &mistakes):
			d.bad("rules", mistakes.Error(), "correct "+l.RulesName)
		case err != nil:
			d.bad("rules", "the location's custom fields can't be read: "+short(err),
				"give the token the scope "+scopeList(scopesOf("locations.customFields")))
		default:
			d.ok("rules", "%s is correct", l.RulesName)
		}
	}
	if l.TimeZone == "" {
		location, err := client.Locations.Get(ctx, l.ID, once)
		if err == nil {
			_, err = location.TimeLocation()
		}
		if err != nil {
			d.bad("time zone", "unknown: "+short(err),
				"set the location's time_zone, or give the token the scope "+scopeList(scopesOf("locations.get")))
		}
	}
	if l.Calendar == "" {
		d.look("calendar", "none is set: appointments made in Pluvo are not booked",
			"set the calendar of the location to book them")
		return
	}
	calendars, err := client.Calendars.List(ctx, nil, once)
	switch {
	case err != nil:
		d.bad("calendar", "the calendars can't be read: "+short(err),
			"give the token the scope "+scopeList(scopesOf("calendars.list")))
	case !slices.ContainsFunc(calendars, func(c *ghl.Calendar) bool { return c.ID == l.Calendar }):
		var known []string
		for _, c := range calendars {
			known = append(known, c.ID+" ("+c.Name+")")
		}
		d.bad("calendar", "the location has no calendar "+l.Calendar, "set one of these: "+strings.Join(known, ", "))
	default:
		d.ok("calendar", "appointments made in Pluvo are booked in %s", l.Calendar)
	}
}

// webhook posts an unsigned delivery to the address of the webhooks, which must refuse it.
func (d *doctor) webhook(ctx context.Context) {
	if d.s.WebhookURL == "" {
		d.look("webhooks", "webhook_url is not set, so the address of the webhooks can't be tried",
			"set it to the webhook URL of the app in the marketplace")
		return
	}
	if strings.HasPrefix(d.s.WebhookURL, "http://") && !strings.Contains(d.s.WebhookURL, "//127.0.0.1") &&
		!strings.Contains(d.s.WebhookURL, "//localhost") {
		d.look("webhooks", "webhook_url begins with http://", "put a proxy with TLS before it")
	}
	proxy := "start ghlsync run, and check that the proxy forwards " + d.s.WebhookPath + " to " + d.s.Listen
	resp, err := request(ctx, http.MethodPost, d.s.WebhookURL, bytes.NewReader([]byte(`{"type":"ContactUpdate"}`)))
	switch {
	case err != nil:
		d.bad("webhooks", "webhook_url does not answer: "+reason(err), proxy)
	case resp.StatusCode == http.StatusUnauthorized:
		d.ok("webhooks", "the address answers from here, and refuses a delivery without HighLevel's signature")
	case resp.StatusCode < 300:
		message := fmt.Sprintf("webhook_url accepts a delivery without a signature (%d): another program answers",
			resp.StatusCode)
		d.bad("webhooks", message, "check that the proxy forwards "+d.s.WebhookPath+" to "+d.s.Listen)
	default:
		d.bad("webhooks", fmt.Sprintf("webhook_url answers %d, not ghlsync's 401", resp.StatusCode), proxy)
	}
}
