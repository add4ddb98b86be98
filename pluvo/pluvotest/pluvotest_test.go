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

// recorder is a test that records its errors.
type recorder struct {
	ctx   context.Context
	lines []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Errorf(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// broken is a store with a fault: each function that is set replaces the method of the store.
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
	want  string // the check that must fail
}

// changing returns a fault: the store changes each record of one kind before it writes the record.
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
	{
		"forgets the stage",
		changing(func(c *pluvo.Contact) { c.Stage = "" }),
		"a record of every kind is read as it was written",
	},
	{"nil instead of ErrNotFound", func(b *broken) {
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			if errors.Is(err, pluvo.ErrNotFound) {
				err = nil
			}
			return r, v, err
		}
	}, "a missing record is ErrNotFound"},
	{"returns the records that it stores", func(b *broken) {
		var mu sync.Mutex
		stored := map[string]pluvo.Record{}
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			mu.Lock()
			defer mu.Unlock()
			k := string(kind) + id + string(v)
			if stored[k] == nil && err == nil {
				stored[k] = r
			}
			return stored[k], v, err
		}
	}, "the store copies the records that it receives and returns"},
	{
		"truncates times to seconds",
		changing(func(t *pluvo.Task) { t.DueDate = t.DueDate.Truncate(1e9) }),
		"times are preserved to the microsecond",
	},
	{
		"truncates long text",
		changing(func(c *pluvo.Contact) { c.Phone = c.Phone[:min(len(c.Phone), 20)] }),
		"any text is preserved unchanged",
	},
	{
		"truncates the times of notes to milliseconds",
		changing(func(n *pluvo.Note) { n.CreatedAt = n.CreatedAt.Truncate(1e6) }),
		"times are preserved to the microsecond",
	},
	{
		"truncates the end of appointments to milliseconds",
		changing(func(a *pluvo.Appointment) { a.End = a.End.Truncate(1e6) }),
		"times are preserved to the microsecond",
	},
	{
		"trims notes",
		changing(func(n *pluvo.Note) { n.Content = strings.TrimSpace(n.Content) }),
		"any text is preserved unchanged",
	},
	{
		"trims last names",
		changing(func(c *pluvo.Contact) { c.LastName = strings.TrimSpace(c.LastName) }),
		"any text is preserved unchanged",
	},
	{"writes tags in lower case", changing(func(c *pluvo.Contact) {
		for i := range c.Tags {
			c.Tags[i] = strings.ToLower(c.Tags[i])
		}
		slices.Sort(c.Tags)
		c.Tags = slices.Compact(c.Tags)
	}), "ids, tags and fields that differ in case, spaces or normalization are distinct"},
	{"reads ids in lower case", func(b *broken) {
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			return b.MemoryStore.Get(ctx, kind, strings.ToLower(id))
		}
	}, "ids, tags and fields that differ in case, spaces or normalization are distinct"},
	{"stores the tasks that it receives without a copy", func(b *broken) {
		var stored sync.Map
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if x, ok := r.(*pluvo.Task); ok && err == nil {
				stored.Store(x.ID, x)
			}
			return v, err
		}
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			r, v, err := b.MemoryStore.Get(ctx, kind, id)
			if x, ok := stored.Load(id); ok && err == nil && kind == pluvo.KindTask {
				r = x.(*pluvo.Task)
			}
			return r, v, err
		}
	}, "the store copies the records that it receives and returns"},
	{"ignores the expected version", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, _ pluvo.Version) (pluvo.Version, error) {
			return b.MemoryStore.Put(ctx, r, pluvo.AnyVersion)
		}
	}, "a write at another version is ErrConflict"},
	{"reads, compares and writes without a lock", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrConflict) {
				return b.MemoryStore.Put(ctx, r, pluvo.AnyVersion)
			}
			return v, err
		}
	}, "exactly one of several conflicting writers wins"},
	{"reports every write as a change", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if r == nil {
				return b.MemoryStore.Put(ctx, r, expect)
			}
			if old, v, err := b.MemoryStore.Get(ctx, r.Kind(), r.Key()); err == nil && pluvo.Equal(old, r) &&
				(expect == v || expect == pluvo.AnyVersion) {
				if err := b.MemoryStore.Delete(ctx, r.Kind(), r.Key(), v); err != nil {
					return "", err
				}
				expect = pluvo.NoVersion
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
	}, "a write that changes nothing is not reported as a change"},
	{"accepts records without a contact", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrNoOwner) {
				return "1", nil
			}
			return v, err
		}
	}, "a record whose contact does not exist is ErrNoOwner"},
	{"finds nothing by origin", func(b *broken) {
		b.find = func(context.Context, pluvo.Kind, pluvo.Origin) (pluvo.Record, pluvo.Version, error) {
			return nil, "", pluvo.ErrNotFound
		}
	}, "a record is found by its origin"},
	{"omits the notes", func(b *broken) {
		b.full = func(ctx context.Context, id string) (*pluvo.FullContact, error) {
			f, err := b.MemoryStore.Full(ctx, id)
			if err == nil {
				f.Notes = nil
			}
			return f, err
		}
	}, "a contact is read with the records that belong to it"},
	{"does not delete", func(b *broken) {
		b.remove = func(context.Context, pluvo.Kind, string, pluvo.Version) error { return nil }
	}, "a deletion of a contact deletes the records that belong to it"},
	{"omits deletions from the changes", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err == nil {
				p.Changes = slices.DeleteFunc(p.Changes, func(c pluvo.Change) bool { return c.Deleted() })
			}
			return p, err
		}
	}, "a deletion is reported as a change"},
	{"returns the newest change first", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if err == nil {
				slices.Reverse(p.Changes)
			}
			return p, err
		}
	}, "changes are in order, each with the record's last state"},
	{"ignores the limit", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, _ int) (*pluvo.ChangePage, error) {
			return b.MemoryStore.Changes(ctx, after, 1000)
		}
	}, "changes are read page by page"},
	{"skips a change between pages", func(b *broken) {
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
	}, "no change is missed while others write"},
	{"numbers a change before it is committed", commitLate, "no change is missed while others write"},
	{"one cursor for all records deleted in one write", func(b *broken) {
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
	}, "changes of one write are read page by page"},
	{"ignores a record's new contact", func(b *broken) {
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
				f.Tasks = slices.DeleteFunc(f.Tasks, func(x pluvo.Task) bool {
					first, _ := owners.Load(x.ID)
					return first != id
				})
			}
			return f, err
		}
	}, "a record can move to another contact"},
	{"a task written concurrently outlives its contact", func(b *broken) {
		var tasks sync.Map
		b.get = func(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
			if r, ok := tasks.Load(id); ok && kind == pluvo.KindTask {
				return r.(pluvo.Record), "1", nil
			}
			return b.MemoryStore.Get(ctx, kind, id)
		}
		b.remove = func(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error {
			err := b.MemoryStore.Delete(ctx, kind, id, expect)
			// As if a writer had checked before the deletion and written after it.
			if err == nil && kind == pluvo.KindContact {
				tasks.Store(id+"/0/2", &pluvo.Task{ID: id + "/0/2", ContactID: id, Title: "late"})
			}
			return err
		}
	}, "no record outlives its contact, even if both are written concurrently"},
	{"accepts an origin twice", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrOriginTaken) {
				return "1", nil
			}
			return v, err
		}
	}, "exactly one of several conflicting writers wins"},
	{"truncates times to milliseconds", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			if x, ok := r.(*pluvo.Task); ok && x != nil {
				x = pluvo.Clone(x)
				x.DueDate = x.DueDate.Truncate(1e6)
				r = x
			}
			return b.MemoryStore.Put(ctx, r, expect)
		}
	}, "times are preserved to the microsecond"},
	{"accepts any cursor", func(b *broken) {
		b.changes = func(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
			p, err := b.MemoryStore.Changes(ctx, after, limit)
			if errors.Is(err, pluvo.ErrBadCursor) {
				return b.MemoryStore.Changes(ctx, "", limit)
			}
			return p, err
		}
	}, "a cursor remains valid, and a wrong one is ErrBadCursor"},
	{"accepts invalid records", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			v, err := b.MemoryStore.Put(ctx, r, expect)
			if errors.Is(err, pluvo.ErrInvalid) {
				return "1", nil
			}
			return v, err
		}
	}, "an invalid record is refused and not written"},
	{"ignores the context", func(b *broken) {
		b.put = func(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
			return b.MemoryStore.Put(context.WithoutCancel(ctx), r, expect)
		}
	}, "an ended context is an error"},
}

// commitLate hides some writes after they have a position among the changes, until a reader has passed that position. A
// database behaves so if transactions take a number and commit in another order.
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
			for looks := 0; !passed[v] && looks < 500; looks++ { // there may be no reader to wait for
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
			failed := func(line string) bool { return strings.HasPrefix(line, test.want+": ") }
			require.True(t, slices.ContainsFunc(r.lines, failed), "failed checks: %q", r.lines)
		})
	}
}

// TestEveryCheckHasABrokenStore: for each check, a fault above makes it fail.
func TestEveryCheckHasABrokenStore(t *testing.T) {
	results := pluvotest.Run(t.Context(), func() pluvo.Store { return pluvo.NewMemoryStore() })
	for _, r := range results {
		require.NoError(t, r.Err, r.Name)
		breaks := func(f fault) bool { return f.want == r.Name }
		require.True(t, slices.ContainsFunc(faults, breaks), "no fault makes this check fail: %s", r.Name)
	}
}
