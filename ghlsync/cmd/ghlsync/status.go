package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

func (p *program) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the state of each location, and what to do about problems",
		Long: `Shows for each location how many contacts wait and for how long, how many
failed and are retried (RETRY) or stopped (STOP), how many conflicts are open,
the state of its token, and when its last webhook arrived. Below the table it
lists each problem and what to do. It reads the database only. The exit code is
3 if there is a problem.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.with(c.Context(), true, func(sync *ghlsync.Syncer) error {
				h := sync.Health(c.Context())
				if err := p.show(h, func() { p.health(h) }); err != nil {
					return err
				}
				return trouble(h.State != ghlsync.Healthy)
			})
		},
	}
}

func (p *program) health(h ghlsync.Health) {
	var rows [][]string
	for _, l := range h.Locations {
		state := string(l.State)
		if !l.Paused.IsZero() {
			state = "paused"
		}
		lag := ""
		if l.Waiting > 0 {
			lag = span(l.Lag)
		}
		rows = append(rows, []string{
			l.ID, state, fmt.Sprint(l.Waiting), lag, fmt.Sprint(l.Retrying), fmt.Sprint(l.Stopped),
			fmt.Sprint(l.Conflicts),
			string(l.Token.State), ago(l.LastDelivery),
		})
	}
	p.table("There are no locations.", "LOCATION | STATE | WAIT | FOR | RETRY | STOP | CONFLICT | TOKEN | WEBHOOK",
		rows)
	fmt.Fprintf(p.out, "\n%s at %s; %s.\n", h.State, h.At.Format(time.TimeOnly),
		many(h.Processes, "process works", "processes work"))
	for _, problem := range h.Problems {
		fmt.Fprintf(p.out, "\n- %s\n  → %s\n", problem.Text, problem.Do)
	}
}
