package ghltest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// The documents name no slash at the end of these paths, and HighLevel accepts one.
func TestTrailingSlashes(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
	task := s.AddTask(ghl.Task{ContactID: ada.ID, Title: "T"})
	here, contact := s.LocationID(), "/contacts/"+ada.ID
	for _, test := range []struct {
		method, path, body, operation string
		status                        int
	}{
		{"GET", contact + "/", "", "contacts.get", 200},
		{"PUT", contact + "/", `{"firstName":"Eda"}`, "contacts.update", 200},
		{"POST", "/contacts/upsert/", `{"locationId":"` + here + `","email":"ada@example.com"}`, "contacts.upsert", 200},
		{"POST", "/contacts/search/", `{"locationId":"` + here + `","pageLimit":1}`, "contacts.search", 200},
		{"GET", contact + "/tasks/", "", "tasks.list", 200},
		{"POST", contact + "/tasks/", `{"title":"x","dueDate":"2026-03-03T10:00:00Z","completed":false}`, "tasks.create", 201},
		{"PUT", contact + "/tasks/" + task.ID + "/completed/", `{"completed":true}`, "tasks.setCompleted", 200},
		{"DELETE", contact + "/tasks/" + task.ID + "/", "", "tasks.delete", 200},
		{"GET", "/contacts/search/duplicate/?email=ada%40example.com&locationId=" + here, "", "contacts.findDuplicate", 200},
		{"GET", "/calendars/?locationId=" + here, "", "calendars.list", 200},
		{"GET", "/locations/" + here + "/", "", "locations.get", 200},
		{"GET", "/locations/" + here + "/tags/", "", "locations.tags", 200},
		{"GET", "/contacts", "", "", 404},
		{"GET", contact + "//", "", "", 404},
		{"PATCH", contact + "/", "", "", 404},
		{"GET", "/no/such/", "", "", 404},
	} {
		s.ResetRequests()
		status, answer, _ := send(t, s, test.method, test.path, test.body)
		require.Equal(t, test.status, status, "%s %s: %v", test.method, test.path, answer)
		require.Equal(t, test.operation, s.Requests()[0].Operation, test.path)
		if status == 404 {
			path, _, _ := strings.Cut(test.path, "?")
			require.Equal(t, "Cannot "+test.method+" "+path, answer["message"])
		}
	}
}

// The vendor's Node client opens another path of the consent screen than its Python client.
func TestConsentPaths(t *testing.T) {
	s, app, _ := appServer(t)
	query := url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {app.RedirectURLs[0]}}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/oauth/chooselocation", "/v2/oauth/chooselocation"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path+"?"+query.Encode(), nil)
		require.NoError(t, err)
		resp, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 302, resp.StatusCode, path)
		back, err := resp.Location()
		require.NoError(t, err)
		status, _ := ask(t, s, false, app, url.Values{
			"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
		})
		require.Equal(t, 200, status)
	}
	require.Equal(t, "/oauth/chooselocation", s.Requests()[0].Path)
	require.Equal(t, "oauth.consent", s.Requests()[0].Operation)
}

// A company's token reads the locations of its company, and nothing else of them.
func TestACompanyTokenReadsALocation(t *testing.T) {
	s, _ := start(t)
	branch := s.AddLocation(ghl.Location{Name: "Branch"})
	foreign := s.AddLocation(ghl.Location{Name: "Foreign", CompanyID: "othercompany"})
	agency := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany})
	narrow := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany, Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}})
	app := s.AddApp(ghltest.App{})
	installed := s.InstallCompany(app, ghltest.CompanyInstall{Locations: []string{branch.ID}})
	c := clientOf(t, s, ghl.WithToken(agency.AccessToken))
	for _, id := range []string{s.LocationID(), branch.ID} {
		location, err := c.Locations.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, id, location.ID)
	}
	for _, test := range []struct {
		token, path string
		status      int
		message     string
	}{
		{installed.AccessToken, branch.ID, 200, ""},
		{agency.AccessToken, foreign.ID, 403, "The token does not have access to this location."},
		{agency.AccessToken, "nowhere", 403, "The token does not have access to this location."},
		{narrow.AccessToken, branch.ID, 401, "The token is not authorized for this scope."},
		{agency.AccessToken, branch.ID + "/tags", 401, "This authClass type is not allowed to access this scope."},
		{agency.AccessToken, branch.ID + "/customFields", 401, "This authClass type is not allowed to access this scope."},
		{s.Token(), branch.ID, 403, "The token does not have access to this location."},
	} {
		status, answer, _ := send(t, s, "GET", "/locations/"+test.path, "", "Authorization", "Bearer "+test.token)
		require.Equal(t, test.status, status, "%v", answer)
		if test.message != "" {
			require.Equal(t, test.message, answer["message"])
		}
	}
}

