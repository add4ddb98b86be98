package dbtest

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A test that kills processes runs its own binary again. The child runs the function that is registered under its role.
const roleVariable = "GHLSYNC_TEST_ROLE"

// Main is a TestMain: it runs a role where the process was started for one, else the tests.
func Main(m *testing.M, roles map[string]func(args []string)) {
	if role, args, _ := strings.Cut(os.Getenv(roleVariable), "\x1f"); role != "" {
		go func() { // the test's process may be killed or give up; then nobody else ends this one
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		roles[role](strings.Split(args, "\x1f"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Process is a child that runs a role.
type Process struct {
	cmd   *exec.Cmd
	lines chan string
	ended chan struct{}
}

// Start starts a child, which is killed at the latest when the test is over.
func Start(t testing.TB, role string, args ...string) *Process {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(append([]string{role}, args...), "\x1f"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe() // open for as long as this process lives
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &Process{cmd: cmd, lines: make(chan string, 1000), ended: make(chan struct{})}
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
		close(p.lines)
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.Kill)
	return p
}

// Line waits for the next line that the child prints; "" when it has ended.
func (p *Process) Line(t testing.TB) string {
	t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-time.After(30 * time.Second):
		require.FailNow(t, "the process prints nothing")
		return ""
	}
}

// Lines are the lines that the child prints, until it ends.
func (p *Process) Lines() <-chan string { return p.lines }

// Kill ends the child as SIGKILL does, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	for range p.lines { // its reader must not wait for us
	}
	<-p.ended
}
