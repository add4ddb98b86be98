// Ghlsync syncs HighLevel locations and Pluvo. To see it work without any settings:
//
//	ghlsync demo
//
// Then "ghlsync config init" writes a settings file, "ghlsync doctor" reports what is missing, "ghlsync connect"
// connects an account, and "ghlsync run" syncs it. OPERATIONS.md, in the folder of the module, is the guide for
// operators.
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
	_ "time/tzdata" // for machines and images without a time zone database

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pluvo/ghl/ghlsync/internal/conf"
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
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program holds what the commands depend on. A test replaces it.
type program struct {
	env      []string
	in       io.Reader
	out, err io.Writer
	terminal bool       // whether out is a terminal
	width    func() int // of the terminal
	browse   func(url string) error
	started  func(webhooks, admin string) // called with the addresses that run listens on; may be nil

	file string // --config
	json bool   // --json
}

// Exit codes.
const (
	exitFailed  = 1 // the command failed
	exitWrong   = 2 // wrong settings, flags or arguments
	exitTrouble = 3 // the command succeeded and found a problem

	exitInterrupted = 130 // Ctrl-C, as in shells
)

// errTrouble ends a command with [exitTrouble]. The command has printed the problem.
var errTrouble = errors.New("")

// trouble returns errTrouble if there is a problem.
func trouble(is bool) error {
	if is {
		return errTrouble
	}
	return nil
}

// errInterrupted ends a command with [exitInterrupted].
var errInterrupted = errors.New("interrupted")

// usageError is a mistake in the settings, flags or arguments.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// main runs a command, prints its error and returns the exit code.
func (p *program) main(ctx context.Context, args []string) int {
	root := p.command()
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var wrong *conf.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTrouble):
		return exitTrouble
	case errors.As(err, &usage) && errors.As(err, &wrong):
		printMistakes(p.err, wrong)
		return exitWrong
	case errors.As(err, &usage):
		fmt.Fprintln(p.err, "ghlsync:", oneLine(err.Error()))
		return exitWrong
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errInterrupted
	}
	fmt.Fprintln(p.err, "ghlsync:", oneLine(explain(err)))
	if errors.Is(err, errInterrupted) {
		return exitInterrupted
	}
	return exitFailed
}

func init() { cobra.EnableCommandSorting = false } // commands are listed in the order of their use

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "ghlsync",
		Short: "Syncs HighLevel locations and Pluvo",
		Long: `ghlsync syncs HighLevel locations and Pluvo in both directions: contacts with
their tasks, notes, appointments and tags.

To see it work, without an account and settings:   ghlsync demo
To start:                                          ghlsync config init`,
		Version: version(), SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.PersistentFlags().StringVarP(&p.file, "config", "c", "",
		"settings `FILE` (ghlsync.yaml, /etc/ghlsync/ghlsync.yaml)")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON instead of tables")
	group := func(id, title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: id, Title: title})
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group("first", "First steps:", p.demoCommand(), p.configCommand(), p.connectCommand(), p.doctorCommand())
	group("work", "Sync:", p.runCommand(), p.backfillCommand(), p.pauseCommand(), p.resumeCommand(), p.migrateCommand())
	group("look", "Inspect and decide:", p.statusCommand(), p.failuresCommand(), p.retryCommand(),
		p.conflictsCommand(), p.tokensCommand())
	root.SetHelpCommand(&cobra.Command{ // hidden: the documented form is --help
		Use: "help [COMMAND]", Hidden: true, GroupID: "first",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{wrongArguments(c, err, rest)}
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	})
	checkArguments(root)
	return root
}

// checkArguments makes wrong arguments of a command and its subcommands usage errors.
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

// wrongArguments returns an error that suggests the intended command or shows the usage.
func wrongArguments(c *cobra.Command, err error, args []string) error {
	switch {
	case c.HasSubCommands() && len(args) > 0:
		suggestion := ""
		c.SuggestionsMinimumDistance = 2
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			suggestion = fmt.Sprintf("; did you mean %q?", near[0])
		}
		return fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], suggestion)
	case strings.Contains(c.Use, " "):
		return fmt.Errorf("usage: %s", strings.TrimSuffix(c.UseLine(), " [flags]"))
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

// browse opens a page in the browser.
func browse(url string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.Command("open", url).Start()
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", url).Start()
	}
	return exec.Command("xdg-open", url).Start()
}

// logger returns a logger to the standard error. It logs records that reach the level of the settings and also least.
func (p *program) logger(s *settings, least slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: max(s.Log.Level, least)}
	if s.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.err, options))
	}
	return slog.New(slog.NewTextHandler(p.err, options))
}
