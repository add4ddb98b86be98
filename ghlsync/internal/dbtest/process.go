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

// A test that kills processes starts its own binary as a child. The child runs the function of its role.
const roleVariable = "GHLSYNC_TEST_ROLE"

// Main is a TestMain that runs the role of a child, or else the tests.
func Main(m *testing.M, roles map[string]func(args []string)) {
	if role, args, _ := strings.Cut(os.Getenv(roleVariable), "\x1f"); role != "" {
		go func() { // ends the child when the process of the test has ended
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		roles[role](strings.Split(args, "\x1f"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Process is a child process that runs a role.
type Process struct {
	cmd   *exec.Cmd
	lines chan string
	ended chan struct{}
}

// Start starts a child process, which is killed at the end of the test.
func Start(t testing.TB, role string, args ...string) *Process {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(append([]string{role}, args...), "\x1f"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe() // open until this process ends
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

// Line waits for the next line that the child prints and returns it; "" if the child has ended.
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

// Lines returns a channel with the lines that the child prints. It is closed when the child ends.
func (p *Process) Lines() <-chan string { return p.lines }

// Signal sends a signal to the child.
func (p *Process) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
}

// Kill kills the child and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	for range p.lines { // unblocks the goroutine that reads the output
	}
	<-p.ended
}
