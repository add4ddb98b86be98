package ghl_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestTheTokenNeverLeavesItsOrigin: another port is another origin, although net/http compares only the host.
func TestTheTokenNeverLeavesItsOrigin(t *testing.T) {
	var mu sync.Mutex
	var leaked []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		leaked = append(leaked, r.Header.Get("Authorization")+string(body))
		mu.Unlock()
	}))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{
			thief.URL + "/x",
			strings.Replace(thief.URL, "127.0.0.1", "localhost", 1) + "/x",
			"https" + strings.TrimPrefix(thief.URL, "http") + "/x",
		} {
			server := httptest.NewServer(http.RedirectHandler(target, status))
			c, err := ghl.New(ghl.WithToken("pit-secret-token"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL))
			require.NoError(t, err)
			_, err = c.Contacts.Get(t.Context(), "c1")
			require.Equal(t, status, asError(t, err).Status)
			_, err = c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "private"})
			require.Equal(t, status, asError(t, err).Status)
			server.Close()
		}
	}
	require.Empty(t, leaked)
}

// TestNoRedirectToAnotherOrigin redirects to origins that differ only in scheme, host or port.
func TestNoRedirectToAnotherOrigin(t *testing.T) {
	for _, target := range []string{
		"http://services.leadconnectorhq.com/contacts/c1", "https://services.leadconnectorhq.com:8443/contacts/c1", "https://services.leadconnectorhq.com.evil.example/contacts/c1",
		"https://sub.services.leadconnectorhq.com/contacts/c1", "//evil.example/contacts/c1",
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			c, s := mocked(t, inTurn(answers(status, "", "Location", target), answers(200, okContact)))
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.Equal(t, status, asError(t, err).Status)
			require.Equal(t, 1, s.count(), target)
		}
	}
	for _, same := range []string{"https://services.leadconnectorhq.com:443/moved", "/moved"} {
		c, s := mocked(t, inTurn(answers(302, "", "Location", same), answers(200, okContact)))
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err, same)
		require.Equal(t, 2, s.count())
	}
}

// TestRedirectsThatNeverEnd: a call in a loop of redirects is not retried.
func TestRedirectsThatNeverEnd(t *testing.T) {
	c, s := mocked(t, answers(302, "", "Location", "/contacts/c1"))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.ErrorContains(t, err, "10 redirects")
	require.Equal(t, 10, s.count())
	require.Equal(t, 1, asError(t, err).Attempts)
}

// TestALocationThatIsNoURL: the error does not contain an invalid Location header, which may repeat the query.
func TestALocationThatIsNoURL(t *testing.T) {
	c, s := mocked(t, answers(302, "", "Location", "http://[bad/contacts/?email=ada@example.com"))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.Equal(t, 302, asError(t, err).Status)
	require.NotContains(t, err.Error(), "ada")
	require.Equal(t, 1, s.count())
}

// TestCookiesDoNotPileUp: each attempt of a call sends a cookie once.
func TestCookiesDoNotPileUp(t *testing.T) {
	var cookies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "__cf_bm", Value: strconv.Itoa(len(cookies)), Path: "/"})
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL),
		ghl.WithHTTPClient(&http.Client{Jar: jar}),
		ghl.WithRetry(ghl.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
	require.NoError(t, err)
	_, err = c.Contacts.Get(t.Context(), "c1")
	require.Error(t, err)
	require.Equal(t, []string{"", "__cf_bm=1", "__cf_bm=2", "__cf_bm=3"}, cookies)
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/contacts/c1",
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved/c1", http.StatusFound) })
	mux.HandleFunc("/moved/c1", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, okContact)
	})
	mux.HandleFunc("/contacts/c1/notes", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/moved/notes", http.StatusTemporaryRedirect)
	})
	moved := 0
	mux.HandleFunc("/moved/notes", func(http.ResponseWriter, *http.Request) { moved++ })
	server := httptest.NewServer(mux)
	defer server.Close()

	asked := 0
	user := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return nil }}
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL),
		ghl.WithHTTPClient(user))
	require.NoError(t, err)
	contact, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "c1", contact.ID)
	require.Equal(t, 1, asked, "the CheckRedirect of the user is called")

	_, err = c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "x"})
	require.Equal(t, http.StatusTemporaryRedirect, asError(t, err).Status)
	require.Zero(t, moved, "a write is not redirected")
}