// A list of a location that does not name the location is refused like a list of another location.
func TestAListWithoutLocation(t *testing.T) {
	s, _ := start(t)
	for _, path := range []string{
		"/contacts/", "/contacts/?limit=1", "/contacts/?locationId=", "/contacts/business/b",
		"/contacts/search/duplicate?email=a%40example.com", "/calendars/",
		"/calendars/events?calendarId=c&startTime=1&endTime=2", "/calendars/blocked-slots?userId=u&startTime=1&endTime=2",
	} {
		status, answer, _ := send(t, s, http.MethodGet, path, "")
		require.Equal(t, 403, status, path)
		require.Equal(t, "The token does not have access to this location.", answer["message"], path)
	}
}

// Under 2021-07-28 the value of a custom field has three names, under v3 one.
func TestNamesOfACustomFieldsValue(t *testing.T) {
	s, _ := start(t)
	field := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size"})
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
	here := s.LocationID()
	for i, name := range []string{"field_value", "fieldValue", "value"} {
		for j, request := range []struct{ method, path, before string }{
			{"PUT", "/contacts/" + ada.ID, `{`},
			{"POST", "/contacts/upsert", `{"locationId":"` + here + `","email":"ada@example.com",`},
		} {
			value := fmt.Sprint(i, j)
			status, answer, _ := send(t, s, request.method, request.path,
				request.before+`"customFields":[{"id":"`+field.ID+`","`+name+`":"`+value+`"}]}`)
			require.Equal(t, 200, status, "%v", answer)
			stored, _ := s.Contact(ada.ID)
			require.Equal(t, value, stored.CustomFields[0].Value.Text(), "%s %s", request.method, name)
		}
	}
	status, answer, _ := send(t, s, "PUT", "/contacts/"+ada.ID, `{"customFields":[{"id":"x","value":1}]}`, "Version", "v3")
	require.Equal(t, 422, status)
	require.Equal(t, []any{"customFields.0.property value should not exist"}, answer["message"])
}

// The gender is stored with a new contact only, and answered by the reads of one contact.
func TestGender(t *testing.T) {
	for _, version := range []string{"2021-07-28", "v3"} {
		s, _ := start(t)
		here := s.LocationID()
		body := func(email, gender string) string {
			return fmt.Sprintf(`{"locationId":%q,"email":%q,"gender":%q}`, here, email, gender)
		}
		gender := func(email string) any {
			for _, one := range s.Contacts() {
				if one.Email == email {
					_, answer, _ := send(t, s, "GET", "/contacts/"+one.ID, "", "Version", version)
					return answer["contact"].(map[string]any)["gender"]
				}
			}
			return "no contact"
		}
		for _, test := range []struct {
			path, email, gender string
			status              int
			want                any
		}{
			{"/contacts/", "ada@example.com", "female", 201, "female"},
			{"/contacts/upsert", "bo@example.com", "male", 200, "male"},
			{"/contacts/upsert", "bo@example.com", "female", 200, "male"}, // the contact exists
			{"/contacts/", "cy@example.com", "", 201, nil},
			{"/contacts/upsert", "cy@example.com", "male", 200, nil}, // the contact exists
		} {
			status, answer, _ := send(t, s, "POST", test.path, body(test.email, test.gender), "Version", version)
			require.Equal(t, test.status, status, "%v", answer)
			require.Equal(t, test.want, gender(test.email), "%s %s", test.path, test.email)
		}
		status, answer, _ := send(t, s, "PUT", "/contacts/"+s.Contacts()[0].ID, `{"gender":"male"}`, "Version", version)
		require.Equal(t, 422, status)
		require.Equal(t, []any{"property gender should not exist"}, answer["message"])
	}
}

