// Mapping maps one contact of HighLevel, with its tasks, notes and appointments, to Pluvo and back by the rules of a
// file, and prints the outcome for each field.
//
// Run it from the root of the repository:
//
//	go run ./examples/mapping
//
// It calls a HighLevel API that runs inside the program (package ghltest) and stores Pluvo's records in memory, so it
// needs no account. The rules are those of examples/mapping/rules.yaml. To try other rules, copy that file, change the
// copy and name it:
//
//	go run ./examples/mapping my-rules.yaml
//
// A file with mistakes is refused. The error lists each mistake with its line and column.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/signal"
	_ "time/tzdata" // the location's time zone, wherever the program runs

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

//go:embed rules.yaml
var ownRules []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is the program, with its dependencies as parameters for tests.
func run(ctx context.Context, args []string, out io.Writer) error {
	file, data := "examples/mapping/rules.yaml", ownRules
	if len(args) > 0 {
		var err error
		if file = args[0]; len(args) > 1 {
			return fmt.Errorf("mapping: at most one rule file can be named")
		}
		if data, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("mapping: %w", err)
		}
	}
	fake, contactID, err := highLevel()
	if err != nil {
		return err
	}
	defer func() { _ = fake.Close() }()
	client, err := ghl.New(fake.ClientOptions()...)
	if err != nil {
		return err
	}
	t := &trip{out: out, client: client, contactID: contactID, store: pluvo.NewMemoryStore()}
	if err := t.prepare(ctx, file, data); err != nil {
		return err
	}
	fmt.Fprintf(out, "By the rules of %s\n", file)
	if err := t.toPluvo(ctx); err != nil {
		return err
	}
	if err := t.change(ctx); err != nil {
		return err
	}
	if err := t.toHighLevel(ctx); err != nil {
		return err
	}
	return t.compare(ctx)
}

// prepare creates the mapper from the location's time zone, country and custom fields, and the rules.
func (t *trip) prepare(ctx context.Context, file string, data []byte) error {
	location, err := t.client.Locations.Get(ctx, t.client.Location())
	if err != nil {
		return err
	}
	zone, err := location.TimeLocation()
	if err != nil {
		return err
	}
	if t.definitions, err = t.client.Locations.CustomFieldResolver(ctx, location.ID); err != nil {
		return err
	}
	rules, err := mapping.LoadRules(file, data, t.definitions)
	if err != nil {
		return err
	}
	t.mapper, err = mapping.New(mapping.Options{
		Location: location.ID, TimeZone: zone, Phone: phonesOf(location.Country), Rules: rules, Now: clock,
	})
	return err
}
