package pluvotest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/pluvo/pluvotest"
)

func TestMemoryStore(t *testing.T) {
	pluvotest.TestStore(t, func() pluvo.Store { return pluvo.NewMemoryStore() })
}

// recorder is a test that only notes what it was told.
type recorder struct {
	ctx   context.Context
	lines []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Errorf(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// broken is a store with a fault: each function that is set stands for the one of the store.
type broken struct {
	*pluvo.MemoryStore
	put     func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error)
	get     func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error)
	find    func(ctx context.Context, kind pluvo.Kind, origin pluvo.Origin) (pluvo.Record, pluvo.Version, error)
	full    func(ctx context.Context, id string) (*pluvo.FullContact, error)
	remove  func(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error
	changes func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error)
}

func (b *broken) Put(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
	if b.put != nil {
		return b.put(ctx, r, expect)
	}
	return b.MemoryStore.Put(ctx, r, expect)
}

func (b *broken) Get(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
	if b.get != nil {
		return b.get(ctx, kind, id)
	}
	return b.MemoryStore.Get(ctx, kind, id)
}

func (b *broken) Find(ctx context.Context, kind pluvo.Kind, origin pluvo.Origin) (pluvo.Record, pluvo.Version, error) {
	if b.find != nil {
		return b.find(ctx, kind, origin)
	}
	return b.MemoryStore.Find(ctx, kind, origin)
}

func (b *broken) Full(ctx context.Context, id string) (*pluvo.FullContact, error) {
	if b.full != nil {
		return b.full(ctx, id)
	}
	return b.MemoryStore.Full(ctx, id)
}

