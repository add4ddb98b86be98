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

// oneLine keeps a message on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// plain is an error in words for a person at a terminal, who needs to know what to do.
func plain(err error) string {
	text := strings.Replace(strings.TrimPrefix(err.Error(), "ghlsync: "), "Database: database: ", "database: ", 1)
	switch {
	case errors.Is(err, ghlsync.ErrInUse):
		return ghlsync.ErrInUse.Error() + "; stop it first (with PostgreSQL any number of processes may work)"
	case errors.Is(err, ghlsync.ErrNoFailure):
		return text + "; ghlsync failures lists them"
	case errors.Is(err, ghlsync.ErrNoConflict):
		return text + "; ghlsync conflicts lists them"
	case errors.Is(err, db.ErrMigrate):
		return text + "; ghlsync migrate does it, and so does ghlsync run unless migrate_by_hand is set"
	case errors.Is(err, ghlsync.ErrUnknownLocation):
		return text + "; ghlsync status lists those that are kept in step"
	}
	return text
}

// show prints JSON where it is asked for, and else what a person reads.
func (p *program) show(data any, person func()) error {
	if !p.json {
		person()
		return nil
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(data)
}

// table prints rows under a head, or a sentence if there are none.
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

// limited gives a command the flag of how long its list may be.
func limited(c *cobra.Command, limit *int) {
	c.Flags().IntVar(limit, "limit", 100, "at most so many, the latest first")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *limit < 1 {
			return usageError{errors.New("--limit is a number of at least 1")}
		}
		return nil
	}
}

// more says that a list may go on behind its limit.
func (p *program) more(shown, limit int) {
	if shown == limit {
		fmt.Fprintf(p.out, "\nThe latest %d; --limit shows more.\n", limit)
	}
}

// ago says when something was, for a person.
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

// cut shortens a text to so many characters.
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
