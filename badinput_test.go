package ghl_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

var hostileIDs = []string{
	"", ".", "..", "/", "a/b", "../x", "..%2fx", "%2e%2e", "%2e", "a?b=c", "a#b", "a b", " a", "a\n", "a\r\nX: y", "a\x00", "ä", "１", "a\u202eb", "a;b", "a\\b", "a{b}", "a:b", "a@b", "a+b",
}

// unreached returns a client that fails the test when it sends a request.
func unreached(t testing.TB, opts ...ghl.Option) *ghl.Client {
	c, _ := mocked(t, unexpected(t), opts...)
	return c
}

// requireBadInput checks every property of a refusal. An empty field allows any field.
func requireBadInput(t testing.TB, err error, field string) {
	t.Helper()
	require.ErrorIs(t, err, ghl.ErrBadInput)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Field)
	require.NotEmpty(t, e.Message)
	require.Zero(t, e.Attempts)
	require.Zero(t, e.Status)
	require.NotErrorIs(t, err, ghl.ErrAmbiguous)
	if field != "" {
		require.Equal(t, field, e.Field)
	}
	require.Contains(t, err.Error(), e.Field)
	require.NotContains(t, err.Error(), "pit-secret")
}

// validInputs has an accepted value for each type of input, which a method takes by pointer or by value.
var validInputs = map[reflect.Type]any{
	reflect.TypeFor[ghl.DuplicateQuery]():        ghl.DuplicateQuery{Email: "a@example.com"},
	reflect.TypeFor[ghl.ContactCreate]():         ghl.ContactCreate{Email: "a@example.com"},
	reflect.TypeFor[ghl.ContactUpdate]():         ghl.ContactUpdate{Email: ghl.Some("a@example.com")},
	reflect.TypeFor[ghl.ContactUpsert]():         ghl.ContactUpsert{Email: ghl.Some("a@example.com")},
	reflect.TypeFor[ghl.BusinessUpdate]():        ghl.BusinessUpdate{ContactIDs: []string{"c1"}, BusinessID: "b1"},
	reflect.TypeFor[ghl.ListContactsOptions]():   ghl.ListContactsOptions{},
	reflect.TypeFor[ghl.ListByBusinessOptions](): ghl.ListByBusinessOptions{},
	reflect.TypeFor[ghl.SearchRequest]():         ghl.SearchRequest{},
	reflect.TypeFor[ghl.TaskCreate]():            ghl.TaskCreate{Title: "T", DueDate: dueAt},
	reflect.TypeFor[ghl.TaskUpdate]():            ghl.TaskUpdate{Title: ghl.Some("T")},
	reflect.TypeFor[ghl.TaskSearch]():            ghl.TaskSearch{},
	reflect.TypeFor[ghl.NoteCreate]():            ghl.NoteCreate{Body: "b"},
	reflect.TypeFor[ghl.NoteUpdate]():            ghl.NoteUpdate{Body: ghl.Some("b")},
	reflect.TypeFor[ghl.BulkTags](): ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1"},
		Tags: []string{"t"}},
	reflect.TypeFor[ghl.WorkflowStart](): ghl.WorkflowStart{},
	reflect.TypeFor[ghl.AppointmentCreate](): ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1",
		StartTime: slotStart},
	reflect.TypeFor[ghl.AppointmentUpdate]():    ghl.AppointmentUpdate{Title: ghl.Some("T")},
	reflect.TypeFor[ghl.ListCalendarsOptions](): ghl.ListCalendarsOptions{},
	reflect.TypeFor[ghl.FreeSlotsQuery]():       ghl.FreeSlotsQuery{From: slotStart, To: slotEnd},
	reflect.TypeFor[ghl.EventsQuery](): ghl.EventsQuery{StartTime: slotStart, EndTime: slotEnd,
		UserID: "u1"},
	reflect.TypeFor[ghl.BlockSlot](): ghl.BlockSlot{CalendarID: "k1", StartTime: slotStart,
		EndTime: slotEnd},
	reflect.TypeFor[ghl.InstalledLocationsQuery](): ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "app1"},
}

var optionType = reflect.TypeFor[ghl.CallOption]()

