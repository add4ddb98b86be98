package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// comparison is the difference between the two sides, record by record.
type comparison struct {
	theirs, ours map[string]int  // number of records, by kind
	different    []string        // records that differ, or that only one side has
	twice        []string        // records that one side has twice
	both         map[string]bool // names of the records that both sides have
}

func (c *comparison) equal() bool { return len(c.different) == 0 && len(c.twice) == 0 }

// side is the records of one side: a name that both sides use, and the content as text.
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

// contactText returns the content of a contact, with the phone number and the tags in a form that both sides share.
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

// compare reads both sides and compares them.
func compare(ctx context.Context, server *ghltest.Server, store pluvo.Store) (*comparison, error) {
	theirs, err := highLevelSide(server)
	if err != nil {
		return nil, err
	}
	ours, err := pluvoSide(ctx, store)
	if err != nil {
		return nil, err
	}
	c := &comparison{theirs: theirs.count, ours: ours.count, both: map[string]bool{}}
	for name, content := range theirs.records {
		other, is := ours.records[name]
		switch {
		case !is:
			c.different = append(c.different, name+" exists in HighLevel only")
		case other != content:
			c.different = append(c.different, fmt.Sprintf("%s: HighLevel has %s, Pluvo has %s", name, content, other))
		default:
			name, _, _ = strings.Cut(name, "@2") // of an appointment, without its start
			c.both[name] = true
		}
	}
	for name := range ours.records {
		if _, is := theirs.records[name]; !is {
			c.different = append(c.different, name+" exists in Pluvo only")
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

func newSide() *side { return &side{records: map[string]string{}, count: map[string]int{}} }

// highLevelSide reads the fake HighLevel.
func highLevelSide(server *ghltest.Server) (*side, error) {
	zone, err := time.LoadLocation("America/New_York") // the time zone of the fake
	if err != nil {
		return nil, err
	}
	mapper, err := mapping.New(mapping.Options{Location: server.LocationID()})
	if err != nil {
		return nil, err
	}
	theirs := newSide()
	for _, c := range server.Contacts() {
		theirs.add("contact", "", strings.ToLower(c.Email), contactText(c.FirstName, c.LastName, c.Phone, c.Tags))
		for _, t := range server.Tasks(c.ID) {
			due := t.DueDate.In(zone)
			theirs.add("task", c.Email, t.Title, fmt.Sprint(due.UTC().Format(time.RFC3339), t.Completed))
		}
		for _, n := range server.Notes(c.ID) {
			mapped, _, err := mapper.Note(&n, c.ID, "") // Pluvo has the text of a note, HighLevel may have HTML
			if err != nil {
				return nil, err
			}
			theirs.add("note", c.Email, mapped.Content, "")
		}
		for _, a := range server.Appointments(c.ID) {
			start := a.StartTime.In(zone)
			theirs.add("appointment", c.Email, a.Title+start.UTC().Format("@2006-01-02T15:04"), "")
		}
	}
	return theirs, nil
}

// pluvoSide reads Pluvo's records.
func pluvoSide(ctx context.Context, store pluvo.Store) (*side, error) {
	ours := newSide()
	err := eachContact(ctx, store, func(full *pluvo.FullContact) {
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
	return ours, err
}

// eachContact calls visit for each contact of a store with its tasks, notes and appointments.
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
	for id, exists := range ids {
		if !exists {
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