func (b *broken) Delete(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error {
	if b.remove != nil {
		return b.remove(ctx, kind, id, expect)
	}
	return b.MemoryStore.Delete(ctx, kind, id, expect)
}

func (b *broken) Changes(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
	if b.changes != nil {
		return b.changes(ctx, after, limit)
	}
	return b.MemoryStore.Changes(ctx, after, limit)
}

// fault is a store that breaks the contract in one way.
type fault struct {
	name  string
	spoil func(*broken)
	want  string // the check that must notice
}

// changing is a store that changes each record of one kind before it writes it.
func changing[R pluvo.Record](change func(R)) func(*broken) {
	return func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if x, ok := r.(R); ok && !pluvo.Equal(x, nil) {
				x = pluvo.Clone(x)
				change(x)
				r = x
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
	}
}

var faults = []fault{
	{"forgets the stage", changing(func(c *pluvo.Contact) { c.Stage = "" }), "every kind of record is read as it was written"},
	{"nil instead of ErrNotFound", func(b *broken) {
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			if errors.Is(err, pluvo.ErrNotFound) {
				err = nil
			}
			return r, v, err
		}
	}, "a record that is not there is ErrNotFound"},
	{"gives out what it keeps", func(b *broken) {
		var mu sync.Mutex
		kept := map[string]pluvo.Record{}
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			mu.Lock()
			defer mu.Unlock()
			k := string(kind) + id + string(v)
			if kept[k] == nil && err == nil {
				kept[k] = r
			}
			return kept[k], v, err
		}
	}, "what the store takes and gives are copies"},
	{"cuts times to seconds", changing(func(t *pluvo.Task) { t.DueDate = t.DueDate.Truncate(1e9) }), "times keep their instant"},
	{"cuts long text", changing(func(c *pluvo.Contact) { c.Phone = c.Phone[:min(len(c.Phone), 20)] }), "any text comes back unchanged"},
	{"cuts the times of notes to milliseconds", changing(func(n *pluvo.Note) { n.CreatedAt = n.CreatedAt.Truncate(1e6) }), "times keep their instant"},
	{"cuts the end of appointments to milliseconds", changing(func(a *pluvo.Appointment) { a.End = a.End.Truncate(1e6) }), "times keep their instant"},
	{"trims notes", changing(func(n *pluvo.Note) { n.Content = strings.TrimSpace(n.Content) }), "any text comes back unchanged"},
	{"trims last names", changing(func(c *pluvo.Contact) { c.LastName = strings.TrimSpace(c.LastName) }), "any text comes back unchanged"},
	{"writes tags in lower case", changing(func(c *pluvo.Contact) {
		for i := range c.Tags {
			c.Tags[i] = strings.ToLower(c.Tags[i])
		}
		slices.Sort(c.Tags)
		c.Tags = slices.Compact(c.Tags)
	}), "what is written in another way is another record, tag or field"},
	{"knows ids in lower case only", func(b *broken) {
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			return b.MemoryStore.Get(ctx, kind, strings.ToLower(id))
		}
	}, "what is written in another way is another record, tag or field"},
	{"keeps the tasks that it was given", func(b *broken) {
		var kept sync.Map
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if x, ok := r.(*pluvo.Task); ok && err == nil {
				kept.Store(x.ID, x)
			}
			return v, err
		}
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			if x, ok := kept.Load(id); ok && err == nil && kind == pluvo.KindTask {
				r = x.(*pluvo.Task)
			}
			return r, v, err
		}
	}, "what the store takes and gives are copies"},
	{"ignores what is expected", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, _ pluvo.Version) (pluvo.Version, error) {
			return b.MemoryStore.Put(ctx, r, pluvo.AnyVersion)
		}
	}, "a write expects a version"},
	{"reads, compares and writes without a lock", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrConflict) {
				return b.MemoryStore.Put(ctx, r, pluvo.AnyVersion)
			}
			return v, err
		}
	}, "of several writers that want the same, one wins"},
	{"every write is a change", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if r == nil {
				return b.MemoryStore.Put(ctx, r, expect)
			}
			if old, v, err := b.MemoryStore.Get(ctx, r.Kind(), r.Key()); err == nil && pluvo.Equal(old, r) && (expect == v || expect == pluvo.AnyVersion) {
				if err := b.MemoryStore.Delete(ctx, r.Kind(), r.Key(), v); err != nil {
					return "", err
				}
				expect = pluvo.NoVersion
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
	}, "a write that changes nothing is no change"},
	{"takes children without a contact", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrNoOwner) {
				return "1", nil
			}
			return v, err
		}
	}, "what belongs to a contact needs it"},
	{"finds nothing by origin", func(b *broken) {
		b.find = func(context.Context, pluvo.Kind, pluvo.Origin) (pluvo.Record, pluvo.Version, error) {
			return nil, "", pluvo.ErrNotFound
		}
	}, "a record is found by its origin"},
	{"forgets the notes", func(b *broken) {
		b.full = func(ctx context.Context, id string) (*pluvo.FullContact, error) {
			f, err := b.MemoryStore.Full(ctx, id)
			if err == nil {
				f.Notes = nil
			}
			return f, err
		}
	}, "a contact is read with all that belongs to it"},
	{"does not delete", func(b *broken) {
		b.remove = func(context.Context, pluvo.Kind, string, pluvo.Version) error { return nil }
	}, "a deletion deletes, and a contact's all that belongs to it"},
	{"leaves deletions out of the changes", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err == nil {
				p.Changes = slices.DeleteFunc(p.Changes, func(c pluvo.Change) bool { return c.Deleted() })
			}
			return p, err
		}
	}, "a deletion is a change"},
	{"newest change first", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err == nil {
				slices.Reverse(p.Changes)
			}
			return p, err
		}
	}, "changes come in order, each record at its last state"},
	{"no limit", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, _ int) (*pluvo.ChangePage, error) {
			return b.MemoryStore.Changes(ctx, after, 1000)
		}
	}, "changes are read page by page"},
	{"a cursor that skips", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err == nil && p.More {
				skipped, err := b.MemoryStore.Changes(ctx, p.Next, 1)
				if err != nil {
					return nil, err
				}
				p.Next = skipped.Next
			}
			return p, err
		}
	}, "changes are not missed while others write"},
	{"numbers a change before it is committed", commitLate, "changes are not missed while others write"},
	{"one cursor for all that is deleted at once", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err != nil || len(p.Changes) == 0 || !p.Changes[len(p.Changes)-1].Deleted() {
				return p, err
			}
			for {
				next, err := b.MemoryStore.Changes(ctx, p.Next, 1)
				if err != nil || len(next.Changes) == 0 || !next.Changes[0].Deleted() {
					return p, err
				}
				p.Next, p.More = next.Next, next.More
			}
		}
	}, "changes made at one moment are read page by page"},
	{"a record keeps its first contact", func(b *broken) {
		var owners sync.Map
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if x, ok := r.(*pluvo.Task); ok && x != nil {
				owners.LoadOrStore(x.ID, x.ContactID)
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
		b.full = func(ctx context.Context, id string) (*pluvo.FullContact, error) {
			f, err := b.MemoryStore.Full(ctx, id)
			if err == nil {
				f.Tasks = slices.DeleteFunc(f.Tasks, func(x pluvo.Task) bool { first, _ := owners.Load(x.ID); return first != id })
			}
			return f, err
		}
	}, "a record that moves to another contact belongs to that one"},
	{"a task written late stays when its contact goes", func(b *broken) {
		var tasks sync.Map
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			if r, ok := tasks.Load(id); ok && kind == pluvo.KindTask {
				return r.(pluvo.Record), "1", nil
			}
			return b.MemoryStore.Get(ctx, kind, id)
		}
		b.remove = func(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error {
			err := b.MemoryStore.Delete(ctx, kind, id, expect)
			if err == nil && kind == pluvo.KindContact { // as if a writer had looked before, and written after
				tasks.Store(id+"/0/2", &pluvo.Task{ID: id + "/0/2", ContactID: id, Title: "late"})
			}
			return err
		}
	}, "nothing outlives its contact, also when written at the same moment"},
	{"two writers take one origin", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrOriginTaken) {
				return "1", nil
			}
			return v, err
		}
	}, "of several writers that want the same, one wins"},
	{"cuts times to milliseconds", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if x, ok := r.(*pluvo.Task); ok && x != nil {
				x = pluvo.Clone(x)
				x.DueDate = x.DueDate.Truncate(1e6)
				r = x
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
	}, "times keep their instant"},
	{"takes any cursor", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if errors.Is(err, pluvo.ErrBadCursor) {
				return b.MemoryStore.Changes(ctx, "", limit)
			}
			return p, err
		}
	}, "a cursor stays good, and a wrong one is refused"},
	{"takes invalid records", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrInvalid) {
				return "1", nil
			}
			return v, err
		}
	}, "an invalid record is refused and not written"},
	{"does not look at the context", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			return b.MemoryStore.Put(context.WithoutCancel(ctx), r, expect)
		}
	}, "an ended context is obeyed"},
}

