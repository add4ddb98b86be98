package ghltest

import (
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

// Contacts returns the contacts of all locations, newest first within a location.
func (s *Server) Contacts() []ghl.Contact {
	return inspect(s, func(st *state) (list []*ghl.Contact) {
		for _, l := range st.inOrder() {
			for _, c := range l.contacts {
				list = append(list, &c.Contact)
			}
		}
		return list
	})
}

// Contact returns a contact by its id, and false if it does not exist.
func (s *Server) Contact(id string) (ghl.Contact, bool) {
	list := inspect(s, func(st *state) []*ghl.Contact {
		if c := st.contacts[id]; c != nil {
			return []*ghl.Contact{&c.Contact}
		}
		return nil
	})
	if len(list) == 0 {
		return ghl.Contact{}, false
	}
	return list[0], true
}

// Tasks returns the tasks of a contact in the order of their creation.
func (s *Server) Tasks(contactID string) []ghl.Task {
	return inspect(s, func(st *state) []*ghl.Task { return st.ofContact(contactID).tasks })
}

// Notes returns the notes of a contact in the order of their creation.
func (s *Server) Notes(contactID string) []ghl.Note {
	return inspect(s, func(st *state) []*ghl.Note { return st.ofContact(contactID).notes })
}

// Appointments returns the appointments of a contact, sorted by start.
func (s *Server) Appointments(contactID string) []ghl.Appointment {
	return inspect(s, func(st *state) (list []*ghl.Appointment) {
		for _, l := range st.inOrder() {
			for _, e := range l.events {
				if !e.blocked && e.ContactID == contactID {
					list = append(list, &e.Appointment)
				}
			}
		}
		return list
	})
}

// Locations returns the locations: the first location, then the others sorted by id.
func (s *Server) Locations() []ghl.Location {
	return inspect(s, func(st *state) (list []*ghl.Location) {
		for _, l := range st.inOrder() {
			list = append(list, &l.Location)
		}
		return list
	})
}

// Calendars returns the calendars of all locations in the order of their creation.
func (s *Server) Calendars() []ghl.Calendar {
	return inspect(s, func(st *state) (list []*ghl.Calendar) {
		for _, l := range st.inOrder() {
			for _, c := range l.calendars {
				list = append(list, &c.Calendar)
			}
		}
		return list
	})
}

// BlockedSlots returns the blocked slots of all locations, sorted by start.
func (s *Server) BlockedSlots() []ghl.Appointment {
	return inspect(s, func(st *state) (list []*ghl.Appointment) {
		for _, l := range st.inOrder() {
			for _, e := range l.events {
				if e.blocked {
					list = append(list, &e.Appointment)
				}
			}
		}
		return list
	})
}

// CustomFields returns the definitions of the custom fields of all locations.
func (s *Server) CustomFields() []ghl.CustomFieldDefinition {
	return inspect(s, func(st *state) (list []*ghl.CustomFieldDefinition) {
		for _, l := range st.inOrder() {
			list = append(list, l.customFields...)
		}
		return list
	})
}

// Tags returns the tags of all locations.
func (s *Server) Tags() []ghl.LocationTag {
	return inspect(s, func(st *state) (list []*ghl.LocationTag) {
		for _, l := range st.inOrder() {
			list = append(list, l.tags...)
		}
		return list
	})
}

// Opportunities returns the opportunities of a contact in the order of their creation.
func (s *Server) Opportunities(contactID string) []Opportunity {
	return inspect(s, func(st *state) []*Opportunity { return st.ofContact(contactID).opportunities })
}

// Campaigns returns the ids of a contact's campaigns.
func (s *Server) Campaigns(contactID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.ofContact(contactID).campaigns)
}

// Workflows returns the ids of a contact's workflows.
func (s *Server) Workflows(contactID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.ofContact(contactID).workflows)
}

func inspect[T any](s *Server, records func(*state) []*T) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []T
	for _, record := range records(s.state) {
		c, err := clone(*record)
		if err != nil {
			s.fail("a record cannot be copied: %v", err)
		}
		list = append(list, c)
	}
	return list
}

// ofContact returns a contact, or an empty one if it does not exist.
func (s *state) ofContact(id string) *contact {
	if c := s.contacts[id]; c != nil {
		return c
	}
	return new(contact)
}

// inOrder returns the first location, then the others sorted by id.
func (s *state) inOrder() []*location {
	list := []*location{s.first}
	for _, l := range s.locations {
		if l != s.first {
			list = append(list, l)
		}
	}
	slices.SortFunc(list[1:], func(a, b *location) int { return strings.Compare(a.ID, b.ID) })
	return list
}
