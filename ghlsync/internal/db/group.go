package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// group commits the writes of several callers to a SQLite file in one transaction, because each commit waits for the
// disk. The writes that arrive during a transaction are those of the next one. Each write has a savepoint, so that an
// error of one does not touch the others.
type group struct {
	mu      sync.Mutex
	waiting []*write
	working bool // a goroutine runs the transactions
}

// write is the write of one caller.
type write struct {
	ctx   context.Context
	fn    func(context.Context, *Tx) error
	state atomic.Int32
	ended chan struct{} // closed after err and lost are set
	err   error
	lost  any // the value of a panic of fn
}

// The states of a write.
const (
	waits int32 = iota
	begun
	withdrawn
)

// maxGroup is how many writes are committed together.
const maxGroup = 256

// errRegroup means that the transaction ended before the write took effect; it is run again.
var errRegroup = errors.New("the transaction of a group was rolled back")

// run runs fn in the next transaction. If ctx ends before that has begun, fn does not run.
func (g *group) run(ctx context.Context, d *DB, fn func(context.Context, *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{ctx: ctx, fn: fn, ended: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if !g.working {
		g.working = true
		go g.work(d)
	}
	g.mu.Unlock()
	select {
	case <-w.ended:
	case <-ctx.Done():
		if w.state.CompareAndSwap(waits, withdrawn) {
			return ctx.Err()
		}
		<-w.ended
	}
	if w.lost != nil {
		panic(w.lost)
	}
	return w.err
}

// work runs transactions until no write waits.
func (g *group) work(d *DB) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), maxGroup)
		batch := g.waiting[:n:n]
		g.waiting = append([]*write(nil), g.waiting[n:]...)
		g.working = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		if err := d.together(batch); err != nil {
			for _, w := range batch {
				if w.err == nil {
					w.err = err
				}
			}
		}
		for _, w := range batch {
			close(w.ended)
		}
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
		if w.err = w.ctx.Err(); w.err != nil || !w.state.CompareAndSwap(waits, begun) {
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
