package webhook

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/lenient"
)

const (
	contactRecord = `"id":"con1","address1":"12 Maple Street","city":"Zürich","state":"ZH","companyName":"Ortega \"Bakery\"","country":"CH",` +
		`"source":"website","dateAdded":"2025-10-02T09:14:03.193Z","dateOfBirth":"1984-03-05T00:00:00.000Z","dnd":true,` +
		`"email":"amelia@example.com","name":"Amelia Ortega","firstName":"Amelia","lastName":"Ortega","phone":"+12025550101",` +
		`"postalCode":"8001","tags":["customer","news"],"website":"https://ortega.example","attachments":[],"assignedTo":"use1",` +
		`"customFields":[{"id":"fie1","value":"38"},{"id":"fie2","value":["a","b"]}]`
	dndSettings = `,"dndSettings":{"SMS":{"status":"inactive","message":"m","code":"101"},"Call":{"status":"active","message":"m","code":"101"},` +
		`"RCS":{"status":"active"}}`
	taskRecord = `"id":"tas1","assignedTo":"use1","body":"about the order","contactId":"con1","title":"Call","dateAdded":"2025-10-02T09:14:03.193Z",` +
		`"dueDate":"2025-10-05T09:00:00.000Z"`
	noteRecord        = `"id":"not1","body":"was friendly","contactId":"con1","dateAdded":"2025-10-02T09:14:03.193Z"`
	appointmentRecord = `"id":"app1","address":"https://example.com/meeting","title":"Consultation","calendarId":"cal1","contactId":"con1","groupId":"gro1",` +
		`"appointmentStatus":"confirmed","assignedUserId":"use1","users":["use1","use2"],"notes":"bring cake","source":"booking_widget",` +
		`"startTime":"2025-10-05T16:00:00+05:30","endTime":"2025-10-05T16:30:00+05:30","dateAdded":"2025-10-01T16:00:00+05:30",` +
		`"dateUpdated":"2025-10-02T16:00:00+05:30"`
	installRecord = `"userId":"use1","planId":"pla1","installType":"Location","trial":{"onTrial":true,"trialDuration":10,"trialStartDate":` +
		`"2025-07-23T23:54:51.264Z"},"isWhitelabelCompany":true,"whitelabelDetails":{"domain":"example.com","logoUrl":"https://example.com/logo.png"},` +
		`"companyName":"Example Company"`
	envelope = `"locationId":"loc1","companyId":"com1","versionId":"ver1","appId":"our1","timestamp":"2025-11-07T12:46:45.953Z",` +
		`"webhookId":"9c1d7a52-3a0e-4a58-8f43-000000000000"`
)

func flat(kind Type, record string) string {
	return `{"type":"` + string(kind) + `",` + envelope + "," + record + "}"
}

func nested(kind Type, record string) string {
	return `{"type":"` + string(kind) + `",` + envelope + `,"data":{` + record + "}}"
}

// samples returns a body of each known type, in each form that was observed.
func samples() map[string]string {
	all := map[string]string{}
	add := func(record string, kinds ...Type) {
		for _, kind := range kinds {
			all[string(kind)+" flat"], all[string(kind)+" nested"] = flat(kind, record), nested(kind, record)
		}
	}
	add(contactRecord, ContactCreate, ContactUpdate, ContactDelete, ContactTagUpdate)
	add(contactRecord+dndSettings, ContactDndUpdate)
	add(taskRecord, TaskCreate, TaskComplete, TaskDelete)
	add(noteRecord, NoteCreate, NoteUpdate, NoteDelete)
	add(installRecord, AppInstall)
	add(`"x":1`, AppUninstall)
	for _, kind := range []Type{AppointmentCreate, AppointmentUpdate, AppointmentDelete} {
		add(appointmentRecord, kind)
		all[string(kind)+" under appointment"] = flat(kind, `"appointment":{`+appointmentRecord+"}")
		all[string(kind)+" under data and appointment"] = nested(kind, `"appointment":{`+appointmentRecord+"}")
	}
	return all
}

