package ghlsync

import (
	"context"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Units are the units that wait or are worked on.
func (s *Syncer) Units() (list []string) {
	_ = s.db.Read(context.Background(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) }, `SELECT unit FROM ghlsync_unit WHERE number > synced`)
		return err
	})
	return list
}
