package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/webhook"
)

func (p *program) demoCommand() *cobra.Command {
	var length time.Duration
	var seed uint64
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: both sides change under faults, and end equal",
		Long: `Starts everything in this process: a fake HighLevel with its webhooks, Pluvo's
records in SQLite in a temporary folder, and the sync between them. Then
invented people change both sides, often the same contact at once. Meanwhile
requests fail, answers get lost, and webhooks arrive twice, out of order, or not
at all. In the end the demo compares both sides record by record.

The demo needs no settings and no network, reaches no account, and leaves no
files.`,
		Example: "  ghlsync demo\n  ghlsync demo --for 5s",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if length <= 0 || length > time.Hour {
				return usageError{errors.New("--for must be a time of up to an hour, such as 30s")}
			}
			return newDemo(p, length, seed).run(c.Context())
		},
	}
	c.Flags().DurationVar(&length, "for", 30*time.Second, "how long to change both sides")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the random changes and faults")
	return c
}

// demo is a fake HighLevel, Pluvo, people who change both, and the sync between them.
type demo struct {
	p      *program
	out    io.Writer
	length time.Duration
	seed   uint64

	server *ghltest.Server
	sync   *ghlsync.Syncer
	faults []*ghltest.ActiveFault
	people *people
	screen *screen
	shown  time.Time // when the last event was printed
	looks  int       // number of calls of state
}

func newDemo(p *program, length time.Duration, seed uint64) *demo {
	d := &demo{p: p, length: length, seed: seed, screen: p.screen(), out: p.out}
	if p.json {
		d.out = io.Discard
	}
	return d
}

func (d *demo) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "ghlsync-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if d.server, err = ghltest.New(ghltest.WithDemoData(),
		ghltest.WithLimits(ghltest.Limits{Requests: 1000, Interval: time.Second, Daily: 100_000_000})); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.server.Close()) }()
	if err := d.start(ctx, dir); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		err = errors.Join(err, d.sync.Stop(ctx))
	}()
	defer d.screen.clear()
	fmt.Fprintf(d.out, "This process syncs a fake HighLevel and Pluvo for %s.\nNothing leaves this machine.\n\n",
		d.length)

	began := time.Now()
	if err := d.fill(ctx); err != nil {
		return err
	}
	start := d.figures(ctx)
	fmt.Fprintf(d.out, "%s of HighLevel and their records were in Pluvo after %s.\n",
		plural(start.Contacts, "contact"), time.Since(began).Round(10*time.Millisecond))
	d.fail()
	fmt.Fprintf(d.out, "From now on 5%% of all requests fail, some answers get lost, and every fifth\n"+
		"webhook arrives twice, out of order, or not at all.\n\n")
	if err := d.change(ctx); err != nil {
		return err
	}
	last := time.Now()
	d.server.ClearFaults()
	for { // the next comparison on the schedule finds the changes of lost webhooks
		if err := d.settle(ctx); err != nil {
			return err
		}
		c, err := compare(ctx, d.server, d.sync.Pluvo())
		if err != nil {
			return err
		}
		if c.equal() || time.Since(last) > longest {
			return d.end(ctx, c, time.Since(last))
		}
	}
}

// longest is how long both sides may take to become equal after the last change: a few comparisons.
const longest = 30 * time.Second

// start starts the sync. Its intervals are short, so that half a minute shows what otherwise takes an hour.
func (d *demo) start(ctx context.Context, dir string) error {
	verifier, err := webhook.NewVerifier(webhook.WithKeys(d.server.WebhookPublicKey()))
	if err != nil {
		return err
	}
	client, err := ghl.New(d.server.ClientOptions()...)
	if err != nil {
		return err
	}
	calendars, err := client.Calendars.List(ctx, nil)
	if err != nil || len(calendars) == 0 {
		return fmt.Errorf("the calendars: %w", err)
	}
	d.sync, err = ghlsync.New(ctx, ghlsync.Config{
		Database: "sqlite:" + filepath.Join(dir, "demo.db"), Webhooks: verifier, Logger: slog.New(slog.DiscardHandler),
		Settle: time.Second, PluvoInterval: 100 * time.Millisecond, ReconcileInterval: time.Second,
		CompareInterval: 3 * time.Second, IndexLag: -1, // the fake has none
		Retry: ghlsync.RetryPolicy{First: 200 * time.Millisecond, Max: 2 * time.Second, Attempts: 100},
		Locations: []ghlsync.Location{{
			ID: d.server.LocationID(), TokenSource: ghl.StaticTokenSource(d.server.Token()), Region: "US",
			Calendar:      calendars[0].ID,
			ClientOptions: []ghl.Option{ghl.WithBaseURL(d.server.URL())},
		}},
	})
	if err != nil {
		return err
	}
	handler, err := d.sync.WebhookHandler()
	if err != nil {
		return err
	}
	d.server.SubscribeHandler(handler, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{
		Seed: d.seed, Duplicate: ghltest.Chance(0.1), Reorder: ghltest.Chance(0.05), Lose: ghltest.Chance(0.05),
	}))
	d.people = newPeople(d, client, calendars[0].ID)
	return d.sync.Start(ctx)
}

// fill syncs the demo data of HighLevel to Pluvo.
func (d *demo) fill(ctx context.Context) error {
	if err := d.sync.Backfill(ctx, d.server.LocationID(), ghlsync.BackfillOptions{Notes: true}); err != nil {
		return err
	}
	return d.settle(ctx)
}

