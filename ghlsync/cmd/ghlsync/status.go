package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
)

// statusJSON is how a location stands, as JSON prints it.
type statusJSON struct {
	Location  string    `json:"location"`
	Paused    time.Time `json:"paused,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	Behind    int       `json:"behind"`
	Since     time.Time `json:"behindSince,omitzero"`
	Retrying  int       `json:"retrying"`
	Stopped   int       `json:"stopped"`
	Conflicts int       `json:"conflicts"`
}

func (p *program) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "How each location stands: behind, failing, paused",
		Long: `Says for each location how many contacts wait and since when, what fails, and whether it is paused and why.
The exit code is 3 if something needs a person.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, bad := c.Context(), false
			return p.with(ctx, true, func(sync *ghlsync.Syncer) error {
				locations, err := sync.Locations(ctx)
				if err != nil {
					return err
				}
				conflicts, err := sync.Conflicts(ctx, false, 10_000)
				if err != nil {
					return err
				}
				data, rows := make([]statusJSON, 0, len(locations)), [][]string(nil)
				for _, l := range locations {
					one := statusJSON{Location: l.ID, Paused: l.Paused, Reason: l.Reason}
					pending, err := sync.Pending(ctx, l.ID)
					if err != nil {
						return err
					}
					one.Behind, one.Since = pending.Contacts, pending.Since
					failures, err := sync.Failures(ctx, ghlsync.FailureFilter{Location: l.ID, Limit: 10_000})
					if err != nil {
						return err
					}
					for _, f := range failures {
						if f.State == ghlsync.Stopped {
							one.Stopped++
						} else {
							one.Retrying++
						}
					}
					for _, f := range conflicts {
						if f.Location == l.ID {
							one.Conflicts++
						}
					}
					state := "in step"
					switch {
					case !l.Paused.IsZero():
						state = "paused " + ago(l.Paused) + ": " + l.Reason
					case one.Stopped > 0:
						state = "needs a person: ghlsync failures"
					case one.Behind > 0:
						state = "behind since " + ago(one.Since)
					}
					bad = bad || one.Stopped > 0 || !l.Paused.IsZero()
					data = append(data, one)
					rows = append(rows, []string{l.ID, fmt.Sprint(one.Behind), fmt.Sprint(one.Retrying), fmt.Sprint(one.Stopped), fmt.Sprint(one.Conflicts), state})
				}
				err = p.show(data, func() {
					p.table("No location has been worked on yet: ghlsync run", "LOCATION | BEHIND | RETRYING | STOPPED | CONFLICTS | STATE", rows)
				})
				if err == nil && bad {
					err = errTrouble
				}
				return err
			})
		},
	}
}
