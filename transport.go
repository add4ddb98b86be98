package ghl

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
)

// defaultTransport keeps enough idle connections for many callers of one host; net/http keeps two.
var defaultTransport = sync.OnceValue(func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 200
	t.MaxIdleConnsPerHost = 100
	return t
})

func defaultHTTPClient() *http.Client {
	return &http.Client{Transport: defaultTransport(), Timeout: defaultTimeout}
}

// httpClient returns a copy of the user's client with the middlewares and the redirect rule around it.
func (c *config) httpClient() *http.Client {
	h := *c.client
	if h.Transport == nil {
		h.Transport = http.DefaultTransport
	}
	for _, wrap := range c.middleware {
		h.Transport = wrap(h.Transport)
	}
	h.Transport = keepConnections{h.Transport}
	h.CheckRedirect = sameOrigin(c.client.CheckRedirect)
	return &h
}

// keepConnections hides CloseIdleConnections, for go-retryablehttp calls it after each failed call, and the connections of
// everybody else who shares the transport would be closed.
type keepConnections struct{ next http.RoundTripper }

func (t keepConnections) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(r)
}

// sameOrigin follows redirects of a GET within the origin, by the user's own rule. Any other is not followed: the answer is
// the redirect itself, an error. So neither the token nor a body reaches another host, port or scheme.
func sameOrigin(rule func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		first := via[0]
		if r.Method != http.MethodGet || first.Method != http.MethodGet || !originEqual(r.URL, first.URL) {
			return http.ErrUseLastResponse
		}
		if rule != nil {
			return rule(r, via)
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

func originEqual(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		if u.Scheme == "https" {
			return "443"
		}
		return "80"
	}
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && port(a) == port(b)
}
