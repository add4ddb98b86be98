package ghl_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// optFields calls f for each Opt field of an update, with its value.
func optFields(update any, f func(field reflect.StructField, set reflect.Value)) {
	v := reflect.ValueOf(update).Elem()
	for i := range v.NumField() {
		if strings.HasPrefix(v.Type().Field(i).Type.Name(), "Opt[") {
			f(v.Type().Field(i), v.Field(i))
		}
	}
}

func TestUpdatesOnTheWire(t *testing.T) {
	some, at := ghl.Some[string], time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, want, v3 string
		in             any
	}{
		{name: "contact, all others absent", in: &ghl.ContactUpdate{City: some("C")}, want: `{"city":"C"}`},
		{name: "contact, empty values",
			in: &ghl.ContactUpdate{FirstName: some(""), DND: ghl.Some(false), Tags: ghl.Some([]string{}),
				CustomFields: ghl.Some([]ghl.CustomField{})},
			want: `{"firstName":"","dnd":false,"tags":[],"customFields":[]}`},
		{name: "contact, nil slices",
			in: &ghl.ContactUpdate{Tags: ghl.Some[[]string](nil),
				CustomFields: ghl.Some[[]ghl.CustomField](nil)}, want: `{"tags":[],"customFields":[]}`},
		{name: "contact, nulls",
			in: &ghl.ContactUpdate{FirstName: ghl.Null[string](), LastName: ghl.Null[string](),
				Name: ghl.Null[string](), Email: ghl.Null[string](), Phone: ghl.Null[string](),
				Address1: ghl.Null[string](), City: ghl.Null[string](), State: ghl.Null[string](),
				PostalCode: ghl.Null[string](), Country: ghl.Null[string](), Website: ghl.Null[string](),
				Timezone: ghl.Null[string](), Source: ghl.Null[string](), AssignedTo: ghl.Null[string](),
				DateOfBirth: ghl.Null[string](), DNDSettings: ghl.Null[*ghl.DNDSettings](),
				InboundDNDSettings: ghl.Null[*ghl.DNDSettings](), Tags: ghl.Null[[]string](),
				CustomFields: ghl.Null[[]ghl.CustomField]()},
			want: `{"firstName":null,"lastName":null,"name":null,"email":null,"phone":null,"address1":null,"city":null,"state":null,"postalCode":null,"country":null,"website":null,"timezone":null,"source":null,"assignedTo":null,"dateOfBirth":null,"dndSettings":null,"inboundDndSettings":null,"tags":null,"customFields":null}`},
		{name: "contact, values",
			in: &ghl.ContactUpdate{FirstName: some("A"), LastName: some("B"), Name: some("A B"),
				Email: some("a@example.com"), Phone: some("+18005550100"), Address1: some("1 St"), City: some("C"),
				State: some("S"), PostalCode: some("1"), Country: some("US"), Website: some("w"),
				Timezone: some("America/Chicago"), Source: some("s"), AssignedTo: some("u1"),
				DateOfBirth: some("1990-09-25"), DND: ghl.Some(true),
				DNDSettings: ghl.Some(&ghl.DNDSettings{WhatsApp: &ghl.DNDSetting{Status: ghl.DNDPermanent},
					GMB: &ghl.DNDSetting{Status: ghl.DNDActive}, FB: &ghl.DNDSetting{Status: ghl.DNDActive},
					Email: &ghl.DNDSetting{Status: ghl.DNDActive}, RCS: &ghl.DNDSetting{Status: ghl.DNDActive}}),
				InboundDNDSettings: ghl.Some(&ghl.DNDSettings{All: &ghl.DNDSetting{Status: ghl.DNDActive}}),
				Tags:               ghl.Some([]string{"x"}), CustomFields: ghl.Some([]ghl.CustomField{{ID: "f1"}})},
			want: `{"firstName":"A","lastName":"B","name":"A B","email":"a@example.com","phone":"+18005550100","address1":"1 St","city":"C","state":"S","postalCode":"1","country":"US","website":"w","timezone":"America/Chicago","source":"s","assignedTo":"u1","dateOfBirth":"1990-09-25","dnd":true,"dndSettings":{"WhatsApp":{"status":"permanent"},"GMB":{"status":"active"},"FB":{"status":"active"},"Email":{"status":"active"},"RCS":{"status":"active"}},"inboundDndSettings":{"all":{"status":"active"}},"tags":["x"],"customFields":[{"id":"f1","field_value":null}]}`,
			v3:   `{"firstName":"A","lastName":"B","name":"A B","email":"a@example.com","phone":"+18005550100","address1":"1 St","city":"C","state":"S","postalCode":"1","country":"US","website":"w","timezone":"America/Chicago","source":"s","assignedTo":"u1","dateOfBirth":"1990-09-25","dnd":true,"dndSettings":{"whatsApp":{"status":"permanent"},"gmb":{"status":"active"},"fb":{"status":"active"},"email":{"status":"active"},"rcs":{"status":"active"}},"inboundDndSettings":{"all":{"status":"active"}},"tags":["x"],"customFields":[{"id":"f1","fieldValue":null}]}`},
		{name: "task, all others absent", in: &ghl.TaskUpdate{Body: some("B")}, want: `{"body":"B"}`},
		{name: "task, nulls", in: &ghl.TaskUpdate{Body: ghl.Null[string](), AssignedTo: ghl.Null[string]()},
			want: `{"body":null,"assignedTo":null}`},
		{name: "task, values",
			in: &ghl.TaskUpdate{Title: some("T"), Body: some(""), DueDate: ghl.Some(at), Completed: ghl.Some(false),
				AssignedTo: some("")},
			want: `{"title":"T","body":"","dueDate":"2026-03-01T09:00:00Z","completed":false,"assignedTo":""}`},
		{name: "note, all others absent", in: &ghl.NoteUpdate{Title: some("T")}, want: `{"title":"T"}`},
		{name: "note, nulls",
			in: &ghl.NoteUpdate{Title: ghl.Null[string](), Color: ghl.Null[string](),
				UserID: ghl.Null[string]()}, want: `{"title":null,"color":null,"userId":null}`},
		{name: "note, values",
			in: &ghl.NoteUpdate{Body: some("b"), Title: some(""), Color: some("#FFAA00"), Pinned: ghl.Some(false),
				UserID: some("u1")}, want: `{"body":"b","title":"","color":"#FFAA00","pinned":false,"userId":"u1"}`},
		{name: "appointment, all others absent", in: &ghl.AppointmentUpdate{Title: some("T")}, want: `{"title":"T"}`},
		{name: "appointment, nulls",
			in: &ghl.AppointmentUpdate{Title: ghl.Null[string](), AssignedUserID: ghl.Null[string](),
				Description: ghl.Null[string](), Address: ghl.Null[string](),
				MeetingLocationID: ghl.Null[string](), RRule: ghl.Null[string]()},
			want: `{"title":null,"assignedUserId":null,"description":null,"address":null,"meetingLocationId":null,"rrule":null}`},
		{name: "appointment, values",
			in: &ghl.AppointmentUpdate{CalendarID: some("k1"), StartTime: ghl.Some(at),
				EndTime: ghl.Some(at.Add(time.Hour)), Title: some(""),
				AppointmentStatus: ghl.Some(ghl.AppointmentShowed), AssignedUserID: some("u1"),
				OverrideLocationConfig: ghl.Some(false), IgnoreDateRange: ghl.Some(false),
				IgnoreFreeSlotValidation: ghl.Some(true), ToNotify: ghl.Some(false), RRule: some("RRULE:FREQ=DAILY")},
			want: `{"calendarId":"k1","startTime":"2026-03-01T09:00:00Z","endTime":"2026-03-01T10:00:00Z","title":"","appointmentStatus":"showed","assignedUserId":"u1","overrideLocationConfig":false,"ignoreDateRange":false,"ignoreFreeSlotValidation":true,"toNotify":false,"rrule":"RRULE:FREQ=DAILY"}`},
		{name: "appointment, the start alone", in: &ghl.AppointmentUpdate{StartTime: ghl.Some(at)},
			want: `{"startTime":"2026-03-01T09:00:00Z"}`},
	} {
		for _, v := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
			t.Run(tc.name+"/"+string(v), func(t *testing.T) {
				c, m := mocked(t,
					replies(t,
						`{"contact":{"id":"x"},"task":{"id":"x"},"note":{"id":"x"},"event":{"id":"x"}}`), ghl.WithVersion(v))
				var err error
				switch in := tc.in.(type) {
				case *ghl.ContactUpdate:
					_, err = c.Contacts.Update(t.Context(), "c1", in)
				case *ghl.TaskUpdate:
					_, err = c.Tasks.Update(t.Context(), "c1", "t1", in)
				case *ghl.NoteUpdate:
					_, err = c.Notes.Update(t.Context(), "c1", "n1", in)
				case *ghl.AppointmentUpdate:
					in.SkipRead = true
					_, err = c.Appointments.Update(t.Context(), "e1", in)
				}
				require.NoError(t, err)
				want := tc.want
				if v == ghl.VersionV3 && tc.v3 != "" {
					want = tc.v3
				}
				require.JSONEq(t, want, m.sent()[0].Body)
			})
		}
	}
}

