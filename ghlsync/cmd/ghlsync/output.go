package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// oneLine joins the lines of a message.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// explain returns the text of an error with what to do about it.
func explain(err error) string {
	text := strings.Replace(strings.TrimPrefix(err.Error(), "ghlsync: "), "Database: database: ", "database: ", 1)
	switch {
	case errors.Is(err, ghlsync.ErrInUse):
		return ghlsync.ErrInUse.Error() + "; stop it first (with PostgreSQL any number of processes may work)"
	case errors.Is(err, ghlsync.ErrNoFailure):
		return text + "; to list failures: ghlsync failures"
	case errors.Is(err, ghlsync.ErrNoConflict):
		return text + "; to list conflicts: ghlsync conflicts"
	case errors.Is(err, db.ErrMigrate):
		return text + "; run ghlsync migrate, or ghlsync run unless migrate_by_hand is set"
	case errors.Is(err, ghlsync.ErrUnknownLocation):
		return text + "; to list the synced locations: ghlsync status"
	}
	return text
}

// show prints data as JSON with --json. Without it, text prints for a person.
func (p *program) show(data any, text func()) error {
	if !p.json {
		text()
		return nil
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(data)
}

// table prints rows under a head, or the sentence empty if there are no rows.
func (p *program) table(empty, head string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(p.out, empty)
		return
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, " | ", "\t"))
	for _, row := range rows {
		for i := range row {
			if row[i] = oneLine(row[i]); row[i] == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// limited adds the flag --limit to a command.
func limited(c *cobra.Command, limit *int) {
	c.Flags().IntVar(limit, "limit", 100, "number of entries, the latest first")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *limit < 1 {
			return usageError{errors.New("--limit must be at least 1")}
		}
		return nil
	}
}

// truncated says that the list may be longer than the limit.
func (p *program) truncated(shown, limit int) {
	if shown == limit {
		fmt.Fprintf(p.out, "\nThe latest %d; --limit shows more.\n", limit)
	}
}

// ago says how long ago t is, or "" for the zero time.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := time.Since(t)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// cut shortens a text to n characters on one line.
func cut(text string, n int) string {
	runes := []rune(oneLine(text))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

func plural(n int, one string) string { return many(n, one, one+"s") }

func many(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}
