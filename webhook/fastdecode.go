package webhook

import (
	"unicode/utf8"

	"github.com/pluvo/ghl"
)

// The functions of this file read the usual record in one pass. At the first property or value that is not usual they
// answer false, and the model's own UnmarshalJSON reads it all: the result is the same, which a fuzz test holds them to.

func fastContact(o object, c *ghl.Contact) bool {
	return o.eachOfRecord(func(f field) bool {
		switch string(f.key) {
		case "id":
			return readText(f, &c.ID)
		case "locationId":
			return readText(f, &c.LocationID)
		case "name":
			return readText(f, &c.Name)
		case "firstName":
			return readText(f, &c.FirstName)
		case "lastName":
			return readText(f, &c.LastName)
		case "email":
			return readText(f, &c.Email)
		case "phone":
			return readText(f, &c.Phone)
		case "address1":
			return readText(f, &c.Address1)
		case "city":
			return readText(f, &c.City)
		case "state":
			return readText(f, &c.State)
		case "postalCode":
			return readText(f, &c.PostalCode)
		case "country":
			return readText(f, &c.Country)
		case "timezone":
			return readText(f, &c.Timezone)
		case "website":
			return readText(f, &c.Website)
		case "companyName":
			return readText(f, &c.CompanyName)
		case "source":
			return readText(f, &c.Source)
		case "assignedTo":
			return readText(f, &c.AssignedTo)
		case "dnd":
			return readBool(f, &c.DND)
		case "dateAdded":
			return readTime(f, &c.DateAdded)
		case "dateOfBirth":
			return readTime(f, &c.DateOfBirth)
		case "tags":
			return readTexts(f, &c.Tags)
		case "attachments":
			return readTexts(f, &c.Attachments)
		case "customFields":
			return readCustomFields(f, &c.CustomFields)
		case "dndSettings":
			c.DNDSettings = new(ghl.DNDSettings)
			return isObject(f.value) && c.DNDSettings.UnmarshalJSON(f.value) == nil
		}
		return false
	})
}

func fastTask(o object, t *ghl.Task) bool {
	return o.eachOfRecord(func(f field) bool {
		switch string(f.key) {
		case "id":
			return readText(f, &t.ID)
		case "locationId":
			return readText(f, &t.LocationID)
		case "contactId":
			return readText(f, &t.ContactID)
		case "title":
			return readText(f, &t.Title)
		case "body":
			return readText(f, &t.Body)
		case "assignedTo":
			return readText(f, &t.AssignedTo)
		case "completed":
			return readBool(f, &t.Completed)
		case "dateAdded":
			return readTime(f, &t.DateAdded)
		case "dueDate":
			return readTime(f, &t.DueDate)
		}
		return false
	})
}

func fastNote(o object, n *ghl.Note) bool {
	return o.eachOfRecord(func(f field) bool {
		switch string(f.key) {
		case "id":
			return readText(f, &n.ID)
		case "contactId":
			return readText(f, &n.ContactID)
		case "title":
			return readText(f, &n.Title)
		case "body":
			return readText(f, &n.Body)
		case "dateAdded":
			return readTime(f, &n.DateAdded)
		}
		return false
	})
}

func fastAppointment(o object, a *ghl.Appointment) bool {
	return o.eachOfRecord(func(f field) bool {
		switch string(f.key) {
		case "id":
			return readText(f, &a.ID)
		case "locationId":
			return readText(f, &a.LocationID)
		case "calendarId":
			return readText(f, &a.CalendarID)
		case "contactId":
			return readText(f, &a.ContactID)
		case "groupId":
			return readText(f, &a.GroupID)
		case "title":
			return readText(f, &a.Title)
		case "address":
			return readText(f, &a.Address)
		case "notes":
			return readText(f, &a.Notes)
		case "assignedUserId":
			return readText(f, &a.AssignedUserID)
		case "appointmentStatus":
			return readText(f, &a.AppointmentStatus)
		case "users":
			return readTexts(f, &a.Users)
		case "startTime":
			return readTime(f, &a.StartTime)
		case "endTime":
			return readTime(f, &a.EndTime)
		case "dateAdded":
			return readTime(f, &a.DateAdded)
		case "dateUpdated":
			return readTime(f, &a.DateUpdated)
		case "source": // the model has no such field
			keep(&a.Extra, f)
			return true
		}
		return false
	})
}

// eachOfRecord calls read with each property of the record until it answers false, and reports whether it never did.
func (o object) eachOfRecord(read func(field) bool) bool {
	for _, f := range o.fields {
		if !o.skips(f) && !read(f) {
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
