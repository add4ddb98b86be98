package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// group commits the writes of several callers to a SQLite file in one transaction, because each commit waits for the
// disk. A caller that finds no transaction under way leads the next one; the writes that arrive meanwhile wait for the
// one after it. Each write has a savepoint, so that an error of one does not touch the others.
type group struct {
	mu      sync.Mutex
	waiting []*write
	leading bool
}

// write is the write of one caller.
type write struct {
	ctx  context.Context
	fn   func(context.Context, *Tx) error
	err  error
	lead chan bool // true makes the caller the leader; false means that the write has ended
	lost any       // the value of a panic of fn
}

// maxGroup is how many writes are committed together.
const maxGroup = 256

// errRegroup means that the transaction ended before the write took effect; it is run again.
var errRegroup = errors.New("the transaction of a group was rolled back")

func (g *group) run(ctx context.Context, d *DB, fn func(context.Context, *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{ctx: ctx, fn: fn, lead: make(chan bool, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if !g.leading {
		g.leading = true
		w.lead <- true
	}
	g.mu.Unlock()
	select {
	case leads := <-w.lead:
		if leads {
			g.next(d)
		}
	case <-ctx.Done():
		if g.withdraw(w) {
			return ctx.Err()
		}
		if <-w.lead {
			g.next(d)
		}
	}
	if w.lost != nil {
		panic(w.lost)
	}
	return w.err
}

// withdraw removes a write that no transaction has begun.
func (g *group) withdraw(w *write) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.waiting {
		if other == w && len(w.lead) == 0 {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next runs the transaction of the writes that wait, of which the caller's is one, and makes another caller the leader.
func (g *group) next(d *DB) {
	g.mu.Lock()
	n := min(len(g.waiting), maxGroup)
	batch := g.waiting[:n:n]
	g.waiting = append([]*write(nil), g.waiting[n:]...)
	g.mu.Unlock()
	if err := d.together(batch); err != nil {
		for _, w := range batch {
			if w.err == nil {
				w.err = err
			}
		}
	}
	g.mu.Lock()
	if len(g.waiting) > 0 {
		g.waiting[0].lead <- true
	} else {
		g.leading = false
	}
	g.mu.Unlock()
	for _, w := range batch[1:] { // the first is the caller's
		w.lead <- false
	}
}

// together runs writes in one transaction.
func (d *DB) together(batch []*write) (err error) {
	d.writeStatements.prepare(context.Background(), d.writer)
	tx, err := d.writer.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	d.counts.transactions.Add(1)
	for _, w := range batch {
		if w.err = w.ctx.Err(); w.err != nil {
			continue
		}
		if len(batch) == 1 {
			if w.run(d, tx); w.err != nil {
				return nil
			}
			continue
		}
		if err := w.within(d, tx); err != nil {
			return fmt.Errorf("%w: %w", errRegroup, err)
		}
	}
	return tx.Commit()
}

// within runs a write in a savepoint. It returns an error if the transaction can't be used any more.
func (w *write) within(d *DB, tx *sql.Tx) error {
	ctx := context.Background()
	if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	if w.run(d, tx); w.err != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO one"); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "RELEASE one")
	return err
}

// run runs the function of a write. A statement is not interrupted when the caller's context ends, because SQLite would
// roll back the transaction of all.
func (w *write) run(d *DB, tx *sql.Tx) {
	defer func() {
		if v := recover(); v != nil {
			w.lost, w.err = v, errRegroup
		}
	}()
	w.err = w.fn(context.WithoutCancel(w.ctx), &Tx{db: d, sql: tx, statements: &d.writeStatements})
}