// TestUpdatesLeaveOutWhatIsAbsent checks the struct tags, which omit absent fields that the table above does not cover.
func TestUpdatesLeaveOutWhatIsAbsent(t *testing.T) {
	for _, update := range []any{&ghl.ContactUpdate{}, &ghl.ContactUpsert{}, &ghl.TaskUpdate{}, &ghl.NoteUpdate{},
		&ghl.AppointmentUpdate{}} {
		n := 0
		optFields(update, func(field reflect.StructField, _ reflect.Value) {
			n++
			tag := field.Tag.Get("json")
			require.True(t, tag == "-" || strings.HasSuffix(tag, ",omitzero"), "%T.%s", update, field.Name)
		})
		fields := reflect.TypeOf(update).Elem()
		if _, ok := fields.FieldByName("SkipRead"); ok { // belongs to the call, not to the record
			n++
		}
		if _, upsert := update.(*ghl.ContactUpsert); !upsert {
			require.Equal(t, fields.NumField(), n, "%T has a field that is not an Opt", update)
		}
		require.GreaterOrEqual(t, n, 5)
	}
}

func TestContactUpdateLacksWhatTheAPIRefuses(t *testing.T) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ghl.ContactUpdate]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		for _, refused := range []string{"companyName", "gender", "locationId", "additionalEmails",
			"additionalPhones"} {
			require.False(t, strings.EqualFold(refused, name) || strings.EqualFold(refused, field.Name), field.Name)
		}
	}
}

