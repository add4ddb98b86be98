package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// people change both sides of the demo, one change at a time. Each record that they create has a unique name, so
// that the comparison finds lost and duplicate records.
type people struct {
	server   *ghltest.Server
	store    pluvo.Store
	client   *ghl.Client
	changed  func() // announces a change in Pluvo to the sync
	calendar string
	random   *rand.Rand

	n            int
	slots        []time.Time       // free times for appointments
	names        []string          // e-mail addresses of the contacts that were not deleted
	made         map[string]string // records that must exist in the end, with the e-mail address of their contact
	theirs, ours int               // changes in HighLevel and in Pluvo
}

func newPeople(d *demo, client *ghl.Client, calendar string) *people {
	p := &people{
		server: d.server, store: d.sync.Pluvo(), client: client, changed: d.sync.PluvoChanged, calendar: calendar,
		random: rand.New(rand.NewPCG(d.seed, 8)), made: map[string]string{},
	}
	for _, c := range d.server.Contacts() {
		p.names = append(p.names, c.Email)
	}
	slices.Sort(p.names)
	zone, err := time.LoadLocation("America/New_York") // the time zone of the fake
	if err != nil {
		zone = time.UTC
	}
	for day := 21; len(p.slots) < 400; day++ { // later than the appointments of the demo data
		y, m, date := time.Now().In(zone).AddDate(0, 0, day).Date()
		for half := range 14 {
			at := time.Date(y, m, date, 9+half/2, half%2*30, 0, 0, zone)
			if at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
				p.slots = append(p.slots, at)
			}
		}
	}
	return p
}

var (
	demoFirst = []string{
		"Ada", "Bruno", "Carla", "Dmitri", "Elif", "Femi", "Greta", "Hugo", "Iris", "Jamal", "Kira", "Luca", "Mona",
		"Nils", "Olga", "Paco",
	}
	demoLast = []string{
		"Abel", "Berg", "Costa", "Dorn", "Evans", "Falk", "Gomez", "Hahn", "Ito", "Jansen", "Klein", "Lopez",
		"Marsh", "Novak", "Olsen", "Park",
	}
	demoTags = []string{"vip", "newsletter", "lead", "customer", "call back"}
)

func oneOf(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// act makes one change and describes it. It returns "" if nothing changed.
func (p *people) act(ctx context.Context) string {
	p.n++
	if p.n%12 == 0 {
		return p.clash(ctx)
	}
	name := oneOf(p.random, p.names)
	if p.random.IntN(2) == 0 {
		if text := p.inHighLevel(ctx, name); text != "" {
			p.theirs++
			return "HighLevel  " + text
		}
		return ""
	}
	text := p.inPluvo(ctx, name)
	p.changed()
	if text == "" {
		return ""
	}
	p.ours++
	return "Pluvo      " + text
}

// findInHighLevel finds a contact of HighLevel.
func (p *people) findInHighLevel(email string) (ghl.Contact, bool) {
	for _, c := range p.server.Contacts() {
		if strings.EqualFold(c.Email, email) {
			return c, true
		}
	}
	return ghl.Contact{}, false
}

// findInPluvo finds a contact of Pluvo; nil if there is none.
func (p *people) findInPluvo(ctx context.Context, email string) *pluvo.FullContact {
	var found *pluvo.FullContact
	_ = eachContact(ctx, p.store, func(c *pluvo.FullContact) {
		if strings.EqualFold(c.Contact.Email, email) {
			found = c
		}
	})
	return found
}

// newPerson invents a person.
func (p *people) newPerson() (first, last, email string) {
	first, last = oneOf(p.random, demoFirst), oneOf(p.random, demoLast)
	return first, last, strings.ToLower(fmt.Sprintf("%s.%s.%d@example.com", first, last, p.n))
}

func (p *people) due() time.Time {
	return time.Now().Add(time.Duration(1+p.random.IntN(500)) * time.Hour).UTC().Truncate(time.Minute)
}

func (p *people) slot() time.Time {
	at := p.slots[0]
	p.slots = p.slots[1:]
	return at
}

// forget drops a deleted contact and its records from those that must exist in the end.
func (p *people) forget(email string) {
	p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == email })
	maps.DeleteFunc(p.made, func(_, owner string) bool { return owner == email })
}

