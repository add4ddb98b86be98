package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

// conflictJSON is a conflict as JSON prints it.
type conflictJSON struct {
	ID       string    `json:"id"`
	Location string    `json:"location"`
	Contact  string    `json:"contact"`
	Kind     string    `json:"kind"`
	Record   string    `json:"record"`
	Field    string    `json:"field"`
	Winner   string    `json:"winner"`
	GHL      string    `json:"ghl"`
	Pluvo    string    `json:"pluvo"`
	Reason   string    `json:"reason,omitempty"`
	Happened time.Time `json:"happened"`
	Resolved time.Time `json:"resolved,omitzero"`
}

func (p *program) conflictsCommand() *cobra.Command {
	var all, values bool
	var limit int
	c := &cobra.Command{
		Use:   "conflicts",
		Short: "List where both sides changed the same, and decide",
		Long: `Lists where both sides changed the same field, with the side whose value
stayed, and what a person must decide (winner "nobody"): two candidates for one
contact ("match": ghlsync conflicts link), an appointment whose slot is taken
("slot").

The two values can be personal data: they are shown with --values, and in JSON.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				list, err := sync.Conflicts(c.Context(), all, limit)
				if err != nil {
					return err
				}
				data, rows := make([]conflictJSON, 0, len(list)), [][]string(nil)
				for _, f := range list {
					data = append(data, conflictJSON{f.ID, f.Location, f.Unit, string(f.Kind), f.Record, f.Field, winner(f), f.GHL, f.Pluvo, f.Reason, f.Happened, f.ResolvedAt})
					what := f.Reason
					if values && f.Reason == "" {
						what = fmt.Sprintf("ghl %q, pluvo %q", cut(f.GHL, 30), cut(f.Pluvo, 30))
					}
					rows = append(rows, []string{f.ID, f.Location, string(f.Kind), f.Record, f.Field, winner(f), ago(f.Happened), ago(f.ResolvedAt), cut(what, 80)})
				}
				return p.show(data, func() {
					p.table("There are no conflicts.", "ID | LOCATION | KIND | RECORD | FIELD | WINNER | WHEN | RESOLVED | WHAT", rows)
					p.more(len(rows), limit)
				})
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that are resolved")
	c.Flags().BoolVar(&values, "values", false, "show the two values")
	limited(c, &limit)

	var dry bool
	resolve := &cobra.Command{
		Use: "resolve ID", Short: "Say that a conflict was seen to; its contact is looked at again", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "resolve "+args[0], "resolve "+args[0]+": done.", func(sync *ghlsync.Syncer) error {
				return isConflict(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return sync.ResolveConflict(c.Context(), args[0]) })
		},
	}
	dryRun(resolve, &dry)
	link := &cobra.Command{
		Use: "link LOCATION CONTACT PLUVO-CONTACT", Short: "Join a contact of HighLevel and one of Pluvo", Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, fmt.Sprintf("join %s of HighLevel and %s of Pluvo in %s", args[1], args[2], args[0]), "They are one contact now.", func(sync *ghlsync.Syncer) error {
				return isLocation(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return sync.Link(c.Context(), args[0], args[1], args[2]) })
		},
	}
	dryRun(link, &dry)
	c.AddCommand(resolve, link)
	return c
}

func winner(c ghlsync.Conflict) string {
	if c.Winner == ghlsync.Nobody {
		return "nobody"
	}
	return string(c.Winner)
}

// isConflict fails if there is no such open conflict among the latest.
func isConflict(ctx context.Context, sync *ghlsync.Syncer, id string) error {
	list, err := sync.Conflicts(ctx, false, 10_000)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.ID == id {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", id, ghlsync.ErrNoConflict)
}
