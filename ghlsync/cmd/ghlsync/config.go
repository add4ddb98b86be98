package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed template.yaml
var template string

func (p *program) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "Write a settings file, and check it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var force, dry bool
	write := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a settings file with comments (ghlsync.yaml)",
		Long: `Writes a settings file that explains every setting and has a new key for the
tokens. Only the owner of the file can read it.

An environment variable overrides a setting of the file: GHLSYNC_DATABASE sets
database, GHLSYNC_APP_CLIENT_ID sets app.client_id, and GHLSYNC_LOCATION_ID sets
the id of the only location. In the file, ${NAME} stands for the value of a
variable, and ${file:/run/secrets/name} for the content of a file.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := "ghlsync.yaml"
			if len(args) > 0 {
				name = args[0]
			}
			if dry {
				fmt.Fprint(p.out, templateWith(make([]byte, 32)))
				return nil
			}
			if err := writeTemplate(name, force); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Wrote %s. Fill in your location and its token or your app, then: ghlsync doctor\n",
				name)
			return nil
		},
	}
	write.Flags().BoolVar(&force, "force", false, "replace the file")
	write.Flags().BoolVar(&dry, "dry-run", false, "print the file instead of writing it")
	check := &cobra.Command{
		Use: "check", Short: "Check the settings, without using the network", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := p.load()
			if err != nil {
				return err
			}
			config, err := s.config(p.logger(s, slog.LevelWarn))
			if err != nil {
				return err
			}
			n := len(config.Locations)
			return p.show(map[string]any{"ok": true, "from": s.origin(), "locations": n, "ignored": s.unknown}, func() {
				fmt.Fprintf(p.out, "The settings of %s are correct: %s.\n", s.origin(), plural(n, "location"))
				for _, name := range s.unknown {
					fmt.Fprintln(p.out, ignored(name))
				}
			})
		},
	}
	c.AddCommand(write, check)
	return c
}

// templateWith returns the template with a key for the tokens.
func templateWith(key []byte) string {
	return strings.Replace(template, "TOKEN_KEY", hex.EncodeToString(key), 1)
}

// writeTemplate writes the template with a new key. It replaces an existing file only with force.
func writeTemplate(name string, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s already exists; --force replaces it and its token key, without which "+
			"stored tokens are lost", name)}
	}
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	_, err = f.WriteString(templateWith(key))
	return errors.Join(err, f.Close())
}