// inHighLevel changes something of a contact in HighLevel. The requests can fail like all others: the state of the
// fake afterwards decides whether the change happened.
func (p *people) inHighLevel(ctx context.Context, email string) string {
	what := p.random.IntN(20)
	if what < 3 {
		return p.createInHighLevel(ctx)
	}
	c, ok := p.findInHighLevel(email)
	if !ok {
		return ""
	}
	switch name := c.FirstName; {
	case what < 8:
		last := oneOf(p.random, demoLast)
		_, err := p.client.Contacts.Update(ctx, c.ID, &ghl.ContactUpdate{LastName: ghl.Some(last)})
		return sentence(err, "%s's last name is now %s", name, last)
	case what < 11:
		title := fmt.Sprintf("Call %s back (%d)", name, p.n)
		_, err := p.client.Tasks.Create(ctx, c.ID, &ghl.TaskCreate{Title: title, DueDate: p.due()})
		exists := slices.ContainsFunc(p.server.Tasks(c.ID), func(t ghl.Task) bool { return t.Title == title })
		return sentence(p.created(exists, "task "+title, email, err), "a task for %s: %s", name, title)
	case what < 13:
		body := fmt.Sprintf("Spoke with %s (%d)", name, p.n)
		_, err := p.client.Notes.Create(ctx, c.ID, &ghl.NoteCreate{Body: body})
		exists := slices.ContainsFunc(p.server.Notes(c.ID), func(n ghl.Note) bool { return n.Body == body })
		return sentence(p.created(exists, "note "+body, email, err), "a note about %s", name)
	case what < 15:
		tag := oneOf(p.random, demoTags)
		_, err := p.client.Tags.Add(ctx, c.ID, []string{tag})
		return sentence(err, "%s gets the tag %q", name, tag)
	case what < 16:
		tag := oneOf(p.random, demoTags)
		_, err := p.client.Tags.Remove(ctx, c.ID, []string{tag})
		return sentence(err, "%s loses the tag %q", name, tag)
	case what < 18:
		return p.completeInHighLevel(ctx, c.ID)
	case what < 19:
		return p.meetInHighLevel(ctx, &c, email)
	}
	return p.deleteInHighLevel(ctx, &c, email)
}

func (p *people) createInHighLevel(ctx context.Context) string {
	first, last, email := p.newPerson()
	create := &ghl.ContactCreate{FirstName: first, LastName: last, Email: email,
		Tags: []string{oneOf(p.random, demoTags)}}
	_, err := p.client.Contacts.Create(ctx, create)
	if _, exists := p.findInHighLevel(email); err != nil && !exists {
		return ""
	}
	p.names = append(p.names, email)
	return "a new contact, " + first + " " + last
}

func (p *people) completeInHighLevel(ctx context.Context, contactID string) string {
	tasks := p.server.Tasks(contactID)
	if len(tasks) == 0 {
		return ""
	}
	task := tasks[p.random.IntN(len(tasks))]
	_, err := p.client.Tasks.SetCompleted(ctx, contactID, task.ID, true)
	return sentence(err, "done: %s", task.Title)
}

func (p *people) meetInHighLevel(ctx context.Context, c *ghl.Contact, email string) string {
	at := p.slot()
	title := fmt.Sprintf("Meeting with %s (%d)", c.FirstName, p.n)
	create := &ghl.AppointmentCreate{CalendarID: p.calendar, ContactID: c.ID, StartTime: at,
		EndTime: at.Add(30 * time.Minute), Title: title}
	_, err := p.client.Appointments.Create(ctx, create)
	exists := slices.ContainsFunc(p.server.Appointments(c.ID), func(a ghl.Appointment) bool { return a.Title == title })
	err = p.created(exists, "appointment "+title, email, err)
	return sentence(err, "an appointment with %s on %s", c.FirstName, at.Format("Mon 2 Jan, 15:04"))
}

func (p *people) deleteInHighLevel(ctx context.Context, c *ghl.Contact, email string) string {
	if len(p.names) < 10 {
		return ""
	}
	err := p.client.Contacts.Delete(ctx, c.ID)
	if _, exists := p.server.Contact(c.ID); exists {
		return ""
	}
	p.forget(email)
	return sentence(err, "%s is deleted", c.FirstName)
}

// created notes a record that must exist in the end. It returns nil if the record exists, whatever the request
// returned.
func (p *people) created(exists bool, record, email string, err error) error {
	if !exists {
		return err
	}
	p.made[record] = email
	return nil
}

