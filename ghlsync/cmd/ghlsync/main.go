// Ghlsync keeps HighLevel locations and Pluvo in step, as one program. See it work, with no settings:
//
//	ghlsync demo
//
// Then "ghlsync config init" writes a file of settings, "ghlsync doctor" says what is missing in them, "ghlsync connect" connects
// an account, and "ghlsync run" keeps it in step. OPERATIONS.md, beside the module, is the guide for whoever runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // for machines and images without time zones

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{env: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr, browse: browse}
	p.terminal = term.IsTerminal(int(os.Stdout.Fd()))
	p.width = func() int {
		width, _, err := term.GetSize(int(os.Stdout.Fd()))
		if err != nil || width < 20 {
			return 80
		}
		return width
	}
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is what the commands depend on, so that a test can give something else.
type program struct {
	env      []string
	in       io.Reader
	out, err io.Writer
	terminal bool       // whether out is one
	width    func() int // of the terminal
	browse   func(url string) error
	started  func(webhooks, admin string) // told the addresses that run listens on; may be nil

	file string // --config
	json bool   // --json
}

// Exit codes.
const (
	exitFailed  = 1 // it did not work
	exitWrong   = 2 // wrong settings, flags or arguments
	exitTrouble = 3 // it worked, and what was asked about is not well

	exitInterrupted = 130 // somebody ended it, as shells say it of Ctrl-C
)

// errTrouble ends a command with [exitTrouble]; what is not well was printed.
var errTrouble = errors.New("")

// trouble is errTrouble if something is not well.
func trouble(is bool) error {
	if is {
		return errTrouble
	}
	return nil
}

// errInterrupted ends a command with [exitInterrupted].
var errInterrupted = errors.New("it was interrupted")

// usageError is a mistake in what the program was given.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// main runs a command and returns the exit code. What is wrong is one line.
func (p *program) main(ctx context.Context, args []string) int {
	root := p.command()
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var wrong *settingsError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTrouble):
		return exitTrouble
	case errors.As(err, &usage) && errors.As(err, &wrong):
		wrong.print(p.err)
		return exitWrong
	case errors.As(err, &usage):
		fmt.Fprintln(p.err, "ghlsync:", oneLine(err.Error()))
		return exitWrong
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errInterrupted
	}
	fmt.Fprintln(p.err, "ghlsync:", oneLine(plain(err)))
	if errors.Is(err, errInterrupted) {
		return exitInterrupted
	}
	return exitFailed
}

func init() { cobra.EnableCommandSorting = false } // the order in which they are needed

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "ghlsync",
		Short: "Keeps HighLevel locations and Pluvo in step",
		Long: `ghlsync keeps HighLevel locations and Pluvo in step, both ways: contacts with
their tasks, notes, appointments and tags.

See it work, with no account and no settings:   ghlsync demo
Begin:                                          ghlsync config init`,
		Version: version(), SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.PersistentFlags().StringVarP(&p.file, "config", "c", "", "`FILE` of settings (ghlsync.yaml, /etc/ghlsync/ghlsync.yaml)")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON instead of tables")
	group := func(id, title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: id, Title: title})
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group("first", "First steps:", p.demoCommand(), p.configCommand(), p.connectCommand(), p.doctorCommand())
	group("work", "Keep in step:", p.runCommand(), p.backfillCommand(), p.pauseCommand(), p.resumeCommand(), p.migrateCommand())
	group("look", "Look, and decide:", p.statusCommand(), p.failuresCommand(), p.retryCommand(), p.conflictsCommand(), p.tokensCommand())
	root.SetHelpCommand(&cobra.Command{ // for whoever tries it; --help is what is told
		Use: "help [COMMAND]", Hidden: true, GroupID: "first",
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{wrongArguments(about, err, rest)}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	})
	checkArguments(root)
	return root
}

// checkArguments makes wrong arguments of all commands mistakes of the usage.
func checkArguments(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError{wrongArguments(c, err, args)}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		checkArguments(sub)
	}
}

// wrongArguments says what was meant, or how the command is used.
func wrongArguments(c *cobra.Command, err error, args []string) error {
	switch {
	case c.HasSubCommands() && len(args) > 0:
		meant := ""
		c.SuggestionsMinimumDistance = 2
		if like := c.SuggestionsFor(args[0]); len(like) > 0 {
			meant = fmt.Sprintf("; is %q meant?", like[0])
		}
		return fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], meant)
	case strings.Contains(c.Use, " "):
		return fmt.Errorf("it is used so: %s", strings.TrimSuffix(c.UseLine(), " [flags]"))
	}
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// browse opens a page in the person's browser.
func browse(url string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.Command("open", url).Start()
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", url).Start()
	}
	return exec.Command("xdg-open", url).Start()
}

// logger writes records of at least a level, and of that of the settings, to the standard error.
func (p *program) logger(s *settings, least slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: max(s.Log.Level, least)}
	if s.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.err, options))
	}
	return slog.New(slog.NewTextHandler(p.err, options))
}
