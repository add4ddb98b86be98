package ghl_test

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// collect returns the values of an iterator up to its end or its first error.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	list := []T{}
	for v, err := range seq {
		if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, nil
}

// wanted describes a call under one version: the request that it sends, the answers that it gets and the value that it
// returns. An empty query or body means that the request has none.
type wanted struct {
	path, query, body string
	form              bool
	// one for each request, of which the last is compared; nil means those of the default version
	answers []string
	value   string // the returned value as JSON
}

type methodRow struct {
	name    string // Service.Method
	call    func(context.Context, *ghl.Client) (any, error)
	method  string
	version string    // header under the default version; "" means 2021-07-28
	scope   ghl.Scope // of the operation in the vendor's documents, which have none for the two bulk operations
	once    bool      // the operation is not repeated when its outcome is unknown
	want    wanted
	v3      wanted // what differs under VersionV3
}

func (r methodRow) under(v ghl.Version) wanted {
	w := r.want
	if v != ghl.VersionV3 {
		return w
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&w.path, r.v3.path}, {&w.query, r.v3.query}, {&w.body, r.v3.body}, {&w.value, r.v3.value}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if r.v3.answers != nil {
		w.answers = r.v3.answers
	}
	return w
}

func value[T any](v T, err error) (any, error) { return v, err }

func nothing(err error) (any, error) { return nil, err }

var (
	slotStart = time.Date(2026, 3, 1, 9, 0, 0, 0, time.FixedZone("", -6*3600))
	slotEnd   = slotStart.Add(30 * time.Minute)
	dueAt     = time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	yes, no   = true, false
)

func firstPage(list string) string {
	return `{"contacts":[` + list + `],"meta":{"total":2,"nextPageUrl":"http://localhost:5070/contacts/?limit=1","startAfter":1700000000001,"startAfterId":"a","currentPage":1,"nextPage":2,"prevPage":null},"traceId":"t"}`
}

const lastPage = `{"contacts":[{"id":"b"}],"meta":{"total":2,"nextPageUrl":"","startAfter":null,"startAfterId":"","nextPage":""}}`

const dndWrite = `{"Call":{"status":"active"},"SMS":{"status":"inactive","message":"m","code":"1"}}`

var dnd = &ghl.DNDSettings{Call: &ghl.DNDSetting{Status: ghl.DNDActive},
	SMS: &ghl.DNDSetting{Status: ghl.DNDInactive, Message: "m", Code: "1"}}