// goodArgs returns arguments that a method accepts, without call options.
func goodArgs(t testing.TB, method reflect.Value) []reflect.Value {
	var args []reflect.Value
	for i := range method.Type().NumIn() {
		in := method.Type().In(i)
		switch {
		case in == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(t.Context()))
		case in == reflect.SliceOf(optionType):
		case in.Kind() == reflect.String:
			args = append(args, reflect.ValueOf("id1").Convert(in))
		case in == reflect.TypeFor[[]string]():
			args = append(args, reflect.ValueOf([]string{"u1"}))
		case in.Kind() == reflect.Bool:
			args = append(args, reflect.ValueOf(true))
		case in.Kind() == reflect.Pointer:
			good, ok := validInputs[in.Elem()]
			require.True(t, ok, "validInputs has no %s", in)
			p := reflect.New(in.Elem())
			p.Elem().Set(reflect.ValueOf(good))
			args = append(args, p)
		default:
			good, ok := validInputs[in]
			require.True(t, ok, "validInputs has no %s", in)
			args = append(args, reflect.ValueOf(good))
		}
	}
	return args
}

// callWith calls a method and returns its error. An iterator must yield the error once, with a nil record.
func callWith(t testing.TB, method reflect.Value, args []reflect.Value) error {
	t.Helper()
	out := method.Call(args)
	last := out[len(out)-1]
	if last.Kind() != reflect.Func {
		err, _ := last.Interface().(error)
		if err != nil && len(out) == 2 {
			require.True(t, out[0].IsZero(), "a value is returned with an error")
		}
		return err
	}
	var errs []error
	yield := reflect.MakeFunc(last.Type().In(0), func(args []reflect.Value) []reflect.Value {
		err, _ := args[1].Interface().(error)
		if err != nil {
			require.True(t, args[0].IsZero(), "a record is yielded with an error")
		}
		errs = append(errs, err)
		return []reflect.Value{reflect.ValueOf(true)}
	})
	last.Call([]reflect.Value{yield})
	require.Len(t, errs, 1)
	return errs[0]
}