// An upsert by an additional e-mail makes it the primary one; the contact loses its old primary e-mail.
func TestUpsertByAnAdditionalEmail(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{
		FirstName: "Ada", Email: "ada@example.com",
		AdditionalEmails: []ghl.AdditionalEmail{{Email: "Countess@example.com"}, {Email: "third@example.com"}},
	})
	result, err := c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{Email: ghl.Some("countess@example.com")})
	require.NoError(t, err)
	require.False(t, result.New)
	require.Equal(t, ada.ID, result.Contact.ID)
	stored, _ := s.Contact(ada.ID)
	require.Equal(t, "countess@example.com", stored.Email)
	require.Equal(t, []ghl.AdditionalEmail{{Email: "third@example.com"}}, stored.AdditionalEmails)
	_, err = c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "ada@example.com"})
	require.ErrorIs(t, err, ghl.ErrNotFound, "the old primary e-mail is lost")
	for _, email := range []string{"countess@example.com", "third@example.com"} {
		found, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: email})
		require.NoError(t, err)
		require.Equal(t, ada.ID, found.ID)
	}
}

func TestFilterByAChannelOfDoNotDisturb(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", DNDSettings: &ghl.DNDSettings{
		Email: &ghl.DNDSetting{Status: "active"}, WhatsApp: &ghl.DNDSetting{Status: "permanent"},
	}})
	bo := s.AddContact(ghl.Contact{FirstName: "Bo"})
	for filter, want := range map[string][]string{
		`{"field":"dndSettings.Email.status","operator":"eq","value":"active"}`:       {ada.ID},
		`{"field":"dndSettings.Email.status","operator":"eq","value":"inactive"}`:     nil,
		`{"field":"dndSettings.Email.status","operator":"not_eq","value":"active"}`:   {bo.ID},
		`{"field":"dndSettings.Email.status","operator":"exists"}`:                    {ada.ID},
		`{"field":"dndSettings.Email.status","operator":"not_exists"}`:                {bo.ID},
		`{"field":"dndSettings.WhatsApp.status","operator":"eq","value":"permanent"}`: {ada.ID},
		`{"field":"dndSettings.SMS.status","operator":"exists"}`:                      nil,
	} {
		status, answer := searchStatus(t, s, `"pageLimit":10,"filters":[`+filter+`]`)
		require.Equal(t, 200, status, "%s: %v", filter, answer)
		var got []string
		for _, one := range answer["contacts"].([]any) {
			got = append(got, one.(map[string]any)["id"].(string))
		}
		require.Equal(t, want, got, filter)
	}
	status, _ := searchStatus(t, s,
		`"pageLimit":10,"filters":[{"field":"dndSettings.Fax.status","operator":"exists"}]`)
	require.Equal(t, 422, status)
}

// The server stores tags in lower case and compares them with the filter as it is.
func TestATagFilterIsCaseSensitive(t *testing.T) {
	s, _ := start(t)
	s.AddContact(ghl.Contact{FirstName: "Ada", Tags: []string{"VIP Gold"}})
	for filter, want := range map[string]int{
		`"operator":"eq","value":"vip gold"`:       1,
		`"operator":"eq","value":"VIP Gold"`:       0,
		`"operator":"eq","value":["x","vip gold"]`: 1,
		`"operator":"eq","value":["VIP GOLD"]`:     0,
		`"operator":"contains","value":"vip gold"`: 1,
		`"operator":"contains","value":"Vip Gold"`: 0,
		`"operator":"not_eq","value":"VIP Gold"`:   1,
		`"operator":"not_eq","value":"vip gold"`:   0,
		`"operator":"not_contains","value":"VIP"`:  1,
	} {
		status, answer := searchStatus(t, s, `"pageLimit":10,"filters":[{"field":"tags",`+filter+`}]`)
		require.Equal(t, 200, status)
		require.Len(t, answer["contacts"], want, filter)
	}
	_, answer := searchStatus(t, s, `"pageLimit":10,"filters":[{"field":"firstNameLowerCase","operator":"eq","value":"ADA"}]`)
	require.Len(t, answer["contacts"], 1, "other fields ignore the case")
}

