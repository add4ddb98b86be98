package ghlsync

import (
	"context"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

func (s *Syncer) health(ctx context.Context) Health {
	h := Health{State: Healthy, At: time.Now(), Problems: []Problem{}, Locations: []LocationHealth{}}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var one int64
		return tx.Row(ctx, `SELECT 1`).Scan(&one)
	})
	if err != nil {
		h.State = Failing
		h.Problems = append(h.Problems, Problem{Failing, "database", "", "the database is out of reach", "Start the database."})
	}
	return h
}

func adviceFor(string) string { return "" }
