package ghl

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// ContactsService reads, searches and writes the contacts of a location.
type ContactsService service

// Contact is a person or company in a location. The endpoint decides which fields are filled: [ContactsService.Get]
// fills the most; lists and searches fill some that Get does not.
//
// Lists send firstName and lastName in lower case and the original spelling in other properties; FirstName and LastName
// always hold the original. Searches send the street as address; Address1 always holds it.
type Contact struct {
	ID         string `json:"id"`
	LocationID string `json:"locationId,omitempty"`
	// Name is the full name. Lists and searches send it as ContactName.
	Name        string `json:"name,omitempty"`
	ContactName string `json:"contactName,omitempty"`
	FirstName   string `json:"firstName,omitempty"`
	LastName    string `json:"lastName,omitempty"`

	FirstNameLowerCase string `json:"firstNameLowerCase,omitempty"`
	LastNameLowerCase  string `json:"lastNameLowerCase,omitempty"`
	FullNameLowerCase  string `json:"fullNameLowerCase,omitempty"`

	Email            string            `json:"email,omitempty"`
	EmailLowerCase   string            `json:"emailLowerCase,omitempty"`
	AdditionalEmails []AdditionalEmail `json:"additionalEmails,omitempty"` // read-only
	// Phone is in E.164, such as "+18005550100".
	Phone            string            `json:"phone,omitempty"`
	AdditionalPhones []AdditionalPhone `json:"additionalPhones,omitempty"` // read-only

	Address1   string `json:"address1,omitempty" also:"address"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	// Country is a two-letter code, such as "US".
	Country string `json:"country,omitempty"`
	// Timezone is an IANA name, such as "America/Chicago".
	Timezone string `json:"timezone,omitempty"`
	Website  string `json:"website,omitempty"`

	CompanyName  string        `json:"companyName,omitempty"`
	BusinessID   string        `json:"businessId,omitempty"`
	BusinessName string        `json:"businessName,omitempty"`
	Type         string        `json:"type,omitempty"` // such as "lead" or "customer"
	Source       string        `json:"source,omitempty"`
	Gender       string        `json:"gender,omitempty"`
	SSN          string        `json:"ssn,omitempty"`
	Keyword      string        `json:"keyword,omitempty"`
	AssignedTo   string        `json:"assignedTo,omitempty"` // the id of the user who owns the contact
	Followers    []string      `json:"followers,omitempty"`  // user ids
	Tags         []string      `json:"tags,omitempty"`       // in lower case
	CustomFields []CustomField `json:"customFields,omitempty"`
	Attachments  []string      `json:"attachments,omitempty"`

	// DND is "do not disturb" on every channel; DNDSettings is "do not disturb" on each. InboundDNDSettings, which
	// has only [DNDSettings.All], is whether messages from the contact are blocked.
	DND                bool         `json:"dnd,omitempty"`
	DNDSettings        *DNDSettings `json:"dndSettings,omitempty"`
	InboundDNDSettings *DNDSettings `json:"inboundDndSettings,omitempty"`
	BounceEmail        bool         `json:"bounceEmail,omitempty"`
	UnsubscribeEmail   bool         `json:"unsubscribeEmail,omitempty"`
	// ValidEmail and IsValidWhatsApp are nil when unknown.
	ValidEmail      *bool `json:"validEmail,omitempty"`
	IsValidWhatsApp *bool `json:"isValidWhatsapp,omitempty"`

	// DateOfBirth is usually a date without a zone.
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

	// Cursor is the contact's position in the list or search that returned it: pass it as After to resume after
	// this contact. It is "" on contacts from other methods. JSON holds the position without the name of the list.
	Cursor Cursor `json:"-"`
	Extra  Extra  `json:"-"`
}

// AdditionalEmail is a secondary e-mail address of a contact.
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

// AdditionalPhone is a secondary phone number of a contact.
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

// Attribution describes the visit, ad or form that a contact came from.
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

// DNDStatus is the state of "do not disturb" on one channel.
type DNDStatus string

// The states of "do not disturb". DNDActive and DNDPermanent mean: do not contact on this channel.
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

// DNDSettings is "do not disturb" on each channel. A nil channel has no setting. The field names on the wire depend
// on the version; the client writes those of its own version.
type DNDSettings struct {
	Call     *DNDSetting `json:"Call,omitempty"`
	Email    *DNDSetting `json:"Email,omitempty"`
	SMS      *DNDSetting `json:"SMS,omitempty"`
	WhatsApp *DNDSetting `json:"WhatsApp,omitempty"`
	GMB      *DNDSetting `json:"GMB,omitempty"`
	FB       *DNDSetting `json:"FB,omitempty"`
	RCS      *DNDSetting `json:"RCS,omitempty"` // undocumented
	// All is the only setting of InboundDNDSettings, which has none of the channels. Its Status is [DNDActive] or
	// [DNDInactive], and its Code is "".
	All   *DNDSetting `json:"all,omitempty"`
	Extra Extra       `json:"-"`
}

// contactWire is a contact with the property names that only some endpoints use.
type contactWire struct {
	*plainContact
	FirstNameRaw string          `json:"firstNameRaw"`
	LastNameRaw  string          `json:"lastNameRaw"`
	SearchAfter  json.RawMessage `json:"searchAfter"`
	StartAfter   json.RawMessage `json:"startAfter"`
}

type plainContact Contact

// UnmarshalJSON reads a contact from any endpoint. A value of an unexpected type is not an error, see [Extra].
func (c *Contact) UnmarshalJSON(data []byte) error {
	*c = Contact{}
	w := contactWire{plainContact: (*plainContact)(c)}
	if err := lenient.Fill(data, &w); err != nil {
		*c = Contact{}
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
	if position := []byte(c.Cursor.position()); isPosition(position) {
		c.Extra = maps.Clone(c.Extra)
		c.Extra.put("searchAfter", position)
	}
	return lenient.Marshal(&c)
}

// Get returns a contact: GET /contacts/{contactId}, scope contacts.readonly. The error is [ErrNotFound] if there is
// none with this id.
func (s *ContactsService) Get(ctx context.Context, contactID string, opts ...CallOption) (*Contact, error) {
	return one[Contact](ctx, s.client, request{op: opContactsGet, path: []string{contactID}}, opts)
}

// FindDuplicate returns the contact that has an e-mail address or phone number: GET /contacts/search/duplicate, scope
// contacts.readonly. The error is [ErrNotFound] if there is none.
func (s *ContactsService) FindDuplicate(ctx context.Context, q DuplicateQuery, opts ...CallOption) (*Contact, error) {
	r := request{op: opContactsFindDuplicate, query: q.values()}
	var found *Contact
	none := &Error{Operation: r.op.Name, Message: "no contact has this email or phone", categories: notFound}
	err := s.client.do(ctx, r, func(k *call, body []byte) error {
		if err := checkObject(body); err != nil {
			return err
		}
		if string(lenient.Field(body, k.op.answer)) == "null" {
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

// DuplicateQuery is the input of [ContactsService.FindDuplicate]: an e-mail address, a phone number or both.
type DuplicateQuery struct{ Email, Phone string }

func (q DuplicateQuery) check() error {
	if blank(q.Email, q.Phone) {
		return badInputf("Email", "Email or Phone is required")
	}
	return nil
}

func (q DuplicateQuery) values() url.Values {
	v := url.Values{}
	setIf(v, "email", strings.TrimSpace(q.Email))
	setIf(v, "number", strings.TrimSpace(q.Phone))
	return v
}

// Create creates a contact: POST /contacts/, scope contacts.write. An e-mail address, a phone number or a name is
// required. If the location does not allow duplicates and the contact exists, the error is [ErrDuplicateContact]
// and [Error.Duplicate] identifies the existing contact.
//
// Create is not retried when its outcome is unknown ([ErrAmbiguous]). With [CallReadBack] it then looks for the
// contact by its e-mail address or phone number.
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

// Update changes a contact: PUT /contacts/{contactId}, scope contacts.write. It sends only the fields that are set.
//
// Some fields are replaced as a whole. Tags, if set, replace all tags of the contact, including tags that were added
// meanwhile, and an empty list removes all: to change single tags use [TagsService.Add] and [TagsService.Remove]. A
// custom field's value replaces its whole value, such as all options that were chosen. The API refuses changes of the
// company name, the gender and the location.
func (s *ContactsService) Update(
	ctx context.Context, contactID string, in *ContactUpdate, opts ...CallOption,
) (*Contact, error) {
	return one[Contact](ctx, s.client, request{op: opContactsUpdate, path: []string{contactID}, in: in}, opts)
}

// Upsert changes the contact that has the e-mail address or phone number, or creates one: POST /contacts/upsert,
// scope contacts.write. A setting of the location decides which of the two has priority. If they belong to two
// contacts, the API changes one and ignores the other identifier without an error: compare the returned contact.
// Tags, if set, replace all tags, see [ContactsService.Update].
//
// An upsert by an additional e-mail address of a contact makes that address the primary one, and the contact loses its
// old primary address. To avoid this, look for the contact with [ContactsService.FindDuplicate] and update it by id.
//
// Upsert is not retried when its outcome is unknown ([ErrAmbiguous]): two concurrent upserts can create two contacts.
func (s *ContactsService) Upsert(ctx context.Context, in *ContactUpsert, opts ...CallOption) (*UpsertResult, error) {
	return whole[UpsertResult](ctx, s.client, request{op: opContactsUpsert, in: in}, opts)
}

// UpsertResult is the result of [ContactsService.Upsert].
type UpsertResult struct {
	Contact *Contact `json:"contact"`
	// New is whether the contact was created.
	New     bool   `json:"new"`
	TraceID string `json:"traceId,omitempty"`
	Extra   Extra  `json:"-"`
}

// UnmarshalJSON reads the result. It fails if the result has no contact.
func (r *UpsertResult) UnmarshalJSON(data []byte) error {
	if err := lenient.Unmarshal(data, r); err != nil {
		return err
	}
	if r.Contact == nil || r.Contact.ID == "" {
		return &badAnswerError{text: "the answer has no contact"}
	}
	return nil
}

// Delete deletes a contact: DELETE /contacts/{contactId}, scope contacts.write. The error is [ErrNotFound] if there
// is none with this id, unless an earlier attempt of the same call may have deleted it.
func (s *ContactsService) Delete(ctx context.Context, contactID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opContactsDelete, path: []string{contactID}}, opts)
}

// SetBusiness assigns contacts to a business, or removes them from theirs: POST /contacts/bulk/business, scope
// contacts.write.
func (s *ContactsService) SetBusiness(
	ctx context.Context, in *BusinessUpdate, opts ...CallOption,
) (*BusinessUpdateResult, error) {
	return whole[BusinessUpdateResult](ctx, s.client, request{op: opContactsSetBusiness, in: in}, opts)
}

// BusinessUpdate is the input of [ContactsService.SetBusiness].
type BusinessUpdate struct {
	ContactIDs []string
	// BusinessID is the new business; "" removes the contacts from theirs.
	BusinessID string
}

func (u *BusinessUpdate) check() error {
	if u == nil {
		return badInputf("BusinessUpdate", "the input is nil")
	}
	if err := checkGiven("BusinessID", u.BusinessID); err != nil {
		return err
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

// BusinessUpdateResult is the result of [ContactsService.SetBusiness]: the ids of the changed contacts.
type BusinessUpdateResult struct {
	Success    bool     `json:"success"`
	ContactIDs []string `json:"ids"`
	Extra      Extra    `json:"-"`
}

// ListContactsOptions is the input of [ContactsService.List]. The zero value means the first page.
type ListContactsOptions struct {
	// Limit is the size of a page, 1 to 100. 0 means 20 in List, and 100 in [ContactsService.All] and
	// [ContactsService.Pages].
	Limit int
	// Query is a text to find in names, e-mail addresses and phone numbers.
	Query string
	// After resumes after a cursor: [ContactPage.Next], or the [Contact.Cursor] of a contact.
	After Cursor
}

func (o *ListContactsOptions) check() error {
	if o.Limit < 0 || o.Limit > 100 {
		return badInputf("Limit", "Limit must be 1 to 100")
	}
	return o.After.checkPair(listContacts)
}

// ContactPage is one page of a list of contacts.
type ContactPage struct {
	Contacts []*Contact
	// Total is the number of contacts on all pages; 0 if unknown.
	Total int
	// Next is the cursor of the next page. It is "" only at the end of the list: on an empty page, on the page that
	// reaches Total, or if the answer has neither a cursor nor a total. It may be stored.
	Next Cursor
}

// List returns one page of the location's contacts, newest first: GET /contacts/, scope contacts.readonly. o may be
// nil.
//
// HighLevel documents this endpoint as deprecated in favour of [ContactsService.Search]. Unlike a search, a list
// shows every change immediately.
//
// The error is [ErrBadResponse] if contacts follow the page but the answer has no cursor that leads to them.
func (s *ContactsService) List(ctx context.Context, o *ListContactsOptions, opts ...CallOption) (*ContactPage, error) {
	o = orZero(o)
	page, info, err := s.list(ctx, o, opts)
	if err == nil {
		page.Next, err = contactsEnd(o).next(info, o.After)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

// list reads a page.
func (s *ContactsService) list(
	ctx context.Context, o *ListContactsOptions, opts []CallOption,
) (*ContactPage, pageInfo, error) {
	q := url.Values{}
	setIf(q, "query", o.Query)
	setInt(q, "limit", o.Limit)
	// given one of them alone, the server returns page one
	if after, err := o.After.pair(); err == nil && o.After != "" {
		q.Set("startAfter", after[0])
		q.Set("startAfterId", after[1])
	}
	from := contactList{kind: listContacts, after: o.After, end: contactsEnd(o)}
	r := request{op: opContactsList, query: q}
	return s.page(ctx, r, from, append([]CallOption{checked(o)}, opts...))
}

// contactsEnd returns what is known of the list before its page. The cursor of a page counts the contacts before it:
// new contacts are first in the list, so that they do not change how many follow.
func contactsEnd(o *ListContactsOptions) listEnd {
	read, total, ok := o.After.counts()
	return listEnd{op: opContactsList, counted: ok || o.After == "", read: read, total: total}
}

// contactList is the list that a page of contacts belongs to.
type contactList struct {
	kind, within string  // see listName
	after        Cursor  // from which the page is read
	end          listEnd // before the page
}

// page reads a page of contacts.
func (s *ContactsService) page(
	ctx context.Context, r request, of contactList, opts []CallOption,
) (page *ContactPage, info pageInfo, err error) {
	checked := func(o *callOptions) error {
		return of.after.checkList(listName(of.kind, s.client.target(o).location, of.within))
	}
	page = new(ContactPage)
	err = s.client.do(ctx, r, func(k *call, body []byte) (err error) {
		if page.Contacts, err = records[Contact](k, body); err != nil {
			return err
		}
		info.size, info.skipped = len(page.Contacts)+len(k.skipped), k.skipped
		var head struct {
			Total int `json:"total"`
			Count int `json:"count"`
			Meta  struct {
				Total        int             `json:"total"`
				StartAfter   json.RawMessage `json:"startAfter"`
				StartAfterID string          `json:"startAfterId"`
			} `json:"meta"`
		}
		if err := lenient.Unmarshal(body, &head); err != nil {
			return err
		}
		page.Total = max(head.Meta.Total, head.Total, head.Count, 0)
		total := max(head.Meta.Total, head.Total)
		info.total, info.vague = totalOf(total, head.Count, info.size), total <= 0
		if of.kind != listSearch {
			info.next, info.half = cursorFrom(head.Meta.StartAfter, head.Meta.StartAfterID)
			if pair, _ := info.next.pair(); info.size == 0 && pair[0] == "0" {
				info.next = ""
			}
		}
		of.name(listName(of.kind, k.to.location, of.within), page.Contacts, &info)
		return nil
	}, slices.Concat(opts, []CallOption{checked}))
	if err != nil {
		return nil, pageInfo{}, err
	}
	return page, info, nil
}

// name adds the name of the list to the cursors of a page. Without a cursor of its own, the page has that of its last
// contact.
func (of *contactList) name(list string, contacts []*Contact, info *pageInfo) {
	read, total, n := of.end.read, info.total, len(contacts)
	if of.kind != listContacts || !of.end.counted || total < of.end.total {
		total = 0
	}
	if n > 0 && of.after != "" && contacts[0].Cursor == of.after.position() {
		total = 0 // the contact of the cursor is counted twice
	}
	if info.next == "" && n > 0 {
		if info.next = contacts[n-1].Cursor; of.kind != listSearch {
			info.next = pairOrNone(info.next)
		}
	}
	info.next = info.next.in(list, read+info.size, total)
	if n < info.size {
		total = 0
	}
	for i, c := range contacts {
		c.Cursor = c.Cursor.in(list, read+i+1, total)
	}
}

// All iterates over the contacts of the location, newest first, and reads them with [ContactsService.List] page by
// page. It yields an error once, with a nil contact, and stops. o may be nil and is copied.
func (s *ContactsService) All(
	ctx context.Context, o *ListContactsOptions, opts ...CallOption,
) iter.Seq2[*Contact, error] {
	return each(s.Pages(ctx, o, opts...), contactsOf)
}

// Pages is [ContactsService.All] by page. Store a page's Next to resume later. The last page may be empty.
func (s *ContactsService) Pages(
	ctx context.Context, o *ListContactsOptions, opts ...CallOption,
) iter.Seq2[*ContactPage, error] {
	first, opts := *orZero(o), slices.Clone(opts)
	return pager[*ContactPage, *Contact]{
		end: contactsEnd(&first), after: first.After,
		read: func(after Cursor, _ int) (*ContactPage, pageInfo, error) {
			o := first
			o.After = after
			if o.Limit == 0 {
				o.Limit = 100
			}
			return s.list(ctx, &o, opts)
		},
		records: contactsOf, setNext: func(p *ContactPage, next Cursor) { p.Next = next },
	}.pages()
}

func (c *Contact) element() (id string, position Cursor) { return c.ID, c.Cursor }

func contactsOf(p *ContactPage) []*Contact { return p.Contacts }

// ListByBusinessOptions is the input of [ContactsService.ListByBusiness]. The zero value means the first page.
type ListByBusinessOptions struct {
	// Limit is the size of a page, 1 to 100; 0 means the server's default.
	Limit int
	// Skip is the number of contacts to leave out.
	Skip int
	// Query is a text to find.
	Query string
	// After resumes after a cursor: [ContactPage.Next], or the [Contact.Cursor] of a contact. It needs VersionV3
	// and cannot be combined with Skip.
	After Cursor
}

func (o *ListByBusinessOptions) check(v Version) error {
	switch {
	case o.After != "" && v != VersionV3:
		return badInputf("After", "After needs VersionV3; use Skip")
	case o.After != "" && o.Skip != 0:
		return badInputf("After", "After and Skip cannot be combined")
	case o.Limit < 0 || o.Limit > 100:
		return badInputf("Limit", "Limit must be 1 to 100")
	case o.Skip < 0:
		return badInputf("Skip", "Skip must not be negative")
	}
	return o.After.checkPair(listBusiness)
}

// ListByBusiness returns one page of the contacts of a business: GET /contacts/business/{businessId}, scope
// contacts.readonly. o may be nil. [ContactPage.Next] is always "" with Version20210728, and for contacts without
// cursors: then read on with Skip until a page is empty.
func (s *ContactsService) ListByBusiness(
	ctx context.Context, businessID string, o *ListByBusinessOptions, opts ...CallOption,
) (*ContactPage, error) {
	o = orZero(o)
	page, info, err := s.byBusiness(ctx, businessID, o, opts)
	if err == nil {
		end := businessEnd(o)
		end.counted = end.counted && o.Skip == 0
		page.Next, err = end.next(info, o.After)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

func businessEnd(o *ListByBusinessOptions) listEnd {
	first := o.After == ""
	return listEnd{op: opContactsListByBusiness, bySkip: first, counted: first, read: o.Skip}
}

// byBusiness reads a page.
func (s *ContactsService) byBusiness(
	ctx context.Context, businessID string, o *ListByBusinessOptions, opts []CallOption,
) (page *ContactPage, info pageInfo, err error) {
	q := url.Values{}
	setIf(q, "query", o.Query)
	setInt(q, "limit", o.Limit)
	setInt(q, "skip", o.Skip)
	if after, err := o.After.pair(); err == nil && o.After != "" {
		q["startAfter"] = after[:]
	}
	checked := func(*callOptions) error { return o.check(s.client.version) }
	r := request{op: opContactsListByBusiness, path: []string{businessID}, query: q}
	of := contactList{kind: listBusiness, within: businessID, after: o.After}
	page, info, err = s.page(ctx, r, of, append([]CallOption{checked}, opts...))
	if s.client.version != VersionV3 { // the server would ignore a cursor and return page one again
		info.next = ""
	}
	return page, info, err
}

// AllByBusiness iterates over the contacts of a business from o.Skip or o.After on, and reads them with
// [ContactsService.ListByBusiness] page by page. It yields an error once, with a nil contact, and stops. o may be nil
// and is copied.
func (s *ContactsService) AllByBusiness(
	ctx context.Context, businessID string, o *ListByBusinessOptions, opts ...CallOption,
) iter.Seq2[*Contact, error] {
	first, opts := *orZero(o), slices.Clone(opts)
	return each(pager[*ContactPage, *Contact]{
		end: businessEnd(&first), after: first.After,
		read: func(after Cursor, skip int) (*ContactPage, pageInfo, error) {
			o := first
			o.After = after
			if after == "" {
				o.Skip += skip
			} else if after != first.After {
				o.Skip = 0
			}
			return s.byBusiness(ctx, businessID, &o, opts)
		},
		records: contactsOf,
	}.pages(), contactsOf)
}

// findCreated returns the contact of in if it was added since the create was sent, or nil.
func (s *ContactsService) findCreated(
	ctx context.Context, in *ContactCreate, sent time.Time, opts []CallOption,
) (*Contact, error) {
	var resp Response
	found, err := s.FindDuplicate(ctx, DuplicateQuery{Email: in.Email, Phone: in.Phone},
		append(opts, CallResponse(&resp))...)
	if err != nil {
		return nil, err
	}
	if !addedSince(found.DateAdded, sent, &resp) { // FindDuplicate's answer may lack the date
		if found, err = s.Get(ctx, found.ID, append(opts, CallResponse(&resp))...); err != nil {
			return nil, err
		}
	}
	if !addedSince(found.DateAdded, sent, &resp) || in.Email != "" && !strings.EqualFold(found.Email, in.Email) {
		return nil, nil
	}
	return found, nil
}