// fail makes requests fail from now on.
func (d *demo) fail() {
	inject := func(operation string, kind fault.Kind, chance float64) {
		d.faults = append(d.faults, d.server.Fail(ghltest.Fault{Operation: operation, Kind: kind, Chance: chance,
			Seed: d.seed + uint64(len(d.faults))}))
	}
	inject("", fault.BadGatewayHTML(), 0.02)
	inject("", fault.CutBeforeWork(), 0.02)
	inject("", fault.InternalServerError(), 0.01)
	for _, operation := range []string{"contacts.create", "tasks.create", "notes.create", "contacts.update",
		"tasks.update"} {
		inject(operation, fault.CutAfterWork(), 0.1) // the request takes effect, and its answer is lost
	}
}

// change lets people change both sides, and prints some of the changes.
func (d *demo) change(ctx context.Context) error {
	end := time.NewTimer(d.length)
	defer end.Stop()
	turn := time.NewTicker(80 * time.Millisecond)
	defer turn.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-look.C:
			d.state(d.figures(ctx))
		case <-turn.C:
			if text := d.people.act(ctx); text != "" {
				d.event(text)
			}
		}
	}
}

// settle waits until all work is done.
func (d *demo) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := untilQuiet(ctx, d.sync, []string{d.server.LocationID()}, 5*time.Second, func(ctx context.Context) error {
		d.server.Redeliver()
		return d.server.Flush(ctx)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("after two minutes there is still work to do: %w", err)
	}
	return err
}

// figures are the numbers of the demo.
type figures struct {
	Equal     bool `json:"equal"`
	Contacts  int  `json:"contacts"`
	HighLevel int  `json:"changesInHighLevel"`
	Pluvo     int  `json:"changesInPluvo"`
	Conflicts int  `json:"conflicts"`
	Retries   int  `json:"retries"`
	Failed    int  `json:"requestsFailedOnPurpose"`
	Lost      int  `json:"deliveriesLost"`
	Behind    int  `json:"behind"`
}

func (f figures) changes() int { return f.HighLevel + f.Pluvo }

func (d *demo) figures(ctx context.Context) figures {
	f := figures{Contacts: len(d.server.Contacts()), HighLevel: d.people.theirs, Pluvo: d.people.ours}
	if pending, err := d.sync.Pending(ctx, d.server.LocationID()); err == nil {
		f.Behind = pending.Contacts
	}
	if conflicts, err := d.sync.Conflicts(ctx, true, 10_000); err == nil {
		f.Conflicts = len(conflicts)
	}
	all := []ghlsync.FailureState{ghlsync.Retrying, ghlsync.Stopped, ghlsync.Resolved, ghlsync.Skipped}
	if failures, err := d.sync.Failures(ctx, ghlsync.FailureFilter{States: all, Limit: 10_000}); err == nil {
		for _, failure := range failures {
			f.Retries += failure.Attempts
		}
	}
	for _, active := range d.faults {
		f.Failed += active.Hits()
	}
	for _, delivery := range d.server.Deliveries() {
		if slices.Contains(delivery.Faults, "lost") {
			f.Lost++
		}
	}
	return f
}

// end prints the result of the comparison.
func (d *demo) end(ctx context.Context, c *comparison, took time.Duration) error {
	missing := d.people.missing(c)
	f := d.figures(ctx)
	f.Equal = c.equal() && len(missing) == 0
	failing, err := d.sync.Failures(ctx, ghlsync.FailureFilter{})
	if err != nil {
		return err
	}
	d.screen.clear()
	fmt.Fprintf(d.out, "\nThe changes stopped, and all work was done %s later.\nNumber of records on both sides:\n\n",
		took.Round(10*time.Millisecond))
	return errors.Join(d.p.show(f, func() {
		var rows [][]string
		for _, kind := range []string{"contacts", "tasks", "notes", "appointments"} {
			rows = append(rows, []string{kind, fmt.Sprint(c.theirs[kind]), fmt.Sprint(c.ours[kind])})
		}
		d.p.table("", " | HighLevel | Pluvo", rows)
		fmt.Fprintln(d.out)
		for what, list := range map[string][]string{"different": c.different, "lost": missing, "duplicate": c.twice} {
			for _, one := range list {
				fmt.Fprintf(d.out, "%s: %s\n", what, one)
			}
		}
		if f.Behind > 0 {
			fmt.Fprintf(d.out,
				"%s not found in HighLevel, though a webhook named it: ghlsync looks for it a while longer\n",
				plural(f.Behind, "contact"))
		}
		for _, f := range failing { // its contact may differ
			fmt.Fprintf(d.out, "%s: %s of %s: %s\n", f.State, f.Category, f.Unit.ID, f.Message)
		}
		verdict := "equal"
		if !f.Equal {
			verdict = "NOT EQUAL"
		}
		fmt.Fprintf(d.out, "%d requests failed and %d webhooks got lost on purpose\n", f.Failed, f.Lost)
		fmt.Fprintf(d.out, "%s: %s (%d in HighLevel, %d in Pluvo), %s, %s\n", verdict, plural(f.changes(), "change"),
			f.HighLevel, f.Pluvo, plural(f.Conflicts, "conflict"), many(f.Retries, "retry", "retries"))
	}), trouble(!f.Equal))
}

// event prints a change. It skips changes that follow too fast to read.
func (d *demo) event(text string) {
	if time.Since(d.shown) < 450*time.Millisecond {
		return
	}
	d.shown = time.Now()
	fmt.Fprintf(d.out, "  %s\n", text)
}

// state shows the numbers: each second on a terminal, otherwise every fifth time.
func (d *demo) state(f figures) {
	text := fmt.Sprintf("%s · %d requests failed · %d deliveries lost · %s · %d behind",
		plural(f.changes(), "change"), f.Failed, f.Lost, plural(f.Conflicts, "conflict"), f.Behind)
	if d.looks++; d.screen.live {
		d.screen.show(text)
	} else if d.looks%5 == 0 {
		fmt.Fprintf(d.out, "%s\n", text)
	}
}