func TestContactUpsertHasAllOfContactUpdate(t *testing.T) {
	upsert := reflect.TypeFor[ghl.ContactUpsert]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ghl.ContactUpdate]()) {
		same, ok := upsert.FieldByName(field.Name)
		require.True(t, ok, field.Name)
		require.Equal(t, field.Type, same.Type, field.Name)
		require.Equal(t, field.Tag, same.Tag, field.Name)
	}
	_, ok := upsert.FieldByName("CompanyName")
	require.True(t, ok)
}

// TestContactCreateHasAllOfContactUpdate: a field of an update also exists on creation, with the same JSON name.
func TestContactCreateHasAllOfContactUpdate(t *testing.T) {
	create := reflect.TypeFor[ghl.ContactCreate]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ghl.ContactUpdate]()) {
		same, ok := create.FieldByName(field.Name)
		require.True(t, ok, field.Name)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		require.True(t, strings.HasPrefix(same.Tag.Get("json"), name+","), field.Name)
	}
}

func TestSmallestContact(t *testing.T) {
	for _, in := range []ghl.ContactCreate{{Email: "a@example.com"}, {Phone: "+18005550100"}, {Name: "A"},
		{FirstName: "A"}, {LastName: "A"}} {
		c, _ := mocked(t, replies(t, `{"contact":{"id":"c1"}}`, `{"contact":{"id":"c1"}}`))
		_, err := c.Contacts.Create(t.Context(), &in)
		require.NoError(t, err)
	}
}

func TestFindDuplicateEscapes(t *testing.T) {
	c, m := mocked(t, replies(t, `{"contact":{"id":"c1"}}`, `{"contact":{"id":"c1"}}`))
	_, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: " ", Phone: " +1 800&x=1\n"})
	require.NoError(t, err)
	_, err = c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "a+b#c?d@example.com"})
	require.NoError(t, err)
	require.Equal(t, "locationId=loc1&number=%2B1+800%26x%3D1", m.sent()[0].RawQuery)
	require.Equal(t, "email=a%2Bb%23c%3Fd%40example.com&locationId=loc1", m.sent()[1].RawQuery)
}

