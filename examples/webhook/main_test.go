package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// output is the output of the program. It sends each line to a channel.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	lines chan string
}

func newOutput() *output { return &output{lines: make(chan string, 1000)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines <- strings.TrimSpace(string(p))
	return o.text.Write(p)
}

func TestDemonstration(t *testing.T) {
	out := newOutput()
	require.NoError(t, run(t.Context(), env(nil), out))
	text := out.text.String()
	for _, want := range []string{
		"ContactCreate      contact", "ContactTagUpdate   contact", "tags [customer]", "ContactDndUpdate", "ContactDelete",
		`TaskCreate         task`, "completed: true", `NoteCreate         note`, `by user user1`, "NoteDelete",
		"AppointmentCreate  appointment", "current: deleted", "INSTALL            the app, in location",
		"UNINSTALL          the app, from location",
		"(INSTALL: duplicate, answered 200)", "(NoteCreate: not kept, answered 429)", "(a request: forged, answered 401)",
	} {
		require.Contains(t, text, want)
	}
	require.Equal(t, 1, strings.Count(text, "\nINSTALL"), "a duplicate is handled once")
	require.Equal(t, 1, strings.Count(text, "\nNoteCreate"), "a failed delivery is handled when it is redelivered")
}

func TestReceiver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, ended := newOutput(), make(chan error, 1)
	go func() {
		ended <- run(ctx, env(map[string]string{"GHL_LISTEN": "127.0.0.1:0", "GHL_APP_ID": "app1",
			"GHL_TOKEN": "pit-x"}),
			out)
	}()
	_, url, found := strings.Cut(<-out.lines, "Waiting for deliveries at ")
	require.True(t, found)
	status := func(method, body string) int {
		r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("X-GHL-Signature", strings.Repeat("A", 86)+"==")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, status(http.MethodPost, `{"type":"ContactCreate","appId":"app1"}`))
	require.Equal(t, "(a request: forged, answered 401)", <-out.lines)
	require.Equal(t, http.StatusMethodNotAllowed, status(http.MethodGet, ""))
	cancel()
	require.NoError(t, <-ended)
}

func TestWrongSettings(t *testing.T) {
	for want, settings := range map[string]map[string]string{
		"GHL_LISTEN is missing": {"GHL_APP_ID": "app1"},
		"GHL_APP_ID is missing": {"GHL_LISTEN": "127.0.0.1:0"},
		"token":                 {"GHL_LISTEN": "127.0.0.1:0", "GHL_APP_ID": "app1", "GHL_TOKEN": "a b"},
		"listen":                {"GHL_LISTEN": "nowhere", "GHL_APP_ID": "app1"},
	} {
		require.ErrorContains(t, run(t.Context(), env(settings), io.Discard), want)
	}
}
