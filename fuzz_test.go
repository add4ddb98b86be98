package ghl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// wireContacts are contacts as the endpoints of the API return them, and observed oddities.
var wireContacts = []string{
	`{"id":"seD4PfOuKoVMLkEZqohJ","firstName":"rubika","lastName":"deo","firstNameRaw":"Rubika","lastNameRaw":"Deo","startAfter":[1700000000000,"seD4PfOuKoVMLkEZqohJ"]}`,
	`{"id":"seD4PfOuKoVMLkEZqohJ","firstName":"Rubika","firstNameLowerCase":"rubika","address":"3535 1st St N","dateOfBirth":653356800000,"searchAfter":[1700000000000,"seD4PfOuKoVMLkEZqohJ"]}`,
	`{"id":"seD4PfOuKoVMLkEZqohJ","address1":"3535 1st St N","dateOfBirth":"1990-09-25","lastActivity":1626435570564,"attachments":null,"followers":"sx6wyHhbFdRXh302Lunr","tags":null}`,
	`{"additionalEmails":[{"email":"a@example.com"}],"additionalPhones":[{"phone":"+18005550100","phoneLabel":"work"}]}`,
	`{"additionalEmails":["a@example.com"],"additionalPhones":["+18005550100"]}`,
	`{"customFields":[{"id":"a","value":"text"},{"id":"b","value":12.5},{"id":"c","value":1626435570564},{"id":"d","value":["one","two"]},{"id":"e","value":{"5f":{"url":"https://x","meta":{"size":"12"}}}},{"id":"f","value":null}]}`,
	`{"customFields":[null,5,"x",[],{}]}`,
	`{"dndSettings":{"Call":{"status":"active","message":"m","code":"101"},"RCS":{"status":"permanent","since":5}},"inboundDndSettings":{"all":{"status":"inactive"}}}`,
	`{"dndSettings":{"call":{"status":"active"},"email":{"status":"active"},"sms":{"status":"active"},"whatsApp":{"status":"active"},"gmb":{},"fb":{}}}`,
	`{"id":5,"ID":{},"id":"x","tags":[1,"a",{}],"email":{"a":1},"dnd":"true","birthDay":1e400,"birthMonth":"7","attributions":[null,{"url":5}]}`,
	`{"dateAdded":{"_seconds":1626435570,"_nanoseconds":5},"dateUpdated":{"$date":"2021-07-16T11:39:30.564Z"},"lastActivity":[["\ud800"]]}`,
	`{"unknown":{"deep":[[[[[[]]]]]]},"":1,"\u0000":"\u2028<>&","TAGS":["a"],"tagſ":["b"]}`,
	` { } `, `null`, `[]`, `"`, `{"a":"`, ``,
}

// FuzzContact: every JSON object decodes as a contact, and the contact is equal after encoding and decoding.
func FuzzContact(f *testing.F) {
	for _, seed := range wireContacts {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var direct, contact ghl.Contact
		_ = direct.UnmarshalJSON(data) // must not panic
		err := json.Unmarshal(data, &contact)
		if text := bytes.TrimSpace(data); !json.Valid(data) || len(text) == 0 || text[0] != '{' {
			return
		}
		require.NoError(t, err)
		written, err := json.Marshal(contact)
		require.NoError(t, err)
		var again ghl.Contact
		require.NoError(t, json.Unmarshal(written, &again))
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(rewritten))
		if utf8.Valid(data) {
			require.Equal(t, normal(t, contact), normal(t, again))
		}
	})
}

// normal returns a model as nested values for a comparison: Extra and Cursor as decoded JSON, and an empty list as nil,
// because omitempty omits both.
func normal(t *testing.T, model any) any {
	v := reflect.ValueOf(model)
	switch m := model.(type) {
	case ghl.Time:
		var raw any = m.Raw()
		// an object is stored as text, which encoding/json may encode with other escapes
		if json.Valid([]byte(m.Raw())) {
			raw = meaning(t, []byte(m.Raw()))
		}
		return [4]any{raw, m.HasZone(), m.IsZero(), m.In(nil).UnixNano()}
	case json.RawMessage:
		return meaning(t, m)
	case ghl.CustomFieldValue:
		return meaning(t, m.Raw())
	case ghl.Cursor:
		if m == "" {
			return nil
		}
		return meaning(t, []byte(m))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return normal(t, v.Elem().Interface())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			out[v.Type().Field(i).Name] = normal(t, v.Field(i).Interface())
		}
		return out
	case reflect.Slice:
		var out []any
		for i := range v.Len() {
			out = append(out, normal(t, v.Index(i).Interface()))
		}
		return out
	case reflect.Map:
		var out map[string]any
		for key, value := range v.Seq2() {
			if out == nil {
				out = map[string]any{}
			}
			if value.Kind() == reflect.Interface && value.IsNil() {
				out[key.String()] = nil
				continue
			}
			out[key.String()] = normal(t, value.Interface())
		}
		return out
	}
	return model
}

