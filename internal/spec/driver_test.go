package spec

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// method is a method of the client and the calls that drive it: one with the least input, one or more with every input
// and, for an update, one with null for every field that can be null.
type method struct {
	operation string
	calls     []call
	// promisesNothing marks a method that returns only an error.
	promisesNothing bool
}

// call makes one call and returns its result; nil if the method returns only an error.
type call func(d *driver) (any, error)

// driver has the client and the arguments of a call.
type driver struct {
	*ghl.Client
	t   *testing.T
	ctx context.Context
	v3  bool
	opt ghl.CallOption
}

const (
	locationID = "ve9EPM428h8vShlRW1KT"
	companyID  = "5DP4iH6HLkQsiKESj6rh"
	appID      = "6578278e879ad2646715ba9c"
	contactID  = "seD4PfOuKoVMLkEZqohJ"
	userID     = "hxHGVRb1YJUscrCB8eXK"
	taskID     = "lJpzYrWdpkC2hX6t2yue"
	noteID     = "HGPcayliwcdoUFzvbTok"
	businessID = "641c094001436dbc2081e642"
	campaignID = "CnHKPbTGmyVxHpRVwPkl"
	workflowID = "0b2a5f1c-8a3d-4a51-9d3e-5c0b2f6d7e88"
	calendarID = "CVokAlI8fgw4WYWoCtQz"
	groupID    = "BqTwX8QFwXzpegMve9EQ"
	eventID    = "0TkCdp9PfvLeWKYRRvIz"
	cursor     = `[1603963890255,"ocQHyuzHvysMo5N5VsXc"]`
)

var (
	start = time.Date(2026, time.March, 16, 9, 30, 0, 0, time.FixedZone("", -5*60*60))
	end   = start.Add(30 * time.Minute)
)