func TestFindDuplicateOfNone(t *testing.T) {
	var resp ghl.Response
	c, _ := mocked(t, inTurn(answers(429, tooMany), answers(200, `{"contact":null,"traceId":"tr"}`)),
		ghl.WithLimiter(instant{}))
	found, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "a@example.com"},
		ghl.CallResponse(&resp))
	require.ErrorIs(t, err, ghl.ErrNotFound)
	require.NotErrorIs(t, err, ghl.ErrBadResponse)
	require.Nil(t, found)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "contacts.findDuplicate", e.Operation)
	require.Equal(t, "tr", e.TraceID)
	require.Equal(t, 200, e.Status)
	require.Equal(t, 2, e.Attempts)
	require.Equal(t, 2, resp.Attempts)
	require.NotContains(t, err.Error(), "a@example.com")
}

func TestOddAnswersOfContacts(t *testing.T) {
	ctx := t.Context()
	for _, tc := range []struct {
		name, body string
		call       func(*ghl.Client) error
		want       error // nil means success
	}{
		{"get with an empty answer", ``, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"get of an empty object", `{}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"get of null", `{"contact":null}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"get of a list", `{"contact":[{"id":"c1"}]}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"get of HTML", `<html>ok</html>`, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"get cut off", `{"contact":{"id":"c1"}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Get(ctx, "c1")
			return err
		}, ghl.ErrBadResponse},
		{"create with an empty answer", ``, func(c *ghl.Client) error {
			_, err := c.Contacts.Create(ctx, &ghl.ContactCreate{Name: "A"})
			return err
		}, ghl.ErrBadResponse},
		{"duplicate without a key", `{"traceId":"t"}`, func(c *ghl.Client) error {
			_, err := c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{Phone: "1"})
			return err
		}, ghl.ErrBadResponse},
		{"duplicate with an empty answer", ``, func(c *ghl.Client) error {
			_, err := c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{Phone: "1"})
			return err
		}, ghl.ErrBadResponse},
		{"upsert without contact", `{"new":true,"traceId":"t"}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
			return err
		}, ghl.ErrBadResponse},
		{"upsert of null", `{"new":false,"contact":null}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
			return err
		}, ghl.ErrBadResponse},
		{"upsert without id", `{"new":false,"contact":{"firstName":"A"}}`, func(c *ghl.Client) error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
			return err
		}, ghl.ErrBadResponse},
		{"upsert with an empty answer", ``, func(c *ghl.Client) error {
			_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
			return err
		}, ghl.ErrBadResponse},
		{"upsert with odd values", `{"new":"true","contact":{"id":"c1","tags":"x","phone":5},"traceId":7}`,
			func(c *ghl.Client) error {
				r, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
				if err == nil && (!r.New || r.Contact.Phone != "5" || r.Contact.Tags[0] != "x" || r.TraceID != "7") {
					return errors.New("decoded wrongly")
				}
				return err
			}, nil},
		{"delete that failed, old", `{"succeded":false}`, func(c *ghl.Client) error {
			return c.Contacts.Delete(ctx, "c1")
		}, ghl.ErrBadResponse},
		{"delete that failed, v3", `{"succeeded":false}`, func(c *ghl.Client) error {
			return c.Contacts.Delete(ctx, "c1")
		}, ghl.ErrBadResponse},
		{"delete that failed, elsewhere", `{"success":false}`, func(c *ghl.Client) error {
			return c.Contacts.Delete(ctx, "c1")
		}, ghl.ErrBadResponse},
		{"delete that worked, both", `{"succeded":true,"succeeded":true}`, func(c *ghl.Client) error {
			return c.Contacts.Delete(ctx, "c1")
		}, nil},
		{"delete with an empty answer", ``, func(c *ghl.Client) error { return c.Contacts.Delete(ctx, "c1") }, nil},
		{"list of null", `{"contacts":null,"meta":null}`, func(c *ghl.Client) error {
			p, err := c.Contacts.List(ctx, nil)
			if err == nil && (p.Contacts == nil || len(p.Contacts) != 0 || p.Next != "") {
				return errors.New("decoded wrongly")
			}
			return err
		}, nil},
		{"list with an empty object", `{}`, func(c *ghl.Client) error {
			_, err := c.Contacts.List(ctx, nil)
			return err
		}, ghl.ErrBadResponse},
		{"list of an object", `{"contacts":{"id":"c1"}}`, func(c *ghl.Client) error {
			_, err := c.Contacts.List(ctx, nil)
			return err
		}, ghl.ErrBadResponse},
		{"followers of null", `{"followers":null}`, func(c *ghl.Client) error {
			_, err := c.Followers.Add(ctx, "c1", []string{"u1"})
			return err
		}, nil},
		{"tags of null", `{"tags":null}`, func(c *ghl.Client) error {
			_, err := c.Tags.Add(ctx, "c1", []string{"x"})
			return err
		}, nil},
		{"tags with an empty object", `{}`, func(c *ghl.Client) error {
			_, err := c.Tags.Add(ctx, "c1", []string{"x"})
			return err
		}, ghl.ErrBadResponse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, m := mocked(t, replies(t, tc.body))
			err := tc.call(c)
			require.Len(t, m.sent(), 1, "a completed operation is not repeated")
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tc.want)
			var e *ghl.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, 200, e.Status)
			require.Equal(t, 1, e.Attempts)
		})
	}
}

