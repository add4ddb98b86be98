package ghltest_test

import (
	"net/http"
	"net/http/httptest"
)

// transportOf calls a handler without a network.
type transportOf struct{ handler http.Handler }

func (t transportOf) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	return w.Result(), nil
}
