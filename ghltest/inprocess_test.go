package ghltest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/oauth"
)

// inProcess returns a server that does not listen, and a client of it.
func inProcess(t *testing.T, opts ...ghl.Option) (*ghltest.Server, *ghl.Client) {
	t.Helper()
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c, err := ghl.New(append(append(s.ClientOptions(), ghl.WithLimiterFor(func(string) ghl.Limiter { return nil })),
		opts...)...)
	require.NoError(t, err)
	return s, c
}

// The fake works without a network, including its faults.
func TestInProcess(t *testing.T) {
	s, c := inProcess(t, patient)
	made, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	require.Equal(t, "Ada", s.Contacts()[0].FirstName)

	var around ghl.Response
	_, err = c.Contacts.Get(t.Context(), made.ID, ghl.CallResponse(&around))
	require.NoError(t, err)
	require.Equal(t, "application/json; charset=utf-8", around.Header.Get("Content-Type"))
	require.NotEmpty(t, around.Header.Get("X-RateLimit-Remaining"))

	for _, kind := range []fault.Kind{fault.CutBeforeWork(), fault.CutAfterWork(), fault.CutAfterHeaders(),
		fault.CutBody()} {
		s.ResetRequests()
		s.Fail(ghltest.Fault{Operation: "contacts.get", Kind: kind, Times: 2})
		_, err := c.Contacts.Get(t.Context(), made.ID)
		require.NoError(t, err, "%v", kind)
		require.Len(t, s.Requests(), 3, "%v", kind)
	}
	for _, test := range []struct {
		kind fault.Kind
		made int
	}{{fault.CutBeforeWork(), 0}, {fault.CutAfterWork(), 1}, {fault.CutBody(), 1}} {
		before := len(s.Contacts())
		s.Fail(ghltest.Fault{Operation: "contacts.create", Kind: test.kind, Times: 1})
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Bo"})
		require.ErrorIs(t, err, ghl.ErrAmbiguous)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Len(t, s.Contacts(), before+test.made)
	}

	s.Fail(ghltest.Fault{Kind: fault.EmptyBody404(), Times: 1})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://anywhere.example.com/x",
		strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := s.Transport().RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, 404, resp.StatusCode)
	require.NotContains(t, resp.Header, "Content-Type")
	require.NoError(t, resp.Body.Close())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Contacts.Get(ctx, made.ID)
	require.ErrorIs(t, err, context.Canceled)
}

// In a testing/synctest bubble, slow answers, missing answers and the expiry of a token take no time.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t)
		ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
		began := time.Now()
		s.Fail(ghltest.Fault{Kind: fault.Delay(time.Hour), Times: 1})
		s.Fail(ghltest.Fault{Kind: fault.SlowBody(1, time.Second), Times: 1})
		_, err := c.Contacts.Get(t.Context(), ada.ID)
		require.NoError(t, err)
		require.Greater(t, time.Since(began), time.Hour)

		s.Fail(ghltest.Fault{Kind: fault.Hang(), Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began = time.Now()
		_, err = c.Tags.Add(ctx, ada.ID, []string{"x"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(began))

		known := s.AddApp(ghltest.App{RedirectURLs: []string{callback}})
		app, err := oauth.NewApp(s.AppConfig(known))
		require.NoError(t, err)
		consent, err := app.AuthCodeURL("random")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(consent, "https://marketplace.gohighlevel.com/v2/oauth/chooselocation?"))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, consent, nil)
		require.NoError(t, err)
		resp, err := s.Transport().RoundTrip(r)
		require.NoError(t, err)
		back, err := resp.Location()
		require.NoError(t, err)
		accounts, err := oauth.NewInstallations(app, oauth.NewMemoryStore(),
			ghl.WithHTTPClient(&http.Client{Transport: s.Transport()}))
		require.NoError(t, err)
		_, err = accounts.Add(t.Context(), back.Query().Get("code"))
		require.NoError(t, err)
		client, err := accounts.Client(t.Context(), s.LocationID())
		require.NoError(t, err)
		for range 3 {
			_, err = client.Contacts.Get(t.Context(), ada.ID)
			require.NoError(t, err)
			time.Sleep(25 * time.Hour)
		}
		require.Equal(t, ghltest.OAuthCounts{Exchanges: 1, Refreshes: 2}, s.OAuthCounts())
	})
}

// Webhooks are delivered and repeated in a bubble.
func TestWebhooksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t)
		in := &inbox{answer: func(n int) int { return 429 - 229*min(n, 1) }}
		s.SubscribeHandler(in)
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, in.events(t), 1)
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		require.Len(t, in.events(t), 2)
		require.NoError(t, s.Close())
	})
}
