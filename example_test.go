package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// memory holds the answers of an example: a JSON body for each method and path, with the query where it matters.
type memory map[string]string

// exampleClient returns a client that needs no network. It prints the bodies that it sends.
func exampleClient(answers memory) *ghl.Client {
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(httpmock.NewStringResponder(404, `{"message":"not found","statusCode":404}`))
	for route, body := range answers {
		method, path, _ := strings.Cut(route, " ")
		status := http.StatusOK
		if strings.Contains(body, `"statusCode":400`) {
			status = http.StatusBadRequest
		}
		answer := httpmock.NewStringResponder(status, body)
		transport.RegisterResponder(method, path, func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				fmt.Printf("%s %s %s\n", r.Method, r.URL.Path, body)
			}
			return answer(r)
		})
	}
	client, err := ghl.New(
		ghl.WithToken("pit-00000000-0000-0000-0000-000000000000"),
		ghl.WithLocation("ve9EPM428h8vShlRW1KT"),
		ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
	)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// exampleServer returns a server of package ghltest, whose clock is set to a Monday morning, and a client of it.
func exampleServer() (*ghltest.Server, *ghl.Client) {
	clock := ghltest.NewClock(time.Date(2026, time.March, 2, 14, 0, 0, 0, time.UTC)) // 8:00 in Chicago
	server, err := ghltest.New(ghltest.WithClock(clock.Now),
		ghltest.WithLocation(ghl.Location{Name: "Acme", Timezone: "America/Chicago"}))
	if err != nil {
		log.Fatal(err)
	}
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	return server, client
}

func ExampleNew() {
	client, err := ghl.New(
		ghl.WithToken("pit-00000000-0000-0000-0000-000000000000"), // a private integration token
		ghl.WithLocation("ve9EPM428h8vShlRW1KT"),                  // the sub-account that calls are about
		ghl.WithUserAgent("acme-crm/2.1 (ops@acme.example)"),
		ghl.WithHTTPClient(&http.Client{Timeout: 30 * time.Second}),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Location())

	// A variant for another location shares the transport and the token.
	other, err := client.With(ghl.WithLocation("C2QujeCh8ZnC7al2InWR"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(other.Location())

	// New checks every option.
	_, err = ghl.New(ghl.WithToken("pit-x"), ghl.WithBaseURL("localhost:8080"))
	fmt.Println(errors.Is(err, ghl.ErrBadInput), err)
	// Output:
	// ve9EPM428h8vShlRW1KT
	// C2QujeCh8ZnC7al2InWR
	// true ghl: the base URL needs the scheme http or https (field BaseURL)
}

// Calls of endpoints without a method have the same limits, retries and errors.
func ExampleClient_Call() {
	client := exampleClient(memory{
		"GET /locations/ve9EPM428h8vShlRW1KT/customValues/cv1": `{"customValue":{"id":"cv1","name":"Opening hours","value":"9 to 5"}}`,
	})
	op := ghl.Operation{
		Name: "customValues.get", Method: http.MethodGet, Path: "/locations/{locationId}/customValues/{id}",
		Scopes: []ghl.Scope{"locations/customValues.readonly"}, Repeatable: true,
	}
	var out struct {
		CustomValue struct{ Name, Value string } `json:"customValue"`
	}
	if err := client.Call(context.Background(), op, nil, &out, ghl.CallPath("id", "cv1")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.CustomValue.Name, "=", out.CustomValue.Value)

	err := client.Call(context.Background(), op, nil, &out, ghl.CallPath("id", "cv2"))
	fmt.Println(errors.Is(err, ghl.ErrNotFound))
	// Output:
	// Opening hours = 9 to 5
	// true
}

func ExampleScopesFor() {
	var needed []ghl.Operation
	for _, op := range ghl.Operations() {
		if op.Name == "contacts.list" || op.Name == "notes.create" || op.Name == "locations.get" {
			needed = append(needed, op)
		}
	}
	fmt.Println(ghl.ScopesFor(needed...))
	// Output: [contacts.readonly contacts.write locations.readonly]
}