// methods has a row for each method that takes more than the ids of its path. allMethods derives the others.
var methods = []method{
	{operation: "contacts.list", calls: []call{
		func(d *driver) (any, error) { return d.Contacts.List(d.ctx, nil, d.opt) },
		func(d *driver) (any, error) {
			return d.Contacts.List(d.ctx,
				full(d, &ghl.ListContactsOptions{Limit: 100, Query: "ada lovelace", After: cursor}), d.opt)
		},
	}},
	{operation: "contacts.listByBusiness", calls: []call{
		func(d *driver) (any, error) { return d.Contacts.ListByBusiness(d.ctx, businessID, nil, d.opt) },
		func(d *driver) (any, error) {
			in := full(d, &ghl.ListByBusinessOptions{Limit: 100, Skip: 100, Query: "ada lovelace"}, "After")
			return d.Contacts.ListByBusiness(d.ctx, businessID, in, d.opt)
		},
		func(d *driver) (any, error) {
			in := full(d, &ghl.ListByBusinessOptions{Limit: 100, Query: "ada lovelace", After: cursor}, "Skip")
			if !d.v3 { // 2021-07-28 has no cursor here
				in.After = ""
			}
			return d.Contacts.ListByBusiness(d.ctx, businessID, in, d.opt)
		},
	}},
	{operation: "contacts.search", calls: []call{
		func(d *driver) (any, error) { return d.Contacts.Search(d.ctx, nil, d.opt) },
		func(d *driver) (any, error) { return d.Contacts.Search(d.ctx, full(d, searchFor(), "Page"), d.opt) },
		func(d *driver) (any, error) {
			in := searchFor()
			in.Page, in.PageLimit, in.After = 3, 100, ""
			return d.Contacts.Search(d.ctx, full(d, in, "After"), d.opt)
		},
	}},
	{operation: "contacts.findDuplicate", calls: []call{
		func(d *driver) (any, error) {
			return d.Contacts.FindDuplicate(d.ctx, ghl.DuplicateQuery{Email: "ada+news@example.com"}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Contacts.FindDuplicate(d.ctx,
				*full(d, &ghl.DuplicateQuery{Email: "ada@example.com", Phone: "+18005550100"}), d.opt)
		},
	}},
	{operation: "contacts.create", calls: []call{
		func(d *driver) (any, error) {
			return d.Contacts.Create(d.ctx, &ghl.ContactCreate{Email: "ada@example.com"}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Contacts.Create(d.ctx, full(d, &ghl.ContactCreate{
				FirstName: "Ada", LastName: "Lovelace", Name: "Ada Lovelace", Email: "ada@example.com",
				Phone:  "+18005550100",
				Gender: "female", Address1: "3535 1st St N", City: "Dolomite", State: "AL", PostalCode: "35061",
				Country: "US",
				Website: "https://example.com", Timezone: "America/Chicago", CompanyName: "Analytical Engines",
				Source:     "public api",
				AssignedTo: userID, DateOfBirth: "1990-09-25", DND: true, DNDSettings: dnd(),
				InboundDNDSettings: inboundDND(),
				Tags:               []string{"vip", "newsletter"}, CustomFields: customFields(),
			}), d.opt)
		},
	}},
	{operation: "contacts.update", calls: []call{
		func(d *driver) (any, error) {
			return d.Contacts.Update(d.ctx, contactID, &ghl.ContactUpdate{City: ghl.Some("Rome")}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Contacts.Update(d.ctx, contactID, full(d, &ghl.ContactUpdate{
				FirstName: ghl.Some("Ada"), LastName: ghl.Some("Lovelace"), Name: ghl.Some("Ada Lovelace"),
				Email: ghl.Some("ada@example.com"), Phone: ghl.Some("+18005550100"),
				Address1: ghl.Some("3535 1st St N"),
				City:     ghl.Some("Dolomite"), State: ghl.Some("AL"), PostalCode: ghl.Some("35061"),
				Country: ghl.Some("US"),
				Website: ghl.Some("https://example.com"), Timezone: ghl.Some("America/Chicago"),
				Source:     ghl.Some("public api"),
				AssignedTo: ghl.Some(userID), DateOfBirth: ghl.Some("1990-09-25"), DND: ghl.Some(true),
				DNDSettings:        ghl.Some(dnd()),
				InboundDNDSettings: ghl.Some(inboundDND()), Tags: ghl.Some([]string{"vip"}),
				CustomFields: ghl.Some(customFields()),
			}), d.opt)
		},
		func(d *driver) (any, error) {
			in := nulls(d, &ghl.ContactUpdate{})
			in.DND = ghl.Some(false) // the client refuses null for this
			return d.Contacts.Update(d.ctx, contactID, in, d.opt)
		},
	}},
	{operation: "contacts.upsert", calls: []call{
		func(d *driver) (any, error) {
			return d.Contacts.Upsert(d.ctx, &ghl.ContactUpsert{Email: ghl.Some("ada@example.com")}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Contacts.Upsert(d.ctx, full(d, &ghl.ContactUpsert{
				FirstName: ghl.Some("Ada"), LastName: ghl.Some("Lovelace"), Name: ghl.Some("Ada Lovelace"),
				Email: ghl.Some("ada@example.com"), Phone: ghl.Some("+18005550100"),
				Address1: ghl.Some("3535 1st St N"),
				City:     ghl.Some("Dolomite"), State: ghl.Some("AL"), PostalCode: ghl.Some("35061"),
				Country: ghl.Some("US"),
				Website: ghl.Some("https://example.com"), Timezone: ghl.Some("America/Chicago"),
				Source:     ghl.Some("public api"),
				AssignedTo: ghl.Some(userID), DateOfBirth: ghl.Some("1990-09-25"), DND: ghl.Some(true),
				DNDSettings:        ghl.Some(dnd()),
				InboundDNDSettings: ghl.Some(inboundDND()), Tags: ghl.Some([]string{"vip"}),
				CustomFields: ghl.Some(customFields()),
				CompanyName:  ghl.Some("Analytical Engines"), Gender: ghl.Some("female"),
				CreateNewIfDuplicateAllowed: true,
			}), d.opt)
		},
		func(d *driver) (any, error) {
			in := nulls(d, &ghl.ContactUpsert{})
			in.DND = ghl.Some(false)               // the client refuses null for this
			in.Email = ghl.Some("ada@example.com") // an upsert needs an email or a phone
			return d.Contacts.Upsert(d.ctx, in, d.opt)
		},
		func(d *driver) (any, error) {
			in := &ghl.ContactUpsert{Email: ghl.Null[string](), Phone: ghl.Some("+18005550100")}
			return d.Contacts.Upsert(d.ctx, in, d.opt)
		},
	}},
	{operation: "contacts.setBusiness", calls: []call{
		func(d *driver) (any, error) {
			return d.Contacts.SetBusiness(d.ctx, &ghl.BusinessUpdate{ContactIDs: []string{contactID}}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Contacts.SetBusiness(d.ctx,
				full(d, &ghl.BusinessUpdate{ContactIDs: []string{contactID}, BusinessID: businessID}), d.opt)
		},
	}},

	{operation: "tasks.create", calls: []call{
		func(d *driver) (any, error) {
			return d.Tasks.Create(d.ctx, contactID, &ghl.TaskCreate{Title: "Call back", DueDate: start}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Tasks.Create(d.ctx, contactID, full(d, &ghl.TaskCreate{
				Title: "Call back", Body: "About the offer", DueDate: start, Completed: true, AssignedTo: userID,
			}), d.opt)
		},
	}},
	{operation: "tasks.update", calls: []call{
		func(d *driver) (any, error) {
			return d.Tasks.Update(d.ctx, contactID, taskID, &ghl.TaskUpdate{Title: ghl.Some("Call")}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Tasks.Update(d.ctx, contactID, taskID, full(d, &ghl.TaskUpdate{
				Title: ghl.Some("Call back"), Body: ghl.Some("About the offer"), DueDate: ghl.Some(start),
				Completed:  ghl.Some(true),
				AssignedTo: ghl.Some(userID),
			}), d.opt)
		},
		func(d *driver) (any, error) {
			in := nulls(d, &ghl.TaskUpdate{})
			// The client refuses null for these.
			in.Title, in.DueDate, in.Completed = ghl.Some("Call back"), ghl.Some(start), ghl.Some(false)
			return d.Tasks.Update(d.ctx, contactID, taskID, in, d.opt)
		},
	}},
	{operation: "tasks.setCompleted", calls: []call{
		func(d *driver) (any, error) { return d.Tasks.SetCompleted(d.ctx, contactID, taskID, false, d.opt) },
		func(d *driver) (any, error) { return d.Tasks.SetCompleted(d.ctx, contactID, taskID, true, d.opt) },
	}},
	{operation: "tasks.search", calls: []call{
		func(d *driver) (any, error) { return d.Tasks.Search(d.ctx, nil, d.opt) },
		func(d *driver) (any, error) {
			return d.Tasks.Search(d.ctx, full(d, &ghl.TaskSearch{
				ContactIDs: []string{contactID}, Completed: new(true), AssignedTo: []string{userID}, Query: "Call back",
				BusinessID: businessID, Limit: 100, Skip: 100,
			}), d.opt)
		},
	}},

	{operation: "notes.create", calls: []call{
		func(d *driver) (any, error) {
			return d.Notes.Create(d.ctx, contactID, &ghl.NoteCreate{Body: "Called back"}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Notes.Create(d.ctx, contactID, full(d, &ghl.NoteCreate{
				Body: "Called back", Title: "Follow-up", Color: "#FFAA00", Pinned: true, UserID: userID,
			}), d.opt)
		},
	}},
	{operation: "notes.update", calls: []call{
		func(d *driver) (any, error) {
			return d.Notes.Update(d.ctx, contactID, noteID, &ghl.NoteUpdate{Title: ghl.Some("Call")}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Notes.Update(d.ctx, contactID, noteID, full(d, &ghl.NoteUpdate{
				Body: ghl.Some("Called back"), Title: ghl.Some("Follow-up"), Color: ghl.Some("#FFAA00"),
				Pinned: ghl.Some(true),
				UserID: ghl.Some(userID),
			}), d.opt)
		},
		func(d *driver) (any, error) {
			in := nulls(d, &ghl.NoteUpdate{})
			in.Body, in.Pinned = ghl.Some("Called back"), ghl.Some(false) // the client refuses null for these
			return d.Notes.Update(d.ctx, contactID, noteID, in, d.opt)
		},
	}},

	{operation: "tags.add", calls: []call{
		func(d *driver) (any, error) {
			return d.Tags.Add(d.ctx, contactID, []string{"vip", "newsletter"}, d.opt)
		},
	}},
	{operation: "tags.remove", calls: []call{
		func(d *driver) (any, error) { return d.Tags.Remove(d.ctx, contactID, []string{"vip"}, d.opt) },
	}},
	{operation: "tags.bulkUpdate", calls: []call{
		func(d *driver) (any, error) {
			return d.Tags.BulkUpdate(d.ctx,
				&ghl.BulkTags{Type: ghl.BulkAdd, ContactIDs: []string{contactID}, Tags: []string{"vip"}}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Tags.BulkUpdate(d.ctx, full(d, &ghl.BulkTags{
				Type: ghl.BulkRemove, ContactIDs: []string{contactID}, Tags: []string{"vip"}, RemoveAllTags: true,
			}), d.opt)
		},
	}},

	{operation: "followers.add", calls: []call{
		func(d *driver) (any, error) { return d.Followers.Add(d.ctx, contactID, []string{userID}, d.opt) },
	}},
	{operation: "followers.remove", calls: []call{
		func(d *driver) (any, error) { return d.Followers.Remove(d.ctx, contactID, []string{userID}, d.opt) },
	}},

	{operation: "workflows.add", promisesNothing: true, calls: []call{
		func(d *driver) (any, error) { return nil, d.Workflows.Add(d.ctx, contactID, workflowID, nil, d.opt) },
		func(d *driver) (any, error) {
			return nil, d.Workflows.Add(d.ctx, contactID, workflowID,
				full(d, &ghl.WorkflowStart{EventStartTime: start}), d.opt)
		},
	}},

	{operation: "appointments.create", calls: []call{
		func(d *driver) (any, error) {
			return d.Appointments.Create(d.ctx,
				&ghl.AppointmentCreate{CalendarID: calendarID, ContactID: contactID, StartTime: start}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Appointments.Create(d.ctx, full(d, &ghl.AppointmentCreate{
				CalendarID: calendarID, ContactID: contactID, StartTime: start, EndTime: end, Title: "First talk",
				AppointmentStatus: ghl.AppointmentConfirmed, AssignedUserID: userID, Description: "About the offer",
				Address: "3535 1st St N", MeetingLocationType: "custom", MeetingLocationID: "custom_0",
				OverrideLocationConfig: true,
				IgnoreDateRange:        true, IgnoreFreeSlotValidation: true, ToNotify: ghl.Some(false),
				RRule: "FREQ=WEEKLY;COUNT=4",
			}), d.opt)
		},
	}},
	{operation: "appointments.update", calls: []call{
		func(d *driver) (any, error) {
			in := &ghl.AppointmentUpdate{Title: ghl.Some("Visit"), SkipRead: true}
			return d.Appointments.Update(d.ctx, eventID, in, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Appointments.Update(d.ctx, eventID, full(d, &ghl.AppointmentUpdate{
				SkipRead:   true,
				CalendarID: ghl.Some(calendarID), StartTime: ghl.Some(start), EndTime: ghl.Some(end),
				Title:             ghl.Some("First talk"),
				AppointmentStatus: ghl.Some(ghl.AppointmentShowed), AssignedUserID: ghl.Some(userID),
				Description: ghl.Some("About the offer"), Address: ghl.Some("3535 1st St N"),
				MeetingLocationType: ghl.Some("custom"),
				MeetingLocationID:   ghl.Some("custom_0"), OverrideLocationConfig: ghl.Some(true),
				IgnoreDateRange:          ghl.Some(true),
				IgnoreFreeSlotValidation: ghl.Some(true), ToNotify: ghl.Some(false),
				RRule: ghl.Some("FREQ=WEEKLY;COUNT=4"),
			}), d.opt)
		},
		func(d *driver) (any, error) {
			in := nulls(d, &ghl.AppointmentUpdate{})
			// The client refuses null for these.
			in.StartTime, in.EndTime, in.CalendarID = ghl.Some(start), ghl.Some(end), ghl.Some(calendarID)
			in.AppointmentStatus, in.MeetingLocationType = ghl.Some(ghl.AppointmentConfirmed), ghl.Some("custom")
			in.OverrideLocationConfig, in.IgnoreDateRange = ghl.Some(false), ghl.Some(false)
			in.IgnoreFreeSlotValidation, in.ToNotify = ghl.Some(false), ghl.Some(false)
			return d.Appointments.Update(d.ctx, eventID, in, d.opt)
		},
	}},

	{operation: "appointmentNotes.list", calls: []call{
		func(d *driver) (any, error) { // one page
			for note, err := range d.AppointmentNotes.All(d.ctx, eventID, d.opt) {
				return []*ghl.Note{note}, err
			}
			return nil, nil
		},
	}},
	{operation: "appointmentNotes.create", calls: []call{
		func(d *driver) (any, error) {
			return d.AppointmentNotes.Create(d.ctx, eventID, &ghl.NoteCreate{Body: "Called back"}, d.opt)
		},
		func(d *driver) (any, error) {
			in := &ghl.NoteCreate{Body: "Called back", UserID: userID}
			return d.AppointmentNotes.Create(d.ctx, eventID, full(d, in, "Title", "Color", "Pinned"), d.opt)
		},
	}},
	{operation: "appointmentNotes.update", calls: []call{
		func(d *driver) (any, error) {
			in := &ghl.NoteUpdate{Body: ghl.Some("Called back"), UserID: ghl.Some(userID)}
			return d.AppointmentNotes.Update(d.ctx, eventID, noteID, full(d, in, "Title", "Color", "Pinned"), d.opt)
		},
	}},

	{operation: "calendars.list", calls: []call{
		func(d *driver) (any, error) { return d.Calendars.List(d.ctx, nil, d.opt) },
		func(d *driver) (any, error) {
			return d.Calendars.List(d.ctx,
				full(d, &ghl.ListCalendarsOptions{GroupID: groupID, ShowDrafted: new(false)}), d.opt)
		},
	}},
	{operation: "calendars.freeSlots", calls: []call{
		func(d *driver) (any, error) {
			return d.Calendars.FreeSlots(d.ctx, calendarID, &ghl.FreeSlotsQuery{From: start, To: end}, d.opt)
		},
		func(d *driver) (any, error) {
			return d.Calendars.FreeSlots(d.ctx, calendarID, full(d, &ghl.FreeSlotsQuery{
				From: start, To: end, Timezone: "America/Chicago", UserIDs: []string{userID},
			}), d.opt)
		},
		func(d *driver) (any, error) {
			return d.Calendars.FreeSlots(d.ctx, calendarID, full(d, &ghl.FreeSlotsQuery{
				From: start, To: end, Timezone: "America/Chicago", UserIDs: []string{userID, "YlWd2wuCAZQzh2cH1fVZ"},
			}), d.opt)
		},
	}},
	{operation: "calendars.events", calls: []call{
		func(d *driver) (any, error) {
			return d.Calendars.Events(d.ctx, &ghl.EventsQuery{StartTime: start, EndTime: end, CalendarID: calendarID},
				d.opt)
		},
		func(d *driver) (any, error) { return d.Calendars.Events(d.ctx, full(d, eventsQuery()), d.opt) },
	}},
	{operation: "calendars.blockedSlots", calls: []call{
		func(d *driver) (any, error) {
			return d.Calendars.BlockedSlots(d.ctx, &ghl.EventsQuery{StartTime: start, EndTime: end, UserID: userID},
				d.opt)
		},
		func(d *driver) (any, error) { return d.Calendars.BlockedSlots(d.ctx, full(d, eventsQuery()), d.opt) },
	}},
	{operation: "calendars.block", calls: []call{
		func(d *driver) (any, error) {
			return d.Calendars.Block(d.ctx, &ghl.BlockSlot{CalendarID: calendarID, StartTime: start, EndTime: end},
				d.opt)
		},
		func(d *driver) (any, error) {
			in := full(d, &ghl.BlockSlot{CalendarID: calendarID, Title: "Lunch", StartTime: start, EndTime: end},
				"AssignedUserID")
			return d.Calendars.Block(d.ctx, in, d.opt)
		},
		func(d *driver) (any, error) {
			in := full(d, &ghl.BlockSlot{AssignedUserID: userID, Title: "Lunch", StartTime: start, EndTime: end},
				"CalendarID")
			return d.Calendars.Block(d.ctx, in, d.opt)
		},
	}},

	{operation: "locations.get", calls: []call{
		func(d *driver) (any, error) { return d.Locations.Get(d.ctx, d.Location(), d.opt) },
		func(d *driver) (any, error) { return d.Locations.Get(d.ctx, "C2QujeCh8ZnC7al2InWR", d.opt) },
	}},

	{operation: "oauth.locationToken", calls: []call{
		func(d *driver) (any, error) {
			token, err := d.OAuth.LocationToken(d.ctx, companyID, "C2QujeCh8ZnC7al2InWR", d.opt)
			if err == nil && !token.ExpiresAt.IsZero() {
				token.ExpiresAt, token.IssuedAt = start, start // both depend on now, and two results are compared
			}
			return token, err
		},
	}},
	{operation: "oauth.installedLocations", calls: []call{
		func(d *driver) (any, error) {
			return d.OAuth.InstalledLocations(d.ctx, &ghl.InstalledLocationsQuery{CompanyID: companyID, AppID: appID},
				d.opt)
		},
		func(d *driver) (any, error) {
			in := &ghl.InstalledLocationsQuery{
				CompanyID: companyID, AppID: appID, IsInstalled: new(true), LocationID: locationID, Query: "dentist",
				VersionID: "6578278e879ad2646715ba9d", PlanID: "64a5c8f0a1b2c3d4e5f60718", OnTrial: new(false),
				Limit: 100,
			}
			other := "Skip"
			if d.v3 {
				in.After = "eyJvZmZzZXQiOjIwfQ"
			} else {
				in.Skip, other = 100, "After"
			}
			return d.OAuth.InstalledLocations(d.ctx, full(d, in, other), d.opt)
		},
	}},
}

// allMethods returns a method for every operation of the catalog.
func allMethods(t *testing.T) []method {
	all := slices.Clone(methods)
	for _, op := range ghl.Operations() {
		if !slices.ContainsFunc(methods, func(m method) bool { return m.operation == op.Name }) {
			all = append(all, derived(t, op))
		}
	}
	return all
}

// ids has an id for each placeholder of a path. Any other placeholder gets the id of a task.
var ids = map[string]string{
	"locationId": locationID, "contactId": contactID, "taskId": taskID, "noteId": noteID, "businessId": businessID,
	"campaignId": campaignID, "workflowId": workflowID, "calendarId": calendarID, "eventId": eventID,
	"appointmentId": eventID,
}

// derived returns the method of an operation that takes only the ids of its path, such as Client.Notes.Get for
// "notes.get".
func derived(t *testing.T, op ghl.Operation) method {
	var args []reflect.Value
	for segment := range strings.SplitSeq(op.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			id := cmp.Or(ids[strings.TrimSuffix(name, "}")], taskID)
			args = append(args, reflect.ValueOf(id))
		}
	}
	resource, name, _ := strings.Cut(op.Name, ".")
	find := func(client *ghl.Client) reflect.Value {
		service := reflect.ValueOf(client).Elem().FieldByNameFunc(func(field string) bool {
			return strings.EqualFold(field, resource)
		})
		require.True(t, service.IsValid(), "the client has no field for the operation %s", op.Name)
		m := service.MethodByName(strings.ToUpper(name[:1]) + name[1:])
		require.True(t, m.IsValid(), "the client has no method for the operation %s", op.Name)
		return m
	}
	m := find(newClient(t, nil, ghl.Version20210728))
	require.Equal(t, len(args)+2, m.Type().NumIn(),
		"the method of %s takes more than the ids of its path: give it a row in methods", op.Name)
	return method{operation: op.Name, promisesNothing: m.Type().NumOut() == 1,
		calls: []call{func(d *driver) (any, error) {
			out := find(d.Client).Call(slices.Concat([]reflect.Value{reflect.ValueOf(d.ctx)}, args,
				[]reflect.Value{reflect.ValueOf(&d.opt).Elem()}))
			err, _ := out[len(out)-1].Interface().(error)
			if len(out) == 1 {
				return nil, err
			}
			return out[0].Interface(), err
		}}}
}

func searchFor() *ghl.SearchRequest {
	return &ghl.SearchRequest{
		PageLimit: 500, After: cursor, Query: "ada",
		Filters: []ghl.Filter{
			ghl.AnyOf(ghl.FieldEmail.Eq("ada@example.com"), ghl.FieldTags.Contains("vip")),
			ghl.FieldDateUpdated.GTE(start).LT(end),
			ghl.FieldOpportunities.Nested(ghl.SearchField("pipelineId").Eq("VDm7RPYC2GLUvdpKmBfC")),
			ghl.FieldPhone.Exists(),
		},
		Sort: []ghl.SearchField{ghl.FieldDateAdded.Desc()},
	}
}

func dnd() *ghl.DNDSettings {
	channel := &ghl.DNDSetting{Status: ghl.DNDPermanent, Message: "On request", Code: "94"}
	return &ghl.DNDSettings{Call: channel, Email: channel, SMS: channel, WhatsApp: channel, GMB: channel, FB: channel,
		RCS: channel}
}

func inboundDND() *ghl.DNDSettings {
	return &ghl.DNDSettings{All: &ghl.DNDSetting{Status: ghl.DNDActive, Message: "On request"}}
}

// customFields has a value of each kind.
func customFields() []ghl.CustomField {
	const id = "6dvNaf7VhkQ9snc5vnjJ"
	file := ghl.CustomFieldFile{URL: "https://example.com/cv.pdf", DocumentID: "GCs5KuzPqTls7vWclkEV"}
	file.Meta.OriginalName, file.Meta.Size = "cv.pdf", 1024
	return []ghl.CustomField{
		{ID: id, Key: "contact.nickname", Value: ghl.ValueOf("Countess")},
		{Key: "contact.nickname", Value: ghl.ValueOf("Countess")},
		{ID: id, Value: ghl.ValueOf(12.5)},
		{ID: id, Value: ghl.ValueOf(time.Date(1990, time.September, 25, 0, 0, 0, 0, time.UTC))},
		{ID: id, Value: ghl.ValueOf([]string{"Red", "Blue"})},
		{ID: id, Value: ghl.ValueOf(map[string]ghl.CustomFieldFile{"f31175d4-2b06-4fc6-b7bc-74cd814c68cb": file})},
	}
}

func eventsQuery() *ghl.EventsQuery {
	return &ghl.EventsQuery{StartTime: start, EndTime: end, CalendarID: calendarID, UserID: userID, GroupID: groupID}
}

// full fails unless every field of an input is set, so that a new field must be added to the table. except lists fields
// that exclude others.
func full[T any](d *driver, in *T, except ...string) *T {
	d.t.Helper()
	for field, value := range reflect.ValueOf(in).Elem().Fields() {
		if !slices.Contains(except, field.Name) {
			require.False(d.t, value.IsZero(), "%T.%s is not set", in, field.Name)
		}
	}
	return in
}

// nulls sets every optional field to null.
func nulls[T any](d *driver, in *T) *T {
	d.t.Helper()
	for field, value := range reflect.ValueOf(in).Elem().Fields() {
		if optional, ok := value.Addr().Interface().(json.Unmarshaler); ok && field.IsExported() {
			require.NoError(d.t, optional.UnmarshalJSON([]byte("null")))
		}
	}
	return in
}
