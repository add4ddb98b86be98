package oauth_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// Some tests need several processes that share a store. They start this test program again; an environment variable
// says what the child does.
const childEnv = "GHL_TEST_CHILD"

func TestMain(m *testing.M) {
	var child func() error
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "call":
		child = callingChild
	case "update":
		child = updatingChild
	case "renew":
		child = renewingChild
	}
	if err := child(); err != nil {
		fmt.Println("child failed:", err)
		os.Exit(1)
	}
}

// process is a child process that writes and reads lines.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, what string, env ...string) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.CommandContext(t.Context(), program)}
	p.cmd.Env = append(append(os.Environ(), childEnv+"="+what, "GOCOVERDIR="+os.TempDir()), env...)
	p.cmd.Stderr = os.Stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewScanner(out)
	require.NoError(t, p.cmd.Start())
	return p
}

// line waits for the next line of the child.
func (p *process) line(t *testing.T) string {
	t.Helper()
	require.True(t, p.out.Scan(), "the child has ended")
	return p.out.Text()
}

// kill ends the child with SIGKILL, which it cannot handle.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	for p.out.Scan() { // what was in the pipe
	}
	require.Error(t, p.cmd.Wait())
}

func childStore() (*oauth.FileStore, error) {
	return oauth.NewFileStore(os.Getenv("GHL_TEST_DIR"), oauth.Encrypt(storeKey(1)))
}

// callingChild makes 20 concurrent calls when it reads a line.
func callingChild() error {
	store, err := childStore()
	if err != nil {
		return err
	}
	base := os.Getenv("GHL_TEST_URL")
	config := newAuthServer().appConfig()
	config.BaseURL, config.HTTPClient = base, http.DefaultClient
	app, err := oauth.NewApp(config)
	if err != nil {
		return err
	}
	source := app.TokenSource(store, "k")
	if os.Getenv("GHL_TEST_DERIVED") != "" {
		source = app.LocationTokenSource(store, "k", "comp1", "loc1")
	}
	client, err := ghl.New(ghl.WithTokenSource(source), ghl.WithBaseURL(base), ghl.WithLocation("loc1"))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = errors.Join(together(20, func(int) error {
		_, err := client.Contacts.Get(ctx, "c1")
		return err
	})...)
	if err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// TestManyProcessesOneRefresh: eight processes with 20 callers each find the token unusable at the same moment.
func TestManyProcessesOneRefresh(t *testing.T) {
	const processes, callers = 8, 20
	for _, name := range []string{"expired", "refused", "derived"} {
		t.Run(name, func(t *testing.T) {
			server, dir := newAuthServer(), filepath.Join(t.TempDir(), "tokens")
			// While the server takes its time over a token, all the other processes come to want it too.
			network := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/oauth/") {
					<-time.After(300 * time.Millisecond)
				}
				server.ServeHTTP(w, r)
			}))
			defer network.Close()
			store := openStore(t, dir, oauth.Encrypt(storeKey(1)))
			env := []string{"GHL_TEST_DIR=" + dir, "GHL_TEST_URL=" + network.URL}
			switch name {
			case "expired":
				server.stored(t, store, "k", oneLocation, -time.Hour)
			case "refused":
				server.stored(t, store, "k", oneLocation, time.Hour)
				server.revoke()
			case "derived":
				server.stored(t, store, "k", oneCompany, -time.Hour)
				env = append(env, "GHL_TEST_DERIVED=1")
			}
			var children []*process
			for range processes {
				children = append(children, startChild(t, "call", env...))
			}
			for _, p := range children {
				require.Equal(t, "ready", p.line(t))
			}
			start := time.Now()
			for _, p := range children {
				_, err := fmt.Fprintln(p.in, "go")
				require.NoError(t, err)
			}
			for _, p := range children {
				require.Equal(t, "done", p.line(t), "no call fails")
				require.NoError(t, p.cmd.Wait())
			}
			require.Equal(t, 1, server.refreshed(), "one refresh")
			require.Zero(t, server.reused)
			if name == "derived" {
				require.Equal(t, 1, server.exchanges, "one exchange")
			}
			t.Logf("%d processes, %d calls in %s: %d refresh, %d exchanges, %d API requests",
				processes, processes*callers, time.Since(start).Round(time.Millisecond), server.refreshed(),
				server.exchanges, server.count("/contacts/c1"))
		})
	}
}

