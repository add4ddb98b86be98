package ghl

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
)

// defaultTransport keeps enough idle connections for many callers of one host; net/http keeps two.
// Where a program has wrapped http.DefaultTransport, it wants its requests to go through that, so it is taken as it is.
var defaultTransport = sync.OnceValue(func() http.RoundTripper {
	original, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t := original.Clone()
	t.MaxIdleConns = 200
	t.MaxIdleConnsPerHost = 100
	return t
})

func defaultHTTPClient() *http.Client {
	return &http.Client{Transport: defaultTransport(), Timeout: defaultTimeout}
}

// httpClient returns a copy of the user's client, or the default one, with the middlewares and the redirect rule around it.
func (c *config) httpClient() (*http.Client, error) {
	h := c.client
	if h == nil {
		h = defaultHTTPClient()
	}
	h = new(*h)
	if h.Transport == nil {
		h.Transport = http.DefaultTransport
	}
	for _, wrap := range c.middleware {
		if h.Transport = wrap(h.Transport); h.Transport == nil {
			return nil, badInputf("Middleware", "the middleware returned no transport")
		}
	}
	h.Transport = guard{h.Transport}
	h.CheckRedirect = sameOrigin(h.CheckRedirect)
	return h, nil
}

// guard stands between http.Client and the transport.
//
// It hides CloseIdleConnections, for go-retryablehttp calls it after each failed call, and the connections of everybody else
// who shares the transport would be closed. And it takes away a Location that is no URL: http.Client would put it into the
// text of an error, with whatever the server has repeated of the request.
type guard struct{ next http.RoundTripper }

func (t guard) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil && resp != nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		if _, bad := r.URL.Parse(resp.Header.Get("Location")); bad != nil {
			resp.Header.Del("Location")
		}
	}
	return resp, err
}

// redirectError is that a redirect was not followed, which the next attempt won't change.
type redirectError struct{ cause error }

func (e *redirectError) Error() string { return e.cause.Error() }
func (e *redirectError) Unwrap() error { return e.cause }

// sameOrigin follows redirects of a GET within the origin, by the user's own rule. Any other is not followed: the answer is
// the redirect itself, an error. So neither the token nor a body reaches another host, port or scheme.
func sameOrigin(rule func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		first := via[0]
		if r.Method != http.MethodGet || first.Method != http.MethodGet || !originEqual(r.URL, first.URL) {
			return http.ErrUseLastResponse
		}
		var err error
		switch {
		case rule != nil:
			err = rule(r, via)
		case len(via) >= 10:
			err = errors.New("stopped after 10 redirects")
		}
		if err == nil || errors.Is(err, http.ErrUseLastResponse) {
			return err
		}
		return &redirectError{err}
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
