package fault_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// A gateway answers 504 to a create, although the contact is stored.
func ExampleKind_AfterWork() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}

	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.GatewayTimeoutHTML().AfterWork()})
	_, err = client.Contacts.Create(context.Background(), &ghl.ContactCreate{FirstName: "Ada"})
	fmt.Println("ambiguous:", errors.Is(err, ghl.ErrAmbiguous))
	fmt.Println("stored:", len(server.Contacts()))
	// Output:
	// ambiguous: true
	// stored: 1
}