func TestDecodeOtherSpellings(t *testing.T) {
	for _, kind := range []Type{ContactUpdate, TaskCreate, NoteUpdate, AppointmentUpdate} {
		for _, record := range []string{`"_id":"r1"`, `"id":null,"_id":"r1"`, `"_id":"r1","id":""`} {
			bodies := []string{flat(kind, record), nested(kind, record)}
			if kind == AppointmentUpdate {
				bodies = append(bodies, flat(kind, `"appointment":{`+record+`}`), nested(kind, `"appointment":{`+record+`}`))
			}
			for _, body := range bodies {
				event, err := Decode([]byte(body))
				require.NoError(t, err)
				require.Equal(t, "r1", event.RecordID(), body)
			}
		}
	}
	for _, body := range []string{
		flat(AppointmentDelete, `"id":"a1","appoinmentStatus":"cancelled"`),
		flat(AppointmentDelete, `"appointment":{"id":"a1","appoinmentStatus":"cancelled","appointmentStatus":""}`),
		nested(AppointmentDelete, `"appointment":{"id":"a1","appoinmentStatus":"cancelled","status":"booked"}`),
	} {
		event, err := Decode([]byte(body))
		require.NoError(t, err)
		require.Equal(t, ghl.AppointmentCancelled, event.(*AppointmentEvent).Appointment.AppointmentStatus, body)
	}
}

func TestDecodeSamples(t *testing.T) {
	for name, body := range samples() {
		t.Run(name, func(t *testing.T) {
			event, err := Decode([]byte(body))
			require.NoError(t, err)
			m := event.Meta()
			kind, _, _ := strings.Cut(name, " ")
			require.Equal(t, Envelope{
				Type: Type(kind), LocationID: "loc1", CompanyID: "com1", AppID: "our1", VersionID: "ver1",
				WebhookID: "9c1d7a52-3a0e-4a58-8f43-000000000000", Timestamp: ghl.ParseTime("2025-11-07T12:46:45.953Z"),
				Raw: json.RawMessage(body),
			}, *m)
			switch e := event.(type) {
			case *ContactEvent:
				require.Equal(t, "con1", e.RecordID())
				require.Equal(t, "con1", e.ContactID())
				c := e.Contact
				require.Equal(t, []string{"loc1", "12 Maple Street", "Zürich", "ZH", `Ortega "Bakery"`, "CH", "website",
					"amelia@example.com", "Amelia Ortega", "Amelia",
					"Ortega", "+12025550101", "8001", "https://ortega.example", "use1", ""},
					[]string{c.LocationID, c.Address1, c.City, c.State, c.CompanyName, c.Country, c.Source, c.Email,
						c.Name, c.FirstName, c.LastName,
						c.Phone, c.PostalCode, c.Website, c.AssignedTo, c.Type})
				require.True(t, c.DND)
				require.Equal(t, []string{"customer", "news"}, c.Tags)
				require.Equal(t, "2025-10-02T09:14:03.193Z", c.DateAdded.Raw())
				require.Equal(t, 1984, c.DateOfBirth.In(nil).Year())
				require.Len(t, c.CustomFields, 2)
				require.Equal(t, "a, b", c.CustomFields[1].Value.Text())
				require.Nil(t, c.Extra)
				if m.Type == ContactDndUpdate {
					require.Equal(t, "inactive", string(c.DNDSettings.SMS.Status))
				} else {
					require.Nil(t, c.DNDSettings)
				}
			case *TaskEvent:
				require.Equal(t, "tas1", e.RecordID())
				require.Equal(t, "con1", e.ContactID())
				require.Equal(t, ghl.Task{
					ID: "tas1", LocationID: "loc1", ContactID: "con1", AssignedTo: "use1", Body: "about the order",
					Title:     "Call",
					DateAdded: ghl.ParseTime("2025-10-02T09:14:03.193Z"),
					DueDate:   ghl.ParseTime("2025-10-05T09:00:00.000Z"), Completed: m.Type == TaskComplete,
				}, e.Task)
			case *NoteEvent:
				require.Equal(t, "not1", e.RecordID())
				require.Equal(t, "con1", e.ContactID())
				require.Equal(t, ghl.Note{ID: "not1", ContactID: "con1", Body: "was friendly",
					DateAdded: ghl.ParseTime("2025-10-02T09:14:03.193Z")}, e.Note)
			case *AppointmentEvent:
				require.Equal(t, "app1", e.RecordID())
				require.Equal(t, "con1", e.ContactID())
				a := e.Appointment
				require.Equal(t, []string{"loc1", "Consultation", "cal1", "gro1", "confirmed", "use1", "bring cake",
					"https://example.com/meeting"},
					[]string{a.LocationID, a.Title, a.CalendarID, a.GroupID, string(a.AppointmentStatus),
						a.AssignedUserID, a.Notes, a.Address})
				require.Equal(t, []string{"use1", "use2"}, a.Users)
				start, ok := a.StartTime.Instant()
				require.True(t, ok)
				require.True(t, start.Equal(time.Date(2025, 10, 5, 10, 30, 0, 0, time.UTC)))
				require.Equal(t, ghl.Extra{"source": json.RawMessage(`"booking_widget"`)}, a.Extra)
			case *InstallEvent:
				require.Equal(t, InstallEvent{
					Envelope: *m, UserID: "use1", PlanID: "pla1", InstallType: "Location",
					CompanyName: "Example Company", IsWhitelabelCompany: true,
					WhitelabelDetails: WhitelabelDetails{"example.com", "https://example.com/logo.png"},
					Trial:             &Trial{true, 10, ghl.ParseTime("2025-07-23T23:54:51.264Z")},
				}, *e)
				require.Empty(t, e.RecordID()+e.ContactID())
			case *UninstallEvent:
				require.Equal(t, ghl.Extra{"x": json.RawMessage("1")}, e.Extra)
				require.Empty(t, e.RecordID()+e.ContactID())
			default:
				t.Fatalf("%T", event)
			}
		})
	}
	require.Len(t, samples(), 2*16+2*3)
}

