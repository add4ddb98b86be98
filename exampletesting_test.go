package ghl_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/jarcoal/httpmock"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// Httpmock answers one request with exact bytes. Take it to test which request your code sends, or how your code
// handles a particular answer. The transport belongs to one test; the global one of httpmock is not needed.
func Example_testingWithHttpmock() {
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder("POST", "/contacts/c1/tags", func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		fmt.Printf("%s %s %s\n", r.Method, r.URL.Path, body)
		return httpmock.NewStringResponse(201, `{"tags":["customer","vip"],"tagsAdded":["vip"]}`), nil
	})
	client, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		log.Fatal(err)
	}

	tags, err := client.Tags.Add(context.Background(), "c1", []string{"VIP"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tags, transport.GetTotalCallCount())
	// Output:
	// POST /contacts/c1/tags {"tags":["VIP"]}
	// [customer vip] 1
}

// Package ghltest behaves like HighLevel over several calls: it has state, pages, rate limits, faults, expiring tokens
// and webhooks. Take it to test what your code achieves. Here the answer to a create is lost, and the contact exists
// once.
func Example_testingWithGhltest() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}

	contact, err := client.Contacts.Create(context.Background(), &ghl.ContactCreate{Email: "ada@example.com"},
		ghl.CallReadBack())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(contact.Email, len(server.Contacts()))
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Status)
	}
	// Output:
	// ada@example.com 1
	// contacts.create 0
	// contacts.findDuplicate 200
}
