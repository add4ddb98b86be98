package webhook

import (
	"unicode/utf8"

	"github.com/pluvo/ghl"
)

// The functions of this file read the usual record in one pass. At the first property or value that is not usual they
// answer false, and the model's own UnmarshalJSON reads it all: the result is the same, which a fuzz test holds them to.

func fastContact(o object, c *ghl.Contact) bool {
	for _, f := range o.fields {
		if o.skips(f) {
			continue
		}
		ok := true
		switch string(f.key) {
		case "id":
			ok = readText(f, &c.ID)
		case "locationId":
			ok = readText(f, &c.LocationID)
		case "name":
			ok = readText(f, &c.Name)
		case "firstName":
			ok = readText(f, &c.FirstName)
		case "lastName":
			ok = readText(f, &c.LastName)
		case "email":
			ok = readText(f, &c.Email)
		case "phone":
			ok = readText(f, &c.Phone)
		case "address1":
			ok = readText(f, &c.Address1)
		case "city":
			ok = readText(f, &c.City)
		case "state":
			ok = readText(f, &c.State)
		case "postalCode":
			ok = readText(f, &c.PostalCode)
		case "country":
			ok = readText(f, &c.Country)
		case "timezone":
			ok = readText(f, &c.Timezone)
		case "website":
			ok = readText(f, &c.Website)
		case "companyName":
			ok = readText(f, &c.CompanyName)
		case "source":
			ok = readText(f, &c.Source)
		case "assignedTo":
			ok = readText(f, &c.AssignedTo)
		case "dnd":
			ok = readBool(f, &c.DND)
		case "dateAdded":
			ok = readTime(f, &c.DateAdded)
		case "dateOfBirth":
			ok = readTime(f, &c.DateOfBirth)
		case "tags":
			ok = readTexts(f, &c.Tags)
		case "attachments":
			ok = readTexts(f, &c.Attachments)
		case "customFields":
			ok = readCustomFields(f, &c.CustomFields)
		case "dndSettings":
			c.DNDSettings = new(ghl.DNDSettings)
			ok = isObject(f.value) && c.DNDSettings.UnmarshalJSON(f.value) == nil
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func fastTask(o object, t *ghl.Task) bool {
	for _, f := range o.fields {
		if o.skips(f) {
			continue
		}
		ok := true
		switch string(f.key) {
		case "id":
			ok = readText(f, &t.ID)
		case "locationId":
			ok = readText(f, &t.LocationID)
		case "contactId":
			ok = readText(f, &t.ContactID)
		case "title":
			ok = readText(f, &t.Title)
		case "body":
			ok = readText(f, &t.Body)
		case "assignedTo":
			ok = readText(f, &t.AssignedTo)
		case "completed":
			ok = readBool(f, &t.Completed)
		case "dateAdded":
			ok = readTime(f, &t.DateAdded)
		case "dueDate":
			ok = readTime(f, &t.DueDate)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func fastNote(o object, n *ghl.Note) bool {
	for _, f := range o.fields {
		if o.skips(f) {
			continue
		}
		ok := true
		switch string(f.key) {
		case "id":
			ok = readText(f, &n.ID)
		case "contactId":
			ok = readText(f, &n.ContactID)
		case "title":
			ok = readText(f, &n.Title)
		case "body":
			ok = readText(f, &n.Body)
		case "dateAdded":
			ok = readTime(f, &n.DateAdded)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func fastAppointment(o object, a *ghl.Appointment) bool {
	for _, f := range o.fields {
		if o.skips(f) {
			continue
		}
		ok := true
		switch string(f.key) {
		case "id":
			ok = readText(f, &a.ID)
		case "locationId":
			ok = readText(f, &a.LocationID)
		case "calendarId":
			ok = readText(f, &a.CalendarID)
		case "contactId":
			ok = readText(f, &a.ContactID)
		case "groupId":
			ok = readText(f, &a.GroupID)
		case "title":
			ok = readText(f, &a.Title)
		case "address":
			ok = readText(f, &a.Address)
		case "notes":
			ok = readText(f, &a.Notes)
		case "assignedUserId":
			ok = readText(f, &a.AssignedUserID)
		case "appointmentStatus":
			ok = readText(f, &a.AppointmentStatus)
		case "users":
			ok = readTexts(f, &a.Users)
		case "startTime":
			ok = readTime(f, &a.StartTime)
		case "endTime":
			ok = readTime(f, &a.EndTime)
		case "dateAdded":
			ok = readTime(f, &a.DateAdded)
		case "dateUpdated":
			ok = readTime(f, &a.DateUpdated)
		case "source": // the model has no such field
			keep(&a.Extra, f)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// plain returns the text between the quotes, if it stands for itself.
func plain(quoted []byte) ([]byte, bool) {
	if len(quoted) < 2 || quoted[0] != '"' {
		return nil, false
	}
	text, ascii := quoted[1:len(quoted)-1], true
	for _, c := range text {
		if c == '\\' {
			return nil, false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return text, ascii || utf8.Valid(text)
}

func readText[T ~string](f field, to *T) bool {
	if f.plain {
		*to = T(f.value[1 : len(f.value)-1])
		return true
	}
	text, ok := plain(f.value)
	*to = T(text)
	return ok
}

func readBool(f field, to *bool) bool {
	*to = string(f.value) == "true"
	return *to || string(f.value) == "false"
}

func readTime(f field, to *ghl.Time) bool {
	text, ok := plain(f.value)
	if !ok {
		return false
	}
	*to = ghl.ParseTime(string(text))
	return !to.IsZero()
}

func readTexts(f field, to *[]string) bool {
	list := []string{}
	ok := eachElement(f.value, func(value []byte) bool {
		text, ok := plain(value)
		list = append(list, string(text))
		return ok
	})
	*to = list
	return ok
}

func readCustomFields(f field, to *[]ghl.CustomField) bool {
	list := []ghl.CustomField{}
	ok := eachElement(f.value, func(value []byte) bool {
		list = append(list, ghl.CustomField{})
		return isObject(value) && list[len(list)-1].UnmarshalJSON(value) == nil
	})
	*to = list
	return ok
}

// eachElement calls f with each element of a JSON array until it answers false, and reports whether it was an array and f
// was content.
func eachElement(data []byte, f func(value []byte) bool) bool {
	s := scanner{data: data}
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for {
		value, ok := s.value()
		if !ok || !f(value) {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}
