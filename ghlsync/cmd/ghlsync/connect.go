package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
)

func (p *program) connectCommand() *cobra.Command {
	var o connectOptions
	c := &cobra.Command{
		Use:   "connect",
		Short: "Connect a HighLevel account in the browser",
		Long: `Opens HighLevel's consent screen in the browser. Choose a location (or an
agency) there to connect it: the program receives its token and stores it
encrypted in the database. A location that was paused because of its token
resumes.

HighLevel redirects the browser to app.redirect_url. If that is an address of
this machine, the command listens on it. On a server without a browser use
--paste: open the consent screen on another machine, and paste the address that
the browser was redirected to.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.connect(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.paste, "paste", false, "paste the address of the redirect into the terminal")
	c.Flags().BoolVar(&o.stay, "no-browser", false, "print the address instead of opening a browser")
	c.Flags().StringVar(&o.listen, "listen", "", "`ADDRESS` to listen on, behind a proxy")
	c.Flags().DurationVar(&o.wait, "wait", 10*time.Minute, "how long to wait for the browser")
	dryRun(c, &o.dry)
	return c
}

type connectOptions struct {
	paste, stay, dry bool
	listen           string
	wait             time.Duration
}

func (p *program) connect(ctx context.Context, o connectOptions) (err error) {
	s, err := p.load()
	if err != nil {
		return err
	}
	config, err := s.accountSettings(p.logger(s, slog.LevelWarn))
	if err != nil {
		return err
	}
	state := rand.Text()
	consent, err := config.App.AuthCodeURL(state)
	if err != nil {
		return err
	}
	if o.dry {
		return p.show(map[string]any{"dryRun": true, "would": "open " + consent}, func() {
			fmt.Fprintf(p.out, "would open %s\nand store the token of the chosen location encrypted.\n", consent)
		})
	}
	a, err := p.accounts(ctx, s, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	code, err := p.consented(ctx, s, o, consent, state)
	if err != nil {
		return err
	}
	token, err := a.Add(ctx, code)
	if token == nil {
		return fmt.Errorf("the account could not be connected: %w", err)
	}
	if err != nil { // the account is connected, but a later step failed
		fmt.Fprintln(p.err, "ghlsync:", oneLine(err.Error()))
	}
	return p.connected(ctx, s, a, token)
}

// answer is the result of the consent screen.
type answer struct {
	code string
	err  error
}

// consented shows the consent screen and returns the code of its redirect.
func (p *program) consented(ctx context.Context, s *settings, o connectOptions, consent, state string) (string, error) {
	answers := make(chan answer, 1)
	if !o.paste {
		end, err := receiveRedirect(ctx, s, o.listen, state, answers)
		if err != nil {
			return "", err
		}
		defer end()
	}
	fmt.Fprintf(p.err, "Open this page and choose the location:\n\n  %s\n\n", consent)
	switch {
	case o.paste:
		fmt.Fprint(p.err, "Then paste the address that the browser was redirected to: ")
		go func() { answers <- pasted(p.in, state) }() // a read of the terminal can't be interrupted
	case !o.stay && p.browse != nil:
		_ = p.browse(consent) // if it fails, the printed address can be opened by hand
	}
	select {
	case a := <-answers:
		return a.code, a.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", fmt.Errorf("no answer from the consent screen within %s", o.wait)
		}
		return "", ctx.Err()
	}
}

// receiveRedirect listens on the redirect URL until end is called, and sends the result of the redirect to answers.
func receiveRedirect(ctx context.Context, s *settings, address, state string, answers chan<- answer,
) (end func(), err error) {
	back, err := url.Parse(s.App.RedirectURL)
	if err != nil {
		return nil, s.wrong("app.redirect_url", "must be a URL such as http://localhost:8765/callback")
	}
	if address == "" {
		ip := net.ParseIP(back.Hostname())
		if back.Hostname() != "localhost" && !ip.IsLoopback() || back.Scheme != "http" || back.Port() == "" {
			return nil, s.wrong("app.redirect_url",
				"must be an address of this machine, such as http://localhost:8765/callback; "+
					"else use --paste, or --listen behind a proxy")
		}
		address = back.Host
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't listen for the redirect of the browser: %w", err)
	}
	handler := redirectHandler(cmp.Or(back.Path, "/"), state, answers)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // after the page is sent
	}, nil
}

// redirectHandler answers the redirect of the browser and sends its result to answers, once.
func redirectHandler(path, state string, answers chan<- answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if r.URL.Path != path || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		code, err := codeOf(r.URL.Query(), state)
		if errors.Is(err, errState) { // not from the page that this command opened: keep waiting
			http.Error(w, "This link is not valid. Please start again: ghlsync connect", http.StatusForbidden)
			return
		}
		select {
		case answers <- answer{code, err}:
		default:
			http.Error(w, "This link was used before. Please start again: ghlsync connect", http.StatusForbidden)
			return
		}
		if err != nil {
			http.Error(w, "HighLevel did not connect the account. You can close this page.", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, "Thank you. You can close this page; the terminal shows the result.\n")
	})
}

var errState = errors.New("the address does not belong to the page that this command opened; start again")

// codeOf returns the code of a redirect. It fails if the redirect has not the state of this command.
func codeOf(q url.Values, state string) (string, error) {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
		return "", errState
	}
	if code := q.Get("code"); code != "" {
		return code, nil
	}
	return "", errors.New("HighLevel did not connect the account: the consent was not given")
}

// pasted reads the address of the redirect from the terminal.
func pasted(in io.Reader, state string) answer {
	line, err := bufio.NewReader(io.LimitReader(in, 64<<10)).ReadString('\n')
	if err != nil && line == "" {
		return answer{err: errors.New("no address was pasted")}
	}
	address, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return answer{err: errors.New("the pasted text is not an address")}
	}
	code, err := codeOf(address.Query(), state)
	return answer{code, err}
}

// connected prints the connected locations, and resumes those that were paused because of their token.
func (p *program) connected(ctx context.Context, s *settings, a *accounts, token *ghl.Token) error {
	var ids []string
	if token.LocationID != "" {
		ids = []string{token.LocationID}
	} else {
		for id, err := range a.Locations(ctx) {
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
	}
	resumed, err := p.resumeConnected(ctx, s, ids)
	if err != nil {
		fmt.Fprintln(p.err, "ghlsync:", oneLine(err.Error()))
	}
	lacks := missing(token.Scopes)
	return p.show(map[string]any{"connected": ids, "resumed": resumed, "missingScopes": lacks}, func() {
		for _, id := range ids {
			known := slices.ContainsFunc(s.Locations, func(l locationSettings) bool { return l.ID == id })
			switch {
			case slices.Contains(resumed, id):
				fmt.Fprintf(p.out, "%s is connected and resumes within a minute.\n", id)
			case known:
				fmt.Fprintf(p.out, "%s is connected.\n", id)
			default:
				fmt.Fprintf(p.out, "%s is connected. To sync it, add it to the settings: locations: [{id: %s}]\n",
					id, id)
			}
		}
		if len(lacks) > 0 && token.UserType != ghl.UserTypeCompany {
			fmt.Fprintf(p.out,
				"The token lacks scopes: %v. Add them on the page of the app in the marketplace, and connect again.\n",
				lacks)
		}
	})
}

// resumeConnected resumes the locations that were paused because HighLevel refused their token or the token lacked
// a scope, if they are in the settings. A location that a person paused stays paused.
func (p *program) resumeConnected(ctx context.Context, s *settings, ids []string) (resumed []string, err error) {
	if len(s.Locations) == 0 || s.Locations[0].ID == "" {
		return nil, nil // before the location was known
	}
	err = p.with(ctx, false, func(sync *ghlsync.Syncer) error {
		locations, err := sync.Locations(ctx)
		for _, l := range locations {
			if err != nil || !slices.Contains(ids, l.ID) || !l.Category().Pauses() {
				continue
			}
			if len(resumed) == 0 { // running processes check for a new token each second
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(1500 * time.Millisecond):
				}
			}
			if err = sync.Resume(ctx, l.ID); err == nil {
				resumed = append(resumed, l.ID)
			}
		}
		return err
	})
	return resumed, err
}