// sentence describes a change, or returns "" after an error.
func sentence(err error, format string, args ...any) string {
	if err != nil {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// inPluvo changes something of a contact in Pluvo. It gives up if the sync changes the record in between.
func (p *people) inPluvo(ctx context.Context, email string) string {
	what := p.random.IntN(18)
	if what < 2 {
		first, last, email := p.newPerson()
		err := p.put(ctx, &pluvo.Contact{ID: fmt.Sprintf("person-%d", p.n), FirstName: first, LastName: last,
			Email: email, Stage: "new"})
		if err == nil {
			p.names = append(p.names, email)
		}
		return sentence(err, "a new contact, %s %s", first, last)
	}
	full := p.findInPluvo(ctx, email)
	if full == nil {
		return ""
	}
	c := &full.Contact
	switch name := c.FirstName; {
	case what < 7:
		c.Phone = fmt.Sprintf("(%d) 555-%04d", 201+p.n%9, 100+p.n)
		return sentence(p.put(ctx, c), "%s's phone is now %s", name, c.Phone)
	case what < 10:
		title := fmt.Sprintf("Prepare papers for %s (%d)", name, p.n)
		task := &pluvo.Task{ID: fmt.Sprintf("task-%d", p.n), ContactID: c.ID, Title: title, DueDate: p.due()}
		return sentence(p.add(ctx, task, title, email), "a task for %s: %s", name, title)
	case what < 12:
		body := fmt.Sprintf("%s was here (%d)", name, p.n)
		note := &pluvo.Note{ID: fmt.Sprintf("note-%d", p.n), ContactID: c.ID, Content: body}
		return sentence(p.add(ctx, note, body, email), "a note about %s", name)
	case what < 14:
		tag := oneOf(p.random, demoTags)
		if slices.Contains(c.Tags, tag) {
			return ""
		}
		c.Tags = append(slices.Clone(c.Tags), tag)
		return sentence(p.put(ctx, c), "%s gets the tag %q", name, tag)
	case what < 16:
		return p.completeInPluvo(ctx, full.Tasks)
	case what < 17:
		at := p.slot()
		title := fmt.Sprintf("Visit of %s (%d)", name, p.n)
		visit := &pluvo.Appointment{
			ID: fmt.Sprintf("visit-%d", p.n), ContactID: c.ID, Title: title, Start: at,
			End: at.Add(30 * time.Minute), Status: pluvo.AppointmentConfirmed,
		}
		return sentence(p.add(ctx, visit, title, email), "an appointment with %s on %s", name,
			at.Format("Mon 2 Jan, 15:04"))
	}
	return p.deleteInPluvo(ctx, full.Tasks)
}

func (p *people) completeInPluvo(ctx context.Context, tasks []pluvo.Task) string {
	if len(tasks) == 0 {
		return ""
	}
	task := tasks[p.random.IntN(len(tasks))]
	task.Completed, task.Status = true, pluvo.TaskCompleted
	return sentence(p.put(ctx, &task), "done: %s", task.Title)
}

func (p *people) deleteInPluvo(ctx context.Context, tasks []pluvo.Task) string {
	if len(tasks) == 0 {
		return ""
	}
	task := tasks[p.random.IntN(len(tasks))]
	err := p.store.Delete(ctx, pluvo.KindTask, task.ID, pluvo.AnyVersion)
	if err == nil {
		delete(p.made, "task "+task.Title)
	}
	return sentence(err, "deleted: %s", task.Title)
}

// add creates a record in Pluvo that must exist in the end.
func (p *people) add(ctx context.Context, r pluvo.Record, name, email string) error {
	err := p.put(ctx, r)
	if err == nil {
		p.made[string(r.Kind())+" "+name] = email
	}
	return err
}

// put writes a record to Pluvo. It fails if the sync changes the record at the same time.
func (p *people) put(ctx context.Context, r pluvo.Record) error {
	_, expect, err := p.store.Get(ctx, r.Kind(), r.Key())
	if err != nil {
		expect = pluvo.NoVersion
	}
	_, err = p.store.Put(ctx, r, expect)
	return err
}

// clash changes the same field of a contact on both sides at once.
func (p *people) clash(ctx context.Context) string {
	email := oneOf(p.random, p.names)
	full := p.findInPluvo(ctx, email)
	c, ok := p.findInHighLevel(email)
	if full == nil || !ok {
		return ""
	}
	theirs, ours := oneOf(p.random, demoFirst), oneOf(p.random, demoFirst)
	full.Contact.FirstName = ours
	if p.put(ctx, &full.Contact) == nil {
		p.ours++
	}
	if _, err := p.client.Contacts.Update(ctx, c.ID, &ghl.ContactUpdate{FirstName: ghl.Some(theirs)}); err == nil {
		p.theirs++
	}
	p.changed()
	return fmt.Sprintf("both       %s is called %s in HighLevel and %s in Pluvo", c.FirstName, theirs, ours)
}

// missing returns the records that must exist in the end and do not.
func (p *people) missing(c *comparison) []string {
	var list []string
	for _, email := range p.names {
		if !c.both["contact "+strings.ToLower(email)] {
			list = append(list, email)
		}
	}
	for made, owner := range p.made {
		kind, name, _ := strings.Cut(made, " ")
		if name = recordName(kind, owner, name); !c.both[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
