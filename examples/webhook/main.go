// Webhook receives HighLevel's webhooks and prints the events. It verifies and decodes each delivery, handles each
// event once, and reads the current record.
//
// Run it from the root of the repository:
//
//	go run ./examples/webhook
//
// Without settings a fake HighLevel API inside the program (package ghltest) makes changes and delivers their events
// over loopback. One event is delivered twice, one is forged, and one arrives while the database fails. To receive
// real events:
//
//	GHL_LISTEN=127.0.0.1:8080 GHL_APP_ID=… go run ./examples/webhook
//
// GHL_LISTEN is the address to listen on. HighLevel delivers to an https URL, so a proxy or a tunnel must forward
// deliveries to /webhook. GHL_APP_ID is the id of your app in HighLevel's marketplace, which subscribes to the
// events; deliveries for other apps are refused. With GHL_TOKEN, a token with the scopes contacts.readonly and
// calendars/events.readonly, the program also reads the current records.
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

// run is the program. Its parameters can be replaced in tests.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	address, app, token := getenv("GHL_LISTEN"), getenv("GHL_APP_ID"), getenv("GHL_TOKEN")
	switch {
	case address == "" && app == "" && token == "":
		fmt.Fprintln(out,
			"GHL_LISTEN is not set: a fake HighLevel inside this program makes changes and delivers them.")
		return demonstrate(ctx, out)
	case address == "":
		return errors.New("GHL_LISTEN is missing: set it to the address to listen on, such as 127.0.0.1:8080")
	case app == "":
		return errors.New("GHL_APP_ID is missing: set it to the id of your app, " +
			"since HighLevel signs the deliveries of all apps with the same key")
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

// listen serves a handler in the background until ctx ends, and then waits for running requests. It returns the URL,
// and a channel that receives the error of the server, or nil, when it has ended.
func listen(ctx context.Context, address string, handler http.Handler) (url string, ended <-chan error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", handler)
	server := &http.Server{Handler: mux,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
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
