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
	{"Amelia", "Ortega", "Portland", "ME", "website", "Ortega Bakery", []string{"customer", "newsletter"}, 38, []string{"Pastry", "Travel"}},
	{"Benedikt", "Falk", "Boston", "MA", "referral", "", []string{"lead"}, 44, nil},
	{"Chiara", "Lombardi", "Providence", "RI", "website", "Lombardi Studio", []string{"customer", "vip"}, 37, []string{"Design"}},
	{"Dev", "Raman", "Hartford", "CT", "trade fair", "", []string{"lead", "newsletter"}, 42, nil},
	{"Esther", "Nyberg", "Burlington", "VT", "website", "Nyberg & Daughters", []string{"customer"}, 39, []string{"Gardening", "Music"}},
	{"Farid", "Haddad", "Concord", "NH", "phone", "", []string{"lead", "call back"}, 43, nil},
	{"Grace", "Oyelaran", "Albany", "NY", "referral", "Oyelaran Law", []string{"customer", "vip"}, 40, []string{"Running"}},
	{"Henrik", "Solberg", "Syracuse", "NY", "website", "", []string{"lead"}, 45, nil},
	{"Ines", "Cardoso", "Trenton", "NJ", "phone", "Cardoso Imports", []string{"customer", "newsletter"}, 36, []string{"Travel"}},
	{"Jonah", "Whitfield", "Scranton", "PA", "trade fair", "", []string{"lead", "newsletter"}, 41, nil},
	{"Keiko", "Tanabe", "Newark", "NJ", "website", "Tanabe Optics", []string{"customer"}, 37, []string{"Photography", "Music"}},
	{"Liam", "Doherty", "Portsmouth", "NH", "referral", "", []string{"lead", "call back"}, 43, nil},
}

// addDemoData fills the first location. It panics on invalid demo data.
func (s *state) addDemoData(now time.Time) {
	l := s.first
	today := midnight(now.In(l.zone))
	at := func(days, hour, minute int) time.Time { // a local time, some days from today
		y, m, d := today.AddDate(0, 0, days).Date()
		return time.Date(y, m, d, hour, minute, 0, 0, l.zone)
	}
	workday := func(days int) int { // that day, or the Monday after a weekend
		for at(days, 12, 0).Weekday() == time.Saturday || at(days, 12, 0).Weekday() == time.Sunday {
			days++
		}
		return days
	}
	users := []string{s.ids.id(), s.ids.id()}
	shoe := must(s.addCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"}))
	interests := must(s.addCustomField(ghl.CustomFieldDefinition{
		Name: "Interests", DataType: "MULTIPLE_OPTIONS",
		PicklistOptions: []string{"Design", "Gardening", "Music", "Pastry", "Photography", "Running", "Travel"},
	}))
	since := must(s.addCustomField(ghl.CustomFieldDefinition{Name: "Customer since", DataType: "DATE"}))
	consultation := must(s.addCalendar(ghl.Calendar{Name: "Consultation", IsActive: true, SlotDuration: 30, SlotDurationUnit: "mins"}))
	workshop := must(s.addCalendar(ghl.Calendar{Name: "Workshop", IsActive: true, SlotDuration: 2, SlotDurationUnit: "hours", AppointmentPerSlot: 6}))

	for i, person := range demoPeople {
		in := ghl.Contact{
			FirstName: person.first, LastName: person.last, Email: fmt.Sprintf("%s.%s@example.com", strings.ToLower(person.first), strings.ToLower(person.last)),
			Phone: fmt.Sprintf("+1202555%04d", 101+i), Address1: fmt.Sprintf("%d Maple Street", 12+i*7), City: person.city, State: person.state,
			Country: "US", PostalCode: fmt.Sprintf("0%04d", 4101+i*37), Source: person.source, CompanyName: person.company,
			AssignedTo: users[i%2], Tags: person.tags, DateAdded: timestamp(at(-3*(i+1), 10, 7*i%60)),
			DateOfBirth:  ghl.ParseTime(fmt.Sprintf("%d-%02d-%02d", 1961+3*i, 1+i, 2+2*i)),
			CustomFields: []ghl.CustomField{{ID: shoe.ID, Value: ghl.ValueOf(person.shoeSize)}},
		}
		if person.interests != nil {
			in.CustomFields = append(in.CustomFields, ghl.CustomField{ID: interests.ID, Value: ghl.ValueOf(person.interests)},
				ghl.CustomField{ID: since.ID, Value: ghl.ValueOf(time.Date(2016+i%8, time.Month(1+i), 15, 0, 0, 0, 0, time.UTC))})
		}
		c := must(s.addContact(in, now))

		must(s.addTask(ghl.Task{ContactID: c.ID, Title: "Call " + person.first, Body: "Ask how things are going.", AssignedTo: users[i%2], DueDate: timestamp(at(workday(1+i%4), 9, 30)), DateAdded: timestamp(at(-2, 8, 0))}, now))
		if i%2 == 0 {
			must(s.addTask(ghl.Task{ContactID: c.ID, Title: "Send the offer", AssignedTo: users[1-i%2], DueDate: timestamp(at(-1, 17, 0)), Completed: i%4 == 0, DateAdded: timestamp(at(-5, 8, 0))}, now))
		}
		must(s.addNote(ghl.Note{ContactID: c.ID, Title: "First contact", Body: fmt.Sprintf("<p>Found us by %s.</p>", person.source), UserID: users[i%2], DateAdded: timestamp(at(-3*(i+1), 11, 0))}, now))
		if i%3 == 0 {
			must(s.addNote(ghl.Note{ContactID: c.ID, Body: "Prefers to be called in the morning.", Pinned: true, UserID: users[i%2], DateAdded: timestamp(at(-1, 15, 45))}, now))
		}
		if i%2 == 0 {
			start := at(workday(2+i), 10+i%4, 0)
			must(s.addAppointment(ghl.Appointment{ContactID: c.ID, CalendarID: consultation.ID, Title: "Consultation with " + person.first, StartTime: ghl.NewTime(start), AssignedUserID: users[i%2], Address: "12 Harbor Road"}, now))
		}
		if i%4 == 0 {
			must(s.addAppointment(ghl.Appointment{ContactID: c.ID, CalendarID: workshop.ID, Title: "Spring workshop", StartTime: ghl.NewTime(at(workday(-14), 13, 0)), AppointmentStatus: ghl.AppointmentShowed, DateAdded: timestamp(at(-20, 9, 0))}, now))
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("ghltest: %v", err))
	}
	return v
}