// methodRows has a row for each method of each service.
var methodRows = []methodRow{
	{name: "Contacts.Get", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Contacts.Get(ctx, "c1")) },
		want: wanted{path: "/contacts/c1",
			answers: []string{`{"contact":{"id":"c1","firstName":"Ada","tags":["vip"],"somethingNew":1},"traceId":"t"}`},
			value:   `{"id":"c1","firstName":"Ada","tags":["vip"],"somethingNew":1}`}},
	{name: "Contacts.List", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.List(ctx,
				&ghl.ListContactsOptions{Limit: 2, Query: "a b+c", After: `[1700000000000,"x"]`}))
		},
		want: wanted{path: "/contacts/",
			query:   "limit=2&locationId=loc1&query=a+b%2Bc&startAfter=1700000000000&startAfterId=x",
			answers: []string{firstPage(`{"id":"a","firstName":"ada","firstNameRaw":"Ada","lastName":"lovelace","lastNameRaw":"Lovelace"}`)},
			value:   `{"Contacts":[{"id":"a","firstName":"Ada","lastName":"Lovelace"}],"Total":2,"Next":"contacts:loc1:[1700000000001,\"a\"]"}`}},
	{name: "Contacts.All", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(collect(c.Contacts.All(ctx, nil))) },
		want: wanted{path: "/contacts/", query: "limit=100&locationId=loc1&startAfter=1700000000001&startAfterId=a",
			answers: []string{firstPage(`{"id":"a"}`), lastPage}, value: `[{"id":"a"},{"id":"b"}]`}},
	{name: "Contacts.Pages", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.Contacts.Pages(ctx, &ghl.ListContactsOptions{Limit: 1})))
		},
		want: wanted{path: "/contacts/", query: "limit=1&locationId=loc1&startAfter=1700000000001&startAfterId=a",
			answers: []string{firstPage(`{"id":"a"}`), lastPage},
			value:   `[{"Contacts":[{"id":"a"}],"Total":2,"Next":"contacts:loc1:[1700000000001,\"a\"]:1/2"},{"Contacts":[{"id":"b"}],"Total":2,"Next":""}]`}},
	{name: "Contacts.ListByBusiness", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.ListByBusiness(ctx, "b1",
				&ghl.ListByBusinessOptions{Limit: 5, Skip: 10, Query: "x"}))
		},
		want: wanted{path: "/contacts/business/b1", query: "limit=5&locationId=loc1&query=x&skip=10",
			answers: []string{`{"contacts":[{"id":"a","startAfter":["ada",  "a"]}],"count":11}`},
			value:   `{"Contacts":[{"id":"a","searchAfter":["ada","a"]}],"Total":11,"Next":""}`},
		v3: wanted{value: `{"Contacts":[{"id":"a","searchAfter":["ada","a"]}],"Total":11,"Next":"business:loc1/b1:[\"ada\",  \"a\"]"}`}},
	{name: "Contacts.AllByBusiness", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.Contacts.AllByBusiness(ctx, "b1", nil)))
		},
		want: wanted{path: "/contacts/business/b1", query: "locationId=loc1&skip=2",
			value: `[{"id":"a"},{"id":"b","searchAfter":["bo, jr","b"]}]`,
			answers: []string{`{"contacts":[{"id":"a"},{"id":"b","startAfter":["bo, jr","b"]}],"count":2}`,
				`{"contacts":[],"count":2}`}},
		v3: wanted{query: "locationId=loc1&startAfter=bo%2C+jr&startAfter=b"}},
	{name: "Contacts.Search", method: "POST", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.Search(ctx,
				&ghl.SearchRequest{PageLimit: 1, Query: "ada", Filters: []ghl.Filter{ghl.FieldTags.Eq([]string{"vip"})},
					Sort: []ghl.SearchField{ghl.FieldDateAdded.Desc(), ghl.FieldEmail}}))
		},
		want: wanted{path: "/contacts/search",
			answers: []string{`{"contacts":[{"id":"a","address":"1 St","firstName":"Ada","firstNameLowerCase":"ada","searchAfter":[1700000000000,"a"]}],"total":7,"traceId":"t"}`},
			body:    `{"locationId":"loc1","pageLimit":1,"query":"ada","filters":[{"field":"tags","operator":"eq","value":["vip"]}],"sort":[{"field":"dateAdded","direction":"desc"},{"field":"email","direction":"asc"}]}`,
			value:   `{"Contacts":[{"id":"a","address1":"1 St","firstName":"Ada","firstNameLowerCase":"ada","searchAfter":[1700000000000,"a"]}],"Total":7,"Next":"search:loc1/-dateAdded,email:[1700000000000,\"a\"]"}`}},
	{name: "Contacts.SearchAll", method: "POST", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.Contacts.SearchAll(ctx, &ghl.SearchRequest{PageLimit: 1})))
		},
		want: wanted{path: "/contacts/search", body: `{"locationId":"loc1","pageLimit":1,"searchAfter":[1,"a"]}`,
			value: `[{"id":"a","searchAfter":[1,"a"]}]`,
			answers: []string{`{"contacts":[{"id":"a","searchAfter":[1,"a"]}],"total":1}`,
				`{"contacts":[],"total":1}`}}},
	{name: "Contacts.SearchPages", method: "POST", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.Contacts.SearchPages(ctx, nil)))
		},
		want: wanted{path: "/contacts/search", body: `{"locationId":"loc1","pageLimit":500}`,
			value:   `[{"Contacts":[{"id":"a","searchAfter":[1,"a"]}],"Total":1,"Next":""}]`,
			answers: []string{`{"contacts":[{"id":"a","searchAfter":[1,"a"]}],"total":1}`}}},
	{name: "Contacts.FindDuplicate", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.FindDuplicate(ctx,
				ghl.DuplicateQuery{Email: "ada+test@example.com", Phone: "+18005550100"}))
		},
		want: wanted{path: "/contacts/search/duplicate",
			query:   "email=ada%2Btest%40example.com&locationId=loc1&number=%2B18005550100",
			answers: []string{`{"contact":{"id":"c1"},"traceId":"t"}`}, value: `{"id":"c1"}`}},
	{name: "Contacts.Create", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.Create(ctx,
				&ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com", CompanyName: "Engines",
					Gender: "female", DateOfBirth: "1815-12-10",
					DND: true, DNDSettings: dnd, Tags: []string{"VIP"}, CustomFields: []ghl.CustomField{{ID: "f1",
						Value: ghl.ValueOf("x")}, {Key: "contact.n", Value: ghl.ValueOf(2.5)}}}))
		},
		want: wanted{path: "/contacts/", answers: []string{`{"contact":{"id":"c1"}}`}, value: `{"id":"c1"}`,
			body: `{"locationId":"loc1","firstName":"Ada","email":"ada@example.com","companyName":"Engines","gender":"female","dateOfBirth":"1815-12-10","dnd":true,"dndSettings":` + dndWrite + `,"tags":["VIP"],"customFields":[{"id":"f1","field_value":"x"},{"key":"contact.n","field_value":2.5}]}`},
		v3: wanted{body: `{"locationId":"loc1","firstName":"Ada","email":"ada@example.com","companyName":"Engines","gender":"female","dateOfBirth":"1815-12-10","dnd":true,"dndSettings":{"call":{"status":"active"},"sms":{"status":"inactive","message":"m","code":"1"}},"tags":["VIP"],"customFields":[{"id":"f1","fieldValue":"x"},{"key":"contact.n","fieldValue":2.5}]}`}},
	{name: "Contacts.Update", method: "PUT", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.Update(ctx, "c1",
				&ghl.ContactUpdate{LastName: ghl.Some("L"), Website: ghl.Null[string](), DNDSettings: ghl.Some(dnd),
					CustomFields: ghl.Some([]ghl.CustomField{{ID: "f1", Value: ghl.ValueOf([]string{"a", "b"})}})}))
		},
		want: wanted{path: "/contacts/c1",
			answers: []string{`{"succeded":true,"contact":{"id":"c1","lastName":"L"}}`},
			value:   `{"id":"c1","lastName":"L"}`,
			body: `{"lastName":"L","website":null,"dndSettings":` + dndWrite +
				`,"customFields":[{"id":"f1","field_value":["a","b"]}]}`},
		v3: wanted{body: `{"lastName":"L","website":null,"dndSettings":{"call":{"status":"active"},"sms":{"status":"inactive","message":"m","code":"1"}},"customFields":[{"id":"f1","fieldValue":["a","b"]}]}`,
			answers: []string{`{"succeeded":true,"contact":{"id":"c1","lastName":"L"}}`}}},
	{name: "Contacts.Upsert", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.Upsert(ctx,
				&ghl.ContactUpsert{Email: ghl.Some("a@example.com"), CompanyName: ghl.Some("E"),
					Tags: ghl.Some[[]string](nil), CreateNewIfDuplicateAllowed: true,
					DNDSettings: ghl.Some(dnd), CustomFields: ghl.Some([]ghl.CustomField{{ID: "f1",
						Value: ghl.ValueOf(time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC))}})}))
		},
		want: wanted{path: "/contacts/upsert", answers: []string{`{"new":true,"contact":{"id":"c1"},"traceId":"tr"}`},
			value: `{"new":true,"contact":{"id":"c1"},"traceId":"tr"}`,
			body:  `{"locationId":"loc1","email":"a@example.com","companyName":"E","tags":[],"createNewIfDuplicateAllowed":true,"dndSettings":` + dndWrite + `,"customFields":[{"id":"f1","field_value":"2026-03-01"}]}`},
		v3: wanted{body: `{"locationId":"loc1","email":"a@example.com","companyName":"E","tags":[],"createNewIfDuplicateAllowed":true,"dndSettings":{"call":{"status":"active"},"sms":{"status":"inactive","message":"m","code":"1"}},"customFields":[{"id":"f1","fieldValue":"2026-03-01"}]}`}},
	{name: "Contacts.Delete", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return nothing(c.Contacts.Delete(ctx, "c1")) },
		want: wanted{path: "/contacts/c1", answers: []string{`{"succeded":true}`}, value: `null`},
		v3:   wanted{answers: []string{`{"succeeded":true,"succeded":true}`}}},
	{name: "Contacts.SetBusiness", method: "POST", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Contacts.SetBusiness(ctx,
				&ghl.BusinessUpdate{ContactIDs: []string{"c1", "c2"}, BusinessID: "b1"}))
		},
		want: wanted{path: "/contacts/bulk/business", body: `{"locationId":"loc1","ids":["c1","c2"],"businessId":"b1"}`,
			answers: []string{`{"success":true,"ids":["c1","c2"]}`}, value: `{"success":true,"ids":["c1","c2"]}`}},

	{name: "Tasks.List", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Tasks.List(ctx, "c1")) },
		want: wanted{path: "/contacts/c1/tasks",
			answers: []string{`{"tasks":[{"id":"t1","title":"Call","completed":false}]}`},
			value:   `[{"id":"t1","title":"Call","completed":false}]`}},
	{name: "Tasks.Get", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Tasks.Get(ctx, "c1", "t1")) },
		want: wanted{path: "/contacts/c1/tasks/t1", answers: []string{`{"task":{"id":"t1","completed":true}}`},
			value: `{"id":"t1","completed":true}`}},
	{name: "Tasks.Create", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tasks.Create(ctx, "c1",
				&ghl.TaskCreate{Title: "Call", Body: "her", DueDate: dueAt, AssignedTo: "u1"}))
		},
		want: wanted{path: "/contacts/c1/tasks",
			body:    `{"title":"Call","body":"her","dueDate":"2026-03-02T17:00:00Z","completed":false,"assignedTo":"u1"}`,
			answers: []string{`{"task":{"id":"t1"}}`}, value: `{"id":"t1","completed":false}`}},
	{name: "Tasks.Update", method: "PUT", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tasks.Update(ctx, "c1", "t1",
				&ghl.TaskUpdate{Title: ghl.Some("Now"), Completed: ghl.Some(false), AssignedTo: ghl.Null[string]()}))
		},
		want: wanted{path: "/contacts/c1/tasks/t1", body: `{"title":"Now","completed":false,"assignedTo":null}`,
			answers: []string{`{"task":{"id":"t1"}}`}, value: `{"id":"t1","completed":false}`}},
	{name: "Tasks.SetCompleted", method: "PUT", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tasks.SetCompleted(ctx, "c1", "t1", false))
		},
		want: wanted{path: "/contacts/c1/tasks/t1/completed", body: `{"completed":false}`,
			answers: []string{`{"task":{"id":"t1","completed":false}}`}, value: `{"id":"t1","completed":false}`}},
	{name: "Tasks.Delete", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return nothing(c.Tasks.Delete(ctx, "c1", "t1")) },
		want: wanted{path: "/contacts/c1/tasks/t1", answers: []string{`{"succeded":true}`}, value: `null`}},
	{name: "Tasks.Search", method: "POST", scope: "locations/tasks.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tasks.Search(ctx,
				&ghl.TaskSearch{ContactIDs: []string{"c1"}, Completed: &no, AssignedTo: []string{"u1"}, Query: "q",
					BusinessID: "b1", Limit: 5, Skip: 10}))
		},
		want: wanted{path: "/locations/loc1/tasks/search",
			body:    `{"contactId":["c1"],"completed":false,"assignedTo":["u1"],"query":"q","businessId":"b1","limit":5,"skip":10}`,
			answers: []string{`{"tasks":[{"_id":"t1","title":"Call","completed":false}]}`},
			value:   `[{"id":"t1","title":"Call","completed":false}]`}},
	{name: "Tasks.SearchAll", method: "POST", scope: "locations/tasks.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.Tasks.SearchAll(ctx, nil)))
		},
		want: wanted{path: "/locations/loc1/tasks/search", body: `{"limit":100,"skip":2}`,
			answers: []string{`{"tasks":[{"_id":"t1"},{"_id":"t2"}]}`, `{"tasks":[]}`},
			value:   `[{"id":"t1","completed":false},{"id":"t2","completed":false}]`}},

	{name: "Notes.List", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Notes.List(ctx, "c1")) },
		want: wanted{path: "/contacts/c1/notes", answers: []string{`{"notes":[{"id":"n1","body":"b"}]}`},
			value: `[{"id":"n1","body":"b"}]`}},
	{name: "Notes.Get", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Notes.Get(ctx, "c1", "n1")) },
		want: wanted{path: "/contacts/c1/notes/n1", answers: []string{`{"note":{"id":"n1"}}`}, value: `{"id":"n1"}`}},
	{name: "Notes.Create", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Notes.Create(ctx, "c1",
				&ghl.NoteCreate{Body: "<p>b</p>", Title: "T", Color: "#FFAA00", Pinned: true, UserID: "u1"}))
		},
		want: wanted{path: "/contacts/c1/notes",
			body:    `{"body":"<p>b</p>","title":"T","color":"#FFAA00","pinned":true,"userId":"u1"}`,
			answers: []string{`{"note":{"id":"n1"}}`}, value: `{"id":"n1"}`}},
	{name: "Notes.Update", method: "PUT", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Notes.Update(ctx, "c1", "n1",
				&ghl.NoteUpdate{Body: ghl.Some("new"), Title: ghl.Null[string](), Pinned: ghl.Some(false)}))
		},
		want: wanted{path: "/contacts/c1/notes/n1", body: `{"body":"new","title":null,"pinned":false}`,
			answers: []string{`{"note":{"id":"n1"}}`}, value: `{"id":"n1"}`}},
	{name: "Notes.Delete", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return nothing(c.Notes.Delete(ctx, "c1", "n1")) },
		want: wanted{path: "/contacts/c1/notes/n1", answers: []string{`{"success":true}`}, value: `null`}},

	{name: "AppointmentNotes.List", method: "GET", version: "2021-04-15", scope: "calendars/events.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.AppointmentNotes.List(ctx, "e1"))
		},
		want: wanted{path: "/calendars/appointments/e1/notes", query: "limit=20&offset=0",
			answers: []string{`{"notes":[{"id":"n1","body":"b","createdBy":{"id":"u1","name":"Ada"}}],"hasMore":false}`},
			value:   `[{"id":"n1","body":"b","createdBy":{"id":"u1","name":"Ada"}}]`}},
	{name: "AppointmentNotes.All", method: "GET", version: "2021-04-15", scope: "calendars/events.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.AppointmentNotes.All(ctx, "e1")))
		},
		want: wanted{path: "/calendars/appointments/e1/notes", query: "limit=20&offset=2",
			answers: []string{`{"notes":[{"id":"n1"},{"id":"n2"}],"hasMore":true}`, `{"notes":[],"hasMore":false}`},
			value:   `[{"id":"n1"},{"id":"n2"}]`}},
	{name: "AppointmentNotes.Create", method: "POST", version: "2021-04-15", scope: "calendars/events.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.AppointmentNotes.Create(ctx, "e1", &ghl.NoteCreate{Body: "b", UserID: "u1"}))
		},
		want: wanted{path: "/calendars/appointments/e1/notes", body: `{"body":"b","userId":"u1"}`,
			answers: []string{`{"note":{"id":"n1","body":"b"}}`}, value: `{"id":"n1","body":"b"}`}},
	{name: "AppointmentNotes.Update", method: "PUT", version: "2021-04-15", scope: "calendars/events.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.AppointmentNotes.Update(ctx, "e1", "n1", &ghl.NoteUpdate{Body: ghl.Some("b"), UserID: ghl.Some("u1")}))
		},
		want: wanted{path: "/calendars/appointments/e1/notes/n1", body: `{"body":"b","userId":"u1"}`,
			answers: []string{`{"note":{"id":"n1","body":"b"}}`}, value: `{"id":"n1","body":"b"}`}},
	{name: "AppointmentNotes.Delete", method: "DELETE", version: "2021-04-15", scope: "calendars/events.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.AppointmentNotes.Delete(ctx, "e1", "n1"))
		},
		want: wanted{path: "/calendars/appointments/e1/notes/n1", answers: []string{`{"success":true}`}, value: `null`}},

	{name: "Tags.Add", method: "POST", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tags.Add(ctx, "c1", []string{"VIP"}))
		},
		want: wanted{path: "/contacts/c1/tags", body: `{"tags":["VIP"]}`,
			answers: []string{`{"tags":["old","vip"],"tagsAdded":["vip"]}`}, value: `["old","vip"]`}},
	{name: "Tags.Remove", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tags.Remove(ctx, "c1", []string{"vip"}))
		},
		want: wanted{path: "/contacts/c1/tags", body: `{"tags":["vip"]}`,
			answers: []string{`{"tags":["old"],"tagsRemoved":["vip"]}`}, value: `["old"]`}},
	{name: "Tags.BulkUpdate", method: "POST", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Tags.BulkUpdate(ctx,
				&ghl.BulkTags{Type: ghl.BulkRemove, ContactIDs: []string{"c1"}, RemoveAllTags: true}))
		},
		want: wanted{path: "/contacts/bulk/tags/update/remove",
			body:    `{"contacts":["c1"],"tags":[],"locationId":"loc1","removeAllTags":true}`,
			answers: []string{`{"succeded":true,"errorCount":0,"responses":[{"contactId":"c1","type":"success","tagsRemoved":["x"]}]}`},
			value:   `{"succeeded":true,"errorCount":0,"responses":[{"contactId":"c1","type":"success","tagsRemoved":["x"]}]}`},
		v3: wanted{answers: []string{`{"succeeded":true,"errorCount":0,"responses":[{"contactId":"c1","type":"success","tagsRemoved":["x"]}]}`}}},

	{name: "Followers.Add", method: "POST", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Followers.Add(ctx, "c1", []string{"u1"}))
		},
		want: wanted{path: "/contacts/c1/followers", body: `{"followers":["u1"]}`,
			answers: []string{`{"followers":["u0","u1"],"followersAdded":["u1"]}`},
			value:   `{"followers":["u0","u1"],"followersAdded":["u1"]}`}},
	{name: "Followers.Remove", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Followers.Remove(ctx, "c1", []string{"u1"}))
		},
		want: wanted{path: "/contacts/c1/followers", body: `{"followers":["u1"]}`,
			answers: []string{`{"followers":["u0"],"followersRemoved":["u1"]}`},
			value:   `{"followers":["u0"],"followersRemoved":["u1"]}`}},

	{name: "Campaigns.Add", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Campaigns.Add(ctx, "c1", "k1"))
		},
		want: wanted{path: "/contacts/c1/campaigns/k1", body: `{}`, answers: []string{`{"succeded":true}`},
			value: `null`}},
	{name: "Campaigns.Remove", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Campaigns.Remove(ctx, "c1", "k1"))
		},
		want: wanted{path: "/contacts/c1/campaigns/k1", answers: []string{`{"succeded":true}`}, value: `null`}},
	{name: "Campaigns.RemoveAll", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Campaigns.RemoveAll(ctx, "c1"))
		},
		want: wanted{path: "/contacts/c1/campaigns/removeAll", answers: []string{`{"succeded":true}`}, value: `null`},
		v3:   wanted{path: "/contacts/c1/campaigns/remove-all", answers: []string{`{"succeeded":true}`}}},

	{name: "Workflows.Add", method: "POST", scope: "contacts.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Workflows.Add(ctx, "c1", "w1", &ghl.WorkflowStart{EventStartTime: slotStart}))
		},
		want: wanted{path: "/contacts/c1/workflow/w1", body: `{"eventStartTime":"2026-03-01T09:00:00-06:00"}`,
			answers: []string{`{"succeded":true}`}, value: `null`}},
	{name: "Workflows.Remove", method: "DELETE", scope: "contacts.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Workflows.Remove(ctx, "c1", "w1"))
		},
		want: wanted{path: "/contacts/c1/workflow/w1", body: `{}`, answers: []string{`{"succeded":true}`},
			value: `null`}},

	{name: "Appointments.ListForContact", method: "GET", scope: "contacts.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Appointments.ListForContact(ctx, "c1"))
		},
		want: wanted{path: "/contacts/c1/appointments",
			answers: []string{`{"events":[{"id":"e1","startTime":"2026-03-01 09:00:00"}]}`},
			value:   `[{"id":"e1","startTime":"2026-03-01 09:00:00"}]`}},
	{name: "Appointments.Get", method: "GET", version: "2021-04-15", scope: "calendars/events.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Appointments.Get(ctx, "e1")) },
		want: wanted{path: "/calendars/events/appointments/e1", answers: []string{`{"event":{"id":"e1"}}`},
			value: `{"id":"e1"}`}},
	{name: "Appointments.Create", method: "POST", version: "2021-04-15", scope: "calendars/events.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Appointments.Create(ctx,
				&ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart, EndTime: slotEnd,
					Title: "T", AppointmentStatus: ghl.AppointmentConfirmed, ToNotify: ghl.Some(false)}))
		},
		want: wanted{path: "/calendars/events/appointments", answers: []string{`{"id":"e1","calendarId":"k1"}`},
			value: `{"id":"e1","calendarId":"k1"}`,
			body:  `{"calendarId":"k1","contactId":"c1","locationId":"loc1","startTime":"2026-03-01T09:00:00-06:00","endTime":"2026-03-01T09:30:00-06:00","title":"T","appointmentStatus":"confirmed","toNotify":false}`}},
	{name: "Appointments.Update", method: "PUT", version: "2021-04-15", scope: "calendars/events.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Appointments.Update(ctx, "e1",
				&ghl.AppointmentUpdate{StartTime: ghl.Some(slotStart), EndTime: ghl.Some(slotEnd),
					AppointmentStatus: ghl.Some(ghl.AppointmentNoShow), Address: ghl.Null[string](),
					ToNotify: ghl.Some(false)}))
		},
		want: wanted{path: "/calendars/events/appointments/e1", answers: []string{`{"appointment":{"id":"e1"}}`},
			value: `{"id":"e1"}`,
			body:  `{"startTime":"2026-03-01T09:00:00-06:00","endTime":"2026-03-01T09:30:00-06:00","appointmentStatus":"noshow","address":null,"toNotify":false}`}},
	{name: "Appointments.Delete", method: "DELETE", version: "2021-04-15", scope: "calendars/events.write",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return nothing(c.Appointments.Delete(ctx, "e1"))
		},
		want: wanted{path: "/calendars/events/e1", body: `{}`, answers: []string{`{"succeeded":true}`}, value: `null`}},

	{name: "Calendars.List", method: "GET", version: "2021-04-15", scope: "calendars.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Calendars.List(ctx, &ghl.ListCalendarsOptions{GroupID: "g1", ShowDrafted: &no}))
		},
		want: wanted{path: "/calendars/", query: "groupId=g1&locationId=loc1&showDrafted=false",
			answers: []string{`{"calendars":[{"id":"k1","name":"N"}]}`}, value: `[{"id":"k1","name":"N"}]`}},
	{name: "Calendars.FreeSlots", method: "GET", version: "2021-04-15", scope: "calendars.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Calendars.FreeSlots(ctx, "k1",
				&ghl.FreeSlotsQuery{From: slotStart, To: slotEnd, Timezone: "America/Chicago",
					UserIDs: []string{"u1", "u2"}}))
		},
		want: wanted{path: "/calendars/k1/free-slots",
			query:   "endDate=1772379000000&startDate=1772377200000&timezone=America%2FChicago&userIds=u1&userIds=u2",
			answers: []string{`{"2026-03-02":{"slots":["2026-03-02T09:00:00-06:00"]},"2026-03-01":{"slots":["2026-03-01T09:00:00-06:00","2026-03-01T10:00:00-06:00"]},"traceId":"t"}`},
			value:   `[{"Date":"2026-03-01","Slots":["2026-03-01T09:00:00-06:00","2026-03-01T10:00:00-06:00"]},{"Date":"2026-03-02","Slots":["2026-03-02T09:00:00-06:00"]}]`}},
	{name: "Calendars.Events", method: "GET", version: "2021-04-15", scope: "calendars/events.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Calendars.Events(ctx,
				&ghl.EventsQuery{StartTime: slotStart, EndTime: slotEnd, CalendarID: "k1", UserID: "u1",
					GroupID: "g1"}))
		},
		want: wanted{path: "/calendars/events",
			query:   "calendarId=k1&endTime=1772379000000&groupId=g1&locationId=loc1&startTime=1772377200000&userId=u1",
			answers: []string{`{"events":[{"id":"e1"}]}`}, value: `[{"id":"e1"}]`}},
	{name: "Calendars.BlockedSlots", method: "GET", version: "2021-04-15", scope: "calendars/events.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Calendars.BlockedSlots(ctx,
				&ghl.EventsQuery{StartTime: slotStart, EndTime: slotEnd, UserID: "u1"}))
		},
		want: wanted{path: "/calendars/blocked-slots",
			query:   "endTime=1772379000000&locationId=loc1&startTime=1772377200000&userId=u1",
			answers: []string{`{"events":null}`}, value: `[]`}},
	{name: "Calendars.Block", method: "POST", version: "2021-04-15", scope: "calendars/events.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Calendars.Block(ctx,
				&ghl.BlockSlot{CalendarID: "k1", Title: "Lunch", StartTime: slotStart, EndTime: slotEnd}))
		},
		want: wanted{path: "/calendars/events/block-slots", answers: []string{`{"id":"e1","title":"Lunch"}`},
			value: `{"id":"e1","title":"Lunch"}`,
			body:  `{"calendarId":"k1","locationId":"loc1","title":"Lunch","startTime":"2026-03-01T09:00:00-06:00","endTime":"2026-03-01T09:30:00-06:00"}`}},

	{name: "Locations.Get", method: "GET", scope: "locations.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Locations.Get(ctx, "loc2")) },
		want: wanted{path: "/locations/loc2",
			answers: []string{`{"location":{"id":"loc2","timezone":"America/Chicago"}}`},
			value:   `{"id":"loc2","timezone":"America/Chicago"}`}},
	{name: "Locations.CustomFields", method: "GET", scope: "locations/customFields.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.Locations.CustomFields(ctx, c.Location()))
		},
		want: wanted{path: "/locations/loc1/customFields", query: "model=contact",
			answers: []string{`{"customFields":[{"id":"f1","fieldKey":"contact.shoe_size"}]}`},
			value:   `[{"id":"f1","fieldKey":"contact.shoe_size"}]`}},
	{name: "Locations.CustomFieldResolver", method: "GET", scope: "locations/customFields.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			r, err := c.Locations.CustomFieldResolver(ctx, c.Location())
			if err != nil {
				return nil, err
			}
			return []string{r.ID("contact.shoe_size"), r.ID("shoe_size"), r.Key("f1")}, nil
		},
		want: wanted{path: "/locations/loc1/customFields", query: "model=contact",
			answers: []string{`{"customFields":[{"id":"f1","fieldKey":"contact.shoe_size"}]}`},
			value:   `["f1","f1","contact.shoe_size"]`}},
	{name: "Locations.Tags", method: "GET", scope: "locations/tags.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) { return value(c.Locations.Tags(ctx, "loc2")) },
		want: wanted{path: "/locations/loc2/tags", answers: []string{`{"tags":[{"id":"g1","name":"vip"}]}`},
			value: `[{"id":"g1","name":"vip"}]`}},

	{name: "OAuth.LocationToken", method: "POST", scope: "oauth.write", once: true,
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			token, err := c.OAuth.LocationToken(ctx, "co1", "loc2")
			if err != nil {
				return nil, err
			}
			left := time.Until(token.ExpiresAt)
			return map[string]any{"access": token.AccessToken, "refresh": token.RefreshToken, "scopes": token.Scopes,
				"type": token.UserType, "company": token.CompanyID, "location": token.LocationID,
				"aDay": left > 23*time.Hour && left <= 24*time.Hour}, nil
		},
		want: wanted{path: "/oauth/locationToken", form: true, body: "companyId=co1&locationId=loc2",
			answers: []string{`{"access_token":"at","refresh_token":"rt","expires_in":86399,"scope":"contacts.readonly contacts.write","userType":"Location"}`},
			value:   `{"access":"at","refresh":"rt","scopes":["contacts.readonly","contacts.write"],"type":"Location","company":"co1","location":"loc2","aDay":true}`},
		v3: wanted{path: "/oauth/location-token",
			answers: []string{`{"accessToken":"at","refreshToken":"rt","expiresIn":86399,"scope":"contacts.readonly contacts.write","userType":"Location"}`}}},
	{name: "OAuth.InstalledLocations", method: "GET", scope: "oauth.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(c.OAuth.InstalledLocations(ctx,
				&ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "app1", IsInstalled: &yes, OnTrial: &no,
					LocationID: "loc2", Query: "q", VersionID: "v1", PlanID: "p1", Limit: 5}))
		},
		want: wanted{path: "/oauth/installedLocations",
			query:   "appId=app1&companyId=co1&isInstalled=true&limit=5&locationId=loc2&onTrial=false&planId=p1&query=q&versionId=v1",
			answers: []string{`{"locations":[{"_id":"loc2","name":"L"}],"count":9,"installToFutureLocations":true}`},
			value:   `{"Locations":[{"_id":"loc2","name":"L"}],"Total":9,"InstallToFutureLocations":true,"Next":""}`},
		v3: wanted{path: "/oauth/installed-locations",
			query:   "appId=app1&companyId=co1&isInstalled=true&locationId=loc2&onTrial=false&pageSize=5&planId=p1&query=q&versionId=v1",
			answers: []string{`{"items":[{"_id":"loc2","name":"L"}],"pagination":{"totalRecords":9,"hasNextPage":true,"nextPageToken":"p2"},"installToFutureLocations":true}`},
			value:   `{"Locations":[{"_id":"loc2","name":"L"}],"Total":9,"InstallToFutureLocations":true,"Next":"p2"}`}},
	{name: "OAuth.AllInstalledLocations", method: "GET", scope: "oauth.readonly",
		call: func(ctx context.Context, c *ghl.Client) (any, error) {
			return value(collect(c.OAuth.AllInstalledLocations(ctx,
				&ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "app1"})))
		},
		want: wanted{path: "/oauth/installedLocations", query: "appId=app1&companyId=co1&skip=1",
			answers: []string{`{"locations":[{"_id":"loc2"}],"count":1}`,
				`{"locations":[]}`}, value: `[{"_id":"loc2"}]`},
		v3: wanted{path: "/oauth/installed-locations", query: "appId=app1&companyId=co1&pageToken=p2",
			value: `[{"_id":"loc2"},{"_id":"loc3"}]`,
			answers: []string{`{"items":[{"_id":"loc2"}],"pagination":{"hasNextPage":true,"nextPageToken":"p2"}}`,
				`{"items":[{"_id":"loc3"}],"pagination":{"hasNextPage":false,"nextPageToken":"p3"}}`}}},
}

