// Command sdk uses package ghl and its fake server as somebody else's program would.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "outsider:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	server, err := ghltest.New()
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		return err
	}
	created, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Outsider", Email: "outsider@example.com"})
	if err != nil {
		return err
	}
	n, found := 0, false
	for contact, err := range client.Contacts.All(ctx, nil) {
		if err != nil {
			return err
		}
		n++
		found = found || contact.ID == created.ID
	}
	if !found {
		return fmt.Errorf("the new contact is not among the %d that are listed", n)
	}
	fmt.Printf("outsider: %d contacts listed\n", n)
	return nil
}