// TestDecodeWithMissingFields: a delivery without fields that the guide's samples leave out is decoded.
func TestDecodeWithMissingFields(t *testing.T) {
	for _, kind := range []Type{ContactCreate, ContactDelete, TaskCreate, NoteUpdate, AppointmentDelete, AppInstall,
		AppUninstall} {
		event, err := Decode([]byte(`{"type":"` + string(kind) + `"}`))
		require.NoError(t, err)
		require.Equal(t, kind, event.Meta().Type)
		require.Empty(t, event.RecordID()+event.ContactID()+event.Meta().WebhookID+event.Meta().LocationID)
		require.True(t, event.Meta().Timestamp.IsZero())
	}
	event, err := Decode([]byte(`{"type":"TaskCreate","locationId":"loc1","id":"tas1","title":"Call"}`))
	require.NoError(t, err)
	require.Equal(t, ghl.Task{ID: "tas1", LocationID: "loc1", Title: "Call"}, event.(*TaskEvent).Task)
	event, err = Decode([]byte(`{"type":"TaskComplete","id":"tas1","completed":false}`))
	require.NoError(t, err)
	require.False(t, event.(*TaskEvent).Task.Completed, "the property decides")
	event, err = Decode([]byte(`{"type":"TaskComplete","id":"tas1","completed":null}`))
	require.NoError(t, err)
	require.True(t, event.(*TaskEvent).Task.Completed, "null is ignored")
	event, err = Decode([]byte(`{"type":"TaskDelete","id":null,"data":{"id":"tas1"}}`))
	require.NoError(t, err)
	require.Equal(t, "tas1", event.RecordID())
	event, err = Decode([]byte(`{"type":"INSTALL","appId":"our1","companyId":"com1","whitelabelDetails":{},"trial":null}`))
	require.NoError(t, err)
	require.Equal(t, "com1", event.Meta().CompanyID)
	require.Nil(t, event.(*InstallEvent).Trial)
}

