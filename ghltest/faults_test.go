package ghltest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// patient retries without waiting.
var patient = ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 3, MinBackoff: 1, MaxBackoff: 1})

func statuses(s *ghltest.Server) []int {
	var list []int
	for _, r := range s.Requests() {
		list = append(list, r.Status)
	}
	return list
}

var categories = map[string]error{
	"validation": ghl.ErrValidation, "not found": ghl.ErrNotFound, "unauthorized": ghl.ErrUnauthorized,
	"missing scope": ghl.ErrMissingScope,
	"forbidden":     ghl.ErrForbidden, "duplicate": ghl.ErrDuplicateContact, "slot taken": ghl.ErrSlotTaken,
	"rate limited": ghl.ErrRateLimited,
	"daily limit":  ghl.ErrDailyLimit, "server": ghl.ErrServer, "ambiguous": ghl.ErrAmbiguous,
	"bad response": ghl.ErrBadResponse,
}

func categoriesOf(err error) string {
	var list []string
	for _, name := range []string{
		"validation", "not found", "unauthorized", "missing scope", "forbidden", "duplicate", "slot taken",
		"rate limited", "daily limit", "server", "ambiguous", "bad response",
	} {
		if errors.Is(err, categories[name]) {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

// The client reports each kind as an error, of a read, which it may repeat, and of a create, which it may not.
func TestEveryKindThroughTheClient(t *testing.T) {
	for _, test := range []struct {
		kind         fault.Kind
		status       int
		read         string // the categories of the error of a read
		reads        int    // the requests of a read
		create       string // the categories of the error of a create
		made         int    // the contacts that the failed create has created
		messageParts string
	}{
		{fault.Answer(418, "text/plain", "tea"), 418, "", 1, "", 0, ""},
		{fault.BadRequest("Bad things"), 400, "", 1, "", 0, "Bad things"},
		{fault.ContactNotFound(), 400, "not found", 1, "", 0, "Contact with id"}, // a create asks for no record
		{fault.NotFound(), 404, "not found", 1, "", 0, "Record not found"},
		{fault.MongoError(), 400, "", 1, "", 0, "MongoError"},
		{fault.DuplicateContact("other", "", "additionalEmail"), 400, "duplicate", 1, "duplicate", 0,
			"duplicated contacts"},
		{fault.SlotTaken(), 400, "slot taken", 1, "slot taken", 0, "no longer available"},
		{fault.RemovedEndpoint(), 400, "", 1, "", 0, "API endpoint has been removed"},
		{fault.InvalidGrant(), 400, "", 1, "", 0, "Invalid grant"},
		{fault.InvalidJWT(), 401, "unauthorized", 1, "unauthorized", 0, "Invalid JWT"},
		{fault.InvalidPrivateToken(), 401, "unauthorized", 1, "unauthorized", 0, "Invalid Private Integration token"},
		{fault.MissingScope(), 401, "unauthorized missing scope", 1, "unauthorized missing scope", 0, "contacts."},
		{fault.WrongAuthClass(), 401, "unauthorized", 1, "unauthorized", 0, "authClass"},
		{fault.UserTypeMismatch(), 401, "unauthorized", 1, "unauthorized", 0, "user type mismatch"},
		{fault.MissingVersion(), 401, "unauthorized", 1, "unauthorized", 0, "version header was not found."},
		{fault.AuthorizationCodeNotFound(), 401, "unauthorized", 1, "unauthorized", 0, "Authorization code not found"},
		{fault.CommandTimedOut(), 401, "server", 3, "server ambiguous", 0, "Command timed out"},
		{fault.CommandTimedOut().AfterWork(), 401, "server", 3, "server ambiguous", 1, "Command timed out"},
		{fault.Forbidden(), 403, "forbidden", 1, "forbidden", 0, "Forbidden resource"},
		{fault.WrongLocation(), 403, "forbidden", 1, "forbidden", 0, "does not have access"},
		{fault.BlockedByCDN(), 403, "server", 3, "server", 0, "a page of the network before HighLevel (Cloudflare)"},
		{fault.EmptyBody404(), 404, "", 1, "", 0, "no such endpoint"},
		{fault.CannotGet404(), 404, "", 1, "", 0, "no such endpoint"},
		{fault.RequestTimeout(), 408, "server", 3, "server ambiguous", 0, ""},
		{fault.ValidationArray("a must be", "b must be"), 422, "validation", 1, "validation", 0,
			"a must be; b must be"},
		{fault.ValidationString("Invalid Operator"), 422, "validation", 1, "validation", 0, "Invalid Operator"},
		{fault.UndeclaredProperty("x"), 422, "validation", 1, "validation", 0, "property x should not exist"},
		{fault.CreatedAllTheSame(), 422, "validation", 1, "validation", 1, "should not exist"},
		{fault.TooManyRequests(time.Hour), 429, "rate limited", 1, "rate limited", 0, "retry after 1h"},
		{fault.DailyLimitReached(), 429, "rate limited daily limit", 1, "rate limited daily limit", 0,
			"Too Many Requests"},
		{fault.InternalServerError(), 500, "server", 3, "server ambiguous", 0, "Internal server error"},
		{fault.InternalServerError().AfterWork(), 500, "server", 3, "server ambiguous", 1, "Internal server error"},
		{fault.BadGatewayHTML(), 502, "server", 3, "server ambiguous", 0, ""},
		{fault.ServiceUnavailableHTML(), 503, "server", 3, "server ambiguous", 0, ""},
		{fault.UpstreamConnectError(), 503, "server", 3, "server ambiguous", 0, ""},
		{fault.GatewayTimeoutHTML(), 504, "server", 3, "server ambiguous", 0, ""},
		{fault.GatewayTimeoutHTML().AfterWork(), 504, "server", 3, "server ambiguous", 1, ""},
		{fault.V3Error(400, "BAD", "it is bad"), 400, "", 1, "", 0, "it is bad"},
		{fault.MismatchedStatus(400, 500, "which one?"), 400, "", 1, "", 0, "which one?"},
		{fault.GatewayTimeoutAs400(), 400, "server", 3, "server ambiguous", 0, "Request Timeout after 30000ms"},
		{fault.GatewayTimeoutAs400().AfterWork(), 400, "server", 3, "server ambiguous", 1, "Request Timeout"},
		{fault.NotFoundOf(400, "Location"), 400, "", 1, "", 0, "Location not found"},
		{fault.NotFoundOf(404, "Location with id L"), 404, "", 1, "", 0, "Location with id L not found"},
		{fault.NotFoundOf(404, "User"), 404, "", 1, "", 0, "User not found"},
		{fault.NotFoundOf(404, "route"), 404, "", 1, "", 0, "route not found"},
		{fault.NotFoundOf(404, "Contact"), 404, "not found", 1, "", 0, "Contact not found"},
		{fault.CDNErrorCode(1010), 403, "server", 3, "server", 0, "1010"},
		{fault.CDNAccessDenied(1010), 403, "server", 3, "server", 0, "1010"},
		{fault.CDNErrorPage(524), 524, "server", 3, "server ambiguous", 0, "524"},
		{fault.CDNErrorPage(520).AfterWork(), 520, "server", 3, "server ambiguous", 1, "520"},
		{fault.SuccessWithError(401, "Invalid JWT"), 200, "bad response", 1, "bad response", 0, "Invalid JWT"},
		{fault.SuccessWithError(500, "Internal server error"), 200, "bad response", 1, "bad response", 0,
			"Internal server error"},
		{fault.SuccessWithPage(), 200, "bad response", 1, "bad response", 0, ""},
		{fault.CutAfterWork(), 0, "", 3, "ambiguous", 1, "connection was lost"},
		{fault.CutAfterHeaders(), 200, "", 3, "ambiguous", 1, "connection was lost"},
		{fault.CutBody(), 200, "", 3, "ambiguous", 1, "connection was lost"},
		{fault.EmptyAnswer(), 200, "bad response", 1, "bad response", 1, "the answer is empty"},
		{fault.CutBeforeWork(), 0, "", 3, "ambiguous", 0, "connection was lost"},
	} {
		t.Run(test.kind.String(), func(t *testing.T) {
			s, _ := start(t)
			c := clientOf(t, s, patient, fresh(t))
			ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
			active := s.Fail(ghltest.Fault{Kind: test.kind})

			_, err := c.Contacts.Get(t.Context(), ada.ID)
			require.Error(t, err)
			require.Equal(t, test.read, categoriesOf(err), "%v", err)
			require.Len(t, s.Requests(), test.reads)
			require.Equal(t, test.reads, active.Hits())
			require.Equal(t, test.kind.String(), s.Requests()[0].Fault)
			require.Equal(t, "contacts.get", s.Requests()[0].Operation)
			require.Contains(t, err.Error(), test.messageParts)
			var e *ghl.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.status, e.Status)

			s.ResetRequests()
			_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Bo"})
			require.Equal(t, test.create, categoriesOf(err), "%v", err)
			require.Len(t, s.Requests(), 1, "a create is not repeated")
			require.Len(t, s.Contacts(), 1+test.made)

			active.Remove()
			_, err = c.Contacts.Get(t.Context(), ada.ID)
			require.NoError(t, err)
		})
	}
}

// fresh gives each request a new connection, because net/http itself repeats a read when a reused connection breaks.
func fresh(t *testing.T) ghl.Option {
	t.Helper()
	return ghl.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
}

func TestWhichRequestsAreHit(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	get := func() { _, _ = c.Contacts.Get(t.Context(), ada.ID) }

	t.Run("by operation, After and Times", func(t *testing.T) {
		s.ResetRequests()
		active := s.Fail(ghltest.Fault{
			Operation: "contacts.get", Kind: fault.InternalServerError(), After: 1, Times: 2,
		})
		_, err := c.Tasks.List(t.Context(), ada.ID)
		require.NoError(t, err)
		for range 4 {
			get()
		}
		require.Equal(t, []int{200, 200, 500, 500, 200}, statuses(s))
		require.Equal(t, 2, active.Hits())
	})
	t.Run("by chance", func(t *testing.T) {
		run := func(seed uint64) []int {
			s.ClearFaults()
			s.ResetRequests()
			s.Fail(ghltest.Fault{Kind: fault.InternalServerError(), Chance: 0.5, Seed: seed})
			for range 30 {
				get()
			}
			s.ClearFaults()
			return statuses(s)
		}
		first := run(1)
		require.Contains(t, first, 200)
		require.Contains(t, first, 500)
		require.Equal(t, first, run(1))
		require.NotEqual(t, first, run(2))
	})
	t.Run("in the order of Fail", func(t *testing.T) {
		s.ResetRequests()
		s.Fail(ghltest.Fault{Kind: fault.InternalServerError(), Times: 1})
		s.Fail(ghltest.Fault{Kind: fault.BadGatewayHTML(), Times: 1})
		for range 3 {
			get()
		}
		require.Equal(t, []int{500, 502, 200}, statuses(s))
	})
	t.Run("all changes apply", func(t *testing.T) {
		s.ResetRequests()
		s.Fail(ghltest.Fault{Kind: fault.UnknownProperties(), Times: 1})
		s.Fail(ghltest.Fault{Kind: fault.WrongContentType("text/html"), Times: 1})
		var resp ghl.Response
		contact, err := c.Contacts.Get(t.Context(), ada.ID, ghl.CallResponse(&resp))
		require.NoError(t, err)
		require.Equal(t, `"x"`, string(contact.Extra["newText"]))
		require.Equal(t, "text/html", resp.Header.Get("Content-Type"))
		require.Equal(t, "UnknownProperties+WrongContentType", s.Requests()[0].Fault)
	})
	t.Run("unknown paths", func(t *testing.T) {
		s.ResetRequests()
		s.Fail(ghltest.Fault{Kind: fault.InternalServerError(), Times: 1})
		status, _, _ := send(t, s, http.MethodGet, "/no/such", "")
		require.Equal(t, 500, status)
	})
}

// A call succeeds when a fault ends before the last attempt.
func TestARetrySucceeds(t *testing.T) {
	s, _ := start(t)
	c := clientOf(t, s, patient, fresh(t))
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	for _, kind := range []fault.Kind{
		fault.InternalServerError(), fault.BadGatewayHTML(), fault.CommandTimedOut(), fault.UpstreamConnectError(),
		fault.CutBeforeWork(), fault.CutAfterWork(), fault.CutAfterHeaders(), fault.CutBody(),
	} {
		s.ResetRequests()
		s.Fail(ghltest.Fault{Kind: kind, Times: 2})
		contact, err := c.Contacts.Get(t.Context(), ada.ID)
		require.NoError(t, err, "%v", kind)
		require.Equal(t, "Ada", contact.FirstName)
		require.Len(t, s.Requests(), 3)
	}

	// An update and a deletion are also repeated, whether or not the first attempt was done.
	s.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.CutAfterWork(), Times: 1})
	_, err := c.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{FirstName: ghl.Some("Eda")})
	require.NoError(t, err)
	s.Fail(ghltest.Fault{Operation: "contacts.delete", Kind: fault.GatewayTimeoutHTML().AfterWork(), Times: 1})
	require.NoError(t, c.Contacts.Delete(t.Context(), ada.ID), "the first attempt deleted the contact")
	require.Empty(t, s.Contacts())
}