// The default of isActive is true.
func TestCalendarsAreActiveByDefault(t *testing.T) {
	s, c := start(t, ghltest.WithSeed(strings.NewReader(
		`{"calendars":[{"id":"one"},{"id":"two","isActive":false},{"id":"three","isActive":true}]}`)))
	s.AddCalendar(ghl.Calendar{ID: "four"})
	s.AddCalendar(ghl.Calendar{ID: "five"})
	s.SetCalendarActive("five", false)
	listed := func(drafted bool) (ids []string) {
		calendars, err := c.Calendars.List(t.Context(), &ghl.ListCalendarsOptions{ShowDrafted: &drafted})
		require.NoError(t, err)
		for _, calendar := range calendars {
			ids = append(ids, calendar.ID)
		}
		return ids
	}
	require.Equal(t, []string{"one", "three", "four"}, listed(false))
	require.Equal(t, []string{"one", "two", "three", "four", "five"}, listed(true))
	s.SetCalendarActive("five", true)
	require.Equal(t, []string{"one", "three", "four", "five"}, listed(false))
	require.True(t, s.Calendars()[0].IsActive)
}

// Every answer with an appointment has its status under two names, one of them misspelled.
func TestTheMisspelledStatus(t *testing.T) {
	s, _ := start(t)
	cal := s.AddCalendar(ghl.Calendar{})
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	booked := s.AddAppointment(ghl.Appointment{
		ContactID: ada.ID, StartTime: ghl.NewTime(noon.AddDate(0, 0, 1)), AppointmentStatus: ghl.AppointmentNoShow,
	})
	day := fmt.Sprintf("startTime=%d&endTime=%d", noon.UnixMilli(), noon.AddDate(0, 0, 7).UnixMilli())
	_, one, _ := send(t, s, "GET", "/calendars/events/appointments/"+booked.ID, "")
	_, ofContact, _ := send(t, s, "GET", "/contacts/"+ada.ID+"/appointments", "")
	_, ofCalendar, _ := send(t, s, "GET",
		"/calendars/events?locationId="+s.LocationID()+"&calendarId="+cal.ID+"&"+day, "")
	_, updated, _ := send(t, s, "PUT", "/calendars/events/appointments/"+booked.ID, `{"appointmentStatus":"noshow"}`)
	for name, record := range map[string]any{
		"get": one["event"], "of a contact": ofContact["events"].([]any)[0],
		"of a calendar": ofCalendar["events"].([]any)[0], "updated": updated,
	} {
		require.Equal(t, "noshow", record.(map[string]any)["appointmentStatus"], name)
		require.Equal(t, "noshow", record.(map[string]any)["appoinmentStatus"], name)
	}
	status, made, _ := send(t, s, "POST", "/calendars/events/appointments", fmt.Sprintf(
		`{"locationId":%q,"calendarId":%q,"contactId":%q,"startTime":"2026-03-03T15:00:00Z","ignoreFreeSlotValidation":true}`,
		s.LocationID(), cal.ID, ada.ID))
	require.Equal(t, 200, status, "%v", made)
	require.Equal(t, "confirmed", made["appoinmentStatus"])
}