func TestEveryMethodOnTheWire(t *testing.T) {
	for _, v := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		for _, row := range methodRows {
			t.Run(string(v)+"/"+row.name, func(t *testing.T) {
				w := row.under(v)
				c, m := mocked(t, unexpected(t), ghl.WithVersion(v), ghl.WithUserAgent("methods-test/1"))
				m.RegisterResponder(row.method, w.path, replies(t, w.answers...))
				got, err := row.call(t.Context(), c)
				require.NoError(t, err)
				requests := m.sent()
				require.Len(t, requests, len(w.answers))
				r := requests[len(requests)-1]

				require.Equal(t, row.method, r.Method)
				require.Equal(t, "https://services.leadconnectorhq.com", r.Host)
				require.Equal(t, w.path, r.Path)
				require.Equal(t, w.query, r.RawQuery)
				version := row.version
				switch {
				case v == ghl.VersionV3:
					version = "v3"
				case version == "":
					version = "2021-07-28"
				}
				want := http.Header{"Version": {version}, "Accept": {"application/json"},
					"User-Agent": {"methods-test/1"}, "Authorization": {"Bearer pit-secret-token"}}
				switch {
				case w.body == "":
					require.Empty(t, r.Body)
				case w.form:
					require.Equal(t, w.body, r.Body)
					want["Content-Type"] = []string{"application/x-www-form-urlencoded"}
				default:
					require.JSONEq(t, w.body, r.Body)
					want["Content-Type"] = []string{"application/json"}
				}
				require.Equal(t, want, r.Header)

				data, err := json.Marshal(got)
				require.NoError(t, err)
				require.JSONEq(t, w.value, string(data))
			})
		}
	}
}

