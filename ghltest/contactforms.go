package ghltest

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// A contact has three forms: by its id, in a list and in a search.

type plainContact ghl.Contact

// contactForm adds to a contact the properties that are sent even when they are empty, and those that only some forms
// have.
type contactForm struct {
	*plainContact
	Tags         []string          `json:"tags"`
	CustomFields []ghl.CustomField `json:"customFields"`
	Followers    []string          `json:"followers"`
	DateOfBirth  any               `json:"dateOfBirth"`
	DNDSettings  any               `json:"dndSettings,omitempty"`
}

func (c *contact) form(v3 bool) (*plainContact, contactForm) {
	p := plainContact(c.Contact)
	p.Name, p.ContactName = "", ""
	p.FirstNameLowerCase, p.LastNameLowerCase, p.FullNameLowerCase, p.EmailLowerCase = "", "", "", ""
	f := contactForm{
		plainContact: &p, Tags: orEmpty(c.Tags), CustomFields: orEmpty(c.CustomFields), Followers: orEmpty(c.Followers),
	}
	if !c.DateOfBirth.IsZero() {
		f.DateOfBirth = c.DateOfBirth.In(time.UTC).Format("2006-01-02T15:04:05.000Z")
	}
	switch {
	case c.DNDSettings == nil:
	case v3:
		f.DNDSettings = dndV3(*c.DNDSettings)
	default:
		f.DNDSettings = c.DNDSettings
	}
	return &p, f
}

// dndV3 has v3's names of the channels.
type dndV3 struct {
	Call     *ghl.DNDSetting `json:"call,omitempty"`
	Email    *ghl.DNDSetting `json:"email,omitempty"`
	SMS      *ghl.DNDSetting `json:"sms,omitempty"`
	WhatsApp *ghl.DNDSetting `json:"whatsApp,omitempty"`
	GMB      *ghl.DNDSetting `json:"gmb,omitempty"`
	FB       *ghl.DNDSetting `json:"fb,omitempty"`
	RCS      *ghl.DNDSetting `json:"rcs,omitempty"`
	All      *ghl.DNDSetting `json:"all,omitempty"`
	Extra    ghl.Extra       `json:"-"`
}

// byID returns a contact in the form of the endpoints for one contact.
func (c *call) byID(of *contact) any { return extend(of.byID(c.v3), of.Extra) }

func (c *contact) byID(v3 bool) contactForm {
	p, f := c.form(v3)
	p.Attributions = nil // only lists have them
	p.Name = c.fullName()
	p.FirstNameLowerCase, p.LastNameLowerCase = strings.ToLower(c.FirstName), strings.ToLower(c.LastName)
	p.FullNameLowerCase, p.EmailLowerCase = strings.ToLower(p.Name), strings.ToLower(c.Email)
	return f
}

// asCreated returns a contact in the form of the answer to a create, the same in both versions.
func asCreated(c *contact) any {
	return extend(struct {
		contactForm
		Deleted               bool     `json:"deleted"`
		BounceEmail           bool     `json:"bounceEmail"`
		UnsubscribeEmail      bool     `json:"unsubscribeEmail"`
		LastSessionActivityAt ghl.Time `json:"lastSessionActivityAt"`
		Offers                []string `json:"offers"`
		Products              []string `json:"products"`
	}{contactForm: c.byID(false), LastSessionActivityAt: c.DateAdded, Offers: []string{},
		Products: []string{}}, c.Extra)
}

// removeByIDOnly removes the properties that lists and searches do not have.
func (p *plainContact) removeByIDOnly() {
	p.SSN, p.Keyword, p.VisitorID, p.Gender = "", "", "", ""
	p.Attachments, p.AttributionSource, p.LastAttributionSource = nil, nil, nil
}

type listForm struct {
	contactForm
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	FirstNameRaw string `json:"firstNameRaw"`
	LastNameRaw  string `json:"lastNameRaw"`
	StartAfter   [2]any `json:"startAfter"`
}

// inList returns a contact in the form of lists: names in lower case, the original names in properties of their own.
func (c *call) inList(of *contact) any { return of.inList(c.v3) }

func (c *contact) inList(v3 bool) any {
	p, f := c.form(v3)
	p.removeByIDOnly()
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

// inSearch returns a contact in the form of searches: the street is address, a birthday is in milliseconds since 1970.
func (c *contact) inSearch(v3 bool, after []any) any {
	p, f := c.form(v3)
	p.removeByIDOnly()
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
