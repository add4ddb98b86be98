package ghl

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
)

// defaultTransport returns a transport with enough idle connections for many callers of one host; net/http keeps
// two. A program that has wrapped http.DefaultTransport wants its requests to pass the wrapper, so that is returned
// unchanged.
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

// httpClient returns a copy of the user's client, or the default client, with the middlewares and the redirect rule.
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

// guard is a transport between http.Client and the user's transport.
//
// It hides CloseIdleConnections, because go-retryablehttp calls it after each failed call, which would close the
// connections of everything else that shares the transport. It also removes a Location header that is not a URL,
// because http.Client would put it into the text of an error, with what the server repeated of the request.
type guard struct{ next http.RoundTripper }

func (t guard) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := roundTrip(t.next, r)
	if err == nil && resp != nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		if _, bad := r.URL.Parse(resp.Header.Get("Location")); bad != nil {
			resp.Header.Del("Location")
		}
	}
	return resp, err
}

// redirectError is the error of a redirect that the user's CheckRedirect refused. A retry would not change that.
type redirectError struct{ cause error }

func (e *redirectError) Error() string { return e.cause.Error() }
func (e *redirectError) Unwrap() error { return e.cause }

// sameOrigin returns a CheckRedirect that follows redirects of a GET within the origin, if the user's rule does. It
// does not follow any other redirect: the redirect is the answer, which is an error. Therefore neither the token
// nor a body reaches another host, port or scheme.
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