// With CallReadBack the client finds a contact that was created before an error, and does not create it again.
func TestReadBackAfterACreate(t *testing.T) {
	for _, kind := range []fault.Kind{
		fault.CreatedAllTheSame(), fault.CutAfterWork(), fault.CutBody(), fault.BadGatewayHTML().AfterWork(),
		fault.CommandTimedOut().AfterWork(),
	} {
		t.Run(kind.String(), func(t *testing.T) {
			s := ghltest.Start(t)
			c := clientOf(t, s, patient)
			s.Fail(ghltest.Fault{Operation: "contacts.create", Kind: kind, Times: 1})
			contact, err := c.Contacts.Create(t.Context(),
				&ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"}, ghl.CallReadBack())
			require.NoError(t, err)
			require.Len(t, s.Contacts(), 1)
			require.Equal(t, s.Contacts()[0].ID, contact.ID)
		})
	}
	t.Run("with a skewed Date header", func(t *testing.T) {
		s := ghltest.Start(t, ghltest.WithClock(func() time.Time { return time.Now().Add(-time.Hour) }))
		c := clientOf(t, s)
		s.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CreatedAllTheSame(), Times: 1})
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "ada@example.com"}, ghl.CallReadBack())
		require.NoError(t, err, "the dates of records follow the server's clock")
	})
}