func TestDecodeOddValues(t *testing.T) {
	event, err := Decode([]byte(`{"type":"ContactUpdate","id":42,"locationId":7,"tags":null,"dnd":"true","firstName":null,"dateAdded":1696250000000,` +
		`"additionalEmails":["a@example.com"],"new":{"a":1},"timestamp":1762519605953,"dateOfBirth":"","city":{"odd":1}}`))
	require.NoError(t, err)
	c := event.(*ContactEvent).Contact
	require.Equal(t, "42", c.ID)
	require.Equal(t, "7", event.Meta().LocationID)
	require.True(t, c.DND)
	require.Equal(t, 2023, c.DateAdded.In(nil).Year())
	require.Equal(t, "a@example.com", c.AdditionalEmails[0].Email)
	require.Equal(t, ghl.Extra{"new": json.RawMessage(`{"a":1}`), "city": json.RawMessage(`{"odd":1}`)}, c.Extra)
	require.Equal(t, 2025, event.Meta().Timestamp.In(nil).Year())

	event, err = Decode([]byte(`{"type":"INSTALL","userId":5,"trial":"no","isWhitelabelCompany":"yes","companyName":"C","more":[1]}`))
	require.NoError(t, err)
	e := event.(*InstallEvent)
	require.Equal(t, "C", e.CompanyName)
	require.ElementsMatch(t, []string{"userId", "trial", "isWhitelabelCompany", "more"},
		slices.Collect(maps.Keys(e.Extra)))

	event, err = Decode([]byte(`{"type":"ContactUpdate","data":{"id":"con1","locationId":"loc1","type":"lead","webhookId":"w"}}`))
	require.NoError(t, err)
	require.Equal(t, "loc1", event.Meta().LocationID, "data may contain fields of the envelope")
	require.Equal(t, "w", event.Meta().WebhookID)
	require.Equal(t, "lead", event.(*ContactEvent).Contact.Type, "the type of the contact, not of the event")

	event, err = Decode([]byte(`{"type":"AppointmentUpdate","appointment":{"id":"app1","locationId":"loc1"}}`))
	require.NoError(t, err)
	require.Equal(t, "loc1", event.Meta().LocationID)

	event, err = Decode([]byte(`{"type":"NoteUpdate","id":"not1","data":{"id":"other"},"body":"b"}`))
	require.NoError(t, err)
	require.Equal(t, "not1", event.RecordID(), "a flat record may have a property called data")
}

// TestDecodeRepeatedNames: names match with HighLevel's capitals only, and the last of repeated names counts, as in
// encoding/json.
func TestDecodeRepeatedNames(t *testing.T) {
	for _, test := range []struct {
		name, body          string
		kind                Type
		webhookID, location string
	}{
		{"twice", `{"type":"x","type":"y","webhookId":"1","webhookId":"2","locationId":"a","locationId":"b"}`, "y", "2", "b"},
		{"another case", `{"type":"y","TYPE":"x","webhookId":"2","WebhookId":"1","locationId":"b","LOCATIONID":"a"}`, "y", "2", "b"},
		{"escaped", `{"type":"x","\u0074ype":"y","webhookId":"1","webhook\u0049d":"2"}`, "y", "2", ""},
		{"the last is null", `{"type":"y","webhookId":"1","webhookId":null}`, "y", "", ""},
		{"outside and within", `{"type":"y","webhookId":"2","data":{"webhookId":"1","locationId":"b"}}`, "y", "2", "b"},
		{"no UTF-8", "{\"type\":\"y\",\"webhookId\":\"2\xff\"}", "y", "2\uFFFD", ""},
		{"half a surrogate", `{"type":"y","webhookId":"2\ud800"}`, "y", "2\uFFFD", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			event, err := Decode([]byte(test.body))
			require.NoError(t, err)
			m := event.Meta()
			require.Equal(t, []string{string(test.kind), test.webhookID, test.location},
				[]string{string(m.Type), m.WebhookID, m.LocationID})
			require.Equal(t, test.body, string(m.Raw))
		})
	}
	event, err := Decode([]byte(`{"type":"NoteCreate","id":"1","id":"2","body":"a","body":"b","contactId":"c"}`))
	require.NoError(t, err)
	require.Equal(t, "2", event.RecordID())
	require.Equal(t, "b", event.(*NoteEvent).Note.Body)
}

