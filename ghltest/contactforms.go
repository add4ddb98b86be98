package ghltest

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// A contact is written in three forms: by its id, in lists and in searches.

type plainContact ghl.Contact

// contactForm has the properties that are written even when they are empty, and those that only some forms have.
type contactForm struct {
	*plainContact
	Tags         []string          `json:"tags"`
	CustomFields []ghl.CustomField `json:"customFields"`
	Followers    []string          `json:"followers"`
	DateOfBirth  any               `json:"dateOfBirth"`
}

func (c *contact) form() (*plainContact, contactForm) {
	p := plainContact(c.Contact)
	p.Name, p.ContactName = "", ""
	p.FirstNameLowerCase, p.LastNameLowerCase, p.FullNameLowerCase, p.EmailLowerCase = "", "", "", ""
	f := contactForm{plainContact: &p, Tags: orEmpty(c.Tags), CustomFields: orEmpty(c.CustomFields), Followers: orEmpty(c.Followers)}
	if !c.DateOfBirth.IsZero() {
		f.DateOfBirth = c.DateOfBirth.In(time.UTC).Format("2006-01-02T15:04:05.000Z")
	}
	return &p, f
}

// byID is the form of the endpoints that are about one contact.
func byID(c *contact) any {
	p, f := c.form()
	p.Name = c.fullName()
	p.FirstNameLowerCase, p.LastNameLowerCase = strings.ToLower(c.FirstName), strings.ToLower(c.LastName)
	p.FullNameLowerCase, p.EmailLowerCase = strings.ToLower(p.Name), strings.ToLower(c.Email)
	return extend(f, c.Extra)
}

type listForm struct {
	contactForm
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	FirstNameRaw string `json:"firstNameRaw"`
	LastNameRaw  string `json:"lastNameRaw"`
	StartAfter   [2]any `json:"startAfter"`
}

// inList is the form of lists, which put names in lower case and keep the original beside them.
func inList(c *contact) any {
	p, f := c.form()
	p.ContactName = c.fullName()
	return extend(listForm{
		contactForm: f, FirstName: strings.ToLower(c.FirstName), LastName: strings.ToLower(c.LastName),
		FirstNameRaw: c.FirstName, LastNameRaw: c.LastName, StartAfter: [2]any{c.added, c.ID},
	}, c.Extra)
}

type searchForm struct {
	contactForm
	Address     string `json:"address,omitempty"`
	SearchAfter []any  `json:"searchAfter"`
}

// inSearch is the form of searches: the street is address, a birthday is milliseconds since 1970.
func inSearch(c *contact, after []any) any {
	p, f := c.form()
	p.ContactName = c.fullName()
	p.FirstNameLowerCase, p.LastNameLowerCase = strings.ToLower(c.FirstName), strings.ToLower(c.LastName)
	p.Address1 = ""
	if !c.DateOfBirth.IsZero() {
		f.DateOfBirth = c.DateOfBirth.In(time.UTC).UnixMilli()
	}
	return extend(searchForm{contactForm: f, Address: c.Address1, SearchAfter: after}, c.Extra)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
