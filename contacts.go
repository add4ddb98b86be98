package ghl

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// ContactsService reaches the contacts of a location.
type ContactsService service

// Contact is a person or company in a location. Which fields are filled depends on the endpoint: a contact read by its id
// has the most, one from a list or search some others.
//
// Names: lists send firstName and lastName in lower case with the original beside them; FirstName and LastName hold the
// original here. A search sends the street as address; it is in Address1 here.
type Contact struct {
	ID         string `json:"id"`
	LocationID string `json:"locationId,omitempty"`
	// Name is the full name; ContactName is the same in lists and searches.
	Name        string `json:"name,omitempty"`
	ContactName string `json:"contactName,omitempty"`
	FirstName   string `json:"firstName,omitempty"`
	LastName    string `json:"lastName,omitempty"`

	FirstNameLowerCase string `json:"firstNameLowerCase,omitempty"`
	LastNameLowerCase  string `json:"lastNameLowerCase,omitempty"`
	FullNameLowerCase  string `json:"fullNameLowerCase,omitempty"`

	Email            string            `json:"email,omitempty"`
	EmailLowerCase   string            `json:"emailLowerCase,omitempty"`
	AdditionalEmails []AdditionalEmail `json:"additionalEmails,omitempty"` // cannot be written
	// Phone is in E.164, such as "+18005550100".
	Phone            string            `json:"phone,omitempty"`
	AdditionalPhones []AdditionalPhone `json:"additionalPhones,omitempty"` // cannot be written

	Address1   string `json:"address1,omitempty" also:"address"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	// Country is a two-letter code, such as "US".
	Country string `json:"country,omitempty"`
	// Timezone is an IANA name, such as "America/Chicago".
	Timezone string `json:"timezone,omitempty"`
	Website  string `json:"website,omitempty"`

	CompanyName  string `json:"companyName,omitempty"`
	BusinessID   string `json:"businessId,omitempty"`
	BusinessName string `json:"businessName,omitempty"`
	// Type is such as "lead" or "customer".
	Type    string `json:"type,omitempty"`
	Source  string `json:"source,omitempty"`
	Gender  string `json:"gender,omitempty"`
	SSN     string `json:"ssn,omitempty"`
	Keyword string `json:"keyword,omitempty"`
	// AssignedTo is the id of the user who owns the contact.
	AssignedTo string   `json:"assignedTo,omitempty"`
	Followers  []string `json:"followers,omitempty"` // user ids
	// Tags are in lower case.
	Tags         []string      `json:"tags,omitempty"`
	CustomFields []CustomField `json:"customFields,omitempty"`
	Attachments  []string      `json:"attachments,omitempty"`

	// DND is "do not disturb" on every channel; DNDSettings says it for each.
	DND                bool                `json:"dnd,omitempty"`
	DNDSettings        *DNDSettings        `json:"dndSettings,omitempty"`
	InboundDNDSettings *InboundDNDSettings `json:"inboundDndSettings,omitempty"`
	BounceEmail        bool                `json:"bounceEmail,omitempty"`
	UnsubscribeEmail   bool                `json:"unsubscribeEmail,omitempty"`
	// ValidEmail and IsValidWhatsApp are nil when unknown.
	ValidEmail      *bool `json:"validEmail,omitempty"`
	IsValidWhatsApp *bool `json:"isValidWhatsapp,omitempty"`

	// DateOfBirth is mostly a date without a zone.
	DateOfBirth           Time `json:"dateOfBirth,omitzero"`
	BirthMonth            int  `json:"birthMonth,omitempty"`
	BirthDay              int  `json:"birthDay,omitempty"`
	DateAdded             Time `json:"dateAdded,omitzero"`
	DateUpdated           Time `json:"dateUpdated,omitzero"`
	LastActivity          Time `json:"lastActivity,omitzero"`
	LastSessionActivityAt Time `json:"lastSessionActivityAt,omitzero"`

	AttributionSource     *Attribution   `json:"attributionSource,omitempty"`
	LastAttributionSource *Attribution   `json:"lastAttributionSource,omitempty"`
	Attributions          []*Attribution `json:"attributions,omitempty"`
	VisitorID             string         `json:"visitorId,omitempty"`
	Offers                []string       `json:"offers,omitempty"`
	Products              []string       `json:"products,omitempty"`
	Deleted               bool           `json:"deleted,omitempty"`

	// Cursor is the contact's place in the list or search it came from: give it as After to go on behind it. It is "" on
	// a contact that was read otherwise.
	Cursor Cursor `json:"-"`
	Extra  Extra  `json:"-"`
}

// AdditionalEmail is a further e-mail address of a contact.
type AdditionalEmail struct {
	Email string `json:"email,omitempty"`
	Extra Extra  `json:"-"`
}

// UnmarshalJSON reads the address as an object or as a text.
func (a *AdditionalEmail) UnmarshalJSON(data []byte) error {
	if text, ok := lenient.Scalar(data); ok {
		*a = AdditionalEmail{Email: text}
		return nil
	}
	return lenient.Unmarshal(data, a)
}

// AdditionalPhone is a further phone number of a contact.
type AdditionalPhone struct {
	Phone      string `json:"phone,omitempty"`
	PhoneLabel string `json:"phoneLabel,omitempty"`
	Extra      Extra  `json:"-"`
}

// UnmarshalJSON reads the number as an object or as a text.
func (a *AdditionalPhone) UnmarshalJSON(data []byte) error {
	if text, ok := lenient.Scalar(data); ok {
		*a = AdditionalPhone{Phone: text}
		return nil
	}
	return lenient.Unmarshal(data, a)
}

// Attribution says where a contact came from.
type Attribution struct {
	URL        string `json:"url,omitempty"`
	Campaign   string `json:"campaign,omitempty"`
	UTMSource  string `json:"utmSource,omitempty"`
	UTMMedium  string `json:"utmMedium,omitempty"`
	UTMContent string `json:"utmContent,omitempty"`
	Referrer   string `json:"referrer,omitempty"`
	CampaignID string `json:"campaignId,omitempty"`
	FBCLID     string `json:"fbclid,omitempty"`
	GCLID      string `json:"gclid,omitempty"`
	MSCLKID    string `json:"msclikid,omitempty"` // the vendor's spelling
	DCLID      string `json:"dclid,omitempty"`
	FBC        string `json:"fbc,omitempty"`
	FBP        string `json:"fbp,omitempty"`
	FBEventID  string `json:"fbEventId,omitempty"`
	UserAgent  string `json:"userAgent,omitempty"`
	IP         string `json:"ip,omitempty"`
	Medium     string `json:"medium,omitempty"`
	MediumID   string `json:"mediumId,omitempty"`
	Extra      Extra  `json:"-"`
}

// DNDStatus is whether a channel may be used.
type DNDStatus string

// The states of "do not disturb". Active means that the contact must not be disturbed.
const (
	DNDActive    DNDStatus = "active"
	DNDInactive  DNDStatus = "inactive"
	DNDPermanent DNDStatus = "permanent"
)

// DNDSetting is "do not disturb" on one channel.
type DNDSetting struct {
	Status  DNDStatus `json:"status"`
	Message string    `json:"message,omitempty"`
	Code    string    `json:"code,omitempty"`
}

// DNDSettings is "do not disturb" for each channel; nil where nothing is set. VersionV3 writes the names in lower case, which
// is done for you.
type DNDSettings struct {
	Call     *DNDSetting `json:"Call,omitempty"`
	Email    *DNDSetting `json:"Email,omitempty"`
	SMS      *DNDSetting `json:"SMS,omitempty"`
	WhatsApp *DNDSetting `json:"WhatsApp,omitempty"`
	GMB      *DNDSetting `json:"GMB,omitempty"`
	FB       *DNDSetting `json:"FB,omitempty"`
	RCS      *DNDSetting `json:"RCS,omitempty"` // undocumented, but live
	Extra    Extra       `json:"-"`
}

// dndSettings2021 and dndSettingsV3 are what is sent: without the Extra, which the API would refuse.
type dndSettings2021 DNDSettings

type dndSettingsV3 struct {
	Call     *DNDSetting `json:"call,omitempty"`
	Email    *DNDSetting `json:"email,omitempty"`
	SMS      *DNDSetting `json:"sms,omitempty"`
	WhatsApp *DNDSetting `json:"whatsApp,omitempty"`
	GMB      *DNDSetting `json:"gmb,omitempty"`
	FB       *DNDSetting `json:"fb,omitempty"`
	RCS      *DNDSetting `json:"rcs,omitempty"`
	Extra    Extra       `json:"-"`
}

// InboundDNDSettings is whether the contact may write to the location.
type InboundDNDSettings struct {
	All   *InboundDNDSetting `json:"all,omitempty"`
	Extra Extra              `json:"-"`
}

// InboundDNDSetting is "do not disturb" for what the contact writes. Its Status is [DNDActive] or [DNDInactive].
type InboundDNDSetting struct {
	Status  DNDStatus `json:"status"`
	Message string    `json:"message,omitempty"`
}

// contactWire is a contact with the names that only some endpoints use.
type contactWire struct {
	*plainContact
	FirstNameRaw string          `json:"firstNameRaw"`
	LastNameRaw  string          `json:"lastNameRaw"`
	SearchAfter  json.RawMessage `json:"searchAfter"`
	StartAfter   json.RawMessage `json:"startAfter"`
}

type plainContact Contact

// UnmarshalJSON reads a contact in any of the forms of the API.
func (c *Contact) UnmarshalJSON(data []byte) error {
	*c = Contact{}
	w := contactWire{plainContact: (*plainContact)(c)}
	if err := lenient.Fill(data, &w); err != nil {
		return err
	}
	c.FirstName = cmp.Or(w.FirstNameRaw, c.FirstName)
	c.LastName = cmp.Or(w.LastNameRaw, c.LastName)
	c.Cursor = cmp.Or(cursorOf(w.SearchAfter), cursorOf(w.StartAfter))
	if c.Cursor == "" && len(w.SearchAfter) > 0 && string(w.SearchAfter) != "null" {
		c.Extra.put("searchAfter", w.SearchAfter)
	}
	return nil
}

// MarshalJSON writes the contact with its Extra, and its Cursor under the name that a search gives it.
func (c Contact) MarshalJSON() ([]byte, error) {
	if c.Cursor != "" && c.Cursor.check() == nil {
		c.Extra = maps.Clone(c.Extra)
		c.Extra.put("searchAfter", []byte(c.Cursor))
	}
	return lenient.Marshal(&c)
}

// Get reads a contact: GET /contacts/{contactId}, scope contacts.readonly. A contact that does not exist is [ErrNotFound].
func (s *ContactsService) Get(ctx context.Context, contactID string, opts ...CallOption) (*Contact, error) {
	return one[Contact](ctx, s.client, request{op: opContactsGet, path: []string{contactID}}, opts)
}

// FindDuplicate finds the contact that a new one would collide with: GET /contacts/search/duplicate, scope
// contacts.readonly. It is [ErrNotFound] when there is none.
func (s *ContactsService) FindDuplicate(ctx context.Context, q DuplicateQuery, opts ...CallOption) (*Contact, error) {
	r := request{op: opContactsFindDuplicate, query: q.values()}
	var found *Contact
	none := &Error{Operation: r.op.Name, Message: "there is no such contact", categories: notFound}
	err := s.client.do(ctx, r, func(k *call, body []byte) error {
		if err := checkObject(body); err != nil {
			return err
		}
		if string(field(body, k.op.answer)) == "null" {
			none.Status, none.Attempts, none.TraceID = k.status, k.attempts, traceID(body)
			return nil
		}
		value, err := promisedRecord(body, k.op.answer)
		if err != nil {
			return err
		}
		found = new(Contact)
		return found.UnmarshalJSON(value)
	}, append([]CallOption{checked(q)}, opts...))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, none
	}
	return found, nil
}

// DuplicateQuery says what to look for: an e-mail, a phone number or both.
type DuplicateQuery struct{ Email, Phone string }

func (q DuplicateQuery) check() error {
	if q.Email == "" && q.Phone == "" {
		return badInputf("Email", "a duplicate is looked for by Email or Phone")
	}
	return nil
}

func (q DuplicateQuery) values() url.Values {
	v := url.Values{}
	setIf(v, "email", q.Email)
	setIf(v, "number", q.Phone)
	return v
}

// Create makes a contact: POST /contacts/, scope contacts.write. It needs an e-mail, a phone or a name. If the location
// allows no duplicates and there is one, the error is [ErrDuplicateContact] and [Error.Duplicate] says which.
//
// A create is not repeated when its outcome is unknown ([ErrAmbiguous]); [CallReadBack] looks for the contact then.
func (s *ContactsService) Create(ctx context.Context, in *ContactCreate, opts ...CallOption) (*Contact, error) {
	var sent time.Time
	contact, err := one[Contact](ctx, s.client, request{op: opContactsCreate, in: in}, sentAt(&sent, opts))
	if err != nil && in != nil && (in.Email != "" || in.Phone != "") {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Contact, error) {
			return s.findCreated(ctx, in, sent, opts)
		})
	}
	return contact, err
}

// Update changes a contact: PUT /contacts/{contactId}, scope contacts.write. Only the fields that are set are sent.
//
// Tags, if set, replace all tags of the contact, those too that somebody else has just added: use [TagsService.Add] and
// [TagsService.Remove] to change some. CompanyName, gender and location cannot be changed, for the API refuses them here.
func (s *ContactsService) Update(ctx context.Context, contactID string, in *ContactUpdate, opts ...CallOption) (*Contact, error) {
	return one[Contact](ctx, s.client, request{op: opContactsUpdate, path: []string{contactID}, in: in}, opts)
}

// Upsert changes the contact that has the e-mail or phone, or makes one: POST /contacts/upsert, scope contacts.write. Which
// identifier decides is a setting of the location; when they belong to two contacts, the API uses one and drops the other
// in silence, so compare what comes back. Tags, if set, replace all tags, see [ContactsService.Update].
//
// It is not repeated when its outcome is unknown ([ErrAmbiguous]), for two at once can make two contacts.
func (s *ContactsService) Upsert(ctx context.Context, in *ContactUpsert, opts ...CallOption) (*UpsertResult, error) {
	return whole[UpsertResult](ctx, s.client, request{op: opContactsUpsert, in: in}, opts)
}

// UpsertResult is the answer to an upsert.
type UpsertResult struct {
	Contact *Contact `json:"contact"`
	// New is true if the contact was made, false if it was there.
	New     bool   `json:"new"`
	TraceID string `json:"traceId,omitempty"`
	Extra   Extra  `json:"-"`
}

// UnmarshalJSON reads the result. Without a contact it is an error.
func (r *UpsertResult) UnmarshalJSON(data []byte) error {
	if err := lenient.Unmarshal(data, r); err != nil {
		return err
	}
	if r.Contact == nil || r.Contact.ID == "" {
		return &badAnswerError{"the answer has no contact"}
	}
	return nil
}

// Delete deletes a contact: DELETE /contacts/{contactId}, scope contacts.write. One that does not exist is [ErrNotFound],
// except when this call itself may have deleted it in an earlier attempt.
func (s *ContactsService) Delete(ctx context.Context, contactID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opContactsDelete, path: []string{contactID}}, opts)
}

// SetBusiness puts contacts into a business, or takes them out of theirs: POST /contacts/bulk/business, scope
// contacts.write.
func (s *ContactsService) SetBusiness(ctx context.Context, in *BusinessUpdate, opts ...CallOption) (*BusinessUpdateResult, error) {
	return whole[BusinessUpdateResult](ctx, s.client, request{op: opContactsSetBusiness, in: in}, opts)
}

// BusinessUpdate says which contacts belong to which business.
type BusinessUpdate struct {
	ContactIDs []string
	// BusinessID "" takes the contacts out of their business.
	BusinessID string
}

func (u *BusinessUpdate) check() error {
	if u == nil {
		return badInputf("BusinessUpdate", "nothing to update")
	}
	if u.BusinessID != "" {
		if err := checkID("BusinessID", u.BusinessID); err != nil {
			return err
		}
	}
	return checkIDs("ContactIDs", u.ContactIDs)
}

func (u *BusinessUpdate) wire(to target) any {
	body := struct {
		LocationID string   `json:"locationId"`
		IDs        []string `json:"ids"`
		BusinessID *string  `json:"businessId"`
	}{to.location, u.ContactIDs, nil}
	if u.BusinessID != "" {
		body.BusinessID = &u.BusinessID
	}
	return body
}

// BusinessUpdateResult lists the contacts that were changed.
type BusinessUpdateResult struct {
	Success    bool     `json:"success"`
	ContactIDs []string `json:"ids"`
	Extra      Extra    `json:"-"`
}

// ListContactsOptions chooses a page of a list. The zero value is the first page of 20.
type ListContactsOptions struct {
	// Limit is the size of a page, 1 to 100; 0 leaves it to the server, which takes 20.
	Limit int
	// Query is text to look for in names, e-mails and phone numbers.
	Query string
	// After continues behind a cursor: [ContactPage.Next], or the [Contact.Cursor] of a contact.
	After Cursor
}

func (o *ListContactsOptions) check() error {
	if o.Limit < 0 || o.Limit > 100 {
		return badInputf("Limit", "a page holds 1 to 100 contacts")
	}
	_, err := o.After.pair()
	return err
}

// ContactPage is a page of a list of contacts.
type ContactPage struct {
	Contacts []*Contact
	// Total is how many there are on all pages.
	Total int
	// Next continues behind this page; "" on the last one. It may be stored.
	Next Cursor
}

// List reads one page of the location's contacts, newest first: GET /contacts/, scope contacts.readonly. o may be nil.
//
// HighLevel calls this endpoint deprecated in favour of [ContactsService.Search]; unlike a search, it sees every change at
// once.
func (s *ContactsService) List(ctx context.Context, o *ListContactsOptions, opts ...CallOption) (*ContactPage, error) {
	o = orZero(o)
	q := url.Values{}
	setIf(q, "query", o.Query)
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if after, err := o.After.pair(); err == nil && o.After != "" { // both, or the server gives page one for ever
		q.Set("startAfter", after[0])
		q.Set("startAfterId", after[1])
	}
	page, _, err := s.page(ctx, request{op: opContactsList, query: q}, append([]CallOption{checked(o)}, opts...))
	return page, err
}

// page reads a page of contacts. size counts what is on it, also what is no record.
func (s *ContactsService) page(ctx context.Context, r request, opts []CallOption) (page *ContactPage, size int, err error) {
	page = new(ContactPage)
	err = s.client.do(ctx, r, func(k *call, body []byte) (err error) {
		if page.Contacts, err = records[Contact](k, body); err != nil {
			return err
		}
		size = len(page.Contacts) + len(k.skipped)
		var head struct {
			Total int `json:"total"`
			Count int `json:"count"`
			Meta  struct {
				Total        int             `json:"total"`
				StartAfter   json.RawMessage `json:"startAfter"`
				StartAfterID string          `json:"startAfterId"`
			} `json:"meta"`
		}
		if err := decodeHead(body, &head); err != nil {
			return err
		}
		page.Total = max(head.Meta.Total, head.Total, head.Count)
		next, whole := cursorFrom(head.Meta.StartAfter, head.Meta.StartAfterID)
		if n := len(page.Contacts); !whole && n > 0 {
			next = page.Contacts[n-1].Cursor
		}
		if page.Next = next; !whole && next == "" {
			return &badAnswerError{"the answer has half a cursor; the list is not complete"}
		}
		return nil
	}, opts)
	if err != nil {
		return nil, 0, err
	}
	return page, size, nil
}

// All reads every contact of the location, page by page. A failure is yielded once, with a nil contact, and ends it. o may
// be nil and is copied.
func (s *ContactsService) All(ctx context.Context, o *ListContactsOptions, opts ...CallOption) iter.Seq2[*Contact, error] {
	return each(s.Pages(ctx, o, opts...), contactsOf)
}

// Pages is [ContactsService.All] by page. Store the page's Next to go on later.
func (s *ContactsService) Pages(ctx context.Context, o *ListContactsOptions, opts ...CallOption) iter.Seq2[*ContactPage, error] {
	first, opts := *orZero(o), slices.Clone(opts)
	return pages(first.After, opContactsList, func(after Cursor) (*ContactPage, Cursor, error) {
		o := first
		o.After = after
		if o.Limit == 0 {
			o.Limit = 100
		}
		page, err := s.List(ctx, &o, opts...)
		if err != nil {
			return nil, "", err
		}
		return page, page.Next, nil
	})
}

func (c *Contact) id() string { return c.ID }

func contactsOf(p *ContactPage) []*Contact { return p.Contacts }

// ListByBusinessOptions chooses a page of a business's contacts. The zero value is the first page.
type ListByBusinessOptions struct {
	// Limit is the size of a page, 1 to 100; 0 leaves it to the server.
	Limit int
	// Skip leaves out so many contacts.
	Skip int
	// Query is text to look for.
	Query string
	// After continues behind a cursor: the [Contact.Cursor] of the last contact, or [ContactPage.Next]. With VersionV3 only,
	// and not together with Skip; elsewhere use Skip.
	After Cursor
}

func (o *ListByBusinessOptions) check(v Version) error {
	switch {
	case o.After != "" && v != VersionV3:
		return badInputf("After", "only VersionV3 continues behind a cursor here; use Skip")
	case o.After != "" && o.Skip != 0:
		return badInputf("After", "After and Skip exclude each other")
	case o.Limit < 0 || o.Limit > 100:
		return badInputf("Limit", "a page holds 1 to 100 contacts")
	case o.Skip < 0:
		return badInputf("Skip", "Skip is not negative")
	}
	_, err := o.After.pair()
	return err
}

// ListByBusiness reads one page of the contacts of a business: GET /contacts/business/{businessId}, scope
// contacts.readonly. o may be nil. [ContactPage.Next] is filled with VersionV3 only.
func (s *ContactsService) ListByBusiness(ctx context.Context, businessID string, o *ListByBusinessOptions, opts ...CallOption) (*ContactPage, error) {
	page, _, err := s.byBusiness(ctx, businessID, orZero(o), opts)
	return page, err
}

// byBusiness reads a page. size counts what is on it, also what is no record.
func (s *ContactsService) byBusiness(ctx context.Context, businessID string, o *ListByBusinessOptions, opts []CallOption) (page *ContactPage, size int, err error) {
	q := url.Values{}
	setIf(q, "query", o.Query)
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Skip > 0 {
		q.Set("skip", strconv.Itoa(o.Skip))
	}
	if after, err := o.After.pair(); err == nil && o.After != "" {
		q["startAfter"] = after[:]
	}
	checked := func(*callOptions) error { return o.check(s.client.version) }
	page, size, err = s.page(ctx, request{op: opContactsListByBusiness, path: []string{businessID}, query: q}, append([]CallOption{checked}, opts...))
	switch {
	case err != nil:
	case s.client.version != VersionV3: // a cursor would be ignored in silence, and page one come again
		page.Next = ""
	case page.Next == "" && len(page.Contacts) > 0:
		page.Next = page.Contacts[len(page.Contacts)-1].Cursor
	}
	return page, size, err
}

// AllByBusiness reads every contact of a business, page by page, from o.Skip or o.After on. It ends with the first empty
// page. A failure is yielded once, with a nil contact, and ends it. o may be nil and is copied.
func (s *ContactsService) AllByBusiness(ctx context.Context, businessID string, o *ListByBusinessOptions, opts ...CallOption) iter.Seq2[*Contact, error] {
	first, opts := *orZero(o), slices.Clone(opts)
	return func(yield func(*Contact, error) bool) {
		next, skip := first, first.Skip
		all := pagesUntilEmpty(opContactsListByBusiness, contactsOf, func() (*ContactPage, int, error) {
			page, size, err := s.byBusiness(ctx, businessID, &next, opts)
			if err == nil {
				skip += size
				next.Skip, next.After = skip, page.Next
				if next.After != "" {
					next.Skip = 0
				}
			}
			return page, size, err
		})
		each(all, contactsOf)(yield)
	}
}

// findCreated looks for a contact that was added since the create was sent.
func (s *ContactsService) findCreated(ctx context.Context, in *ContactCreate, sent time.Time, opts []CallOption) (*Contact, error) {
	var resp Response
	found, err := s.FindDuplicate(ctx, DuplicateQuery{Email: in.Email, Phone: in.Phone}, append(opts, CallResponse(&resp))...)
	if err != nil {
		return nil, err
	}
	if !addedSince(found.DateAdded, sent, &resp) { // the short form of this endpoint may lack the date
		if found, err = s.Get(ctx, found.ID, append(opts, CallResponse(&resp))...); err != nil {
			return nil, err
		}
	}
	if !addedSince(found.DateAdded, sent, &resp) || in.Email != "" && !strings.EqualFold(found.Email, in.Email) {
		return nil, nil
	}
	return found, nil
}