// eachMethod calls f with every exported method of every service of a client.
func eachMethod(c *ghl.Client, f func(name string, method reflect.Value)) {
	v := reflect.ValueOf(c).Elem()
	for _, field := range reflect.VisibleFields(v.Type()) {
		if !field.IsExported() || field.Type.Kind() != reflect.Pointer || !strings.HasSuffix(field.Type.Elem().Name(),
			"Service") {
			continue
		}
		service := v.FieldByIndex(field.Index)
		for i := range service.NumMethod() {
			f(field.Name+"."+service.Type().Method(i).Name, service.Method(i))
		}
	}
}

func TestEveryMethodHasARow(t *testing.T) {
	c, _ := mocked(t, replies(t))
	methods := map[string]bool{}
	eachMethod(c, func(name string, _ reflect.Value) { methods[name] = true })
	require.Greater(t, len(methods), 40)
	rows := map[string]bool{}
	for _, row := range methodRows {
		require.False(t, rows[row.name], "%s has two rows", row.name)
		rows[row.name] = true
	}
	require.Equal(t, methods, rows)
}

// TestEveryOperationHasAMethod calls all methods and checks the operations of the catalog that they use.
func TestEveryOperationHasAMethod(t *testing.T) {
	used := map[string]ghl.Operation{}
	for _, row := range methodRows {
		c, _ := mocked(t, replies(t, row.want.answers...),
			ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return transportFunc(func(r *http.Request) (*http.Response, error) {
					op, ok := ghl.OperationFromContext(r.Context())
					require.True(t, ok)
					require.Equal(t, []ghl.Scope{row.scope}, op.Scopes, row.name)
					require.Equal(t, row.once, !op.Repeatable, row.name)
					require.Equal(t, row.v3.path != "", op.PathV3 != "", row.name)
					used[op.Name] = op
					return next.RoundTrip(r)
				})
			}))
		_, err := row.call(t.Context(), c)
		require.NoError(t, err, row.name)
	}
	for _, op := range ghl.Operations() {
		require.Equal(t, op, used[op.Name], "%s has no method", op.Name)
		delete(used, op.Name)
	}
	require.Empty(t, used, "operations that are not in the catalog")
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCallLocation shows that a location replaces that of the client in the path, the query and the body.
func TestCallLocation(t *testing.T) {
	for _, row := range methodRows {
		if strings.HasPrefix(row.name, "Locations.") || row.want.form {
			continue
		}
		w := row.want
		has := w.path + "?" + w.query + w.body
		if !strings.Contains(has, "loc1") {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			c, m := mocked(t, replies(t, w.answers...))
			c, err := c.With(ghl.WithLocation("loc9"))
			require.NoError(t, err)
			_, err = row.call(t.Context(), c)
			require.NoError(t, err)
			for _, r := range m.sent() {
				require.NotContains(t, r.Path+"?"+r.RawQuery+r.Body, "loc1")
				require.Contains(t, r.Path+"?"+r.RawQuery+r.Body, "loc9")
			}
		})
	}

	c, m := mocked(t, replies(t, `{"contacts":[],"total":0}`, `{"contacts":[]}`, `{"location":{"id":"loc7"}}`))
	_, err := c.Contacts.Search(t.Context(), nil, ghl.CallLocation("loc8"), nil)
	require.NoError(t, err)
	_, err = c.Contacts.List(t.Context(), nil, ghl.CallLocation("loc8"))
	require.NoError(t, err)
	_, err = c.Locations.Get(t.Context(), "loc7", ghl.CallLocation("loc8"))
	require.NoError(t, err)
	require.JSONEq(t, `{"locationId":"loc8","pageLimit":500}`, m.sent()[0].Body)
	require.Equal(t, "locationId=loc8", m.sent()[1].RawQuery)
	require.Equal(t, "/locations/loc7", m.sent()[2].Path, "the argument of the method overrides the option")
}