// bigToken returns a token whose content shows whether it is complete.
func bigToken(n int) *ghl.Token {
	pad := strings.Repeat(fmt.Sprint(n%10), 5000)
	return &ghl.Token{AccessToken: fmt.Sprintf("access-%d-%s", n, pad),
		RefreshToken: fmt.Sprintf("refresh-%d-%s", n, pad)}
}

// numberOf returns the number of a token of bigToken, and checks that the token is complete.
func numberOf(t *testing.T, token *ghl.Token) (n int) {
	t.Helper()
	_, err := fmt.Sscanf(token.AccessToken, "access-%d-", &n)
	require.NoError(t, err)
	require.Equal(t, *bigToken(n), *token, "whole")
	return n
}

// updatingChild updates a token again and again. It writes each step and blocks at the step that the environment names.
func updatingChild() error {
	store, err := childStore()
	if err != nil {
		return err
	}
	stop := os.Getenv("GHL_TEST_STEP")
	store.OnStep(func(what string) {
		fmt.Println(what)
		if what == stop {
			_, _ = os.Stdin.Read(make([]byte, 1))
		}
	})
	for {
		_, err := store.Update(context.Background(), "k",
			func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
				var n int
				if _, err := fmt.Sscanf(current.AccessToken, "access-%d-", &n); err != nil {
					return nil, err
				}
				return bigToken(n + 1), nil
			})
		if err != nil {
			return err
		}
	}
}

var updateSteps = []string{"locked", "read", "changed", "created", "half written", "written", "synced", "renamed",
	"folder synced", "unlocked"}

// TestKilledAtEveryStep: the store always holds the complete old or new token, and the next process can update it.
func TestKilledAtEveryStep(t *testing.T) {
	const rounds = 4
	dir := filepath.Join(t.TempDir(), "tokens")
	store := openStore(t, dir, oauth.Encrypt(storeKey(1)))
	save(t, store, "k", bigToken(0))
	n := 0
	for range rounds {
		renamed := false
		for _, step := range updateSteps {
			renamed = renamed || step == "renamed"
			p := startChild(t, "update", "GHL_TEST_DIR="+dir, "GHL_TEST_STEP="+step)
			for p.line(t) != step {
			}
			p.kill(t)
			token, err := store.Load(t.Context(), "k")
			require.NoError(t, err, step)
			if renamed {
				n++
			}
			require.Equal(t, n, numberOf(t, token), "killed when it had %s", step)
			n = goesOn(t, store)
		}
	}
	t.Logf("killed %d times", rounds*len(updateSteps))
}

// goesOn updates the token as the next process does, and returns its number.
func goesOn(t *testing.T, store *oauth.FileStore) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // the lock is free at once
	defer cancel()
	_, err := store.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		n = numberOf(t, current) + 1
		return bigToken(n), nil
	})
	require.NoError(t, err)
	token, err := store.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, n, numberOf(t, token))
	entries, err := os.ReadDir(filepath.Dir(store.TokenFile("k")))
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing is left lying about: %v", entries)
	return n
}

// TestKilledAtRandom kills a process at random moments while it updates a token.
func TestKilledAtRandom(t *testing.T) {
	const kills = 60
	dir := filepath.Join(t.TempDir(), "tokens")
	store := openStore(t, dir, oauth.Encrypt(storeKey(1)))
	save(t, store, "k", bigToken(0))
	last := 0
	for range kills {
		p := startChild(t, "update", "GHL_TEST_DIR="+dir)
		for range 1 + rand.IntN(3*len(updateSteps)) {
			p.line(t)
		}
		p.kill(t)
		token, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		n := numberOf(t, token)
		require.GreaterOrEqual(t, n, last, "a saved token is never lost")
		last = goesOn(t, store)
		require.Equal(t, n+1, last)
	}
	t.Logf("killed %d times during %d updates", kills, last)
}