// TestOneOddRecordDoesNotSpoilAPage: an invalid record is skipped and reported, and the page has the others.
func TestOneOddRecordDoesNotSpoilAPage(t *testing.T) {
	var resp ghl.Response
	c, _ := mocked(t,
		replies(t,
			`{"contacts":[{"id":"a","dateAdded":{"odd":1},"tags":7},"what",null,{"id":"b"}],"meta":{"total":"4"}}`))
	page, err := c.Contacts.List(t.Context(), nil, ghl.CallResponse(&resp))
	require.NoError(t, err)
	require.Len(t, page.Contacts, 2)
	require.Equal(t, "b", page.Contacts[1].ID)
	require.Equal(t, 4, page.Total)
	require.Equal(t, []string{"7"}, page.Contacts[0].Tags)
	require.Equal(t, [][]byte{[]byte(`"what"`), []byte("null")}, resp.Skipped)
}

func TestSetBusinessToNone(t *testing.T) {
	c, m := mocked(t, replies(t, `{"success":true,"ids":["c1"]}`))
	_, err := c.Contacts.SetBusiness(t.Context(), &ghl.BusinessUpdate{ContactIDs: []string{"c1"}})
	require.NoError(t, err)
	require.JSONEq(t, `{"locationId":"loc1","ids":["c1"],"businessId":null}`, m.sent()[0].Body)
}

func TestDuplicateContact(t *testing.T) {
	c, m := mocked(t,
		answers(400,
			`{"statusCode":400,"message":"This location does not allow duplicated contacts.","meta":{"contactName":"","contactId":"c9","matchingField":"phone"},"traceId":"tr"}`))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Phone: "+18005550100"}, ghl.CallReadBack())
	require.ErrorIs(t, err, ghl.ErrDuplicateContact)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, &ghl.Duplicate{ContactID: "c9", MatchingField: "phone"}, e.Duplicate)
	require.Len(t, m.sent(), 1, "a duplicate is a known outcome")
}

// TestFindDuplicateOfAnEmptyRecord: a record without an id is neither a match nor "not found".
func TestFindDuplicateOfAnEmptyRecord(t *testing.T) {
	c, _ := mocked(t, replies(t, `{"contact":{}}`))
	found, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "a@example.com"})
	require.ErrorIs(t, err, ghl.ErrBadResponse)
	require.Nil(t, found)
}

// TestAListOfTooMany: an answer with few bytes for each element must not allocate gigabytes of records.
func TestAListOfTooMany(t *testing.T) {
	c, _ := mocked(t, replies(t, `{"contacts":[`+strings.Repeat("{},", 100_000)+`{}]}`))
	_, err := c.Contacts.List(t.Context(), nil)
	require.ErrorIs(t, err, ghl.ErrBadResponse)
}
