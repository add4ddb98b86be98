// Quickstart lists the contacts of a HighLevel location and shows one contact with its tasks, notes, appointments and
// tags.
//
// Run it from the root of the repository:
//
//	go run ./examples/quickstart
//
// Without settings it uses a fake HighLevel API inside the program (package ghltest). To read your own location:
//
//	GHL_TOKEN=pit-… GHL_LOCATION_ID=… go run ./examples/quickstart
//
// GHL_TOKEN is a private integration token with the scopes contacts.readonly and locations.readonly. GHL_BASE_URL is
// optional and names another server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	_ "time/tzdata" // the time zones, for systems without them

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is the program. Its parameters can be replaced in tests.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	options, done, err := connection(getenv, out)
	if err != nil {
		return err
	}
	defer done()

	options = append(options, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 2})) // a person is waiting
	client, err := ghl.New(options...)
	if err != nil {
		return explain(err)
	}
	if err := show(ctx, client, out); err != nil {
		return explain(err)
	}
	return nil
}

// connection returns the client's options from the environment, or those of a fake server, which done stops.
func connection(getenv func(string) string, out io.Writer) (options []ghl.Option, done func(), err error) {
	token, location, base := getenv("GHL_TOKEN"), getenv("GHL_LOCATION_ID"), getenv("GHL_BASE_URL")
	switch {
	case token == "" && location == "" && base == "":
		fake, err := ghltest.New(ghltest.WithDemoData())
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintln(out, "GHL_TOKEN is not set: showing demo data of a fake HighLevel inside this program.")
		return fake.ClientOptions(), func() { _ = fake.Close() }, nil
	case token == "":
		return nil, nil, errors.New("GHL_TOKEN is missing: set it to a private integration token of the location")
	case location == "":
		return nil, nil, errors.New("GHL_LOCATION_ID is missing: set it to the id of the token's location")
	}
	options = []ghl.Option{ghl.WithToken(token), ghl.WithLocation(location)}
	if base != "" {
		options = append(options, ghl.WithBaseURL(base))
	}
	return options, func() {}, nil
}

// show reads the records and writes tables.
func show(ctx context.Context, client *ghl.Client, out io.Writer) error {
	location, err := client.Locations.Get(ctx, client.Location())
	if err != nil {
		return err
	}
	zone, err := location.TimeLocation()
	if err != nil {
		return err
	}
	page, err := client.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 20})
	if err != nil {
		return err
	}
	writeContacts(out, location, page, zone)
	if len(page.Contacts) == 0 {
		return nil
	}

	// A listed contact has fewer fields than a contact that is read by its id.
	contact, err := client.Contacts.Get(ctx, page.Contacts[0].ID)
	if err != nil {
		return err
	}
	tasks, err := client.Tasks.List(ctx, contact.ID)
	if err != nil {
		return err
	}
	notes, err := client.Notes.List(ctx, contact.ID)
	if err != nil {
		return err
	}
	appointments, err := client.Appointments.ListForContact(ctx, contact.ID)
	if err != nil {
		return err
	}
	writeContact(out, contact, zone)
	writeTasks(out, tasks, zone)
	writeNotes(out, notes, zone)
	writeAppointments(out, appointments, zone)
	return nil
}

// explain returns an error of one line that names the setting to check.
func explain(err error) error {
	var e *ghl.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Field == "BaseURL":
		return fmt.Errorf("GHL_BASE_URL is not a base URL: %s", e.Message)
	case e.Field == "token":
		return fmt.Errorf("GHL_TOKEN is not a token: %s", e.Message)
	case e.Field == "locationId":
		return fmt.Errorf("GHL_LOCATION_ID is not an id: %s", e.Message)
	case errors.Is(err, ghl.ErrMissingScope):
		return fmt.Errorf("GHL_TOKEN lacks a scope: %s needs %v", e.Operation, e.Scopes)
	case errors.Is(err, ghl.ErrUnauthorized):
		return fmt.Errorf("GHL_TOKEN was refused: %s", e.Message)
	case errors.Is(err, ghl.ErrForbidden):
		return fmt.Errorf("GHL_TOKEN may not access GHL_LOCATION_ID: %s", e.Message)
	}
	return err
}