func TestDateSkew(t *testing.T) {
	s, _ := start(t)
	s.Fail(ghltest.Fault{Kind: fault.DateSkew(-time.Hour)})
	_, _, header := send(t, s, http.MethodGet, "/locations/"+s.LocationID(), "")
	require.Equal(t, noon.Add(-time.Hour).Format(http.TimeFormat), header.Get("Date"))
}

func TestRefusalsHaveTheHeadersOfTheAPI(t *testing.T) {
	s, c := start(t)
	ask := func(kind fault.Kind) ghl.Response {
		var resp ghl.Response
		s.Fail(ghltest.Fault{Kind: kind, Times: 1})
		_, err := c.Locations.Get(t.Context(), s.LocationID(), ghl.CallResponse(&resp))
		require.Error(t, err)
		return resp
	}
	resp := ask(fault.TooManyRequests(1500 * time.Hour))
	require.Equal(t, "5400000", resp.Header.Get("Retry-After"))
	require.Equal(t, "0", resp.Header.Get("X-RateLimit-Remaining"))
	require.NotEmpty(t, resp.Header.Get("X-RateLimit-Limit-Daily"))
	require.NotEmpty(t, ask(fault.Forbidden()).Header.Get("X-RateLimit-Max"))
	resp = ask(fault.BadGatewayHTML())
	require.Empty(t, resp.Header.Get("X-RateLimit-Max"), "a gateway has no rate headers")
	require.Equal(t, "text/html; charset=UTF-8", resp.Header.Get("Content-Type"))
	resp = ask(fault.EmptyBody404())
	require.Empty(t, resp.Header.Values("Content-Type"))
}

