package ghltest

import (
	"slices"
	"time"
)

// index has the contacts of a location as a lagging search finds them.
type index struct {
	lag     time.Duration
	changed map[string]bool      // ids of contacts with a change after their latest version
	entries map[string][]indexed // the versions of each contact, oldest first
}

// indexed is a version of a contact, in force since a time. The contact is nil after its deletion.
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

// indexLater marks a contact as changed.
func (l *location) indexLater(contactID string) {
	if l.index != nil && contactID != "" {
		l.index.changed[contactID] = true
	}
}

// reindex adds a version of each changed contact to the index. Versions with the zero time, those of seeds, are
// searchable at once.
func (s *state) reindex(now time.Time) {
	if s.lag == 0 {
		return
	}
	for _, l := range s.locations {
		for id := range l.index.changed {
			l.index.add(indexed{now, s.contacts[id].snapshot()}, id)
			delete(l.index.changed, id)
		}
	}
}

// add adds a version of a contact and removes the versions that no search finds any more.
func (x *index) add(v indexed, id string) {
	if v.from.IsZero() {
		x.entries[id] = nil
	}
	versions := x.entries[id]
	for len(versions) > 1 && !versions[1].from.After(v.from.Add(-x.lag)) {
		versions = versions[1:]
	}
	x.entries[id] = append(versions, v)
}

// snapshot copies what a search reads, nil for a deleted contact.
func (c *contact) snapshot() *contact {
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

// searchable returns the contacts that a search finds at a time, newest first.
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
		case latest: // the deletion is searchable
			delete(l.index.entries, id)
		}
	}
	slices.SortFunc(list, newestFirst)
	return list
}
