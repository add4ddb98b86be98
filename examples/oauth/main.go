// Oauth is a small web server that connects HighLevel accounts: it sends a person to the consent screen, exchanges
// the returned code for a token, stores the token encrypted in a file, and lists the contacts of a connected
// location.
//
// Run it from the root of the repository, and open the address that it prints:
//
//	go run ./examples/oauth
//
// Without settings it uses a fake HighLevel API and consent screen inside the program, and deletes the tokens when it
// ends. To connect real accounts, create an app in HighLevel's marketplace with the redirect URL
// http://127.0.0.1:8765/callback and the scopes contacts.readonly, oauth.readonly and oauth.write, and set:
//
//	GHL_CLIENT_ID, GHL_CLIENT_SECRET   of the app
//	GHL_TOKEN_KEY                      64 hexadecimal digits, such as from: openssl rand -hex 32
//
// Optional settings and their defaults:
//
//	GHL_TOKEN_DIR                      folder of the tokens; ghl-tokens in the user's configuration folder
//	GHL_LISTEN                         address to listen on; 127.0.0.1:8765
//	GHL_REDIRECT_URL                   redirect URL of the app; http://, GHL_LISTEN and /callback
//	GHL_BASE_URL, GHL_AUTH_URL         other servers
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/oauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oauth:", err)
		os.Exit(1)
	}
}

// settings are the settings of the program.
type settings struct {
	tokenDir string
	tokenKey []byte
	app      oauth.Config
	done     func() // releases the resources of the settings
}

// run is the program. Its parameters can be replaced in tests.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	listener, err := net.Listen("tcp", cmp.Or(getenv("GHL_LISTEN"), "127.0.0.1:8765"))
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	s, err := configure(getenv, listener.Addr().String(), out)
	if err != nil {
		return err
	}
	defer s.done()
	s.app.Logger = slog.New(slog.NewTextHandler(out, nil))
	app, err := oauth.NewApp(s.app)
	if err != nil {
		return err
	}
	store, err := oauth.NewFileStore(s.tokenDir, oauth.Encrypt(s.tokenKey))
	if err != nil {
		return err
	}
	accounts, err := oauth.NewInstallations(app, store)
	if err != nil {
		return err
	}

	server := &http.Server{Handler: newSite(app, accounts, s.app.Logger), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(out, "Open http://%s\n", listener.Addr())
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	// Running requests are finished: a code or refresh token can be used once, and the answer to its use has the new
	// token.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending), app.Flush(ending))
}

// configure reads the settings from the environment. Without a client id it starts a fake HighLevel.
func configure(getenv func(string) string, address string, out io.Writer) (*settings, error) {
	s := &settings{done: func() {}, app: oauth.Config{
		ClientID: getenv("GHL_CLIENT_ID"), ClientSecret: getenv("GHL_CLIENT_SECRET"),
		RedirectURL: cmp.Or(getenv("GHL_REDIRECT_URL"), "http://"+address+"/callback"),
		Scopes:      []ghl.Scope{ghl.ScopeContactsReadonly, ghl.ScopeOAuthReadonly, ghl.ScopeOAuthWrite},
		BaseURL:     getenv("GHL_BASE_URL"), AuthURL: getenv("GHL_AUTH_URL"),
	}}
	if s.app.ClientID == "" && s.app.ClientSecret == "" {
		if err := s.demo(); err != nil {
			return nil, err
		}
		fmt.Fprintln(out, "GHL_CLIENT_ID is not set: connecting demo accounts of a fake HighLevel inside this program.")
		return s, nil
	}
	key, err := hex.DecodeString(getenv("GHL_TOKEN_KEY"))
	if err != nil || len(key) != 32 {
		return nil, errors.New("GHL_TOKEN_KEY is required: 64 hexadecimal digits, such as from: openssl rand -hex 32")
	}
	s.tokenKey, s.tokenDir = key, getenv("GHL_TOKEN_DIR")
	if s.tokenDir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("GHL_TOKEN_DIR is required: %w", err)
		}
		if err := os.MkdirAll(config, 0o700); err != nil {
			return nil, err
		}
		s.tokenDir = filepath.Join(config, "ghl-tokens")
	}
	return s, nil
}

// demo creates a fake HighLevel with an app, and a temporary folder for the tokens.
func (s *settings) demo() error {
	fake, err := ghltest.New(ghltest.WithDemoData(), ghltest.WithConsent(ghltest.Consent{Ask: true}))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ghl-oauth-*")
	if err != nil {
		return errors.Join(err, fake.Close())
	}
	s.done = func() { _ = errors.Join(fake.Close(), os.RemoveAll(dir)) }
	known := fake.AddApp(ghltest.App{RedirectURLs: []string{s.app.RedirectURL}})
	s.app.ClientID, s.app.ClientSecret = known.ClientID, known.ClientSecret
	s.app.BaseURL, s.app.AuthURL = fake.URL(), fake.AuthorizeURL()
	s.tokenDir, s.tokenKey = dir, make([]byte, 32)
	_, err = rand.Read(s.tokenKey)
	return err
}
