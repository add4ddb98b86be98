package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// output is the output of the program. It signals each write.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func newOutput() *output { return &output{wrote: make(chan struct{}, 1000)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { o.wrote <- struct{}{} }()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// started starts the program and returns its address.
func started(t *testing.T, settings map[string]string) (base string, out *output, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = newOutput()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, env(settings), out) }()
	for {
		select {
		case err := <-ended:
			cancel()
			require.NoError(t, err)
			require.Fail(t, "the program ended")
		case <-out.wrote:
		}
		if m := regexp.MustCompile(`Open (http://\S+)`).FindStringSubmatch(out.String()); m != nil {
			return m[1], out, func() error { cancel(); return <-ended }
		}
	}
}

// browser keeps cookies and follows redirects.
type browser struct{ http.Client }

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{http.Client{Jar: jar}}
}

func (b *browser) get(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := b.Get(address)
	require.NoError(t, err)
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) (int, string) {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// consent starts to connect an account, chooses a location or company on the consent screen, and returns the URL of
// the callback.
func (b *browser) consent(t *testing.T, base, choice string) *url.URL {
	t.Helper()
	still := http.Client{Jar: b.Jar, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := still.PostForm(base+"/connect", nil)
	require.NoError(t, err)
	status, _ := read(t, resp)
	require.Equal(t, 303, status)
	screen, err := resp.Location()
	require.NoError(t, err)
	status, page := b.get(t, screen.String())
	require.Equal(t, 200, status)
	m := regexp.MustCompile(`name="ghltest_` + choice + `" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, m, page)
	resp, err = still.Get(screen.String() + "&ghltest_" + choice + "=" + m[1])
	require.NoError(t, err)
	status, _ = read(t, resp)
	require.Equal(t, 302, status)
	back, err := resp.Location()
	require.NoError(t, err)
	return back
}

// link returns the address of the first link of a page.
func link(t *testing.T, page string) string {
	t.Helper()
	m := regexp.MustCompile(`href="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, m, page)
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

func TestConnectAndList(t *testing.T) {
	base, out, end := started(t, map[string]string{"GHL_LISTEN": "127.0.0.1:0"})
	require.Contains(t, out.String(), "inside this program")
	b := newBrowser(t)
	_, page := b.get(t, base)
	require.Contains(t, page, "none yet")

	back := b.consent(t, base, "location")
	status, page := b.get(t, back.String())
	require.Equal(t, 200, status)
	location := link(t, page)
	require.True(t, strings.HasPrefix(location, "/locations/"), page)
	status, page = b.get(t, base+location)
	require.Equal(t, 200, status)
	require.Contains(t, page, "12 of 12 contacts")
	require.Contains(t, page, "amelia.ortega@example.com")

	status, page = b.get(t, back.String())
	require.Equal(t, 403, status, "a replay of the callback is refused")
	require.Contains(t, page, "was used before")
	status, _ = b.get(t, base+"/locations/elsewhere")
	require.Equal(t, 404, status)

	require.NotContains(t, out.String(), back.Query().Get("code"))
	require.NoError(t, end())
}

// TestConnectAnAgency: connecting an agency also connects its locations.
func TestConnectAnAgency(t *testing.T) {
	base, _, end := started(t, map[string]string{"GHL_LISTEN": "127.0.0.1:0"})
	b := newBrowser(t)
	status, page := b.get(t, b.consent(t, base, "company").String())
	require.Equal(t, 200, status)
	status, page = b.get(t, base+link(t, page))
	require.Equal(t, 200, status)
	require.Contains(t, page, "12 of 12 contacts")
	require.NoError(t, end())
}

// TestStateIsChecked: the callback accepts a code only with the state of the same browser.
func TestStateIsChecked(t *testing.T) {
	base, _, end := started(t, map[string]string{"GHL_LISTEN": "127.0.0.1:0"})
	victim, attacker := newBrowser(t), newBrowser(t)
	stolen := attacker.consent(t, base, "location")
	code := stolen.Query().Get("code")
	for name, query := range map[string]url.Values{
		"no state": {"code": {code}}, "empty state": {"code": {code}, "state": {""}}, "made-up state": {"code": {code},
			"state": {"x"}},
		"the attacker's state": stolen.Query(),
	} {
		status, _ := victim.get(t, base+"/callback?"+query.Encode())
		require.Equal(t, 403, status, "%s in a browser without a state", name)
	}
	mine := victim.consent(t, base, "location")
	status, _ := victim.get(t, base+"/callback?"+stolen.RawQuery)
	require.Equal(t, 403, status, "the attacker's state in a browser with another state")
	status, _ = victim.get(t, mine.String())
	require.Equal(t, 403, status, "a forged callback ends the state of the browser")

	mine = victim.consent(t, base, "location")
	status, _ = victim.get(t, base+"/callback?state="+mine.Query().Get("state")+"&error=access_denied")
	require.Equal(t, 400, status, "no code")
	mine = victim.consent(t, base, "location")
	status, page := victim.get(t, base+"/callback?state="+mine.Query().Get("state")+"&code=made-up")
	require.Equal(t, 502, status)
	require.NotContains(t, page, "made-up")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/connect", nil)
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := victim.Do(r)
	require.NoError(t, err)
	status, _ = read(t, resp)
	require.Equal(t, 403, status, "another site can't start to connect an account")
	require.NoError(t, end())
}

// TestTokensAreKeptEncrypted: the program stores tokens encrypted, and reads them after a restart.
func TestTokensAreKeptEncrypted(t *testing.T) {
	highLevel := ghltest.Start(t, ghltest.WithDemoData(), ghltest.WithConsent(ghltest.Consent{Ask: true}))
	known := highLevel.AddApp(ghltest.App{RedirectURLs: []string{"http://app.example.com/callback"}})
	dir := filepath.Join(t.TempDir(), "tokens")
	settings := map[string]string{
		"GHL_LISTEN": "127.0.0.1:0", "GHL_CLIENT_ID": known.ClientID, "GHL_CLIENT_SECRET": known.ClientSecret,
		"GHL_TOKEN_DIR": dir,
		"GHL_TOKEN_KEY": strings.Repeat("0f", 32), "GHL_BASE_URL": highLevel.URL(),
		"GHL_AUTH_URL":     highLevel.AuthorizeURL(),
		"GHL_REDIRECT_URL": known.RedirectURLs[0],
	}
	base, out, end := started(t, settings)
	require.NotContains(t, out.String(), "inside this program")
	b := newBrowser(t)
	back := b.consent(t, base, "location")
	require.Equal(t, "app.example.com", back.Host)
	status, _ := b.get(t, base+"/callback?"+back.RawQuery) // as a proxy on app.example.com would
	require.Equal(t, 200, status)
	require.NoError(t, end())

	files, err := filepath.Glob(filepath.Join(dir, "*.token"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NotContains(t, string(data), "accessToken")
	require.NotContains(t, string(data), highLevel.LocationID())

	base, _, end = started(t, settings)
	status, page := b.get(t, base+"/locations/"+highLevel.LocationID())
	require.Equal(t, 200, status)
	require.Contains(t, page, "12 of 12 contacts", "connected after a restart")
	require.NoError(t, end())
}

func TestWrongSettings(t *testing.T) {
	for want, settings := range map[string]map[string]string{
		"GHL_TOKEN_KEY is required": {"GHL_CLIENT_ID": "app", "GHL_CLIENT_SECRET": "s3cret"},
		"GHL_TOKEN_KEY":             {"GHL_CLIENT_ID": "app", "GHL_CLIENT_SECRET": "s3cret", "GHL_TOKEN_KEY": "abcd"},
		"ClientSecret": {"GHL_CLIENT_ID": "app", "GHL_TOKEN_KEY": strings.Repeat("0f", 32),
			"GHL_TOKEN_DIR": t.TempDir()},
		"AuthURL": {"GHL_CLIENT_ID": "app", "GHL_CLIENT_SECRET": "s3cret",
			"GHL_TOKEN_KEY": strings.Repeat("0f", 32), "GHL_AUTH_URL": "x"},
		"listen": {"GHL_LISTEN": "256.0.0.1:0"},
	} {
		if settings["GHL_LISTEN"] == "" {
			settings["GHL_LISTEN"] = "127.0.0.1:0"
		}
		err := run(t.Context(), env(settings), io.Discard)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestTooManyStates(t *testing.T) {
	s := newStates()
	for range maxStates {
		_, ok := s.begin()
		require.True(t, ok)
	}
	_, ok := s.begin()
	require.False(t, ok)
}

// TestPagesAreEscaped: pages escape text that other people have written, such as the name of a contact.
func TestPagesAreEscaped(t *testing.T) {
	var page strings.Builder
	require.NoError(t, contactsPage.Execute(&page, struct {
		Location string
		Page     *ghl.ContactPage
	}{"l", &ghl.ContactPage{Contacts: []*ghl.Contact{{FirstName: "<script>"}}}}))
	require.NotContains(t, page.String(), "<script>")
	rec := httptest.NewRecorder()
	headers(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"))
}