func TestBaseURLWithAPath(t *testing.T) {
	c, m := mocked(t, replies(t, `{"contacts":[]}`), ghl.WithBaseURL("http://127.0.0.1:8080/ghl/"))
	_, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:8080", m.sent()[0].Host)
	require.Equal(t, "/ghl/contacts/", m.sent()[0].Path)
}

func TestCallHeaderAndResponse(t *testing.T) {
	var resp ghl.Response
	c, m := mocked(t, answers(200, `{"contact":{"id":"c1"},"traceId":"tr"}`))
	_, err := c.Contacts.Get(t.Context(), "c1", nil, ghl.CallHeader("x-request-source", "import"),
		ghl.CallResponse(&resp), ghl.CallBackground())
	require.NoError(t, err)
	require.Equal(t, "import", m.sent()[0].Header.Get("X-Request-Source"))
	require.Equal(t, 200, resp.Status)
	require.Equal(t, "tr", resp.TraceID)
	require.Equal(t, 1, resp.Attempts)
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
}

// TestInputsAreNotChanged shows that a call does not write to its input.
func TestInputsAreNotChanged(t *testing.T) {
	in := &ghl.ContactCreate{Email: "a@example.com",
		DNDSettings: &ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: ghl.DNDActive}}, Tags: []string{"B", "A"}}
	before, err := json.Marshal(in)
	require.NoError(t, err)
	for _, v := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		c, _ := mocked(t, replies(t, `{"contact":{"id":"c1"}}`), ghl.WithVersion(v))
		_, err = c.Contacts.Create(t.Context(), in)
		require.NoError(t, err)
	}
	after, err := json.Marshal(in)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))

	form := url.Values{"companyId": {"co1"}}
	c, _ := mocked(t, replies(t, `{}`))
	require.NoError(t, c.Call(t.Context(), ghl.Operation{Name: "x.y", Method: "POST", Path: "/x"}, form, nil))
	require.Equal(t, url.Values{"companyId": {"co1"}}, form)
}