func TestDecodeDeepNesting(t *testing.T) {
	for _, kind := range []Type{"Unknown", ContactCreate, NoteCreate, AppointmentCreate, AppInstall} {
		deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
		event, err := Decode([]byte(`{"type":"` + string(kind) + `","id":"x","trial":` + deep + `,"tags":` +
			deep + `}`))
		require.NoError(t, err)
		require.Equal(t, kind, event.Meta().Type)
	}
}

// TestAppointmentsThatCallThemselvesCreated: the guide's samples of an appointment's update and deletion have the type
// AppointmentCreate. They are decoded as that type, and OnAppointmentChanged gets all of them.
func TestAppointmentsThatCallThemselvesCreated(t *testing.T) {
	body := `{"type":"AppointmentCreate","locationId":"loc1","appointment":{` + appointmentRecord + `}}`
	event, err := Decode([]byte(body))
	require.NoError(t, err)
	require.Equal(t, AppointmentCreate, event.Meta().Type)
	require.True(t, OnNoteOrAppointment(nothing).wants(event))
	require.True(t, OnAppointment(nil).wants(event))
}

func TestUnknownType(t *testing.T) {
	body := `{"type":"OpportunityStageUpdate","locationId":"loc1","id":"opp1","webhookId":"w","deep":[[{"a":[]}]]}`
	event, err := Decode([]byte(body))
	require.NoError(t, err)
	e := event.(*UnknownEvent)
	require.Equal(t, Type("OpportunityStageUpdate"), e.Type)
	require.Equal(t, "loc1", e.LocationID)
	require.Equal(t, body, string(e.Raw))
	require.Empty(t, e.RecordID()+e.ContactID())
}

func TestUnreadable(t *testing.T) {
	for _, body := range []string{
		"", " ", "null", "1", `"x"`, "[]", "{", "{}", `{"type":""}`, `{"type":null}`, `{"type":{}}`, `{"type":["ContactCreate"]}`, `{"Type":"x"}`,
		`{"type":"x"`, `{"type":"x",}`, `{"type":"x"}}`, `{"type":"x"} {}`, `{type:"x"}`, "{'type':'x'}", `{"type":"x","a":01}`, "{\"type\":\"x\ny\"}",
		`{"type":"\x"}`, "\xef\xbb\xbf" + `{"type":"x"}`, "type=x",
	} {
		_, err := Decode([]byte(body))
		require.ErrorIs(t, err, ErrUnreadable, body)
	}
	deep := `{"type":"x","a":` + strings.Repeat("[", 1_000_000)
	_, err := Decode([]byte(deep))
	require.ErrorIs(t, err, ErrUnreadable)
}

