package main

import (
	"context"
	"errors"
	"fmt"
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
		Short: "Take over what a location has, page by page",
		Long: `Takes over a location's contacts with their tasks and appointments, from lists
instead of contact by contact: without LOCATION all of the settings. With
--notes notes too, which costs one more call for each contact. It lets live
changes go first, never writes over a newer one, and goes on where it was when
it was interrupted: start it again.

On PostgreSQL it runs beside "ghlsync run". A SQLite file is for one process at
a time: stop "run" meanwhile.

--dry-run works on a copy of the database in a temporary folder and lets no
writing request out. It prints what would be made or changed in Pluvo and what
would be sent to HighLevel. What is refused there is not followed further: the
tasks of a contact that would be made there are not listed.`,
		RunE: func(c *cobra.Command, args []string) error {
			if dry {
				return p.rehearse(c.Context(), args, ghlsync.BackfillOptions{Notes: notes})
			}
			return p.backfill(c.Context(), args, ghlsync.BackfillOptions{Notes: notes})
		},
	}
	c.Flags().BoolVar(&notes, "notes", false, "take over notes too")
	dryRun(c, &dry)
	return c
}

// chosen are the locations that were asked for, or all.
func chosen(s *settings, args []string) ([]string, error) {
	var all []string
	known := map[string]bool{}
	for _, l := range s.Locations {
		all, known[l.ID] = append(all, l.ID), true
	}
	for _, id := range args {
		if !known[id] {
			return nil, usageError{fmt.Errorf("%s is no location of the settings", id)}
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
		c.ReconcileInterval, c.CompareInterval = -1, -1 // that is for "run"
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
			return fmt.Errorf("%s can't be opened: %s; ghlsync doctor says what to do", l.ID, l.Closed)
		}
	}
	done := []backfilled{}
	for _, location := range locations {
		last, err := p.backfillOne(ctx, sync, screen, location, o)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w after %s; the same command goes on there", location, errInterrupted, plural(last.Done, "contact"))
			}
			return fmt.Errorf("%s: %w", location, err)
		}
		pending, err := waiting(ctx, sync, location)
		if err != nil {
			return err
		}
		done = append(done, backfilled{location, last.Done, last.Tasks, last.Appointments, last.Resumed, pending.Contacts})
	}
	return p.show(done, func() {
		for _, one := range done {
			fmt.Fprintf(p.out, "%s: %s, %s and %s are taken over", one.Location, plural(one.Contacts, "contact"), plural(one.Tasks, "task"), plural(one.Appointments, "appointment"))
			if one.Resumed > 0 {
				fmt.Fprintf(p.out, " (%d of them by the run before)", one.Resumed)
			}
			fmt.Fprintln(p.out, ".")
			if one.Waiting > 0 {
				fmt.Fprintf(p.out, "%s for more than a list tells: ghlsync run sees to it.\n", many(one.Waiting, "contact waits", "contacts wait"))
			}
		}
	})
}

// waiting is what is left to do, once that which takes a moment was given it.
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

// backfilled is a location that was taken over, as JSON prints it.
type backfilled struct {
	Location     string `json:"location"`
	Contacts     int    `json:"contacts"`
	Tasks        int    `json:"tasks"`
	Appointments int    `json:"appointments"`
	Resumed      int    `json:"resumed"`
	// Waiting is how many contacts wait for the work of "ghlsync run".
	Waiting int `json:"waiting"`
}

// backfillOne shows a bar on a terminal, and else a line now and then.
func (p *program) backfillOne(ctx context.Context, sync *ghlsync.Syncer, screen *screen, location string, o ghlsync.BackfillOptions) (last ghlsync.Progress, err error) {
	var said time.Time
	o.Progress = func(at ghlsync.Progress) {
		last = at
		switch {
		case screen.live:
			screen.show(bar(at.Done, at.Total) + " " + progressLine(at))
		case !p.json && (at.Stage == ghlsync.StageContacts && time.Since(said) > 10*time.Second || at.Stage == ghlsync.StageDone):
			said = time.Now()
			fmt.Fprintln(p.err, progressLine(at))
		}
	}
	err = sync.Backfill(ctx, location, o)
	screen.clear()
	return last, err
}

// bar shows how much is done.
func bar(done, total int) string {
	const width = 14
	full := 0
	if total > 0 {
		full = min(width*done/total, width)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// progressLine says how far a backfill is.
func progressLine(at ghlsync.Progress) string {
	switch at.Stage {
	case ghlsync.StageTasks, ghlsync.StageAppointments:
		return fmt.Sprintf("%s: %s and %s found", at.Location, plural(at.Tasks, "task"), plural(at.Appointments, "appointment"))
	}
	text := fmt.Sprintf("%s: %d of %s", at.Location, at.Done, plural(at.Total, "contact"))
	if at.Rate > 0 {
		text += fmt.Sprintf(", %.1f/s", at.Rate)
	}
	if at.Remaining > 0 {
		text += ", " + span(at.Remaining) + " to go"
	}
	return text
}
