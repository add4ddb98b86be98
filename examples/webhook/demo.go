package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // the zone of the location, wherever the program runs

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/webhook"
)

// demonstrate runs the receiver with a fake HighLevel that delivers to it.
func demonstrate(ctx context.Context, out io.Writer) error {
	fake, err := ghltest.New()
	if err != nil {
		return err
	}
	defer func() { _ = fake.Close() }()
	client, err := ghl.New(fake.ClientOptions()...)
	if err != nil {
		return err
	}
	app := fake.AddApp(ghltest.App{})
	// the fake signs with its own key
	verifier, err := webhook.NewVerifier(webhook.WithOnlyKeys(fake.WebhookPublicKey()))
	if err != nil {
		return err
	}
	down := true // the database fails when the first note arrives
	r := &receiver{client: client, out: out, keep: func(e webhook.Event) error {
		if e.Meta().Type == webhook.NoteCreate && down {
			down = false
			return errors.New("the database is down")
		}
		return nil
	}}
	handler, err := r.handler(verifier, webhook.WithApp(app.AppID))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	url, ended, err := listen(ctx, "127.0.0.1:0", handler)
	if err != nil {
		stop()
		return err
	}
	fake.Subscribe(url, ghltest.ForApp(app.AppID, ""),
		ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Duplicate: ghltest.First(1)}))
	err = change(ctx, fake, client, app)
	if err == nil {
		err = forge(ctx, fake, url)
	}
	stop()
	return errors.Join(err, <-ended)
}

// change makes one change after the other, and waits for the deliveries of each.
func change(ctx context.Context, fake *ghltest.Server, client *ghl.Client, app ghltest.App) error {
	calendar := fake.AddCalendar(ghl.Calendar{Name: "Consultation", IsActive: true})
	day := time.Now().AddDate(0, 0, 7).Truncate(time.Hour)
	var contact *ghl.Contact
	var task *ghl.Task
	var note *ghl.Note
	var booked *ghl.Appointment
	for _, do := range []func() error{
		func() error { fake.Install(app, ""); return nil },
		func() (err error) {
			contact, err = client.Contacts.Create(ctx,
				&ghl.ContactCreate{FirstName: "Ada", LastName: "Moreau", Email: "ada@example.com"})
			return err
		},
		func() (err error) {
			_, err = client.Tags.Add(ctx, contact.ID, []string{"customer"})
			return err
		},
		func() (err error) {
			_, err = client.Contacts.Update(ctx, contact.ID, &ghl.ContactUpdate{DND: ghl.Some(true)})
			return err
		},
		func() (err error) {
			task, err = client.Tasks.Create(ctx, contact.ID, &ghl.TaskCreate{Title: "Call back", DueDate: day})
			return err
		},
		func() (err error) {
			_, err = client.Tasks.SetCompleted(ctx, contact.ID, task.ID, true)
			return err
		},
		func() (err error) {
			note, err = client.Notes.Create(ctx, contact.ID, &ghl.NoteCreate{Body: "Prefers mornings", UserID: "user1"})
			return err
		},
		func() error { fake.Redeliver(); return nil }, // the delivery that failed
		func() (err error) {
			booked, err = client.Appointments.Create(ctx, &ghl.AppointmentCreate{
				CalendarID: calendar.ID, ContactID: contact.ID, StartTime: day, Title: "Consultation",
				IgnoreFreeSlotValidation: true,
			})
			return err
		},
		func() error { return client.Appointments.Delete(ctx, booked.ID) },
		func() error { return client.Notes.Delete(ctx, contact.ID, note.ID) },
		func() error { return client.Contacts.Delete(ctx, contact.ID) },
		func() error { fake.Uninstall(app, ""); return nil },
	} {
		if err := do(); err != nil {
			return err
		}
		if err := fake.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forge delivers a body with the signature of another body.
func forge(ctx context.Context, fake *ghltest.Server, url string) error {
	const body = `{"type":"ContactDelete","id":"somebody"}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = fake.Sign([]byte(body + " "))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("a forged delivery was answered %s", answer.Status)
	}
	return nil
}
