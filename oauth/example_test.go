package oauth_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// A server whose users connect their HighLevel accounts: the consent screen, the callback, and a client for each
// location.
func ExampleInstallations() {
	app, err := oauth.NewApp(oauth.Config{
		ClientID:     os.Getenv("GHL_CLIENT_ID"),
		ClientSecret: os.Getenv("GHL_CLIENT_SECRET"),
		RedirectURL:  "https://app.example.com/callback",
		Scopes:       []ghl.Scope{ghl.ScopeContactsReadonly},
		OnTrouble:    func(key string, err error) { log.Printf("token of %s: %v", key, err) }, // call somebody
	})
	if err != nil {
		log.Fatal(err)
	}
	key := []byte(os.Getenv("TOKEN_KEY")) // 32 random bytes
	store, err := oauth.NewFileStore("/var/lib/app/tokens", oauth.Encrypt(key))
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := oauth.NewInstallations(app, store)
	if err != nil {
		log.Fatal(err)
	}

	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		// Check the state first: see examples/oauth.
		if _, err := accounts.Add(r.Context(), r.FormValue("code")); err != nil {
			log.Print(err)
			http.Error(w, "The account could not be connected.", http.StatusBadGateway)
		}
	})

	ctx := context.Background()
	for client, err := range accounts.Clients(ctx) {
		if err != nil {
			log.Print(err)
			continue
		}
		page, err := client.Contacts.List(ctx, nil)
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(client.Location(), page.Total)
	}
	if err := app.Flush(ctx); err != nil { // before the process ends
		log.Print(err)
	}
}
