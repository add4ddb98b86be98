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

// people change both sides of the demo, one change after the other. What they make has a name of its own, so that what is lost
// or there twice is seen.
type people struct {
	server   *ghltest.Server
	store    pluvo.Store
	client   *ghl.Client
	changed  func() // tells the sync that Pluvo has changed
	calendar string
	random   *rand.Rand

	n            int
	slots        []time.Time       // free ones
	names        []string          // e-mail addresses of contacts that nobody has deleted
	made         map[string]string // what must be there in the end: the name of a record, and the contact it belongs to
	theirs, ours int               // changes
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
	zone, err := time.LoadLocation("America/New_York") // of the fake
	if err != nil {
		zone = time.UTC
	}
	for day := 21; len(p.slots) < 400; day++ { // behind the appointments of the fake's own
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
	demoFirst = []string{"Ada", "Bruno", "Carla", "Dmitri", "Elif", "Femi", "Greta", "Hugo", "Iris", "Jamal", "Kira", "Luca", "Mona", "Nils", "Olga", "Paco"}
	demoLast  = []string{"Abel", "Berg", "Costa", "Dorn", "Evans", "Falk", "Gomez", "Hahn", "Ito", "Jansen", "Klein", "Lopez", "Marsh", "Novak", "Olsen", "Park"}
	demoTags  = []string{"vip", "newsletter", "lead", "customer", "call back"}
)

func oneOf(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// act changes something and says what; "" if it came to nothing.
func (p *people) act(ctx context.Context) string {
	p.n++
	if p.n%12 == 0 {
		return p.clash(ctx)
	}
	name := oneOf(p.random, p.names)
	if p.random.IntN(2) == 0 {
		if said := p.inHighLevel(ctx, name); said != "" {
			p.theirs++
			return "HighLevel  " + said
		}
		return ""
	}
	said := p.inPluvo(ctx, name)
	p.changed()
	if said == "" {
		return ""
	}
	p.ours++
	return "Pluvo      " + said
}

// they finds a contact of HighLevel.
func (p *people) they(email string) (ghl.Contact, bool) {
	for _, c := range p.server.Contacts() {
		if strings.EqualFold(c.Email, email) {
			return c, true
		}
	}
	return ghl.Contact{}, false
}

// we finds a contact of Pluvo.
func (p *people) we(ctx context.Context, email string) *pluvo.FullContact {
	var found *pluvo.FullContact
	_ = eachContact(ctx, p.store, func(c *pluvo.FullContact) {
		if strings.EqualFold(c.Contact.Email, email) {
			found = c
		}
	})
	return found
}

func (p *people) newcomer() (first, last, email string) {
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

// gone forgets a contact and what belongs to it.
func (p *people) gone(email string) {
	p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == email })
	maps.DeleteFunc(p.made, func(_, owner string) bool { return owner == email })
}

// inHighLevel changes something of a contact there. The requests may fail as all others; what counts is what has happened.
func (p *people) inHighLevel(ctx context.Context, email string) string {
	what := p.random.IntN(20)
	if what < 3 {
		first, last, email := p.newcomer()
		_, err := p.client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: first, LastName: last, Email: email, Tags: []string{oneOf(p.random, demoTags)}})
		if _, is := p.they(email); err != nil && !is {
			return ""
		}
		p.names = append(p.names, email)
		return "a new contact, " + first + " " + last
	}
	c, ok := p.they(email)
	if !ok {
		return ""
	}
	switch name := c.FirstName; {
	case what < 8:
		last := oneOf(p.random, demoLast)
		_, err := p.client.Contacts.Update(ctx, c.ID, &ghl.ContactUpdate{LastName: ghl.Some(last)})
		return say(err, "%s's last name is now %s", name, last)
	case what < 11:
		title := fmt.Sprintf("Call %s back (%d)", name, p.n)
		_, err := p.client.Tasks.Create(ctx, c.ID, &ghl.TaskCreate{Title: title, DueDate: p.due()})
		if slices.ContainsFunc(p.server.Tasks(c.ID), func(t ghl.Task) bool { return t.Title == title }) {
			p.made["task "+title], err = email, nil
		}
		return say(err, "a task for %s: %s", name, title)
	case what < 13:
		body := fmt.Sprintf("Spoke with %s (%d)", name, p.n)
		_, err := p.client.Notes.Create(ctx, c.ID, &ghl.NoteCreate{Body: body})
		if slices.ContainsFunc(p.server.Notes(c.ID), func(n ghl.Note) bool { return n.Body == body }) {
			p.made["note "+body], err = email, nil
		}
		return say(err, "a note about %s", name)
	case what < 15:
		tag := oneOf(p.random, demoTags)
		_, err := p.client.Tags.Add(ctx, c.ID, []string{tag})
		return say(err, "%s gets the tag %q", name, tag)
	case what < 16:
		tag := oneOf(p.random, demoTags)
		_, err := p.client.Tags.Remove(ctx, c.ID, []string{tag})
		return say(err, "%s loses the tag %q", name, tag)
	case what < 18:
		tasks := p.server.Tasks(c.ID)
		if len(tasks) == 0 {
			return ""
		}
		task := tasks[p.random.IntN(len(tasks))]
		_, err := p.client.Tasks.SetCompleted(ctx, c.ID, task.ID, true)
		return say(err, "done: %s", task.Title)
	case what < 19:
		at := p.slot()
		title := fmt.Sprintf("Meeting with %s (%d)", name, p.n)
		_, err := p.client.Appointments.Create(ctx, &ghl.AppointmentCreate{CalendarID: p.calendar, ContactID: c.ID, StartTime: at, EndTime: at.Add(30 * time.Minute), Title: title})
		if slices.ContainsFunc(p.server.Appointments(c.ID), func(a ghl.Appointment) bool { return a.Title == title }) {
			p.made["appointment "+title], err = email, nil
		}
		return say(err, "an appointment with %s on %s", name, at.Format("Mon 2 Jan, 15:04"))
	}
	if len(p.names) < 10 {
		return ""
	}
	err := p.client.Contacts.Delete(ctx, c.ID)
	if _, still := p.server.Contact(c.ID); still {
		return ""
	}
	p.gone(email)
	return say(err, "%s is deleted", c.FirstName)
}