// An endpoint that HighLevel documents and the fake does not have answers 501 with its name.
func TestAnEndpointThatTheFakeDoesNotHave(t *testing.T) {
	s, _ := start(t)
	for _, test := range []struct {
		version, method, path, message string
	}{
		{"2021-07-28", "GET", "/invoices/abc", "get-invoice (GET /invoices/{invoiceId})"},
		{"v3", "GET", "/invoices/abc", "get-invoice (GET /invoices/{invoiceId})"},
		{"", "GET", "/invoices/abc", "get-invoice (GET /invoices/{invoiceId})"},
		{"2021-07-28", "GET", "/invoices/abc/", "get-invoice (GET /invoices/{invoiceId})"},
		{"2021-07-28", "POST", "/conversations/messages", "send-a-new-message (POST /conversations/messages)"},
		{"2021-07-28", "GET", "/users/", "get-user-by-location (GET /users/)"},
		{"2021-07-28", "GET", "/users", "get-user-by-location (GET /users/)"},
		{"2021-07-28", "GET", "/opportunities/search?location_id=x", "search-opportunity (GET /opportunities/search)"},
		{"2021-07-28", "POST", "/locations/", "create-location (POST /locations/)"},
		{"2021-07-28", "DELETE", "/calendars/abc", "delete-calendar (DELETE /calendars/{calendarId})"},
	} {
		status, answer, _ := send(t, s, test.method, test.path, "", "Version", test.version)
		require.Equal(t, 501, status, test.path)
		require.Equal(t, "ghltest does not have the endpoint "+test.message, answer["message"])
		require.Equal(t, "Not Implemented", answer["error"])
	}
	for _, request := range []string{
		"GET /no/such", "GET /contacts", "PATCH /contacts/abc", "GET //invoices/abc", "GET /invoices//abc/def",
		"GET /invoices/..", "PUT /invoices", "GET /",
	} {
		method, path, _ := strings.Cut(request, " ")
		status, answer, _ := send(t, s, method, path, "")
		require.Equal(t, 404, status, request)
		require.Equal(t, "Cannot "+request, answer["message"])
	}
}

// A delivery has the form in which JavaScript writes JSON, so that its signature is also that of a body which the
// receiver has parsed and written again.
func TestDeliveriesAreWrittenAsInJavaScript(t *testing.T) {
	s, c := start(t)
	field := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Files", DataType: "TEXTBOX_LIST"})
	for _, opts := range [][]ghltest.SubscribeOption{nil, {ghltest.NestedRecords()}} {
		s.SubscribeHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), opts...)
	}
	const name = "<b>Tom & Jerry</b> \u2028\u2029 \"Ä\" \x7f\b"
	made, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{
		FirstName: name, Email: "tom@example.com", CustomFields: []ghl.CustomField{{
			ID: field.ID, Value: ghl.ValueOf(json.RawMessage(`{"b":1.50,"10":1e3,"2":"\u003cx\u003e"}`)),
		}},
	})
	require.NoError(t, err)
	_, err = c.Notes.Create(t.Context(), made.ID, &ghl.NoteCreate{Body: "<p>a &amp; b</p>"})
	require.NoError(t, err)
	require.NoError(t, s.Flush(t.Context()))
	require.Len(t, s.Deliveries(), 4)
	for _, d := range s.Deliveries() {
		body := string(d.Body)
		for _, escaped := range []string{`\u003c`, `\u003e`, `\u0026`, `\u2028`, `\u2029`, `\u007f`, ": ", ", "} {
			require.NotContains(t, body, escaped)
		}
		if d.Type == ghltest.NoteCreate {
			require.Contains(t, body, `"body":"<p>a &amp; b</p>"`)
			continue
		}
		require.Contains(t, body, `"firstName":"<b>Tom & Jerry</b> `+"\u2028\u2029"+` \"Ä\" `+"\x7f"+`\b"`)
		require.Contains(t, body, `{"2":"<x>","10":1000,"b":1.5}`)
	}
}

