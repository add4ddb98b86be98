package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

// conflictJSON is a conflict in JSON output.
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
		Short: "List fields that both sides changed, and decide conflicts",
		Long: `Lists the fields that both sides changed, with the side that won, and the
conflicts that wait for a decision (winner "nobody"): two candidates for one
contact ("match": ghlsync conflicts link), and an appointment at a time that is
already booked ("slot").

The two values can be personal data: they are shown with --values and in JSON.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				list, err := sync.Conflicts(c.Context(), all, limit)
				if err != nil {
					return err
				}
				return p.listConflicts(list, values, limit)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also resolved conflicts")
	c.Flags().BoolVar(&values, "values", false, "show the two values")
	limited(c, &limit)
	c.AddCommand(p.resolveCommand(), p.linkCommand())
	return c
}

func (p *program) listConflicts(list []ghlsync.Conflict, values bool, limit int) error {
	data, rows := make([]conflictJSON, 0, len(list)), [][]string(nil)
	for _, c := range list {
		data = append(data, conflictJSON{
			c.ID, c.Location, c.Unit, string(c.Kind), c.Record, c.Field, winner(c), c.GHL, c.Pluvo, c.Reason,
			c.Happened, c.ResolvedAt,
		})
		what := c.Reason
		if values && c.Reason == "" {
			what = fmt.Sprintf("ghl %q, pluvo %q", cut(c.GHL, 30), cut(c.Pluvo, 30))
		}
		rows = append(rows, []string{
			c.ID, c.Location, string(c.Kind), c.Record, c.Field, winner(c), ago(c.Happened), ago(c.ResolvedAt),
			cut(what, 80),
		})
	}
	return p.show(data, func() {
		p.table("There are no conflicts.",
			"ID | LOCATION | KIND | RECORD | FIELD | WINNER | WHEN | RESOLVED | WHAT", rows)
		p.truncated(len(rows), limit)
	})
}

func (p *program) resolveCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "resolve ID", Short: "Mark a conflict as decided, and sync its contact again", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "resolve "+args[0], "resolve "+args[0]+": done.",
				func(sync *ghlsync.Syncer) error {
					return isConflict(c.Context(), sync, args[0])
				}, func(sync *ghlsync.Syncer) error { return sync.ResolveConflict(c.Context(), args[0]) })
		},
	}
	dryRun(c, &dry)
	return c
}

func (p *program) linkCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "link LOCATION CONTACT PLUVO-CONTACT", Short: "Link a contact of HighLevel with a contact of Pluvo",
		Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			would := fmt.Sprintf("link %s of HighLevel with %s of Pluvo in %s", args[1], args[2], args[0])
			return p.change(c.Context(), dry, would, "The two contacts are linked.", func(sync *ghlsync.Syncer) error {
				return isLocation(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return sync.Link(c.Context(), args[0], args[1], args[2]) })
		},
	}
	dryRun(c, &dry)
	return c
}

func winner(c ghlsync.Conflict) string {
	if c.Winner == ghlsync.Nobody {
		return "nobody"
	}
	return string(c.Winner)
}

// isConflict returns [ghlsync.ErrNoConflict] if id is none of the latest open conflicts.
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
