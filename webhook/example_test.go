package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/webhook"
)

func ExampleNewHandler() {
	server, err := ghltest.New() // a HighLevel inside the program
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	client, err := ghl.New(server.ClientOptions()...)
	if err != nil {
		log.Fatal(err)
	}

	// without options: HighLevel's key
	verifier, err := webhook.NewVerifier(webhook.WithOnlyKeys(server.WebhookPublicKey()))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := webhook.NewHandler(verifier,
		webhook.OnContactCreatedOrUpdated(func(ctx context.Context, e *webhook.ContactEvent) error {
			contact, err := e.Refetch(ctx, client)
			if errors.Is(err, ghl.ErrNotFound) {
				return nil // it was deleted since
			}
			if err != nil {
				return err // it comes again
			}
			fmt.Println(e.Type, contact.FirstName, contact.Tags)
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}

	server.SubscribeHandler(handler) // in a program: http.Handle("/webhook", handler)
	ctx := context.Background()
	if _, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada", Tags: []string{"vip"}}); err != nil {
		log.Fatal(err)
	}
	if err := server.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: ContactCreate Ada [vip]
}

// A queue keeps the deliveries, and the work is done later. The queue's entry is made with Delivery.ID as its unique
// key.
func ExampleWithKeeper() {
	server, err := ghltest.NewHandler()
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	verifier, err := webhook.NewVerifier(webhook.WithOnlyKeys(server.WebhookPublicKey()))
	if err != nil {
		log.Fatal(err)
	}

	type entry struct {
		body   []byte
		header http.Header
	}
	queue := map[string]entry{} // a table of a database
	handler, err := webhook.NewHandler(verifier,
		webhook.WithDeduplicator(nil), // the unique key is enough
		webhook.WithKeeper(webhook.KeeperFunc(func(ctx context.Context, d *webhook.Delivery) error {
			queue[d.ID()] = entry{d.Body(), d.Header()}
			return nil
		})))
	if err != nil {
		log.Fatal(err)
	}
	router, err := webhook.NewRouter(webhook.OnNote(func(ctx context.Context, e *webhook.NoteEvent) error {
		fmt.Println(e.Type, e.Note.Body)
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}

	body := `{"type":"NoteCreate","id":"n1","contactId":"c1","body":"was friendly","webhookId":"9c1d7a52"}`
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body))
		r.Header = server.Sign([]byte(body))
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	for id, e := range queue {
		d, err := verifier.Open(e.body, e.header) // nothing gets into the queue that HighLevel did not sign
		if err != nil {
			log.Fatal(err)
		}
		if err := router.Keep(context.Background(), d); err != nil {
			log.Fatal(err) // leave it in the queue
		}
		delete(queue, id)
	}
	// Output: NoteCreate was friendly
}

func ExampleFeedInstallations() {
	app, err := oauth.NewApp(oauth.Config{
		ClientID: "66a0419a0dffa47fb5f8b22f-lyzx9d3k", ClientSecret: "…", RedirectURL: "https://example.com/callback",
		Scopes: []ghl.Scope{ghl.ScopeContactsReadonly, ghl.ScopeOAuthReadonly, ghl.ScopeOAuthWrite},
	})
	if err != nil {
		log.Fatal(err)
	}
	installations, err := oauth.NewInstallations(app, oauth.NewMemoryStore())
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := webhook.NewVerifier()
	if err != nil {
		log.Fatal(err)
	}
	handler, err := webhook.NewHandler(verifier,
		webhook.WithApp("66a0419a0dffa47fb5f8b22f"),
		webhook.FeedInstallations("66a0419a0dffa47fb5f8b22f", installations),
		webhook.OnTask(func(ctx context.Context, e *webhook.TaskEvent) error {
			client, err := installations.Client(ctx, e.LocationID)
			if err != nil {
				return err
			}
			_, err = e.Refetch(ctx, client)
			return err
		}))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/webhook", handler)
}

func ExampleVerifier_Verify() {
	verifier, err := webhook.NewVerifier()
	if err != nil {
		log.Fatal(err)
	}
	header := http.Header{}
	header.Set(webhook.SignatureHeader, "N/A")
	fmt.Println(verifier.Verify([]byte(`{"type":"ContactCreate"}`), header))
	// Output: webhook: the delivery is not signed
}
