package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// comparison is how two sides compare, record by record.
type comparison struct {
	theirs, ours map[string]int  // records, by kind
	different    []string        // what only one side has, or has otherwise
	twice        []string        // what one side has twice
	there        map[string]bool // names of what both have
}

func (c *comparison) equal() bool { return len(c.different) == 0 && len(c.twice) == 0 }

// side is what one side has, in words that both have: a record's name, and what it says.
type side struct {
	records map[string]string
	count   map[string]int
	twice   []string
}

func (s *side) add(kind, owner, name, content string) {
	key := recordName(kind, owner, name)
	if _, is := s.records[key]; is {
		s.twice = append(s.twice, key)
	}
	s.records[key] = content
	s.count[kind+"s"]++
}

func recordName(kind, owner, name string) string {
	if owner == "" {
		return kind + " " + name
	}
	return kind + " of " + strings.ToLower(owner) + ": " + name
}

// contactText is a contact, with the phone number and the tags in the one form that both sides can have.
func contactText(first, last, phone string, tags []string) string {
	if e164, ok := ghlsync.PhoneNumbers("US").NormalizePhone(phone); ok {
		phone = e164
	}
	tags = slices.Clone(tags)
	for i := range tags {
		tags[i] = strings.ToLower(tags[i])
	}
	slices.Sort(tags)
	return fmt.Sprintf("%s %s, %s, %q", first, last, phone, tags)
}

// compare reads both sides.
func compare(ctx context.Context, server *ghltest.Server, store pluvo.Store) (*comparison, error) {
	theirs, ours := &side{records: map[string]string{}, count: map[string]int{}}, &side{records: map[string]string{}, count: map[string]int{}}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, err
	}
	for _, c := range server.Contacts() {
		theirs.add("contact", "", strings.ToLower(c.Email), contactText(c.FirstName, c.LastName, c.Phone, c.Tags))
		for _, t := range server.Tasks(c.ID) {
			due := t.DueDate.In(zone)
			theirs.add("task", c.Email, t.Title, fmt.Sprint(due.UTC().Format(time.RFC3339), t.Completed))
		}
		for _, n := range server.Notes(c.ID) {
			theirs.add("note", c.Email, n.Body, "")
		}
		for _, a := range server.Appointments(c.ID) {
			start := a.StartTime.In(zone)
			theirs.add("appointment", c.Email, a.Title+start.UTC().Format("@2006-01-02T15:04"), "")
		}
	}
	err = eachContact(ctx, store, func(full *pluvo.FullContact) {
		c := &full.Contact
		ours.add("contact", "", strings.ToLower(c.Email), contactText(c.FirstName, c.LastName, c.Phone, c.Tags))
		for _, t := range full.Tasks {
			ours.add("task", c.Email, t.Title, fmt.Sprint(t.DueDate.UTC().Format(time.RFC3339), t.Completed))
		}
		for _, n := range full.Notes {
			ours.add("note", c.Email, n.Content, "")
		}
		for _, a := range full.Appointments {
			ours.add("appointment", c.Email, a.Title+a.Start.UTC().Format("@2006-01-02T15:04"), "")
		}
	})
	if err != nil {
		return nil, err
	}
	c := &comparison{theirs: theirs.count, ours: ours.count, there: map[string]bool{}}
	for name, content := range theirs.records {
		other, is := ours.records[name]
		switch {
		case !is:
			c.different = append(c.different, name+" is in HighLevel alone")
		case other != content:
			c.different = append(c.different, fmt.Sprintf("%s: HighLevel has %s, Pluvo %s", name, content, other))
		default:
			name, _, _ = strings.Cut(name, "@2") // of an appointment, without its start
			c.there[name] = true
		}
	}
	for name := range ours.records {
		if _, is := theirs.records[name]; !is {
			c.different = append(c.different, name+" is in Pluvo alone")
		}
	}
	for _, name := range theirs.twice {
		c.twice = append(c.twice, name+" in HighLevel")
	}
	for _, name := range ours.twice {
		c.twice = append(c.twice, name+" in Pluvo")
	}
	slices.Sort(c.different)
	return c, nil
}

// eachContact visits the contacts of a store with all that belongs to them.
func eachContact(ctx context.Context, store pluvo.Store, visit func(*pluvo.FullContact)) error {
	ids := map[string]bool{}
	var at pluvo.Cursor
	for more := true; more; {
		page, err := store.Changes(ctx, at, 0)
		if err != nil {
			return err
		}
		for _, change := range page.Changes {
			if change.Kind == pluvo.KindContact {
				ids[change.ID] = !change.Deleted()
			}
		}
		at, more = page.Next, page.More
	}
	for id, there := range ids {
		if !there {
			continue
		}
		full, err := store.Full(ctx, id)
		if err != nil {
			return err
		}
		visit(full)
	}
	return nil
}