func say(err error, format string, args ...any) string {
	if err != nil {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// inPluvo changes something of a contact there. What the sync has changed since it was read is left alone, as people do.
func (p *people) inPluvo(ctx context.Context, email string) string {
	what := p.random.IntN(18)
	if what < 2 {
		first, last, email := p.newcomer()
		if !p.put(ctx, &pluvo.Contact{ID: fmt.Sprintf("person-%d", p.n), FirstName: first, LastName: last, Email: email, Stage: "new"}) {
			return ""
		}
		p.names = append(p.names, email)
		return "a new contact, " + first + " " + last
	}
	full := p.we(ctx, email)
	if full == nil {
		return ""
	}
	c, said := &full.Contact, ""
	switch name := c.FirstName; {
	case what < 7:
		c.Phone = fmt.Sprintf("(%d) 555-%04d", 201+p.n%9, 100+p.n)
		said = fmt.Sprintf("%s's phone is now %s", name, c.Phone)
		if !p.put(ctx, c) {
			return ""
		}
	case what < 10:
		title := fmt.Sprintf("Prepare papers for %s (%d)", name, p.n)
		said = fmt.Sprintf("a task for %s: %s", name, title)
		if !p.put(ctx, &pluvo.Task{ID: fmt.Sprintf("task-%d", p.n), ContactID: c.ID, Title: title, DueDate: p.due()}) {
			return ""
		}
		p.made["task "+title] = email
	case what < 12:
		body := fmt.Sprintf("%s was here (%d)", name, p.n)
		said = fmt.Sprintf("a note about %s", name)
		if !p.put(ctx, &pluvo.Note{ID: fmt.Sprintf("note-%d", p.n), ContactID: c.ID, Content: body}) {
			return ""
		}
		p.made["note "+body] = email
	case what < 14:
		tag := oneOf(p.random, demoTags)
		said = fmt.Sprintf("%s gets the tag %q", name, tag)
		if slices.Contains(c.Tags, tag) {
			return ""
		}
		c.Tags = append(slices.Clone(c.Tags), tag)
		if !p.put(ctx, c) {
			return ""
		}
	case what < 16:
		if len(full.Tasks) == 0 {
			return ""
		}
		task := full.Tasks[p.random.IntN(len(full.Tasks))]
		task.Completed, task.Status = true, pluvo.TaskCompleted
		said = "done: " + task.Title
		if !p.put(ctx, &task) {
			return ""
		}
	case what < 17:
		at := p.slot()
		title := fmt.Sprintf("Visit of %s (%d)", name, p.n)
		said = fmt.Sprintf("an appointment with %s on %s", name, at.Format("Mon 2 Jan, 15:04"))
		if !p.put(ctx, &pluvo.Appointment{ID: fmt.Sprintf("visit-%d", p.n), ContactID: c.ID, Title: title, Start: at, End: at.Add(30 * time.Minute), Status: pluvo.AppointmentConfirmed}) {
			return ""
		}
		p.made["appointment "+title] = email
	default:
		if len(full.Tasks) == 0 {
			return ""
		}
		task := full.Tasks[p.random.IntN(len(full.Tasks))]
		said = "deleted: " + task.Title
		if p.store.Delete(ctx, pluvo.KindTask, task.ID, pluvo.AnyVersion) != nil {
			return ""
		}
		delete(p.made, "task "+task.Title)
	}
	return said
}

// put writes what was read a moment ago; false if the sync was faster.
func (p *people) put(ctx context.Context, r pluvo.Record) bool {
	_, expect, err := p.store.Get(ctx, r.Kind(), r.Key())
	if err != nil {
		expect = pluvo.NoVersion
	}
	_, err = p.store.Put(ctx, r, expect)
	return err == nil
}

// clash changes the same field of a contact on both sides at once.
func (p *people) clash(ctx context.Context) string {
	email := oneOf(p.random, p.names)
	full := p.we(ctx, email)
	c, ok := p.they(email)
	if full == nil || !ok {
		return ""
	}
	theirs, ours := oneOf(p.random, demoFirst), oneOf(p.random, demoFirst)
	full.Contact.FirstName = ours
	if p.put(ctx, &full.Contact) {
		p.ours++
	}
	if _, err := p.client.Contacts.Update(ctx, c.ID, &ghl.ContactUpdate{FirstName: ghl.Some(theirs)}); err == nil {
		p.theirs++
	}
	p.changed()
	return fmt.Sprintf("both       %s is called %s in HighLevel and %s in Pluvo", c.FirstName, theirs, ours)
}

// missing is what was made and is not there in the end.
func (p *people) missing(c *comparison) []string {
	var list []string
	for _, email := range p.names {
		if !c.there["contact "+strings.ToLower(email)] {
			list = append(list, email)
		}
	}
	for made, owner := range p.made {
		kind, name, _ := strings.Cut(made, " ")
		if name = recordName(kind, owner, name); !c.there[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
