package ghltest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
)

// Connect an account: a user consents, the app exchanges the code for a token, and an expired token is refreshed.
func ExampleServer_AppConfig() {
	server, err := ghltest.New() // in a test: ghltest.Start(t)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the program ends
	known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://app.example.com/callback"}})
	app, err := oauth.NewApp(server.AppConfig(known))
	if err != nil {
		log.Fatal(err)
	}

	// The user opens this URL. The fake consents at once and redirects the browser to the app.
	consent, err := app.AuthCodeURL("random")
	if err != nil {
		log.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := browser.Get(consent)
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(back.Host, back.Query().Get("state"))

	// The app exchanges the code and stores the tokens.
	ctx := context.Background()
	accounts, err := oauth.NewInstallations(app, oauth.NewMemoryStore())
	if err != nil {
		log.Fatal(err)
	}
	if _, err := accounts.Add(ctx, back.Query().Get("code")); err != nil {
		log.Fatal(err)
	}
	client, err := accounts.Client(ctx, server.LocationID())
	if err != nil {
		log.Fatal(err)
	}
	location, err := client.Locations.Get(ctx, server.LocationID())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(location.Name)

	// A day later the token has expired. The next call refreshes it.
	server.Advance(24 * time.Hour)
	if _, err := client.Locations.Get(ctx, server.LocationID()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("refreshes:", server.OAuthCounts().Refreshes)
	// Output:
	// app.example.com random
	// Test Location
	// refreshes: 1
}