// TestGoodArgumentsAreSent shows that the tests below refuse the hostile value alone: with goodArgs each method sends a
// request.
func TestGoodArgumentsAreSent(t *testing.T) {
	stop := errors.New("sent")
	c, _ := mocked(t, httpmock.NewErrorResponder(stop), ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
	eachMethod(c, func(name string, method reflect.Value) {
		require.ErrorIs(t, callWith(t, method, goodArgs(t, method)), stop, name)
	})
}

func TestHostileIDs(t *testing.T) {
	c := unreached(t)
	positions := 0
	eachMethod(c, func(name string, method reflect.Value) {
		args := goodArgs(t, method)
		for i, arg := range args {
			if arg.Kind() != reflect.String && arg.Type() != reflect.TypeFor[[]string]() {
				continue
			}
			positions++
			for _, id := range hostileIDs {
				if id == "" && strings.HasPrefix(name, "Locations.") { // means the location of the client
					continue
				}
				// a tag may contain any character
				if arg.Kind() == reflect.Slice && strings.HasPrefix(name, "Tags.") && strings.TrimSpace(id) != "" {
					continue
				}
				bad := slices.Clone(args)
				bad[i] = reflect.ValueOf(id)
				if arg.Kind() == reflect.Slice {
					bad[i] = reflect.ValueOf([]string{"u1", id})
				}
				t.Run(name+"/"+id, func(t *testing.T) { requireBadInput(t, callWith(t, method, bad), "") })
			}
		}
	})
	require.Greater(t, positions, 30)
}

// TestHostileIDsInInputs sets each hostile id in each input field that takes ids.
func TestHostileIDsInInputs(t *testing.T) {
	c := unreached(t)
	fields := 0
	eachMethod(c, func(name string, method reflect.Value) {
		args := goodArgs(t, method)
		for i, arg := range args {
			if i == 0 || arg.Kind() != reflect.Pointer || arg.Elem().Kind() != reflect.Struct {
				continue
			}
			for _, field := range reflect.VisibleFields(arg.Type().Elem()) {
				isID := strings.HasSuffix(field.Name, "ID") || strings.HasSuffix(field.Name, "IDs") ||
					field.Name == "AssignedTo"
				if !isID || field.Name == "MeetingLocationID" { // a name, such as "custom_0"
					continue
				}
				fields++
				for _, id := range hostileIDs {
					if id == "" { // not set
						continue
					}
					in := reflect.New(arg.Type().Elem())
					in.Elem().Set(arg.Elem())
					to := in.Elem().FieldByIndex(field.Index)
					switch to.Interface().(type) {
					case string:
						to.SetString(id)
					case []string:
						to.Set(reflect.ValueOf([]string{"u1", id}))
					case ghl.Opt[string]:
						to.Set(reflect.ValueOf(ghl.Some(id)))
					default:
						t.Fatalf("%s.%s is a %s", arg.Type(), field.Name, to.Type())
					}
					if block, ok := in.Interface().(*ghl.BlockSlot); ok && field.Name == "AssignedUserID" {
						block.CalendarID = ""
					}
					bad := slices.Clone(args)
					bad[i] = in
					t.Run(name+"/"+field.Name+"/"+id, func(t *testing.T) {
						requireBadInput(t, callWith(t, method, bad), field.Name)
					})
				}
			}
		}
	})
	require.Greater(t, fields, 25)
}

func TestNilContext(t *testing.T) {
	c := unreached(t)
	eachMethod(c, func(name string, method reflect.Value) {
		args := goodArgs(t, method)
		args[0] = reflect.Zero(reflect.TypeFor[context.Context]())
		t.Run(name, func(t *testing.T) { requireBadInput(t, callWith(t, method, args), "ctx") })
	})
	var none context.Context
	requireBadInput(t, c.Call(none, ghl.Operation{Name: "x", Method: "GET", Path: "/x"}, nil, nil), "ctx")
}

// nilMeansAll lists the methods that document nil as an allowed input.
var nilMeansAll = []string{"Contacts.List", "Contacts.All", "Contacts.Pages", "Contacts.ListByBusiness",
	"Contacts.AllByBusiness", "Contacts.Search", "Contacts.SearchAll",
	"Contacts.SearchPages", "Tasks.Search", "Tasks.SearchAll", "Calendars.List", "Workflows.Add"}

func TestNilInputs(t *testing.T) {
	eachMethod(unreached(t), func(name string, method reflect.Value) {
		for i, arg := range goodArgs(t, method) {
			if i == 0 || arg.Kind() != reflect.Pointer && arg.Kind() != reflect.Slice {
				continue
			}
			t.Run(name, func(t *testing.T) {
				if slices.Contains(nilMeansAll, name) {
					stop := errors.New("sent")
					c, _ := mocked(t, httpmock.NewErrorResponder(stop), ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
					eachMethod(c, func(other string, method reflect.Value) {
						if other == name {
							args := goodArgs(t, method)
							args[i] = reflect.Zero(arg.Type())
							require.ErrorIs(t, callWith(t, method, args), stop)
						}
					})
					return
				}
				args := goodArgs(t, method)
				args[i] = reflect.Zero(arg.Type())
				requireBadInput(t, callWith(t, method, args), "")
			})
		}
	})
}

func TestMissingLocation(t *testing.T) {
	without := func(t *testing.T, answer step) *ghl.Client {
		c, err := ghl.New(ghl.WithToken("pit-secret"), ghl.WithHTTPClient(&http.Client{Transport: newMock(answer)}),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
		require.NoError(t, err)
		return c
	}
	needed := 0
	for _, row := range methodRows {
		t.Run(row.name, func(t *testing.T) {
			if !strings.Contains(row.want.path+row.want.query+row.want.body, "loc1") {
				_, err := row.call(t.Context(), without(t, replies(t, row.want.answers...)))
				require.NoError(t, err)
				return
			}
			needed++
			_, err := row.call(t.Context(), without(t, replies(t)))
			requireBadInput(t, err, "locationId")
		})
	}
	require.Greater(t, needed, 15)
}

func TestWrongCallOptions(t *testing.T) {
	c := unreached(t)
	for _, tc := range []struct {
		name, field string
		opt         ghl.CallOption
	}{
		{"another token", "Authorization", ghl.CallHeader("authorization", "Bearer other")},
		{"another version", "Version", ghl.CallHeader("VERSION", "v3")},
		{"another content type", "Content-Type", ghl.CallHeader("content-type", "text/plain")},
		{"another length", "Content-Length", ghl.CallHeader("content-length", "0")},
		{"another host", "Host", ghl.CallHeader("host", "evil.example")},
		{"a header without a name", "header", ghl.CallHeader("", "x")},
		{"a header with a line break", "header", ghl.CallHeader("X-A", "a\r\nAuthorization: b")},
		{"a header name with a space", "header", ghl.CallHeader("X A", "a")},
		{"an encoding that would not be decoded", "Accept-Encoding", ghl.CallHeader("Accept-Encoding", "gzip")},
		{"an idempotency key", "Idempotency-Key", ghl.CallHeader("idempotency-key", "a")},
		{"an idempotency key, as extension", "X-Idempotency-Key", ghl.CallHeader("x-idempotency-key", "a")},
		{"a backoff of centuries", "RetryPolicy", ghl.CallRetry(ghl.RetryPolicy{MinBackoff: 1 << 62})},
		{"an empty location", "locationId", ghl.CallLocation("")},
		{"a hostile location", "locationId", ghl.CallLocation("../x")},
		{"a hostile path value", "contactId", ghl.CallPath("contactId", "../x")},
		{"an empty path value", "contactId", ghl.CallPath("contactId", "")},
		{"a query without a name", "query", ghl.CallQuery("", "x")},
		{"negative attempts", "RetryPolicy.MaxAttempts", ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: -1})},
		{"a negative wait", "RetryPolicy", ghl.CallRetry(ghl.RetryPolicy{MinBackoff: -1})},
	} {
		eachMethod(c, func(name string, method reflect.Value) {
			args := append(goodArgs(t, method), reflect.ValueOf(tc.opt))
			t.Run(tc.name+"/"+name, func(t *testing.T) { requireBadInput(t, callWith(t, method, args), tc.field) })
		})
		t.Run(tc.name+"/Call", func(t *testing.T) {
			op := ghl.Operation{Name: "x", Method: "GET", Path: "/x/{contactId}"}
			requireBadInput(t, c.Call(t.Context(), op, nil, nil, tc.opt), tc.field)
		})
	}
}

func TestBadInputs(t *testing.T) {
	c := unreached(t)
	v3 := unreached(t, ghl.WithVersion(ghl.VersionV3))
	ctx := t.Context()
	create := func(in ghl.ContactCreate) error { _, err := c.Contacts.Create(ctx, &in); return err }
	update := func(in ghl.ContactUpdate) error { _, err := c.Contacts.Update(ctx, "c1", &in); return err }
	upsert := func(in ghl.ContactUpsert) error { _, err := c.Contacts.Upsert(ctx, &in); return err }
	list := func(in ghl.ListContactsOptions) error { _, err := c.Contacts.List(ctx, &in); return err }
	byBusiness := func(c *ghl.Client, in ghl.ListByBusinessOptions) error {
		_, err := c.Contacts.ListByBusiness(ctx, "b1", &in)
		return err
	}
	task := func(in ghl.TaskCreate) error { _, err := c.Tasks.Create(ctx, "c1", &in); return err }
	taskUpdate := func(in ghl.TaskUpdate) error { _, err := c.Tasks.Update(ctx, "c1", "t1", &in); return err }
	tasks := func(in ghl.TaskSearch) error { _, err := c.Tasks.Search(ctx, &in); return err }
	note := func(in ghl.NoteCreate) error { _, err := c.Notes.Create(ctx, "c1", &in); return err }
	noteUpdate := func(in ghl.NoteUpdate) error { _, err := c.Notes.Update(ctx, "c1", "n1", &in); return err }
	book := func(in ghl.AppointmentCreate) error { _, err := c.Appointments.Create(ctx, &in); return err }
	move := func(in ghl.AppointmentUpdate) error { _, err := c.Appointments.Update(ctx, "e1", &in); return err }
	slots := func(in ghl.FreeSlotsQuery) error { _, err := c.Calendars.FreeSlots(ctx, "k1", &in); return err }
	events := func(in ghl.EventsQuery) error { _, err := c.Calendars.Events(ctx, &in); return err }
	blocked := func(in ghl.EventsQuery) error { _, err := c.Calendars.BlockedSlots(ctx, &in); return err }
	block := func(in ghl.BlockSlot) error { _, err := c.Calendars.Block(ctx, &in); return err }
	bulk := func(in ghl.BulkTags) error { _, err := c.Tags.BulkUpdate(ctx, &in); return err }
	installed := func(in ghl.InstalledLocationsQuery) error {
		_, err := c.OAuth.InstalledLocations(ctx, &in)
		return err
	}
	second := func(_ any, err error) error { return err }

	for _, tc := range []struct {
		name, field string
		err         error
	}{
		{"contact without anything", "Email", create(ghl.ContactCreate{})},
		{"contact with white space only", "Email", create(ghl.ContactCreate{Email: " ", Phone: "\t", Name: "\n"})},
		{"contact with tags only", "Email", create(ghl.ContactCreate{Tags: []string{"a"}, City: "X"})},
		{"contact's date of birth", "DateOfBirth", create(ghl.ContactCreate{Name: "A", DateOfBirth: "10.12.1815"})},
		{"contact's impossible date", "DateOfBirth", create(ghl.ContactCreate{Name: "A", DateOfBirth: "2025-02-29"})},
		{"contact's empty tag", "Tags", create(ghl.ContactCreate{Name: "A", Tags: []string{"a", " "}})},
		{"contact's nameless custom field", "CustomFields",
			create(ghl.ContactCreate{Name: "A", CustomFields: []ghl.CustomField{{Value: ghl.ValueOf("x")}}})},
		{"contact's hostile custom field", "CustomFields",
			create(ghl.ContactCreate{Name: "A", CustomFields: []ghl.CustomField{{ID: "a/b"}}})},
		{"custom field of NaN", "body",
			create(ghl.ContactCreate{Name: "A",
				CustomFields: []ghl.CustomField{{ID: "f1", Value: ghl.ValueOf(math.NaN())}}})},
		{"custom field of invalid JSON", "body",
			create(ghl.ContactCreate{Name: "A",
				CustomFields: []ghl.CustomField{{ID: "f1", Value: ghl.ValueOf(json.RawMessage("{"))}}})},
		{"update's date of birth", "DateOfBirth", update(ghl.ContactUpdate{DateOfBirth: ghl.Some("1.1.2000")})},
		{"update's empty tag", "Tags", update(ghl.ContactUpdate{Tags: ghl.Some([]string{""})})},
		{"update's custom field", "CustomFields",
			update(ghl.ContactUpdate{CustomFields: ghl.Some([]ghl.CustomField{{}})})},
		{"upsert without anything", "Email", upsert(ghl.ContactUpsert{})},
		{"upsert with nulls", "Email", upsert(ghl.ContactUpsert{Email: ghl.Null[string](), Phone: ghl.Some("")})},
		{"upsert's empty tag", "Tags", upsert(ghl.ContactUpsert{Phone: ghl.Some("1"), Tags: ghl.Some([]string{""})})},
		{"duplicate of nothing", "Email", second(c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{}))},
		{"list of 101", "Limit", list(ghl.ListContactsOptions{Limit: 101})},
		{"list of -1", "Limit", list(ghl.ListContactsOptions{Limit: -1})},
		{"list after an invalid cursor", "After", list(ghl.ListContactsOptions{After: "xyz"})},
		{"list after half a cursor", "After", list(ghl.ListContactsOptions{After: `[1700000000000]`})},
		{"list after an empty half", "After", list(ghl.ListContactsOptions{After: `[1700000000000,""]`})},
		{"list after a null", "After", list(ghl.ListContactsOptions{After: `[null,"a"]`})},
		{"list after three values", "After", list(ghl.ListContactsOptions{After: `[1,2,"a"]`})},
		{"list after an object", "After", list(ghl.ListContactsOptions{After: `{"a":1}`})},
		{"business list of 101", "Limit", byBusiness(c, ghl.ListByBusinessOptions{Limit: 101})},
		{"business list with skip -1", "Skip", byBusiness(c, ghl.ListByBusinessOptions{Skip: -1})},
		{"business list after a cursor, old version", "After",
			byBusiness(c, ghl.ListByBusinessOptions{After: `["a","b"]`})},
		{"business list after an invalid cursor", "After", byBusiness(v3, ghl.ListByBusinessOptions{After: `a,b`})},
		{"business list with cursor and skip", "After",
			byBusiness(v3, ghl.ListByBusinessOptions{After: `["a","b"]`, Skip: 1})},
		{"no contacts for a business", "ContactIDs",
			second(c.Contacts.SetBusiness(ctx, &ghl.BusinessUpdate{BusinessID: "b1"}))},
		{"task without title", "Title", task(ghl.TaskCreate{DueDate: dueAt})},
		{"task with blank title", "Title", task(ghl.TaskCreate{Title: " \n", DueDate: dueAt})},
		{"task without due date", "DueDate", task(ghl.TaskCreate{Title: "T"})},
		{"task due after year 9999", "body",
			task(ghl.TaskCreate{Title: "T", DueDate: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})},
		{"task's title emptied", "Title", taskUpdate(ghl.TaskUpdate{Title: ghl.Some("")})},
		{"task's title cleared", "Title", taskUpdate(ghl.TaskUpdate{Title: ghl.Null[string]()})},
		{"task's due date emptied", "DueDate", taskUpdate(ghl.TaskUpdate{DueDate: ghl.Some(time.Time{})})},
		{"task's due date cleared", "DueDate", taskUpdate(ghl.TaskUpdate{DueDate: ghl.Null[time.Time]()})},
		{"tasks, -1 a page", "Limit", tasks(ghl.TaskSearch{Limit: -1})},
		{"tasks, -1 skipped", "Skip", tasks(ghl.TaskSearch{Skip: -1})},
		{"tasks of an empty contact", "ContactIDs", tasks(ghl.TaskSearch{ContactIDs: []string{""}})},
		{"tasks of an empty user", "AssignedTo", tasks(ghl.TaskSearch{AssignedTo: []string{""}})},
		{"note without body", "Body", note(ghl.NoteCreate{Title: "T"})},
		{"note's body emptied", "Body", noteUpdate(ghl.NoteUpdate{Body: ghl.Some(" ")})},
		{"note's body cleared", "Body", noteUpdate(ghl.NoteUpdate{Body: ghl.Null[string]()})},
		{"no tags", "Tags", second(c.Tags.Add(ctx, "c1", nil))},
		{"no tags to remove", "Tags", second(c.Tags.Remove(ctx, "c1", []string{}))},
		{"blank tag", "Tags", second(c.Tags.Add(ctx, "c1", []string{"a", "\t"}))},
		{"no followers", "userIDs", second(c.Followers.Add(ctx, "c1", nil))},
		{"no followers to remove", "userIDs", second(c.Followers.Remove(ctx, "c1", nil))},
		{"bulk without type", "Type", bulk(ghl.BulkTags{ContactIDs: []string{"c1"}, Tags: []string{"t"}})},
		{"bulk of another type", "Type",
			bulk(ghl.BulkTags{Type: "replace", ContactIDs: []string{"c1"}, Tags: []string{"t"}})},
		{"bulk of a hostile type", "Type",
			bulk(ghl.BulkTags{Type: "../../x", ContactIDs: []string{"c1"}, Tags: []string{"t"}})},
		{"bulk without tags", "Tags", bulk(ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1"}})},
		{"bulk with a blank tag", "Tags",
			bulk(ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1"}, Tags: []string{""}})},
		{"bulk without contacts", "ContactIDs", bulk(ghl.BulkTags{Type: ghl.BulkAdd, Tags: []string{"t"}})},
		{"bulk that adds all", "RemoveAllTags",
			bulk(ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{"c1"}, Tags: []string{"t"},
				RemoveAllTags: true})},
		{"appointment without calendar", "CalendarID",
			book(ghl.AppointmentCreate{ContactID: "c1", StartTime: slotStart})},
		{"appointment without contact", "ContactID",
			book(ghl.AppointmentCreate{CalendarID: "k1", StartTime: slotStart})},
		{"appointment without start", "StartTime", book(ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1"})},
		{"appointment that ends first", "EndTime",
			book(ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotEnd, EndTime: slotStart})},
		{"appointment that ends at once", "EndTime",
			book(ghl.AppointmentCreate{CalendarID: "k1", ContactID: "c1", StartTime: slotStart, EndTime: slotStart})},
		{"task's completed cleared", "Completed", taskUpdate(ghl.TaskUpdate{Completed: ghl.Null[bool]()})},
		{"note's pin cleared", "Pinned", noteUpdate(ghl.NoteUpdate{Pinned: ghl.Null[bool]()})},
		{"contact's DND cleared", "DND", func() error {
			_, err := c.Contacts.Update(ctx, "c1", &ghl.ContactUpdate{DND: ghl.Null[bool]()})
			return err
		}()},
		{"upsert's DND cleared", "DND",
			upsert(ghl.ContactUpsert{Email: ghl.Some("a@example.com"), DND: ghl.Null[bool]()})},
		{"appointment's calendar cleared", "CalendarID", move(ghl.AppointmentUpdate{CalendarID: ghl.Null[string]()})},
		{"appointment's status cleared", "AppointmentStatus",
			move(ghl.AppointmentUpdate{AppointmentStatus: ghl.Null[ghl.AppointmentStatus]()})},
		{"appointment's slot check cleared", "IgnoreFreeSlotValidation",
			move(ghl.AppointmentUpdate{IgnoreFreeSlotValidation: ghl.Null[bool]()})},
		{"move without start", "StartTime", move(ghl.AppointmentUpdate{StartTime: ghl.Null[time.Time]()})},
		{"move to the zero time", "StartTime", move(ghl.AppointmentUpdate{StartTime: ghl.Some(time.Time{})})},
		{"move without end", "EndTime", move(ghl.AppointmentUpdate{EndTime: ghl.Null[time.Time]()})},
		{"move that ends first", "EndTime",
			move(ghl.AppointmentUpdate{StartTime: ghl.Some(slotEnd), EndTime: ghl.Some(slotStart)})},
		{"move to an empty calendar", "CalendarID", move(ghl.AppointmentUpdate{CalendarID: ghl.Some("")})},
		{"slots without start", "From", slots(ghl.FreeSlotsQuery{To: slotEnd})},
		{"slots without end", "To", slots(ghl.FreeSlotsQuery{From: slotStart})},
		{"slots that end first", "To", slots(ghl.FreeSlotsQuery{From: slotEnd, To: slotStart})},
		{"slots of 32 days", "To", slots(ghl.FreeSlotsQuery{From: slotStart, To: slotStart.AddDate(0, 0, 32)})},
		{"slots of a hostile user", "UserIDs",
			slots(ghl.FreeSlotsQuery{From: slotStart, To: slotEnd, UserIDs: []string{"a/b"}})},
		{"events without start", "StartTime", events(ghl.EventsQuery{EndTime: slotEnd, UserID: "u1"})},
		{"events without end", "EndTime", events(ghl.EventsQuery{StartTime: slotStart, UserID: "u1"})},
		{"events without a filter", "CalendarID", events(ghl.EventsQuery{StartTime: slotStart, EndTime: slotEnd})},
		{"events that end first", "EndTime",
			events(ghl.EventsQuery{StartTime: slotEnd, EndTime: slotStart, UserID: "u1"})},
		{"blocked slots without a filter", "CalendarID",
			blocked(ghl.EventsQuery{StartTime: slotStart, EndTime: slotEnd})},
		{"block without start", "StartTime", block(ghl.BlockSlot{CalendarID: "k1", EndTime: slotEnd})},
		{"block without end", "EndTime", block(ghl.BlockSlot{CalendarID: "k1", StartTime: slotStart})},
		{"block without calendar or user", "CalendarID", block(ghl.BlockSlot{StartTime: slotStart, EndTime: slotEnd})},
		{"block for calendar and user", "AssignedUserID",
			block(ghl.BlockSlot{CalendarID: "k1", AssignedUserID: "u1", StartTime: slotStart, EndTime: slotEnd})},
		{"block that ends first", "EndTime",
			block(ghl.BlockSlot{CalendarID: "k1", StartTime: slotEnd, EndTime: slotStart})},
		{"installed without company", "CompanyID", installed(ghl.InstalledLocationsQuery{AppID: "a"})},
		{"installed without app", "AppID", installed(ghl.InstalledLocationsQuery{CompanyID: "co1"})},
		{"installed, -1 a page", "Limit",
			installed(ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a", Limit: -1})},
		{"installed, -1 skipped", "Skip",
			installed(ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a", Skip: -1})},
	} {
		t.Run(tc.name, func(t *testing.T) { requireBadInput(t, tc.err, tc.field) })
	}
}

// TestLocationInTheQuery shows that only CallLocation sets the location: a second one in the query is refused.
func TestLocationInTheQuery(t *testing.T) {
	c := unreached(t)
	_, err := c.Contacts.List(t.Context(), nil, ghl.CallQuery("locationId", "loc2"))
	requireBadInput(t, err, "locationId")
	_, err = c.Locations.Get(t.Context(), "", ghl.CallLocation(""))
	requireBadInput(t, err, "locationId")
	_, err = c.Locations.Tags(t.Context(), "", ghl.CallLocation(""))
	requireBadInput(t, err, "locationId")
	_, err = c.OAuth.InstalledLocations(t.Context(),
		&ghl.InstalledLocationsQuery{CompanyID: "c", AppID: "a", After: "x"})
	requireBadInput(t, err, "After")
	for _, v := range []ghl.Version{"nonsense", "2021\n", "2021-13-01", "v"} {
		op := ghl.Operation{Name: "x", Method: "GET", Path: "/x", Version: v}
		requireBadInput(t, c.Call(t.Context(), op, nil, nil), "Operation.Version")
	}
	c, err = c.With(ghl.WithVersion(ghl.VersionV3))
	require.NoError(t, err)
	_, err = c.OAuth.InstalledLocations(t.Context(), &ghl.InstalledLocationsQuery{CompanyID: "c", AppID: "a", Skip: 20})
	requireBadInput(t, err, "Skip")
}

func TestBadOptions(t *testing.T) {
	for _, tc := range []struct {
		name, field string
		opts        []ghl.Option
	}{
		{"no token", "TokenSource", nil},
		{"nil token source", "TokenSource", []ghl.Option{ghl.WithTokenSource(nil)}},
		{"empty token", "token", []ghl.Option{ghl.WithToken("")}},
		{"token with a line break", "token", []ghl.Option{ghl.WithToken("pit-secret\n")}},
		{"token with a space", "token", []ghl.Option{ghl.WithToken("Bearer pit-secret")}},
		{"unknown version", "Version", []ghl.Option{ghl.WithToken("t"), ghl.WithVersion("v4")}},
		{"empty version", "Version", []ghl.Option{ghl.WithToken("t"), ghl.WithVersion("")}},
		{"calendar version", "Version", []ghl.Option{ghl.WithToken("t"), ghl.WithVersion("2021-04-15")}},
		{"base without scheme", "BaseURL",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("services.leadconnectorhq.com")}},
		{"base with host and port only", "BaseURL",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("localhost:8080")}},
		{"base with another scheme", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("ftp://example.com")}},
		{"base without host", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("https://")}},
		{"base with port only", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("https://:443")}},
		{"base with a query", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("https://example.com?a=b")}},
		{"base with a fragment", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("https://example.com#a")}},
		{"base with a password", "BaseURL",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("https://a:b@example.com")}},
		{"empty base", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("")}},
		{"base that is not a URL", "BaseURL", []ghl.Option{ghl.WithToken("t"), ghl.WithBaseURL("http://[::1")}},
		{"nil HTTP client", "HTTPClient", []ghl.Option{ghl.WithToken("t"), ghl.WithHTTPClient(nil)}},
		{"nil middleware", "Middleware", []ghl.Option{ghl.WithToken("t"), ghl.WithMiddleware(nil)}},
		{"empty agent", "UserAgent", []ghl.Option{ghl.WithToken("t"), ghl.WithUserAgent("")}},
		{"agent with a line break", "UserAgent", []ghl.Option{ghl.WithToken("t"), ghl.WithUserAgent("a\r\nb")}},
		{"agent with a control character", "UserAgent", []ghl.Option{ghl.WithToken("t"), ghl.WithUserAgent("app\x7f")}},
		{"middleware that returns nothing", "Middleware",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
				return nil
			})}},
		{"nil logger", "Logger", []ghl.Option{ghl.WithToken("t"), ghl.WithLogger(nil)}},
		{"nil limiter", "Limiter", []ghl.Option{ghl.WithToken("t"), ghl.WithLimiter(nil)}},
		{"nil limiter maker", "LimiterFor", []ghl.Option{ghl.WithToken("t"), ghl.WithLimiterFor(nil)}},
		{"negative attempts", "RetryPolicy.MaxAttempts",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: -1})}},
		{"negative wait", "RetryPolicy",
			[]ghl.Option{ghl.WithToken("t"), ghl.WithRetry(ghl.RetryPolicy{MaxRetryAfter: -1})}},
		{"the first wrong one", "Version", []ghl.Option{nil, ghl.WithVersion("x"), ghl.WithBaseURL("y")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := ghl.New(tc.opts...)
			requireBadInput(t, err, tc.field)
			require.Nil(t, c)
		})
	}
	for _, id := range hostileIDs {
		_, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation(id))
		requireBadInput(t, err, "locationId")
	}
	c := unreached(t)
	_, err := c.With(ghl.WithVersion("x"))
	requireBadInput(t, err, "Version")
}
