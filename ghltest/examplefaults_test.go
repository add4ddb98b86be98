package ghltest_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// The contact is created, but the answer is lost. A second create is refused as a duplicate; with CallReadBack the
// client finds the created contact.
func ExampleServer_Fail() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	ctx, ada := context.Background(), &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"}

	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
	_, err = client.Contacts.Create(ctx, ada)
	fmt.Println("ambiguous:", errors.Is(err, ghl.ErrAmbiguous))

	_, err = client.Contacts.Create(ctx, ada)
	fmt.Println("duplicate:", errors.Is(err, ghl.ErrDuplicateContact))
	fmt.Println("contacts:", len(server.Contacts()))
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Status, request.Fault)
	}
	// Output:
	// ambiguous: true
	// duplicate: true
	// contacts: 1
	// contacts.create 0 CutAfterWork
	// contacts.create 400
}

// A handler receives a change of the API. It refuses the first attempt, and the delivery is repeated.
func ExampleServer_SubscribeHandler() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	first := true
	server.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signature, err := base64.StdEncoding.DecodeString(r.Header.Get("X-GHL-Signature"))
		fmt.Println("came in, signed:", err == nil && ed25519.Verify(server.WebhookPublicKey(), body, signature))
		if first {
			first = false
			w.WriteHeader(http.StatusTooManyRequests) // refuses the delivery
		}
	}), ghltest.Events(ghltest.ContactCreate))

	ctx := context.Background()
	if _, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada"}); err != nil {
		log.Fatal(err)
	}
	if err := server.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	waiting := server.Redeliver()
	if err := server.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("redelivered:", waiting)
	for _, d := range server.Deliveries() {
		fmt.Println(d.Type, "attempts:", d.Attempts, "status:", d.Status)
	}
	// Output:
	// came in, signed: true
	// came in, signed: true
	// redelivered: 1
	// ContactCreate attempts: 2 status: 200
}
