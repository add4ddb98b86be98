package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

// failureJSON is a failure as JSON prints it.
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

func failureOf(f ghlsync.Failure) failureJSON {
	return failureJSON{f.ID, f.Unit.Location, f.Unit.ID, string(f.State), f.Category, f.Message, f.Attempts, f.First, f.Last, f.Next}
}

// attemptJSON is a failed attempt as JSON prints it.
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
		Short: "List what fails, and end what a person has seen to",
		Long: `Lists contacts whose work fails: those that are tried again by themselves
("retrying"), and those that wait for a person ("stopped"). Ghlsync holds no
secrets and no personal data in them.

Mend what the message says, then: ghlsync retry ID`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if all {
				filter.States = []ghlsync.FailureState{ghlsync.Retrying, ghlsync.Stopped, ghlsync.Resolved, ghlsync.Skipped}
			}
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				list, err := sync.Failures(c.Context(), filter)
				if err != nil {
					return err
				}
				data, rows := make([]failureJSON, 0, len(list)), [][]string(nil)
				for _, f := range list {
					data = append(data, failureOf(f))
					rows = append(rows, []string{f.ID, string(f.State), f.Unit.Location, f.Unit.ID, fmt.Sprint(f.Attempts), ago(f.Last), ago(f.Next), string(f.Category), cut(f.Message, 60)})
				}
				return p.show(data, func() {
					p.table("Nothing fails.", "ID | STATE | LOCATION | CONTACT | ATTEMPTS | LAST | NEXT | WHAT | MESSAGE", rows)
					p.more(len(rows), filter.Limit)
				})
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that are over")
	c.Flags().StringVar(&filter.Location, "location", "", "those of one location")
	limited(c, &filter.Limit)
	show := &cobra.Command{
		Use: "show ID", Short: "Each failed attempt: what was sent, what came back", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				list, err := sync.Attempts(c.Context(), args[0])
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return fmt.Errorf("%s: %w", args[0], ghlsync.ErrNoFailure)
				}
				data := make([]attemptJSON, 0, len(list))
				for _, a := range list {
					data = append(data, attemptJSON(a))
				}
				return p.show(data, func() {
					for _, a := range list {
						fmt.Fprintf(p.out, "%d. %s  %s  %s  status %d  trace %s\n   %s\n", a.Number, a.At.Format(time.DateTime), a.Operation, a.Category, a.Status, a.TraceID, oneLine(a.Message))
						if a.Sent != "" {
							fmt.Fprintf(p.out, "   sent      %s\n", cut(a.Sent, 300))
						}
						if a.Received != "" {
							fmt.Fprintf(p.out, "   received  %s\n", cut(a.Received, 300))
						}
						if !a.Next.IsZero() {
							fmt.Fprintf(p.out, "   again %s\n", a.Next.Format(time.DateTime))
						}
					}
				})
			})
		},
	}
	c.AddCommand(show, p.endFailure("skip", "Give a failure up: its contact is left until it changes again", (*ghlsync.Syncer).Skip),
		p.endFailure("resolve", "Say that a failure was seen to otherwise", (*ghlsync.Syncer).Resolve))
	return c
}

func (p *program) endFailure(verb, short string, do func(*ghlsync.Syncer, context.Context, string) error) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, verb+" "+args[0], verb+" "+args[0]+": done.", func(sync *ghlsync.Syncer) error {
				return isFailure(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return do(sync, c.Context(), args[0]) })
		},
	}
	dryRun(c, &dry)
	return c
}

func isFailure(ctx context.Context, sync *ghlsync.Syncer, id string) error {
	attempts, err := sync.Attempts(ctx, id)
	if err == nil && len(attempts) == 0 {
		err = fmt.Errorf("%s: %w", id, ghlsync.ErrNoFailure)
	}
	return err
}

func (p *program) retryCommand() *cobra.Command {
	var dry, all bool
	var filter ghlsync.FailureFilter
	c := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Try failures again now",
		Long: `Tries failures again now, in the process that runs, or at its next start.
Pressed twice it is tried once.`,
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{fmt.Errorf("the ids of failures are needed, or --all; ghlsync failures lists them")}
			}
			return p.with(c.Context(), dry, func(sync *ghlsync.Syncer) error {
				ids := args
				for more := all; more; {
					list, err := sync.Failures(c.Context(), filter)
					if err != nil {
						return err
					}
					for i, f := range list {
						ids, filter.After = append(ids, f.ID), &list[i]
					}
					more = len(list) > 0
				}
				for _, id := range ids {
					if err := isFailure(c.Context(), sync, id); err != nil {
						return err
					}
					if dry {
						continue
					}
					if err := sync.Retry(c.Context(), id); err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
				}
				said := many(len(ids), "failure is tried again now", "failures are tried again now")
				if dry {
					said = plural(len(ids), "failure") + " would be tried again"
				}
				return p.show(map[string]any{"dryRun": dry, "retried": ids}, func() { fmt.Fprintf(p.out, "%s.\n", said) })
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all that are open")
	c.Flags().StringVar(&filter.Location, "location", "", "with --all: those of one location")
	dryRun(c, &dry)
	return c
}