// FuzzDecode checks that Decode accepts exactly the JSON objects with a type, and that a record is read as its model
// reads it.
func FuzzDecode(f *testing.F) {
	for _, body := range samples() {
		f.Add([]byte(body))
	}
	for _, body := range []string{
		`{"type":"ContactCreate","tags":["a",null],"tags":["é","\u0041"]}`, `{"type":"ContactCreate","customFields":[null,{"id":1}],"dndSettings":null}`,
		`{"type":"TaskComplete","completed":"true","_id":"x"}`, `{"type":"NoteCreate","data":{"locationId":"l","body":""}}`, `{"type":"x","a":-0.5e+7}`,
		`{"type":"AppointmentUpdate","users":[],"startTime":"2025-10-05 16:00:00","source":null,"Title":"x"}`, "{\"type\":\"ContactCreate\",\"name\":\"\xff\"}",
		`{"type":"ContactCreate","locationId":5,"a\u0022b":{"<":1}}`, `{"type":"AppointmentCreate","data":{"appointment":{"id":"a"}}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := Decode(body)
		var head struct {
			Type any `json:"type"`
		}
		valid := json.Unmarshal(body, &head) == nil && len(body) > 0
		if err != nil {
			require.ErrorIs(t, err, ErrUnreadable)
			var all map[string]json.RawMessage
			require.False(t, valid && json.Unmarshal(body, &all) == nil &&
				text(all["type"]) != "", "an event was refused")
			return
		}
		var all map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &all))
		m := event.Meta()
		require.Equal(t, text(all["type"]), string(m.Type))
		for name, got := range map[string]string{
			"locationId": m.LocationID, "companyId": m.CompanyID, "appId": m.AppID, "versionId": m.VersionID, "webhookId": m.WebhookID,
		} {
			if want := text(all[name]); want != "" ||
				!lenient.IsObject(all["data"]) && !lenient.IsObject(all["appointment"]) {
				require.Equal(t, want, got, name)
			}
		}
		checkRecord(t, event, all)
	})
}

// checkRecord compares the record of an event with what encoding/json decodes from the same properties.
func checkRecord(t *testing.T, event Event, all map[string]json.RawMessage) {
	t.Helper()
	record, nested := all, false
	if lenient.IsObject(all["data"]) && text(all["id"]) == "" {
		record, nested = nil, true
		require.NoError(t, json.Unmarshal(all["data"], &record))
	}
	if _, ok := event.(*AppointmentEvent); ok && lenient.IsObject(record["appointment"]) {
		appointment := record["appointment"]
		record, nested = nil, true
		require.NoError(t, json.Unmarshal(appointment, &record))
	}
	location := event.Meta().LocationID
	var want, got any
	model := func(into any) {
		if !nested {
			for _, name := range []string{"type", "companyId", "appId", "versionId", "webhookId", "timestamp"} {
				delete(record, name)
			}
			if _, ok := into.(*ghl.Note); ok {
				delete(record, "locationId")
			}
		}
		folded := map[string]bool{}
		for name := range record { // of names that differ only in case the last counts, and a map has no order
			if fold := strings.ToLower(strings.ToUpper(name)); folded[fold] {
				into = nil
				return
			} else {
				folded[fold] = true
			}
		}
		data, err := json.Marshal(record)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, into))
		want = into
	}
	switch e := event.(type) {
	case *ContactEvent:
		var c ghl.Contact
		model(&c)
		c.LocationID = cmp.Or(c.LocationID, location)
		got = &e.Contact
	case *TaskEvent:
		var task ghl.Task
		model(&task)
		task.LocationID = cmp.Or(task.LocationID, location)
		said := record["completed"]
		task.Completed = task.Completed || e.Type == TaskComplete && (said == nil || string(said) == "null")
		got = &e.Task
	case *NoteEvent:
		model(new(ghl.Note))
		got = &e.Note
	case *AppointmentEvent:
		var a ghl.Appointment
		model(&a)
		a.LocationID = cmp.Or(a.LocationID, location)
		got = &e.Appointment
	}
	if want != nil {
		wantJSON, err := json.Marshal(want)
		require.NoError(t, err)
		gotJSON, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(wantJSON), string(gotJSON))
	}
}

func TestDeliveryIsOpenedAgain(t *testing.T) {
	body := []byte(flat(NoteCreate, noteRecord))
	header := signed(body)
	header.Set("Cookie", "secret")
	d, err := verifier(t).Open(body, header)
	require.NoError(t, err)
	require.Equal(t, body, d.Body())
	require.Equal(t, http.Header{"X-Ghl-Signature": header["X-Ghl-Signature"]}, d.Header(), "nothing else is stored")
	again, err := verifier(t).Open(d.Body(), d.Header())
	require.NoError(t, err)
	require.Equal(t, d.Event(), again.Event())
	_, err = verifier(t).Open([]byte("[]"), signed([]byte("[]")))
	require.ErrorIs(t, err, ErrUnreadable)
}
