package records_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/pluvo/pluvotest"
)

func TestConformance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		pluvotest.TestStore(t, func() pluvo.Store {
			empty(t, d)
			return records.New(d)
		})
	})
}

func empty(t testing.TB, d *db.DB) {
	require.NoError(t, d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_record`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE ghlsync_sequence SET last = 0`)
		return err
	}))
}

func TestTextThatNoDatabaseTakes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		s := records.New(dbtest.Open(t, address))
		for _, id := range []string{"a\x00b", "\xff"} {
			_, _, err := s.Get(t.Context(), pluvo.KindContact, id)
			require.ErrorIs(t, err, pluvo.ErrNotFound)
			_, _, err = s.Get(t.Context(), pluvo.Kind(id), "a")
			require.ErrorIs(t, err, pluvo.ErrNotFound)
			_, err = s.Full(t.Context(), id)
			require.ErrorIs(t, err, pluvo.ErrNotFound)
			require.ErrorIs(t, s.Delete(t.Context(), pluvo.KindContact, id, pluvo.AnyVersion), pluvo.ErrNotFound)
		}
	})
}

// TestAnOriginIsFoundByItsIndex: SQLite uses a partial index only for queries that repeat the condition of the index.
func TestAnOriginIsFoundByItsIndex(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		var plan string
		err := tx.Row(ctx, `EXPLAIN QUERY PLAN SELECT id FROM ghlsync_record WHERE `+records.ByOrigin, "contact",
			"x").Scan(new(int), new(int), new(int), &plan)
		require.Contains(t, plan, "ghlsync_record_origin (kind=? AND origin=?)")
		return err
	}))
}

// TestSharedByProcesses: two stores on one database see each other's records, and no record of a contact is left when
// the contact is deleted at the same time.
func TestSharedByProcesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		stores := []*records.Store{records.New(dbtest.Open(t, address)), records.New(dbtest.Open(t, address))}
		ctx := t.Context()
		const contacts = 3
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() {
				for n := range 12 {
					s, contact := stores[(i+n)%2], fmt.Sprint("c", n%contacts)
					_, err := s.Put(ctx, &pluvo.Contact{ID: contact, Stage: fmt.Sprint(i)}, pluvo.AnyVersion)
					errs[i] = errors.Join(errs[i], err)
					task := &pluvo.Task{ID: fmt.Sprint("t", (i+n)%4), ContactID: contact, Title: fmt.Sprint(i, n)}
					if _, err = s.Put(ctx, task, pluvo.AnyVersion); !errors.Is(err, pluvo.ErrNoOwner) {
						errs[i] = errors.Join(errs[i], err)
					}
					if err = s.Delete(ctx, pluvo.KindContact, contact, pluvo.AnyVersion); !errors.Is(err,
						pluvo.ErrNotFound) {
						errs[i] = errors.Join(errs[i], err)
					}
				}
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		for n := range contacts {
			err := stores[0].Delete(ctx, pluvo.KindContact, fmt.Sprint("c", n), pluvo.AnyVersion)
			require.True(t, err == nil || errors.Is(err, pluvo.ErrNotFound), "%v", err)
		}
		page, err := stores[1].Changes(ctx, "", 1000)
		require.NoError(t, err)
		require.NotEmpty(t, page.Changes)
		for _, c := range page.Changes {
			require.True(t, c.Deleted(), "%s %s is left over", c.Kind, c.ID)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	for _, where := range []string{"sqlite", "postgres"} {
		b.Run(where, func(b *testing.B) {
			var address string
			if where == "sqlite" {
				address = dbtest.SQLite(b)
			} else if os.Getenv(dbtest.Variable) == "" {
				b.Skip(dbtest.Variable + " names no server")
			} else {
				address = dbtest.Postgres(b)
			}
			s := records.New(dbtest.Open(b, address))
			b.SetParallelism(8)
			var n, mu = 0, sync.Mutex{}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					id := fmt.Sprint(n % 1000)
					stage := fmt.Sprint(n)
					mu.Unlock()
					if _, err := s.Put(context.Background(),
						&pluvo.Contact{ID: id, Email: "ada@example.com", Stage: stage},
						pluvo.AnyVersion); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
