package db

import (
	"context"
	"database/sql"
	"sync"
)

// statements are the prepared statements of a pool of connections to a SQLite file, by query: parsing a query takes
// longer than running it.
type statements struct {
	all sync.Map

	mu      sync.Mutex
	missing map[string]bool // queries to prepare before the next transaction
}

// prepare prepares the queries that transactions have run unprepared. A transaction can't do that itself: it may hold
// the only connection of the pool.
func (s *statements) prepare(ctx context.Context, pool *sql.DB) {
	s.mu.Lock()
	missing := s.missing
	s.missing = nil
	s.mu.Unlock()
	for query := range missing {
		if stmt, err := pool.PrepareContext(ctx, query); err == nil {
			if _, twice := s.all.LoadOrStore(query, stmt); twice {
				_ = stmt.Close()
			}
		}
	}
}

// in returns the prepared statement of a query for a transaction; nil if there is none yet.
func (s *statements) in(ctx context.Context, tx *sql.Tx, query string) *sql.Stmt {
	if known, ok := s.all.Load(query); ok {
		return tx.StmtContext(ctx, known.(*sql.Stmt))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing == nil {
		s.missing = map[string]bool{}
	}
	s.missing[query] = true
	return nil
}
