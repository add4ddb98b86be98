package ghltest_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// fetch sends a request and returns the body as a text, which need not be JSON.
func fetch(t *testing.T, s *ghltest.Server, method, path, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header = http.Header{
		"Version": {"2021-07-28"}, "Authorization": {"Bearer " + s.Token()}, "Content-Type": {mediaOf(body)},
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(data)
}

// Answers of a gateway, of the CDN and of HighLevel about something else, as public reports have them.
func TestAnswersOfOthers(t *testing.T) {
	for _, test := range []struct {
		kind      fault.Kind
		status    int
		media     string
		body      string // a part of the body
		fromCDN   bool
		afterWork bool // the kind accepts AfterWork
	}{
		{fault.GatewayTimeoutAs400(), 400, "application/json",
			`{"statusCode":400,"message":"Request Timeout after 30000ms","error":"Bad Request"}`, false, true},
		{fault.CDNErrorCode(1010), 403, "text/plain", "error code: 1010", true, false},
		{fault.CDNErrorCode(1015), 429, "text/plain", "error code: 1015", true, false},
		{fault.CDNAccessDenied(1010), 403, "text/html", "<title>Access denied | services.leadconnectorhq.com used " +
			"Cloudflare to restrict access</title>", true, false},
		{fault.CDNErrorPage(520), 520, "text/html", "520: Web server is returning an unknown error", true, true},
		{fault.CDNErrorPage(524), 524, "text/html", "524: A timeout occurred", true, true},
		{fault.NotFoundOf(400, "Location"), 400, "application/json", `"Location not found"`, false, true},
		{fault.NotFoundOf(404, "Location with id L"), 404, "application/json", `"Location with id L not found"`, false, true},
		{fault.NotFoundOf(404, "route"), 404, "application/json", `"route not found"`, false, true},
		{fault.SuccessWithError(401, "Invalid JWT"), 200, "application/json",
			`{"statusCode":401,"message":"Invalid JWT"}`, false, true},
		{fault.SuccessWithPage(), 200, "text/html", "<html>ok</html>", false, true},
	} {
		name := fmt.Sprint(test.kind, " ", test.status)
		t.Run(name, func(t *testing.T) {
			s, _ := start(t)
			create := `{"locationId":"` + s.LocationID() + `","email":"ada@example.com"}`
			s.Fail(ghltest.Fault{Kind: test.kind, Times: 1})
			resp, body := fetch(t, s, "POST", "/contacts/", create)
			require.Equal(t, test.status, resp.StatusCode)
			require.Contains(t, resp.Header.Get("Content-Type"), test.media)
			require.Contains(t, body, test.body)
			require.Empty(t, s.Contacts())
			require.Equal(t, test.fromCDN, resp.Header.Get("Server") == "cloudflare")
			require.Equal(t, test.fromCDN, resp.Header.Get("Cf-Ray") != "")
			if test.fromCDN {
				require.Empty(t, resp.Header.Get("X-RateLimit-Max"))
			}
			require.Equal(t, test.kind.String(), s.Requests()[0].Fault)
			if !test.afterWork {
				require.ErrorContains(t, test.kind.AfterWork().Effect().Err, "does not reach the operation")
				return
			}
			s.Fail(ghltest.Fault{Kind: test.kind.AfterWork(), Times: 1})
			resp, _ = fetch(t, s, "POST", "/contacts/", create)
			require.Equal(t, test.status, resp.StatusCode)
			require.Len(t, s.Contacts(), 1)
		})
	}
	for _, wrong := range []fault.Kind{
		fault.CDNErrorCode(403), fault.CDNAccessDenied(2000), fault.CDNErrorPage(504), fault.NotFoundOf(410, "x"),
		fault.SuccessWithError(200, "x"), fault.ShortPages(0), fault.WrongTotal(0), fault.FreeSlotsAs(99),
	} {
		require.Error(t, wrong.Effect().Err, wrong.String())
	}
}

// WrongLocation without an operation refuses the whole location.
func TestARefusedLocation(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	active := s.Fail(ghltest.Fault{Kind: fault.WrongLocation()})
	for _, path := range []string{"/contacts/" + ada.ID, "/locations/" + s.LocationID(), "/calendars/?locationId=x"} {
		status, answer, _ := send(t, s, "GET", path, "")
		require.Equal(t, 403, status)
		require.Equal(t, "The token does not have access to this location.", answer["message"])
	}
	active.Remove()
	_, err := c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
}

func TestLimitsOfZero(t *testing.T) {
	headers := []string{"X-RateLimit-Max", "X-RateLimit-Remaining", "X-RateLimit-Interval-Milliseconds",
		"X-RateLimit-Limit-Daily", "X-RateLimit-Daily-Remaining"}
	for _, test := range []struct {
		kind  fault.Kind
		zeros []string
	}{{fault.ZeroLimits(), headers}, {fault.ZeroDailyLimits(), headers[3:]}} {
		s, _ := start(t)
		s.Fail(ghltest.Fault{Kind: test.kind, Times: 1})
		path := "/locations/" + s.LocationID()
		status, _, header := send(t, s, "GET", path, "")
		require.Equal(t, 200, status)
		for _, name := range headers {
			require.Equal(t, slices.Contains(test.zeros, name), header.Get(name) == "0", name)
		}
		_, _, header = send(t, s, "GET", path, "")
		for _, name := range headers {
			require.NotEqual(t, "0", header.Get(name))
		}
	}
}

// page is what a page of a list has: the ids, and the cursor and the total of its meta.
type page struct {
	ids          []string
	after, id    any
	hasCursor    bool
	total        any
	next         string
	lastOfRecord []any
}

func pageOf(t *testing.T, s *ghltest.Server, query string) (p page) {
	t.Helper()
	status, answer, _ := send(t, s, "GET", "/contacts/?locationId="+s.LocationID()+query, "")
	require.Equal(t, 200, status)
	for _, one := range answer["contacts"].([]any) {
		p.ids = append(p.ids, one.(map[string]any)["firstNameRaw"].(string))
		p.lastOfRecord = one.(map[string]any)["startAfter"].([]any)
	}
	meta := answer["meta"].(map[string]any)
	p.after, p.hasCursor = meta["startAfter"]
	p.id, p.total, p.next = meta["startAfterId"], meta["total"], meta["nextPageUrl"].(string)
	return p
}

func five(t *testing.T) *ghltest.Server {
	t.Helper()
	s, _ := start(t)
	for i := range 5 {
		s.AddContact(ghl.Contact{ID: fmt.Sprint("c", i), FirstName: fmt.Sprint(i), BusinessID: "b"})
	}
	return s
}

// A page that is shorter than asked for is not the last one.
func TestShortPages(t *testing.T) {
	s := five(t)
	s.Fail(ghltest.Fault{Kind: fault.ShortPages(2)})
	first := pageOf(t, s, "&limit=100")
	require.Equal(t, []string{"0", "1"}, first.ids)
	require.EqualValues(t, 5, first.total)
	require.Equal(t, "c1", first.id)
	second := pageOf(t, s, fmt.Sprintf("&limit=100&startAfter=%.0f&startAfterId=%s", first.after, first.id))
	require.Equal(t, []string{"2", "3"}, second.ids)
	require.Len(t, pageOf(t, s, "").ids, 2, "the default limit is shortened too")
	require.Len(t, pageOf(t, s, "&limit=1").ids, 1)

	for rest, want := range map[string]int{
		`"pageLimit":500`:            2,
		`"pageLimit":500,"page":1`:   5,
		`"pageLimit":1`:              1,
		`"pageLimit":4,"page":2`:     1,
		`"pageLimit":5,"filters":[]`: 2,
	} {
		status, answer := searchStatus(t, s, rest)
		require.Equal(t, 200, status)
		require.Len(t, answer["contacts"], want, rest)
		require.EqualValues(t, 5, answer["total"])
	}
	_, answer, _ := send(t, s, "GET", "/contacts/business/b?limit=4&skip=1&locationId="+s.LocationID(), "")
	require.Len(t, answer["contacts"], 2)
	require.EqualValues(t, 5, answer["count"])

	s.ClearFaults()
	s.Fail(ghltest.Fault{Kind: fault.ShortPages(1), After: 1, Times: 1})
	for _, want := range []int{3, 1, 3} { // in the middle only
		require.Len(t, pageOf(t, s, "&limit=3").ids, want)
	}
}

// The meta of a list need not have the cursor, and an empty page can have one.
func TestCursorsOfPages(t *testing.T) {
	full, lastPage := "&limit=2", fmt.Sprintf("&limit=2&startAfter=%d&startAfterId=c3", noon.UnixMilli())
	empty := fmt.Sprintf("&limit=2&startAfter=%d&startAfterId=c4", noon.UnixMilli())
	at := float64(noon.UnixMilli())
	for _, test := range []struct {
		kind      fault.Kind
		query     string
		ids       int
		hasCursor bool
		after, id any
		next      bool
	}{
		{fault.MetaWithoutCursor(), full, 2, false, nil, nil, true},
		{fault.MetaWithNullCursor(), full, 2, true, nil, nil, true},
		{fault.MetaWithNullCursor(), lastPage, 1, true, nil, nil, false},
		{fault.CursorOnLastPage(), full, 2, true, at, "c1", true},
		{fault.CursorOnLastPage(), lastPage, 1, true, at, "c4", true},
		{fault.CursorOnLastPage(), empty, 0, true, at, "c4", true},
		{fault.ZeroCursorOnEmptyPage(), lastPage, 1, true, at, "c4", true},
		{fault.ZeroCursorOnEmptyPage(), empty, 0, true, 0.0, "", true},
	} {
		s := five(t)
		s.Fail(ghltest.Fault{Kind: test.kind})
		p := pageOf(t, s, test.query)
		name := test.kind.String() + test.query
		require.Len(t, p.ids, test.ids, name)
		require.Equal(t, test.hasCursor, p.hasCursor, name)
		require.Equal(t, []any{test.after, test.id}, []any{p.after, p.id}, name)
		require.Equal(t, test.next, p.next != "", name)
		if test.ids > 0 {
			require.Len(t, p.lastOfRecord, 2, "each record has its own cursor")
		}
	}
}

func TestWrongTotal(t *testing.T) {
	for by, want := range map[int]float64{-2: 3, 4: 9, -9: 0} {
		s := five(t)
		s.Fail(ghltest.Fault{Kind: fault.WrongTotal(by)})
		require.EqualValues(t, want, pageOf(t, s, "").total)
		_, answer := searchStatus(t, s, `"pageLimit":1`)
		require.EqualValues(t, want, answer["total"])
		_, answer, _ = send(t, s, "GET", "/contacts/business/b?locationId="+s.LocationID(), "")
		require.EqualValues(t, want, answer["count"])
	}
}

func TestQuirksOfAppointments(t *testing.T) {
	s, _ := start(t)
	cal := s.AddCalendar(ghl.Calendar{})
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	booked := s.AddAppointment(ghl.Appointment{
		ContactID: ada.ID, StartTime: ghl.NewTime(noon.AddDate(0, 0, 1)), AppointmentStatus: ghl.AppointmentCancelled,
	})
	path := "/calendars/events/appointments/" + booked.ID

	misspelled := s.Fail(ghltest.Fault{Kind: fault.MisspelledStatusAlone()})
	_, answer, _ := send(t, s, "GET", "/contacts/"+ada.ID+"/appointments", "")
	listed := answer["events"].([]any)[0].(map[string]any)
	require.Equal(t, "cancelled", listed["appoinmentStatus"])
	require.NotContains(t, listed, "appointmentStatus")
	require.Equal(t, "booked", listed["status"])
	misspelled.Remove()

	s.Fail(ghltest.Fault{Kind: fault.BookingWithoutTimes()})
	status, made, _ := send(t, s, "POST", "/calendars/events/appointments", fmt.Sprintf(
		`{"locationId":%q,"calendarId":%q,"contactId":%q,"startTime":"2026-03-03T15:00:00Z"}`,
		s.LocationID(), cal.ID, ada.ID))
	require.Equal(t, 200, status)
	_, updated, _ := send(t, s, "PUT", path, `{"title":"x","appointmentStatus":"cancelled"}`)
	for _, record := range []map[string]any{made, updated} {
		require.NotEmpty(t, record["id"])
		require.NotContains(t, record, "startTime")
		require.NotContains(t, record, "endTime")
	}
	_, answer, _ = send(t, s, "GET", path, "")
	require.NotEmpty(t, answer["event"].(map[string]any)["startTime"], "a read has the times")
	_, answer, _ = send(t, s, "GET", "/contacts/"+ada.ID+"/appointments", "")
	require.NotEmpty(t, answer["events"].([]any)[0].(map[string]any)["endTime"])
}

func TestFormsOfFreeSlots(t *testing.T) {
	s, _ := start(t)
	cal := s.AddCalendar(ghl.Calendar{SlotDuration: 4, SlotDurationUnit: "hours"})
	path := func(days int) string {
		return fmt.Sprintf("/calendars/%s/free-slots?startDate=%d&endDate=%d", cal.ID, noon.AddDate(0, 0, 1).UnixMilli(),
			noon.AddDate(0, 0, 1+days).UnixMilli())
	}
	first, second := []any{"2026-03-03T09:00:00-05:00", "2026-03-03T13:00:00-05:00"},
		[]any{"2026-03-04T09:00:00-05:00", "2026-03-04T13:00:00-05:00"}
	slots := func(list []any) map[string]any { return map[string]any{"slots": list} }
	for form, want := range map[fault.SlotsForm]map[string]any{
		fault.SlotsByDay: {"2026-03-03": slots(first), "2026-03-04": slots(second)},
		fault.SlotsUnderDates: {"_dates_": map[string]any{
			"2026-03-03": slots(first), "2026-03-04": slots(second),
		}},
		fault.SlotsInOneList:   {"slots": slices.Concat(first, second)},
		fault.SlotsInBareLists: {"2026-03-03": first, "2026-03-04": second},
	} {
		s.Fail(ghltest.Fault{Kind: fault.FreeSlotsAs(form)})
		status, answer, _ := send(t, s, "GET", path(2), "")
		require.Equal(t, 200, status)
		require.NotEmpty(t, answer["traceId"])
		delete(answer, "traceId")
		require.Equal(t, want, answer, form.String())
		_, answer, _ = send(t, s, "GET", "/locations/"+s.LocationID(), "")
		require.Contains(t, answer, "location", "other answers are unchanged")
		s.ClearFaults()
	}
	require.Equal(t, "SlotsForm(9)", fault.SlotsForm(9).String())
}

// A note that was written in HighLevel's editor is HTML; bodyText is its plain text.
func TestEditorNotes(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	s.Fail(ghltest.Fault{Kind: fault.EditorNotes()})
	for _, test := range []struct{ stored, body, bodyText string }{
		{"Tom & Jerry\nsecond", "<p>Tom &amp; Jerry</p><p>second</p>", "Tom & Jerry\nsecond"},
		{"1 < 2 and 3 > 2", "<p>1 &lt; 2 and 3 &gt; 2</p>", "1 < 2 and 3 > 2"},
		{"plain", "<p>plain</p>", "plain"},
		{"a <b", "<p>a &lt;b</p>", "a <b"},
		{"Tom &amp; Jerry", "<p>Tom &amp;amp; Jerry</p>", "Tom &amp; Jerry"},
		{"<p>Tom &amp; Jerry</p><p>second</p>", "<p>Tom &amp; Jerry</p><p>second</p>", "Tom & Jerry\nsecond"},
		{"<p>one<br>two<br/>three</p>", "<p>one<br>two<br/>three</p>", "one\ntwo\nthree"},
		{"<ul><li>b</li><li>c</li></ul>", "<ul><li>b</li><li>c</li></ul>", "b\nc"},
	} {
		note := s.AddNote(ghl.Note{ContactID: ada.ID, Body: test.stored})
		_, answer, _ := send(t, s, "GET", "/contacts/"+ada.ID+"/notes/"+note.ID, "")
		got := answer["note"].(map[string]any)
		require.Equal(t, []any{test.body, test.bodyText}, []any{got["body"], got["bodyText"]}, test.stored)
	}
	require.Equal(t, "Tom & Jerry\nsecond", s.Notes(ada.ID)[0].Body, "the stored note is unchanged")
	task := s.AddTask(ghl.Task{ContactID: ada.ID, Title: "T", Body: "plain"})
	_, answer, _ := send(t, s, "GET", "/contacts/"+ada.ID+"/tasks/"+task.ID, "")
	require.Equal(t, "plain", answer["task"].(map[string]any)["body"], "a task is not a note")
}