// A 429 without Retry-After does not count as an attempt: the client waits and repeats even a create.
func TestTooManyRequestsIsRepeated(t *testing.T) {
	s := ghltest.Start(t, ghltest.WithLimits(ghltest.Limits{Requests: 100, Interval: time.Millisecond, Daily: 1000}))
	c := clientOf(t, s, patient)
	s.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.TooManyRequests(0), Times: 3})
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	require.Equal(t, []int{429, 429, 429, 201}, statuses(s))
	require.Len(t, s.Contacts(), 1)
}

func TestSlowAnswers(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	slow := s.Fail(ghltest.Fault{Kind: fault.SlowBody(40, time.Millisecond)})
	late := s.Fail(ghltest.Fault{Kind: fault.Delay(5 * time.Millisecond)})
	began := time.Now()
	contact, err := c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, "Ada", contact.FirstName)
	require.Greater(t, time.Since(began), 10*time.Millisecond)
	slow.Remove()
	late.Remove()

	for _, kind := range []fault.Kind{fault.SlowBody(1, time.Hour), fault.Delay(time.Hour), fault.Hang(),
		fault.Hang().AfterWork()} {
		t.Run("the caller times out, "+kind.String(), func(t *testing.T) {
			s, c := start(t)
			s.Fail(ghltest.Fault{Kind: kind})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			_, err := c.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bo"})
			require.ErrorIs(t, err, ghl.ErrAmbiguous)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		t.Run("the server closes, "+kind.String(), func(t *testing.T) {
			s, err := ghltest.New()
			require.NoError(t, err)
			c := clientOf(t, s)
			s.Fail(ghltest.Fault{Kind: kind})
			got, sent := make(chan error), make(chan struct{})
			ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
				WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
			})
			go func() {
				_, err := c.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bo"})
				got <- err
			}()
			<-sent
			began := time.Now()
			require.NoError(t, s.Close())
			require.ErrorIs(t, <-got, ghl.ErrAmbiguous)
			require.Less(t, time.Since(began), 4*time.Second, "Close does not wait for the end of the fault")
		})
	}
}

