// Conformance runs package ghltest for a client in another language, see the folder conformance.
//
//	go run ./internal/conformance WEBHOOK_URL
//
// The program prints one line of JSON about the server, whose changes it delivers to WEBHOOK_URL. Then it executes the
// commands on its input, one JSON object in a line, and answers each with a line. It ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// seeds describes the server to the client.
type seeds struct {
	URL, AuthorizeURL, Token      string
	Location, Company             string
	ClientID, ClientSecret, AppID string
	RedirectURL                   string
	PublicKey                     string // PEM
	Contact, Appointment          string // of one contact
	TextField, NumberField        string // ids of custom fields
}

// command is a line of the input.
type command struct {
	Do        string // "fail", "flush", "consent", "advance" or "uninstall"
	Fault     string
	Operation string
	Location  string
	Locations []string // for the consent of a company
	Hours     int
}

// limits admit all checks.
var limits = ghltest.Limits{Requests: 5000, Interval: 10 * time.Second, Daily: 200_000}

const redirectURL = "https://app.example.com/callback"

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("the URL for webhooks is missing")
	}
	const locationID, companyID = "locA1locA1locA1locA1", "compA1compA1compA1co"
	server, err := ghltest.New(
		ghltest.WithLimits(limits),
		ghltest.WithLocation(ghl.Location{
			ID: locationID, CompanyID: companyID, Name: "Harbour", Timezone: "America/New_York",
		}),
		ghltest.WithLocation(ghl.Location{ID: "locB2locB2locB2locB2", CompanyID: companyID, Name: "Hill"}))
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	app := server.AddApp(ghltest.App{RedirectURLs: []string{redirectURL}})
	server.Subscribe(args[0], ghltest.ForApp(app.AppID, ""))
	contact := server.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"})
	calendar := server.AddCalendar(ghl.Calendar{Name: "Consultation", SlotDuration: 30, SlotDurationUnit: "mins"})
	start := time.Date(2030, 5, 6, 14, 0, 0, 0, time.UTC)
	appointment := server.AddAppointment(ghl.Appointment{
		ContactID: contact.ID, CalendarID: calendar.ID, Title: "First talk",
		StartTime: ghl.NewTime(start), EndTime: ghl.NewTime(start.Add(30 * time.Minute)),
	})
	text := server.AddCustomField(ghl.CustomFieldDefinition{Name: "Nickname", DataType: "TEXT"})
	number := server.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"})
	answers := json.NewEncoder(out)
	if err := answers.Encode(seeds{
		URL: server.URL(), AuthorizeURL: server.AuthorizeURL(), Token: server.Token(),
		Location: locationID, Company: companyID,
		ClientID: app.ClientID, ClientSecret: app.ClientSecret, AppID: app.AppID, RedirectURL: redirectURL,
		PublicKey: server.WebhookPublicKeyPEM(), Contact: contact.ID, Appointment: appointment.ID,
		TextField: text.ID, NumberField: number.ID,
	}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); ; {
		if !lines.Scan() {
			return lines.Err()
		}
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if err := execute(server, app, c); err != nil {
			return err
		}
		if err := answers.Encode(map[string]string{"done": c.Do}); err != nil {
			return err
		}
	}
}

func execute(server *ghltest.Server, app ghltest.App, c command) error {
	switch c.Do {
	case "fail":
		kind, ok := faults[c.Fault]
		if !ok {
			return fmt.Errorf("unknown fault %q", c.Fault)
		}
		server.Fail(ghltest.Fault{Operation: c.Operation, Kind: kind, Times: 1})
	case "flush":
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return server.Flush(ctx)
	case "consent":
		consent := ghltest.Consent{LocationID: c.Location}
		if c.Locations != nil {
			consent = ghltest.Consent{Company: &ghltest.CompanyInstall{Locations: c.Locations}}
		}
		server.SetConsent(consent)
	case "uninstall":
		server.Uninstall(app, c.Location)
	case "advance":
		server.Advance(time.Duration(c.Hours) * time.Hour)
	default:
		return fmt.Errorf("unknown command %q", c.Do)
	}
	return nil
}

// faults are the faults that a command can name.
var faults = map[string]fault.Kind{
	"too many requests":   fault.TooManyRequests(0),
	"daily limit":         fault.DailyLimitReached(),
	"cannot get":          fault.CannotGet404(),
	"empty 404":           fault.EmptyBody404(),
	"internal error":      fault.InternalServerError(),
	"bad gateway":         fault.BadGatewayHTML(),
	"missing scope":       fault.MissingScope(),
	"forbidden":           fault.Forbidden(),
	"gateway timeout 400": fault.GatewayTimeoutAs400(),
	"cut":                 fault.CutBeforeWork(),
}
