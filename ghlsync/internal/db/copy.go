package db

import (
	"context"
	"fmt"
	"strings"
)

// copied are the tables that Copy copies: the state of the sync. Tables in left are not copied: they belong to
// processes, to the queue, and to reports of failures. Tokens are not copied because a refresh token that is used on
// a copy is lost.
var (
	copied = []string{
		"ghlsync_location", "ghlsync_unit", "ghlsync_link", "ghlsync_intent", "ghlsync_tombstone", "ghlsync_conflict",
		"ghlsync_cursor", "ghlsync_record", "ghlsync_sequence", "ghlsync_person",
	}
	left = []string{
		"ghlsync_process", "ghlsync_delivery", "ghlsync_event", "ghlsync_failure", "ghlsync_attempt", "ghlsync_token",
		"ghlsync_rate", "ghlsync_alert", "ghlsync_hold", "ghlsync_migration",
	}
)

// Copy copies the state of the sync to a new SQLite database and returns the location and id of each unit that waits
// in d. In the copy no unit waits, no location is paused and no backfill is running.
func (d *DB) Copy(ctx context.Context, to *DB) (waiting [][2]string, err error) {
	err = d.Read(ctx, func(ctx context.Context, from *Tx) error {
		for _, table := range copied {
			err := to.Write(ctx, func(ctx context.Context, tx *Tx) error { return copyTable(ctx, from, tx, table) })
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = to.Write(ctx, func(ctx context.Context, tx *Tx) error {
		waiting, err = List(ctx, tx, func(r Row) (unit [2]string, err error) {
			return unit, r.Scan(&unit[0], &unit[1])
		}, `SELECT location, unit FROM ghlsync_unit WHERE number > synced ORDER BY location, unit`)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE ghlsync_unit SET synced = number, epoch = 0, stopped = 0, attempts = 0, kills = 0`,
			`UPDATE ghlsync_location SET paused = 0, reason = '', owner = '', job = 0, due = 0, wanted = ''`,
			`DELETE FROM ghlsync_cursor WHERE name LIKE 'backfill/%'`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	return waiting, err
}

func copyTable(ctx context.Context, from, to *Tx, table string) error {
	columns, err := List(ctx, to, func(r Row) (name string, err error) { return name, r.Scan(&name) },
		`SELECT name FROM pragma_table_info('`+table+`')`)
	if err != nil {
		return err
	}
	if _, err := to.Exec(ctx, `DELETE FROM `+table); err != nil {
		return err
	}
	values, into, places := make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
	for i := range columns {
		into[i], places[i] = &values[i], fmt.Sprintf("$%d", i+1)
	}
	names := strings.Join(columns, ", ")
	insert := `INSERT INTO ` + table + ` (` + names + `) VALUES (` + strings.Join(places, ", ") + `)`
	return from.Each(ctx, func(r Row) error {
		err := r.Scan(into...)
		if err == nil {
			_, err = to.Exec(ctx, insert, values...)
		}
		return err
	}, `SELECT `+names+` FROM `+table)
}
