// Command sdk uses package ghl, its fake server and package oauth as a program outside of this repository does.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
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
	created, err := client.Contacts.Create(ctx,
		&ghl.ContactCreate{FirstName: "Outsider", Email: "outsider@example.com"})
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
	return connect(ctx, server)
}

// connect installs an app and makes a call with the token that its store holds.
func connect(ctx context.Context, server *ghltest.Server) error {
	known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://app.example.com/callback"}})
	app, err := oauth.NewApp(server.AppConfig(known))
	if err != nil {
		return err
	}
	store, key := oauth.NewMemoryStore(), oauth.LocationKey(server.LocationID())
	token := server.Install(known, "")
	if _, err := store.Update(ctx, key,
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return &token, nil }); err != nil {
		return err
	}
	installations, err := oauth.NewInstallations(app, store)
	if err != nil {
		return err
	}
	client, err := installations.Client(ctx, server.LocationID())
	if err != nil {
		return err
	}
	_, err = client.Locations.Get(ctx, server.LocationID())
	return err
}