// meaning decodes JSON with its numbers as text.
func meaning(t *testing.T, data []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), "%q", data)
	return v
}

// FuzzTime: every text decodes as a Time, which encodes as the same text.
func FuzzTime(f *testing.F) {
	for _, form := range timeForms {
		f.Add(form.json)
		f.Add(form.text())
	}
	for _, seed := range []string{"", " ", `"`, `"\`, "\xff", "NaN", "-Inf", "1e309", "0x1p9", "9223372036854775808",
		`{"_seconds":9e99}`, `{"_seconds":9223372036854775807}`, `{"$date":{"$date":[]}}`, "0001-01-01T00:00:00Z",
		"Mon, 02 Jan 2006 15:04:05 MST", "24:00", "[[5]]"} {
		f.Add(seed)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		parsed := ghl.ParseTime(text)
		require.Equal(t, text, parsed.Raw())
		instant, ok := parsed.Instant()
		require.Equal(t, ok, parsed.HasZone())
		if ok {
			require.False(t, parsed.IsZero())
			require.True(t, instant.Equal(parsed.In(berlin)))
		}
		require.Equal(t, parsed.IsZero(), parsed.In(berlin).IsZero() && parsed.In(nil).IsZero())

		var read ghl.Time
		require.NoError(t, read.UnmarshalJSON([]byte(text)))
		for _, at := range []ghl.Time{parsed, read} {
			if !utf8.ValidString(at.Raw()) {
				continue
			}
			data, err := json.Marshal(at)
			require.NoError(t, err)
			var again ghl.Time
			require.NoError(t, json.Unmarshal(data, &again))
			require.True(t, at.Equal(again))
			require.Equal(t, at.Raw(), again.Raw())
		}
	})
}

const secretToken = "pit-0123-secret-of-the-test"

// FuzzErrorBody: for any answer, the error is one short line without the token.
func FuzzErrorBody(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{403, `{"message":"Forbidden resource","error":"Forbidden","statusCode":403}`},
		{422, `{"message":["companyId must be a string"],"error":"Unprocessable Entity","statusCode":422}`},
		{422, `{"message":"Invalid Operator (gte) passed for field date_added","error":"Unprocessable Entity","statusCode":422}`},
		{400, `{"error":"Contact with id X not found","status":400}`},
		{400, `{"status":400,"message":"MongoError: …","name":"HttpException","traceId":"…"}`},
		{429, `{"statusCode":429,"message":"Too Many Requests"}`},
		{400, `{"statusCode":400,"message":"This location does not allow duplicated contacts.","meta":{"contactName":"","contactId":"c1","matchingField":"email"},"traceId":"t"}`},
		{401, `{"error":"UnAuthorized!","error_description":"Authorization code not found"}`},
		{401, `{"message":"Command timed out"}`},
		{401, `{"message":"The token is not authorized for this scope."}`},
		{404, ``}, {404, `Cannot GET /contacts/x?y`}, {502, `<html>`}, {503, `upstream connect error`},
		{400, `{"error":{"code":"c","message":"m","details":[],"resolution":"r"}}`},
		{400, `{"message":"` + secretToken + `"}`},
		{400, `{"message":["a","` + secretToken + `"],"traceId":"` + secretToken + `"}`},
		{302, `{"message":["a","` + secretToken + `"]}`},
		{400, `{"message":"pit-0123-\u0000secret","traceId":"a\nb\u2028` + "\xff" + `"}`},
		{422, `{"message":"` + strings.Repeat("ä", 3000) + `","traceId":"` + strings.Repeat("€", 500) + `"}`},
		{200, ``}, {200, `null`}, {200, `{"contact":null}`}, {200, `{"contact":{}}`}, {200, `{"contact":{"id":5}`},
		{204, ``}, {100, `{}`},
		{400, `{"message":"Request Timeout after 30000ms"}`}, {403, `error code: 1010`}, {403, `<h1><i>Error</i> 1020`},
		{524, ``}, {599, `x`}, {404, `{"message":"Contact with id c1 not found"}`}, {404, `{"message":"No contact"}`},
		{404, `{"message":"cannot find"}`}, {400, `{"message":"unable to"}`}, {400, `{"message":"\u0027\u0027 not be found"}`},
		{403, `{"cloudflare_error":true,"error_code":"1015"}`}, {403, `{"message":"Location is not active"}`},
		{200, `{"statusCode":401,"message":"Invalid JWT"}`}, {200, `<html>`},
	} {
		f.Add(seed.status, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 999 {
			status = 100 + int(uint(status)%900)
		}
		var resp ghl.Response
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		client, err := ghl.New(ghl.WithToken(secretToken), ghl.WithLocation("loc1"),
			ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
			// too long to wait for
			ghl.WithHTTPClient(&http.Client{Transport: wireAnswer{status, http.Header{"Retry-After": {"7200"}}, body}}))
		require.NoError(t, err)
		_, err = client.Contacts.Get(ctx, "c1", ghl.CallResponse(&resp))
		if err == nil {
			require.True(t, status >= 200 && status < 300)
			return
		}
		text := err.Error()
		require.LessOrEqual(t, len(text), 2000)
		require.True(t, utf8.ValidString(text), "%q", text)
		require.NotContains(t, text, "\n")
		require.NotContains(t, text, "\r")
		require.NotContains(t, text, secretToken)
	})
}

// FuzzFalseSuccess: a 2xx is never a success if its body is not JSON, or is an object with the status of an error. Other
// JSON without the words of an error is always a success.
func FuzzFalseSuccess(f *testing.F) {
	for _, seed := range []string{``, ` `, `{}`, `[]`, `null`, `"x"`, `<html>ok</html>`, `OK`, `{"statusCode":401,"message":"Invalid JWT"}`,
		`{"statusCode":"500"}`, `{"status":500,"message":"x"}`, `{"error":{"code":"x"}}`, `{"errors":[]}`, `{"succeded":false}`,
		`{"id":"a","status":500,"error":"x"}`, `{"statusCode":200}`, `{"error":[[]]}`, `{"error":{"message":{"message":[]}}}`,
		`{"error":`, `{"message":"a\u2028\nb","statusCode":500}`, `{"cloudflare_error":true,"statusCode":403,"error_code":{}}`,
		"\xff", "\ufeff{}", `{"statusCode":4e2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		client, err := ghl.New(ghl.WithToken(secretToken), ghl.WithLocation("loc1"),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
			ghl.WithHTTPClient(&http.Client{Transport: wireAnswer{http.StatusOK, http.Header{}, body}}))
		require.NoError(t, err)
		err = client.Contacts.Delete(t.Context(), "c1")
		if err != nil {
			require.ErrorIs(t, err, ghl.ErrBadResponse)
			require.NotContains(t, err.Error(), "\n")
			require.LessOrEqual(t, len(err.Error()), 2000)
		}
		text := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
		if len(text) == 0 {
			require.NoError(t, err)
			return
		}
		if !json.Valid(text) {
			require.Error(t, err)
			return
		}
		var object struct {
			Code json.RawMessage `json:"statusCode"`
		}
		if text[0] != '{' {
			require.NoError(t, err)
		} else if json.Unmarshal(text, &object) == nil && bytes.Count(text, []byte("tatus")) == 1 {
			code, parseErr := strconv.Atoi(string(object.Code))
			failed := parseErr == nil && code >= 400 && code < 600 && bytes.Contains(text, []byte(`"statusCode"`))
			require.True(t, !failed || err != nil, "%s", text)
		}
	})
}

// wireAnswer is a transport that returns the same answer to every request.
type wireAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a wireAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Request: r}, nil
}