// A handler that is called directly has no connection to cut.
func TestFaultsWithoutAConnection(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	c, err := ghl.New(ghl.WithBaseURL("http://ghl.test"), ghl.WithToken(s.Token()),
		ghl.WithLocation(s.LocationID()), patient,
		ghl.WithHTTPClient(&http.Client{Transport: transportOf{s.Handler()}}))
	require.NoError(t, err)
	for _, test := range []struct {
		kind fault.Kind
		want error
	}{
		{fault.CutBeforeWork(), ghl.ErrServer}, {fault.CutAfterWork(), ghl.ErrServer},
		{fault.CutAfterHeaders(), nil}, {fault.CutBody(), nil},
	} {
		active := s.Fail(ghltest.Fault{Kind: test.kind})
		_, err := c.Contacts.Get(t.Context(), ada.ID)
		require.Error(t, err)
		if test.want != nil {
			require.ErrorIs(t, err, test.want)
		}
		active.Remove()
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/contacts/"+ada.ID, nil)
	r.Header.Set("Version", "2021-07-28")
	r.Header.Set("Authorization", "Bearer "+s.Token())
	s.Fail(ghltest.Fault{Kind: fault.CutBody()})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	require.Equal(t, "text/plain", func() string {
		s.ClearFaults()
		s.Fail(ghltest.Fault{Kind: fault.CutAfterWork()})
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		require.Contains(t, w.Body.String(), "would cut the connection")
		return w.Header().Get("Content-Type")
	}())
	require.NotEqual(t, w.Header().Get("Content-Length"), "0")
	require.True(t, bytes.HasPrefix(w.Body.Bytes(), []byte(`{"contact":`)))
	_, err = io.Copy(io.Discard, w.Body)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestWrongFaults(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	good := fault.InternalServerError()
	for want, f := range map[string]ghltest.Fault{
		`the Kind is missing`:                                                   {},
		`unknown operation "contact.get"`:                                       {Kind: good, Operation: "contact.get"},
		`the counts After and Times must not be negative`:                       {Kind: good, Times: -1},
		`the Chance must be between 0 and 1`:                                    {Kind: good, Chance: 1.5},
		`AfterWork needs a kind that replaces the answer, not NumbersAsStrings`: {Kind: fault.NumbersAsStrings().AfterWork()},
		`Answer: the status must be between 200 and 599, got 0`:                 {Kind: fault.Answer(0, "", "")},
		`V3Error: the status must be between 400 and 599, got 200`:              {Kind: fault.V3Error(200, "", "")},
		`MismatchedStatus: the status must be between 400 and 599, got 200`:     {Kind: fault.MismatchedStatus(200, 400, "")},
		`TooManyRequests: retryAfter must not be negative, got -1s`:             {Kind: fault.TooManyRequests(-time.Second)},
		`Delay: the delay must be positive, got 0s`:                             {Kind: fault.Delay(0)},
		`SlowBody: bytes and pause must be positive, got 0 and 1s`:              {Kind: fault.SlowBody(0, time.Second)},
		`DateSkew: the skew must not be 0`:                                      {Kind: fault.DateSkew(0)},
		`DatesAs: unknown form DateForm(99)`:                                    {Kind: fault.DatesAs(99)},
		`EditedAnswer: the function is nil`:                                     {Kind: fault.EditedAnswer(nil)},
		`CustomFieldValues: a value cannot be encoded as JSON`:                  {Kind: fault.CustomFieldValues(func() {})},
	} {
		require.PanicsWithValue(t, "ghltest: Fail: "+want, func() { s.Fail(f) })
	}
	f := &failingTest{}
	require.Nil(t, ghltest.Start(f).Fail(ghltest.Fault{}))
	require.Equal(t, "ghltest: Fail: the Kind is missing", f.failed)
	require.Contains(t, f.helpers, "github.com/pluvo/ghl/ghltest.(*Server).Fail")
	f.cleanups[0]()
}

// A gateway's error has no rate headers, even after the operation was done.
func TestAGatewayHasNoRateHeaders(t *testing.T) {
	s := ghltest.Start(t)
	contact := `{"locationId":"` + s.LocationID() + `","firstName":"Ada"}`
	for _, kind := range []fault.Kind{fault.EmptyBody404().AfterWork(), fault.UpstreamConnectError()} {
		active := s.Fail(ghltest.Fault{Kind: kind})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/contacts/",
			strings.NewReader(contact))
		require.NoError(t, err)
		r.Header = http.Header{"Authorization": {"Bearer " + s.Token()}, "Version": {"2021-07-28"},
			"Content-Type": {"application/json"}}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Empty(t, resp.Header.Get("X-RateLimit-Remaining"), kind)
		active.Remove()
	}
	require.Len(t, s.Contacts(), 1, "the first request created a contact")
}
