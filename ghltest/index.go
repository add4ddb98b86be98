package ghltest

import (
	"slices"
	"time"
)

// index is what searches of a location see when they lag behind.
type index struct {
	lag     time.Duration
	changed map[string]bool      // ids of contacts that are not as the latest version any more
	entries map[string][]indexed // by contact, oldest first
}

// indexed is a contact as it was from a time on; nil when it was deleted.
type indexed struct {
	from time.Time
	*contact
}

func newIndex(lag time.Duration) *index {
	if lag == 0 {
		return nil
	}
	return &index{lag: lag, changed: map[string]bool{}, entries: map[string][]indexed{}}
}

// indexLater notes that a contact has changed.
func (l *location) indexLater(contactID string) {
	if l.index != nil && contactID != "" {
		l.index.changed[contactID] = true
	}
}

// reindex keeps the versions of the contacts that have changed. With the zero time, which is that of seeds, they are visible
// at once.
func (s *state) reindex(now time.Time) {
	if s.lag == 0 {
		return
	}
	for _, l := range s.locations {
		for id := range l.index.changed {
			l.index.keep(indexed{now, s.contacts[id].frozen()}, id)
			delete(l.index.changed, id)
		}
	}
}

func (x *index) keep(v indexed, id string) {
	if v.from.IsZero() {
		x.entries[id] = nil
	}
	versions := x.entries[id]
	for len(versions) > 1 && !versions[1].from.After(v.from.Add(-x.lag)) { // nobody sees the first one any more
		versions = versions[1:]
	}
	x.entries[id] = append(versions, v)
}

// frozen copies what searches look at and answer.
func (c *contact) frozen() *contact {
	if c == nil {
		return nil
	}
	f := *c
	f.Tags, f.Followers, f.CustomFields = slices.Clone(c.Tags), slices.Clone(c.Followers), slices.Clone(c.CustomFields)
	f.workflows, f.opportunities = slices.Clone(c.workflows), slices.Clone(c.opportunities)
	start := c.lastStart()
	f.lastSeen = &start
	return &f
}

// searchable returns the contacts that a search at a time sees, newest first.
func (l *location) searchable(now time.Time) []*contact {
	if l.index == nil {
		return l.contacts
	}
	var list []*contact
	for id, versions := range l.index.entries {
		var seen *contact
		latest := false
		for i, v := range versions {
			if !v.from.After(now.Add(-l.index.lag)) {
				seen, latest = v.contact, i == len(versions)-1
			}
		}
		switch {
		case seen != nil:
			list = append(list, seen)
		case latest: // it is gone for good
			delete(l.index.entries, id)
		}
	}
	slices.SortFunc(list, newestFirst)
	return list
}
