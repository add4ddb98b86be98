package ghl_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestTheTokenNeverLeavesItsOrigin: another port is another origin, though net/http sees the same host.
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
		for _, target := range []string{thief.URL + "/x", strings.Replace(thief.URL, "127.0.0.1", "localhost", 1) + "/x", "https" + strings.TrimPrefix(thief.URL, "http") + "/x"} {
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

func TestRedirectsWithinTheOrigin(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/contacts/c1", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved/c1", http.StatusFound) })
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
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL), ghl.WithHTTPClient(user))
	require.NoError(t, err)
	contact, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "c1", contact.ID)
	require.Equal(t, 1, asked, "the user's own rule is asked")

	_, err = c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "x"})
	require.Equal(t, http.StatusTemporaryRedirect, asError(t, err).Status)
	require.Zero(t, moved, "a change is not sent anywhere else")
}
