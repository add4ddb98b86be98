package pluvo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// MemoryStore is a [Store] in memory, for tests, examples and trials. Its records are lost when the process ends.
type MemoryStore struct {
	mu      sync.RWMutex
	entries map[key]*entry
	origins map[originKey]key
	owned   map[string]map[key]*entry // by contact: the records that belong to it, without itself and deleted ones
	log     []*entry                  // by sequence; readers skip an entry that has been replaced
	last    uint64
}

type key struct {
	kind Kind
	id   string
}

type originKey struct {
	kind   Kind
	origin Origin
}

// entry is one state of a record. An entry is never changed, only replaced.
type entry struct {
	key      key
	record   Record // nil when deleted
	owner    string
	origin   Origin
	sequence uint64
}

func (e *entry) version() Version { return Version(strconv.FormatUint(e.sequence, 10)) }
func (e *entry) cursor() Cursor   { return cursorAt(e.sequence) }

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{entries: map[key]*entry{}, origins: map[originKey]key{}, owned: map[string]map[key]*entry{}}
}

// Get reads a record; see [Store].
func (s *MemoryStore) Get(ctx context.Context, kind Kind, id string) (Record, Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(key{kind, id})
}

func (s *MemoryStore) get(k key) (Record, Version, error) {
	e := s.entries[k]
	if e == nil || e.record == nil {
		return nil, "", fmt.Errorf("pluvo: %s: %w", k.kind, ErrNotFound)
	}
	return e.record.clone(), e.version(), nil
}

// Find reads a record by its origin; see [Store].
func (s *MemoryStore) Find(ctx context.Context, kind Kind, origin Origin) (Record, Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, ok := s.origins[originKey{kind, origin}]
	if !ok {
		return nil, "", fmt.Errorf("pluvo: %s: %w", kind, ErrNotFound)
	}
	return s.get(k)
}

// Full reads a contact and the records that belong to it, ordered by id; see [Store].
func (s *MemoryStore) Full(ctx context.Context, contactID string) (*FullContact, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, _, err := s.get(key{KindContact, contactID})
	if err != nil {
		return nil, err
	}
	full := &FullContact{Contact: *r.(*Contact)}
	for _, e := range s.ownedBy(contactID) {
		switch r := e.record.(type) {
		case *Task:
			full.Tasks = append(full.Tasks, *r)
		case *Note:
			full.Notes = append(full.Notes, *r)
		case *Appointment:
			full.Appointments = append(full.Appointments, *r)
		}
	}
	return full, nil
}

// ownedBy returns the records that belong to a contact, without the contact, ordered by kind and id.
func (s *MemoryStore) ownedBy(contactID string) []*entry {
	return slices.SortedFunc(maps.Values(s.owned[contactID]), func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.key.kind, b.key.kind), cmp.Compare(a.key.id, b.key.id))
	})
}

// Put writes a record; see [Store].
func (s *MemoryStore) Put(ctx context.Context, r Record, expect Version) (Version, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if isNil(r) {
		return "", fmt.Errorf("pluvo: the record is nil: %w", ErrInvalid)
	}
	if err := r.Validate(); err != nil {
		return "", fmt.Errorf("pluvo: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{r.Kind(), r.Key()}
	current := s.entries[k]
	exists := current != nil && current.record != nil
	if err := checkVersion(current, expect); err != nil {
		return "", err
	}
	if k.kind != KindContact {
		if owner := s.entries[key{KindContact, r.Owner()}]; owner == nil || owner.record == nil {
			return "", fmt.Errorf("pluvo: %s: %w", k.kind, ErrNoOwner)
		}
	}
	origin := originKey{k.kind, r.From()}
	if other, taken := s.origins[origin]; taken && other != k {
		return "", fmt.Errorf("pluvo: %s: %w", k.kind, ErrOriginTaken)
	}
	if exists && current.record.equal(r) {
		return current.version(), nil
	}
	if exists {
		delete(s.origins, originKey{k.kind, current.origin})
	}
	if !r.From().IsZero() {
		s.origins[origin] = k
	}
	return s.replace(&entry{key: k, record: r.clone(), owner: r.Owner(), origin: r.From()}).version(), nil
}

// Delete deletes a record; see [Store].
func (s *MemoryStore) Delete(ctx context.Context, kind Kind, id string, expect Version) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.entries[key{kind, id}]
	if current == nil || current.record == nil {
		return fmt.Errorf("pluvo: %s: %w", kind, ErrNotFound)
	}
	if err := checkVersion(current, expect); err != nil {
		return err
	}
	if kind == KindContact {
		for _, e := range s.ownedBy(id) {
			s.remove(e)
		}
	}
	s.remove(current)
	return nil
}

// remove replaces the state of a record by a deleted one.
func (s *MemoryStore) remove(e *entry) {
	delete(s.origins, originKey{e.key.kind, e.origin})
	s.replace(&entry{key: e.key, owner: e.owner, origin: e.origin})
}

// replace makes e the state of its record, and appends it to the changes.
func (s *MemoryStore) replace(e *entry) *entry {
	s.last++
	e.sequence = s.last
	if previous := s.entries[e.key]; previous != nil {
		delete(s.owned[previous.owner], e.key)
		if len(s.owned[previous.owner]) == 0 {
			delete(s.owned, previous.owner)
		}
	}
	if e.record != nil && e.key.kind != KindContact {
		if s.owned[e.owner] == nil {
			s.owned[e.owner] = map[key]*entry{}
		}
		s.owned[e.owner][e.key] = e
	}
	s.entries[e.key] = e
	s.log = append(s.log, e)
	if len(s.log) > 2*len(s.entries)+64 { // most entries have been replaced
		s.log = slices.DeleteFunc(s.log, func(e *entry) bool { return s.entries[e.key] != e })
	}
	return e
}

// checkVersion returns ErrConflict unless a record is at the expected version.
func checkVersion(current *entry, expect Version) error {
	exists := current != nil && current.record != nil
	switch {
	case expect == AnyVersion, expect == NoVersion && !exists, exists && expect == current.version():
		return nil
	}
	return fmt.Errorf("pluvo: %w", ErrConflict)
}

// Changes reads the writes and deletions after a cursor; see [Store]. A limit of 0 means 100.
func (s *MemoryStore) Changes(ctx context.Context, after Cursor, limit int) (*ChangePage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, err := after.sequence()
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 100
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if from > s.last {
		return nil, fmt.Errorf("pluvo: %w", ErrBadCursor)
	}
	page := &ChangePage{Next: after}
	bySequence := func(e *entry, n uint64) int { return cmp.Compare(e.sequence, n) }
	start, _ := slices.BinarySearchFunc(s.log, from+1, bySequence)
	for _, e := range s.log[start:] {
		if s.entries[e.key] != e {
			continue
		}
		if len(page.Changes) == limit {
			page.More = true
			break
		}
		change := Change{
			Kind: e.key.kind, ID: e.key.id, Version: e.version(), Owner: e.owner, Origin: e.origin, Cursor: e.cursor(),
		}
		if e.record != nil {
			change.Record = e.record.clone()
		}
		page.Changes = append(page.Changes, change)
		page.Next = change.Cursor
	}
	return page, nil
}

const cursorPrefix = "m"

func cursorAt(sequence uint64) Cursor { return Cursor(cursorPrefix + strconv.FormatUint(sequence, 10)) }

func (c Cursor) sequence() (uint64, error) {
	if c == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(c), cursorPrefix)
	n, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || cursorAt(n) != c {
		return 0, fmt.Errorf("pluvo: %w", ErrBadCursor)
	}
	return n, nil
}