// An update of an appointment without a status makes the appointment confirmed.
func TestAnUpdateOfAnAppointmentResetsItsStatus(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	at := ghl.NewTime(noon.AddDate(0, 0, -7)) // in the past, where no slot can be booked
	for _, test := range []struct {
		was        ghl.AppointmentStatus
		body, want string
	}{
		{ghl.AppointmentNoShow, `{"title":"Visit, second floor"}`, "confirmed"},
		{ghl.AppointmentCancelled, `{"assignedUserId":"u1"}`, "confirmed"},
		{ghl.AppointmentShowed, `{}`, "confirmed"},
		{ghl.AppointmentNew, `{"appointmentStatus":null}`, "confirmed"},
		{ghl.AppointmentNoShow, `{"title":"x","appointmentStatus":"noshow"}`, "noshow"},
		{ghl.AppointmentConfirmed, `{"appointmentStatus":"cancelled"}`, "cancelled"},
	} {
		booked := s.AddAppointment(ghl.Appointment{
			ContactID: ada.ID, StartTime: at, Title: "Visit", AppointmentStatus: test.was,
		})
		status, answer, _ := send(t, s, "PUT", "/calendars/events/appointments/"+booked.ID, test.body)
		require.Equal(t, 200, status, "%s: %v", test.body, answer)
		require.Equal(t, test.want, answer["appointmentStatus"], test.body)
		require.Equal(t, ghl.AppointmentStatus(test.want), last(s.Appointments(ada.ID)).AppointmentStatus, test.body)
	}
}

func last[T any](list []T) T { return list[len(list)-1] }

// Some accounts refuse contacts without an e-mail and a phone.
func TestContactsWithoutEmailAndPhone(t *testing.T) {
	strict, _ := start(t, ghltest.WithEmailOrPhoneRequired())
	lax, _ := start(t)
	for _, s := range []*ghltest.Server{strict, lax} {
		ada := s.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		bo := s.AddContact(ghl.Contact{FirstName: "Bo"})
		here := `{"locationId":"` + s.LocationID() + `"`
		for _, test := range []struct {
			method, path, body string
			refused            bool // with the option
		}{
			{"POST", "/contacts/", here + `,"firstName":"Cy"}`, true},
			{"POST", "/contacts/", here + `,"firstName":"Cy","email":"","phone":null}`, true},
			{"POST", "/contacts/upsert", here + `,"firstName":"Di"}`, true},
			{"PUT", "/contacts/" + ada.ID, `{"email":null}`, true},
			{"PUT", "/contacts/" + bo.ID, `{"firstName":"Bob"}`, false},
			{"POST", "/contacts/", here + `,"phone":"+12025550143"}`, false},
			{"POST", "/contacts/upsert", here + `,"email":"di@example.com"}`, false},
		} {
			status, answer, _ := send(t, s, test.method, test.path, test.body)
			if test.refused && s == strict {
				require.Equal(t, 400, status, test.body)
				require.Equal(t, "Please provide at least one of email, phone", answer["message"])
				continue
			}
			require.Less(t, status, 300, "%s %s: %v", test.path, test.body, answer)
		}
	}
}

// Some accounts refuse a phone that is not a phone number, and the whole contact with it.
func TestMalformedPhones(t *testing.T) {
	strict, _ := start(t, ghltest.WithMalformedPhonesRefused())
	lax, _ := start(t)
	for phone, refused := range map[string]bool{
		"call me": true, "n/a": true, "none": true, "555 CALL ME": true, "12": true, "1234567890123456": true,
		"+49 30 (1234) 5678": false, "202-555-0143 ext. 12": false, "(202) 555.0143": false, "": false,
	} {
		for _, s := range []*ghltest.Server{strict, lax} {
			body := fmt.Sprintf(`{"locationId":%q,"email":"bob@example.com","phone":%q}`, s.LocationID(), phone)
			status, answer, _ := send(t, s, "POST", "/contacts/upsert", body)
			want := 200
			if refused && s == strict {
				want = 400
			}
			require.Equal(t, want, status, "%q: %v", phone, answer)
		}
	}
	status, _, _ := send(t, lax, "GET", "/contacts/search/duplicate?number=call+me&locationId="+lax.LocationID(), "")
	require.Equal(t, 400, status, "a search for words is always refused")
}
