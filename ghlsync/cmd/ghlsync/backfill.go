package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

func (p *program) backfillCommand() *cobra.Command {
	var notes, dry bool
	c := &cobra.Command{
		Use:   "backfill [LOCATION...]",
		Short: "Sync the existing contacts of a location, page by page",
		Long: `Syncs the existing contacts of a location with their tasks and appointments. It
reads lists instead of single contacts. Without LOCATION it syncs all locations
of the settings; with --notes also notes, which costs one more call for each
contact. Live changes go first, and a newer change is never overwritten. If a
backfill is interrupted, start it again: it resumes where it ended.

With PostgreSQL it can run beside "ghlsync run". A SQLite file can be used by
one process at a time: stop "run" before.

--dry-run works on a copy of the database in a temporary folder, and sends no
request that writes. It prints what would change in Pluvo and what would be sent
to HighLevel. It does not list what would follow from such a request: the tasks
of a contact that would be created in HighLevel are missing.`,
		RunE: func(c *cobra.Command, args []string) error {
			if dry {
				return p.rehearse(c.Context(), args, ghlsync.BackfillOptions{Notes: notes})
			}
			return p.backfill(c.Context(), args, ghlsync.BackfillOptions{Notes: notes})
		},
	}
	c.Flags().BoolVar(&notes, "notes", false, "also sync notes")
	dryRun(c, &dry)
	return c
}

// chosen returns the locations in args, or all locations if there are no args.
func chosen(s *settings, args []string) ([]string, error) {
	var all []string
	known := map[string]bool{}
	for _, l := range s.Locations {
		all, known[l.ID] = append(all, l.ID), true
	}
	for _, id := range args {
		if !known[id] {
			return nil, usageError{fmt.Errorf("the settings have no location %s", id)}
		}
	}
	if len(args) > 0 {
		return args, nil
	}
	return all, nil
}

func (p *program) backfill(ctx context.Context, args []string, o ghlsync.BackfillOptions) (err error) {
	screen := p.screen()
	sync, s, err := p.open(ctx, slog.LevelWarn, func(c *ghlsync.Config) {
		c.ReconcileInterval, c.CompareInterval = -1, -1 // the schedules belong to "run"
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(ctx, sync, s.Drain)) }()
	locations, err := chosen(s, args)
	if err != nil {
		return err
	}
	if err := sync.Start(ctx); err != nil {
		return s.translate(err)
	}
	for _, l := range sync.Health(ctx).Locations {
		if slices.Contains(locations, l.ID) && l.Closed != "" {
			return fmt.Errorf("%s can't be opened: %s; to find out what to do: ghlsync doctor", l.ID, l.Closed)
		}
	}
	done := []backfilled{}
	for _, location := range locations {
		last, err := p.backfillOne(ctx, sync, screen, location, o)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w after %s; the same command resumes there", location, errInterrupted,
					plural(last.Done, "contact"))
			}
			return fmt.Errorf("%s: %w", location, err)
		}
		pending, err := waiting(ctx, sync, location)
		if err != nil {
			return err
		}
		one := backfilled{location, last.Done, last.Tasks, last.Appointments, last.Resumed, pending.Contacts}
		done = append(done, one)
	}
	return p.show(done, func() {
		for _, one := range done {
			one.print(p.out)
		}
	})
}

// waiting returns what is left to sync, after up to five seconds for work that takes a moment.
func waiting(ctx context.Context, sync *ghlsync.Syncer, location string) (pending ghlsync.Pending, err error) {
	for range 50 {
		if pending, err = sync.Pending(ctx, location); err != nil || pending.Contacts == 0 {
			return pending, err
		}
		select {
		case <-ctx.Done():
			return pending, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return pending, nil
}

// backfilled is the result of a backfill in JSON output.
type backfilled struct {
	Location     string `json:"location"`
	Contacts     int    `json:"contacts"`
	Tasks        int    `json:"tasks"`
	Appointments int    `json:"appointments"`
	Resumed      int    `json:"resumed"` // contacts that an interrupted run had synced
	// Waiting is the number of contacts that "ghlsync run" still has to sync.
	Waiting int `json:"waiting"`
}

func (b *backfilled) print(w io.Writer) {
	fmt.Fprintf(w, "%s: synced %s, %s and %s", b.Location, plural(b.Contacts, "contact"), plural(b.Tasks, "task"),
		plural(b.Appointments, "appointment"))
	if b.Resumed > 0 {
		fmt.Fprintf(w, " (%s by the interrupted run)", plural(b.Resumed, "contact"))
	}
	fmt.Fprintln(w, ".")
	if b.Waiting > 0 {
		fmt.Fprintf(w, "%s to be read one by one: start ghlsync run.\n",
			many(b.Waiting, "contact waits", "contacts wait"))
	}
}

// backfillOne runs a backfill. It shows a progress bar on a terminal, and otherwise prints a line every ten seconds.
func (p *program) backfillOne(ctx context.Context, sync *ghlsync.Syncer, screen *screen, location string,
	o ghlsync.BackfillOptions,
) (ghlsync.Progress, error) {
	var last ghlsync.Progress
	var printed time.Time
	o.Progress = func(at ghlsync.Progress) {
		last = at
		switch {
		case screen.live:
			screen.show(bar(at.Done, at.Total) + " " + progressLine(at))
		case p.json:
		case at.Stage == ghlsync.StageDone, at.Stage == ghlsync.StageContacts && time.Since(printed) > 10*time.Second:
			printed = time.Now()
			fmt.Fprintln(p.err, progressLine(at))
		}
	}
	err := sync.Backfill(ctx, location, o)
	screen.clear()
	return last, err
}

// bar draws a progress bar.
func bar(done, total int) string {
	const width = 14
	full := 0
	if total > 0 {
		full = min(width*done/total, width)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// progressLine describes the progress of a backfill.
func progressLine(at ghlsync.Progress) string {
	switch at.Stage {
	case ghlsync.StageTasks, ghlsync.StageAppointments:
		return fmt.Sprintf("%s: %s and %s found", at.Location, plural(at.Tasks, "task"),
			plural(at.Appointments, "appointment"))
	}
	text := fmt.Sprintf("%s: %d of %s", at.Location, at.Done, plural(at.Total, "contact"))
	if at.Rate > 0 {
		text += fmt.Sprintf(", %.1f/s", at.Rate)
	}
	if at.Remaining > 0 {
		text += ", " + span(at.Remaining) + " left"
	}
	return text
}