// commitLate holds some writes back after they have their place among the changes, until a reader has gone past it, as a
// database does whose transactions take a number and end in another order.
func commitLate(b *broken) {
	var mu sync.Mutex
	count := 0
	hidden, passed := map[pluvo.Version]bool{}, map[pluvo.Version]bool{}
	b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
		mu.Lock()
		defer mu.Unlock()
		count++
		v, err := b.MemoryStore.Put(ctx, r, expect)
		if hold := err == nil && count%5 == 0; hold {
			hidden[v] = true
			for looks := 0; !passed[v] && looks < 500; looks++ { // there may be no reader
				mu.Unlock()
				runtime.Gosched()
				mu.Lock()
			}
			delete(hidden, v)
		}
		return v, err
	}
	b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
		mu.Lock()
		defer mu.Unlock()
		p, err := b.MemoryStore.Changes(ctx, after, limit)
		if err == nil {
			p.Changes = slices.DeleteFunc(p.Changes, func(c pluvo.Change) bool {
				if hidden[c.Version] {
					passed[c.Version] = true
				}
				return hidden[c.Version]
			})
		}
		return p, err
	}
}

func TestBrokenStoresFail(t *testing.T) {
	for _, test := range faults {
		t.Run(test.name, func(t *testing.T) {
			r := &recorder{ctx: t.Context()}
			pluvotest.TestStore(r, func() pluvo.Store {
				b := &broken{MemoryStore: pluvo.NewMemoryStore()}
				test.spoil(b)
				return b
			})
			require.True(t, slices.ContainsFunc(r.lines, func(line string) bool { return len(line) > len(test.want) && line[:len(test.want)] == test.want }), "noticed only: %q", r.lines)
		})
	}
}

// Every check is shown above to be able to fail.
func TestEveryCheckHasABrokenStore(t *testing.T) {
	results := pluvotest.Run(t.Context(), func() pluvo.Store { return pluvo.NewMemoryStore() })
	for _, r := range results {
		require.NoError(t, r.Err, r.Name)
		require.True(t, slices.ContainsFunc(faults, func(f fault) bool { return f.want == r.Name }), "nothing shows that this can fail: %s", r.Name)
	}
}
