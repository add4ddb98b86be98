package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

// failureJSON is a failure in JSON output.
type failureJSON struct {
	ID       string                  `json:"id"`
	Location string                  `json:"location"`
	Contact  string                  `json:"contact"`
	State    string                  `json:"state"`
	Category ghlsync.FailureCategory `json:"category"`
	Message  string                  `json:"message"`
	Attempts int                     `json:"attempts"`
	First    time.Time               `json:"first"`
	Last     time.Time               `json:"last"`
	Next     time.Time               `json:"next,omitzero"`
}

// attemptJSON is a failed attempt in JSON output.
type attemptJSON struct {
	Number    int                     `json:"number"`
	At        time.Time               `json:"at"`
	Next      time.Time               `json:"next,omitzero"`
	Operation string                  `json:"operation,omitempty"`
	Category  ghlsync.FailureCategory `json:"category"`
	Status    int                     `json:"status,omitempty"`
	Message   string                  `json:"message"`
	TraceID   string                  `json:"traceId,omitempty"`
	Sent      string                  `json:"sent,omitempty"`
	Received  string                  `json:"received,omitempty"`
}

func (p *program) failuresCommand() *cobra.Command {
	var all bool
	var filter ghlsync.FailureFilter
	c := &cobra.Command{
		Use:   "failures",
		Short: "List failures, and end those that need no retry",
		Long: `Lists the contacts that fail to sync: those that ghlsync retries by itself
("retrying"), and those that wait for a person ("stopped"). The list contains no
secrets and no personal data.

Correct what the message says, then: ghlsync retry ID`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if all {
				filter.States = []ghlsync.FailureState{
					ghlsync.Retrying, ghlsync.Stopped, ghlsync.Resolved, ghlsync.Skipped,
				}
			}
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				return p.listFailures(c.Context(), sync, filter)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also failures that have ended")
	c.Flags().StringVar(&filter.Location, "location", "", "only failures of one location")
	limited(c, &filter.Limit)
	show := &cobra.Command{
		Use: "show ID", Short: "Show each attempt: the request and the answer", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				return p.showAttempts(c.Context(), sync, args[0])
			})
		},
	}
	c.AddCommand(show,
		p.endFailure("skip", "Give up a failure; its contact syncs again when it changes", (*ghlsync.Syncer).Skip),
		p.endFailure("resolve", "Mark a failure as resolved by other means", (*ghlsync.Syncer).Resolve))
	return c
}

func (p *program) listFailures(ctx context.Context, sync *ghlsync.Syncer, filter ghlsync.FailureFilter) error {
	list, err := sync.Failures(ctx, filter)
	if err != nil {
		return err
	}
	data, rows := make([]failureJSON, 0, len(list)), [][]string(nil)
	for _, f := range list {
		one := failureJSON{f.ID, f.Unit.Location, f.Unit.ID, string(f.State), f.Category, f.Message, f.Attempts,
			f.First, f.Last, f.Next}
		data = append(data, one)
		rows = append(rows, []string{
			f.ID, string(f.State), f.Unit.Location, f.Unit.ID, fmt.Sprint(f.Attempts), ago(f.Last), ago(f.Next),
			string(f.Category), cut(f.Message, 60),
		})
	}
	return p.show(data, func() {
		p.table("Nothing fails.", "ID | STATE | LOCATION | CONTACT | ATTEMPTS | LAST | NEXT | WHAT | MESSAGE", rows)
		p.truncated(len(rows), filter.Limit)
	})
}

func (p *program) showAttempts(ctx context.Context, sync *ghlsync.Syncer, id string) error {
	list, err := attempts(ctx, sync, id)
	if err != nil {
		return err
	}
	data := make([]attemptJSON, 0, len(list))
	for _, a := range list {
		data = append(data, attemptJSON(a))
	}
	return p.show(data, func() {
		for _, a := range list {
			fmt.Fprintf(p.out, "%d. %s  %s  %s  status %d  trace %s\n   %s\n",
				a.Number, a.At.Format(time.DateTime), a.Operation, a.Category, a.Status, a.TraceID, oneLine(a.Message))
			if a.Sent != "" {
				fmt.Fprintf(p.out, "   sent      %s\n", cut(a.Sent, 300))
			}
			if a.Received != "" {
				fmt.Fprintf(p.out, "   received  %s\n", cut(a.Received, 300))
			}
			if !a.Next.IsZero() {
				fmt.Fprintf(p.out, "   next try  %s\n", a.Next.Format(time.DateTime))
			}
		}
	})
}

// attempts returns the attempts of a failure, or [ghlsync.ErrNoFailure] if there is no such failure.
func attempts(ctx context.Context, sync *ghlsync.Syncer, id string) ([]ghlsync.Attempt, error) {
	list, err := sync.Attempts(ctx, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: %w", id, ghlsync.ErrNoFailure)
	}
	return list, err
}

func (p *program) endFailure(verb, short string,
	do func(*ghlsync.Syncer, context.Context, string) error) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, verb+" "+args[0], verb+" "+args[0]+": done.",
				func(sync *ghlsync.Syncer) error {
					_, err := attempts(c.Context(), sync, args[0])
					return err
				}, func(sync *ghlsync.Syncer) error { return do(sync, c.Context(), args[0]) })
		},
	}
	dryRun(c, &dry)
	return c
}

func (p *program) retryCommand() *cobra.Command {
	var dry, all bool
	var location string
	c := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Retry failures now",
		Long: `Retries failures now, in the running process, or when the next one starts. A
failure that is already being retried is not retried twice.`,
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{errors.New("name the ids of failures, or --all; to list failures: ghlsync failures")}
			}
			return p.with(c.Context(), dry, func(sync *ghlsync.Syncer) (err error) {
				ids := args
				if all {
					if ids, err = openFailures(c.Context(), sync, location); err != nil {
						return err
					}
				}
				return p.retry(c.Context(), sync, ids, dry)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "retry all open failures")
	c.Flags().StringVar(&location, "location", "", "with --all: only those of one location")
	dryRun(c, &dry)
	return c
}

// openFailures returns the ids of the open failures, of one location or of all.
func openFailures(ctx context.Context, sync *ghlsync.Syncer, location string) (ids []string, err error) {
	filter := ghlsync.FailureFilter{Location: location}
	ids = []string{}
	for {
		list, err := sync.Failures(ctx, filter)
		if err != nil || len(list) == 0 {
			return ids, err
		}
		for _, f := range list {
			ids = append(ids, f.ID)
		}
		filter.After = &list[len(list)-1]
	}
}

func (p *program) retry(ctx context.Context, sync *ghlsync.Syncer, ids []string, dry bool) error {
	for _, id := range ids {
		if _, err := attempts(ctx, sync, id); err != nil {
			return err
		}
		if dry {
			continue
		}
		if err := sync.Retry(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	text := many(len(ids), "failure is retried now", "failures are retried now")
	if dry {
		text = plural(len(ids), "failure") + " would be retried"
	}
	return p.show(map[string]any{"dryRun": dry, "retried": ids}, func() { fmt.Fprintf(p.out, "%s.\n", text) })
}
