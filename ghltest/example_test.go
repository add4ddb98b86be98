package ghltest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// Seed a contact, change it through the API, and inspect the stored contact.
func Example() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})

	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Tags.Add(context.Background(), ada.ID, []string{"VIP"}); err != nil {
		log.Fatal(err)
	}

	contact, _ := server.Contact(ada.ID)
	fmt.Println(contact.FirstName, contact.Tags)
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Status)
	}
	// Output:
	// Ada [vip]
	// tags.add 201
}
