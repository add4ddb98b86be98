package ghltest

import (
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// demoPeople are fictional. Their phone numbers are reserved for fiction.
var demoPeople = []struct {
	first, last, city, state, source, company string
	tags                                      []string
	shoeSize                                  float64
	interests                                 []string
}{
	{"Amelia", "Ortega", "Portland", "ME", "website", "Ortega Bakery", []string{"customer", "newsletter"}, 38,
		[]string{"Pastry", "Travel"}},
	{"Benedikt", "Falk", "Boston", "MA", "referral", "", []string{"lead"}, 44, nil},
	{"Chiara", "Lombardi", "Providence", "RI", "website", "Lombardi Studio", []string{"customer", "vip"}, 37,
		[]string{"Design"}},
	{"Dev", "Raman", "Hartford", "CT", "trade fair", "", []string{"lead", "newsletter"}, 42, nil},
	{"Esther", "Nyberg", "Burlington", "VT", "website", "Nyberg & Daughters", []string{"customer"}, 39,
		[]string{"Gardening", "Music"}},
	{"Farid", "Haddad", "Concord", "NH", "phone", "", []string{"lead", "call back"}, 43, nil},
	{"Grace", "Oyelaran", "Albany", "NY", "referral", "Oyelaran Law", []string{"customer", "vip"}, 40,
		[]string{"Running"}},
	{"Henrik", "Solberg", "Syracuse", "NY", "website", "", []string{"lead"}, 45, nil},
	{"Ines", "Cardoso", "Trenton", "NJ", "phone", "Cardoso Imports", []string{"customer", "newsletter"}, 36,
		[]string{"Travel"}},
	{"Jonah", "Whitfield", "Scranton", "PA", "trade fair", "", []string{"lead", "newsletter"}, 41, nil},
	{"Keiko", "Tanabe", "Newark", "NJ", "website", "Tanabe Optics", []string{"customer"}, 37,
		[]string{"Photography", "Music"}},
	{"Liam", "Doherty", "Portsmouth", "NH", "referral", "", []string{"lead", "call back"}, 43, nil},
}

// demo adds the demo data to the first location.
type demo struct {
	*state
	now                    time.Time
	users                  []string
	shoe, interests, since *ghl.CustomFieldDefinition
	consultation, workshop *calendar
}

// addDemoData fills the first location. It panics on invalid demo data.
func (s *state) addDemoData(now time.Time) {
	d := &demo{state: s, now: now, users: []string{s.ids.id(), s.ids.id()}}
	d.shoe = must(s.addCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"}))
	d.interests = must(s.addCustomField(ghl.CustomFieldDefinition{
		Name: "Interests", DataType: "MULTIPLE_OPTIONS",
		PicklistOptions: []string{"Design", "Gardening", "Music", "Pastry", "Photography", "Running", "Travel"},
	}))
	d.since = must(s.addCustomField(ghl.CustomFieldDefinition{Name: "Customer since", DataType: "DATE"}))
	d.consultation = must(s.addCalendar(ghl.Calendar{
		Name: "Consultation", IsActive: true, SlotDuration: 30, SlotDurationUnit: "mins",
	}))
	d.workshop = must(s.addCalendar(ghl.Calendar{
		Name: "Workshop", IsActive: true, SlotDuration: 2, SlotDurationUnit: "hours", AppointmentPerSlot: 6,
	}))
	for i := range demoPeople {
		d.addRecords(i, d.addPerson(i))
	}
}

// at returns a local time, some days from today.
func (d *demo) at(days, hour, minute int) time.Time {
	year, month, day := d.now.In(d.first.zone).AddDate(0, 0, days).Date()
	return time.Date(year, month, day, hour, minute, 0, 0, d.first.zone)
}

// workday returns days, or the days until the Monday after a weekend.
func (d *demo) workday(days int) int {
	for d.at(days, 12, 0).Weekday() == time.Saturday || d.at(days, 12, 0).Weekday() == time.Sunday {
		days++
	}
	return days
}

func (d *demo) addPerson(i int) *contact {
	person := &demoPeople[i]
	in := ghl.Contact{
		FirstName: person.first, LastName: person.last, CompanyName: person.company, Source: person.source,
		Email: fmt.Sprintf("%s.%s@example.com", strings.ToLower(person.first), strings.ToLower(person.last)),
		Phone: fmt.Sprintf("+1202555%04d", 101+i), Address1: fmt.Sprintf("%d Maple Street", 12+i*7),
		City: person.city, State: person.state, Country: "US", PostalCode: fmt.Sprintf("0%04d", 4101+i*37),
		AssignedTo: d.users[i%2], Tags: person.tags, DateAdded: timestamp(d.at(-3*(i+1), 10, 7*i%60)),
		DateOfBirth:  ghl.ParseTime(fmt.Sprintf("%d-%02d-%02d", 1961+3*i, 1+i, 2+2*i)),
		CustomFields: []ghl.CustomField{{ID: d.shoe.ID, Value: ghl.ValueOf(person.shoeSize)}},
	}
	if person.interests != nil {
		day := time.Date(2016+i%8, time.Month(1+i), 15, 0, 0, 0, 0, time.UTC)
		in.CustomFields = append(in.CustomFields,
			ghl.CustomField{ID: d.interests.ID, Value: ghl.ValueOf(person.interests)},
			ghl.CustomField{ID: d.since.ID, Value: ghl.ValueOf(day)})
	}
	return must(d.addContact(in, d.now))
}

// addRecords adds the tasks, notes and appointments of a person.
func (d *demo) addRecords(i int, c *contact) {
	user, otherUser := d.users[i%2], d.users[1-i%2]
	must(d.addTask(ghl.Task{
		ContactID: c.ID, Title: "Call " + c.FirstName, Body: "Ask how things are going.", AssignedTo: user,
		DueDate: timestamp(d.at(d.workday(1+i%4), 9, 30)), DateAdded: timestamp(d.at(-2, 8, 0)),
	}, d.now))
	if i%2 == 0 {
		must(d.addTask(ghl.Task{
			ContactID: c.ID, Title: "Send the offer", AssignedTo: otherUser, Completed: i%4 == 0,
			DueDate: timestamp(d.at(-1, 17, 0)), DateAdded: timestamp(d.at(-5, 8, 0)),
		}, d.now))
	}
	must(d.addNote(ghl.Note{
		ContactID: c.ID, Title: "First contact", Body: fmt.Sprintf("<p>Found us by %s.</p>", c.Source),
		UserID: user, DateAdded: timestamp(d.at(-3*(i+1), 11, 0)),
	}, d.now))
	if i%3 == 0 {
		must(d.addNote(ghl.Note{
			ContactID: c.ID, Body: "Prefers to be called in the morning.", Pinned: true,
			UserID: user, DateAdded: timestamp(d.at(-1, 15, 45)),
		}, d.now))
	}
	if i%2 == 0 {
		must(d.addAppointment(ghl.Appointment{
			ContactID: c.ID, CalendarID: d.consultation.ID, Title: "Consultation with " + c.FirstName,
			StartTime: ghl.NewTime(d.at(d.workday(2+i), 10+i%4, 0)), AssignedUserID: user, Address: "12 Harbor Road",
		}, d.now))
	}
	if i%4 == 0 {
		must(d.addAppointment(ghl.Appointment{
			ContactID: c.ID, CalendarID: d.workshop.ID, Title: "Spring workshop",
			StartTime: ghl.NewTime(d.at(d.workday(-14), 13, 0)), AppointmentStatus: ghl.AppointmentShowed,
			DateAdded: timestamp(d.at(-20, 9, 0)),
		}, d.now))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("ghltest: %v", err))
	}
	return v
}
