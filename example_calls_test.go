package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

func ExampleCallResponse() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	ada := server.AddContact(ghl.Contact{Email: "ada@example.com"})

	var response ghl.Response
	if _, err := client.Contacts.Get(context.Background(), ada.ID, ghl.CallResponse(&response)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, response.Header.Get("Content-Type"), response.Attempts)
	fmt.Println(response.RateLimit.Remaining, "of", response.RateLimit.Limit, "requests left")
	// Output:
	// 200 application/json; charset=utf-8 1
	// 999999 of 1000000 requests left
}

// A limiter from golang.org/x/time/rate replaces the adaptive one.
func ExampleWithLimiter() {
	server, client := exampleServer()
	defer server.Close()                                                                 //nolint:errcheck // the program ends
	slow, err := client.With(ghl.WithLimiter(rate.NewLimiter(rate.Every(time.Hour), 1))) // one request an hour
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range 2 {
		_, err := slow.Contacts.List(ctx, nil)
		fmt.Println(errors.Is(err, context.DeadlineExceeded), err == nil) // the second wait would outlast ctx
	}
	fmt.Println("requests:", len(server.Requests()))
	// Output:
	// false true
	// true false
	// requests: 1
}

// secretStore is a source of tokens that a program rotates. It is a [ghl.TokenRefresher]: a refused token is read
// again from the store.
type secretStore struct {
	mu      sync.Mutex
	current *ghl.Token
	read    func() string // asks the store
}

func (s *secretStore) Token(context.Context) (*ghl.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		s.current = &ghl.Token{AccessToken: s.read()}
	}
	return s.current, nil
}

func (s *secretStore) Refresh(_ context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == rejected { // otherwise another call has refreshed the token
		s.current = &ghl.Token{AccessToken: s.read()}
	}
	return s.current, nil
}

// A token source of one's own reads the token from a secret store. The token is rotated while the program runs.
func ExampleWithTokenSource() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	stored := []string{"pit-rotated-yesterday", server.Token()}
	source := &secretStore{read: func() string {
		token := stored[0]
		stored = stored[1:]
		return token
	}}

	client, err := client.With(ghl.WithTokenSource(source))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Contacts.List(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Status)
	}
	// Output:
	// contacts.list 401
	// contacts.list 200
}

// A request of a user does not wait for retries; a nightly job is patient.
func ExampleCallRetry() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	server.Fail(ghltest.Fault{Operation: "contacts.list", Kind: fault.BadGatewayHTML(), Times: 4})
	ctx := context.Background()

	_, err := client.Contacts.List(ctx, nil, ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 1}))
	var e *ghl.Error
	if errors.As(err, &e) {
		fmt.Println("user:", e.Status, e.Attempts, errors.Is(err, ghl.ErrServer))
	}

	var response ghl.Response
	patient := ghl.RetryPolicy{MaxAttempts: 10, MinBackoff: time.Microsecond, MaxBackoff: time.Millisecond}
	_, err = client.Contacts.List(ctx, nil, ghl.CallRetry(patient), ghl.CallResponse(&response))
	fmt.Println("job:", response.Status, response.Attempts, err)
	// Output:
	// user: 502 1 true
	// job: 200 4 <nil>
}

// One client serves several locations. Each location has its own rate limit.
func ExampleCallLocation() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	second := server.AddLocation(ghl.Location{Name: "Second"})
	token := server.AddToken(ghl.Token{LocationID: second.ID})
	ctx := context.Background()

	own, err := client.Locations.Get(ctx, "") // the client's location
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(own.Name)

	client, err = client.With(ghl.WithToken(token.AccessToken))
	if err != nil {
		log.Fatal(err)
	}
	other, err := client.Locations.Get(ctx, "", ghl.CallLocation(second.ID))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(other.Name)
	// Output:
	// Acme
	// Second
}

// A middleware sees each attempt with its operation, to trace or count requests.
func ExampleWithMiddleware() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	counts := map[string]int{}
	client, err := client.With(ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if op, ok := ghl.OperationFromContext(r.Context()); ok {
				counts[op.Name]++
			}
			return next.RoundTrip(r)
		})
	}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Contacts.List(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts)
	// Output:
	// map[contacts.list:1]
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
