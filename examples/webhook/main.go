// Webhook receives HighLevel's webhooks and prints what happened: each delivery is verified, decoded, handled once, and its
// record read again.
//
// Run it from the root of the repository:
//
//	go run ./examples/webhook
//
// Without settings a HighLevel API inside the program (package ghltest) makes changes and delivers their events over
// loopback, some of them twice, forged or at a bad moment, so nothing is needed. To receive real ones:
//
//	GHL_LISTEN=127.0.0.1:8080 GHL_APP_ID=… go run ./examples/webhook
//
// GHL_LISTEN is the address to listen on; HighLevel delivers to an https URL, so put a proxy or a tunnel before it that
// leads to /webhook. GHL_APP_ID is the id of your app in HighLevel's marketplace, which subscribes to the events;
// deliveries for other apps are refused. With GHL_TOKEN, a token with the scopes contacts.readonly and
// calendars/events.readonly, the program also reads the records again.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "webhook:", err)
		os.Exit(1)
	}
}

// run is the program. It gets what it depends on, so that a test can give something else.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	address, app, token := getenv("GHL_LISTEN"), getenv("GHL_APP_ID"), getenv("GHL_TOKEN")
	switch {
	case address == "" && app == "" && token == "":
		fmt.Fprintln(out, "No GHL_LISTEN is set: a HighLevel API inside this program makes changes and delivers them.")
		return demonstrate(ctx, out)
	case address == "":
		return errors.New("GHL_LISTEN is missing: set it to the address to listen on, such as 127.0.0.1:8080")
	case app == "":
		return errors.New("GHL_APP_ID is missing: HighLevel signs the deliveries of all apps with one key, so say which one is yours")
	}
	r := &receiver{out: out}
	if token != "" {
		client, err := ghl.New(ghl.WithToken(token))
		if err != nil {
			return err
		}
		r.client = client
	}
	verifier, err := webhook.NewVerifier() // with HighLevel's published key
	if err != nil {
		return err
	}
	handler, err := r.handler(verifier, webhook.WithApp(app))
	if err != nil {
		return err
	}
	url, ended, err := listen(ctx, address, handler)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Waiting for deliveries at %s\n", url)
	return <-ended
}

// listen serves a handler until ctx ends, and then what has begun. It returns the URL, and how it has ended.
func listen(ctx context.Context, address string, handler http.Handler) (url string, ended <-chan error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	done := make(chan error, 1)
	go func() {
		select {
		case err := <-failed:
			done <- err
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
			defer cancel()
			done <- server.Shutdown(ending)
		}
	}()
	return "http://" + listener.Addr().String() + "/webhook", done, nil
}