// FuzzCursor: a changed cursor is refused or sent whole, and a record's own cursor is always accepted.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", `[1700000000000,"c1"]`, `["2021-07-02T05:18:26.704Z","c1"]`, `[1,"c1","x"]`,
		`[null,""]`, `[[],{}]`, `[1]`, `[`, `null`, `"a"`, ` [1,"a"] `, `[1e400,"a&b=c"]`, "[1,\"\xff\"]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sent := &wireRecorder{}
		client, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
			ghl.WithHTTPClient(&http.Client{Transport: sent}))
		require.NoError(t, err)

		_, err = client.Contacts.List(t.Context(), &ghl.ListContactsOptions{After: ghl.Cursor(text)})
		if err == nil {
			q := sent.last.URL.Query()
			require.Equal(t, text != "", q.Get("startAfter") != "" &&
				q.Get("startAfterId") != "", "one without the other gives page one for ever")
		} else {
			require.ErrorIs(t, err, ghl.ErrBadInput)
			require.Nil(t, sent.last)
		}

		sent.last = nil
		_, err = client.Contacts.Search(t.Context(), &ghl.SearchRequest{After: ghl.Cursor(text)})
		if err == nil {
			require.True(t, json.Valid(sent.body))
			require.Equal(t, text != "", bytes.Contains(sent.body, []byte(`"searchAfter":[`)))
		} else {
			require.ErrorIs(t, err, ghl.ErrBadInput)
			require.Nil(t, sent.last)
		}

		var values []json.RawMessage
		if json.Unmarshal([]byte(text), &values) == nil && len(values) > 0 {
			var c ghl.Contact
			require.NoError(t, json.Unmarshal([]byte(`{"searchAfter":`+text+`}`), &c))
			_, err = client.Contacts.Search(t.Context(), &ghl.SearchRequest{After: c.Cursor})
			require.NoError(t, err)
		}
	})
}

// wireRecorder is a transport that answers with an empty list and records the last request.
type wireRecorder struct {
	last *http.Request
	body []byte
}

func (s *wireRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	s.last, s.body = r, nil
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.body = data
	}
	return wireAnswer{http.StatusOK, http.Header{}, []byte(`{"contacts":[]}`)}.RoundTrip(r)
}
