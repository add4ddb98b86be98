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
	c := &cobra.Command{Use: "config", Short: "Write a file of settings, and check one", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var force, dry bool
	write := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented file of settings (ghlsync.yaml)",
		Long: `Writes a file in which every setting is explained, with a fresh key for the
tokens. Only its owner may read it.

Each setting can be given by the environment too, and then wins: database is
GHLSYNC_DATABASE, app.client_id is GHLSYNC_APP_CLIENT_ID, and for a single
location its id is GHLSYNC_LOCATION_ID. In the file, ${NAME} is a variable's
value and ${file:/run/secrets/name} that of a file.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := "ghlsync.yaml"
			if len(args) > 0 {
				name = args[0]
			}
			key := make([]byte, 32)
			_, _ = rand.Read(key)
			text := strings.Replace(template, "TOKEN_KEY", hex.EncodeToString(key), 1)
			if dry {
				fmt.Fprint(p.out, strings.Replace(template, "TOKEN_KEY", strings.Repeat("0", 64), 1))
				return nil
			}
			flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
			if force {
				flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			f, err := os.OpenFile(name, flags, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return usageError{fmt.Errorf("%s is there already; --force replaces it, and with it the key of stored tokens", name)}
			}
			if err != nil {
				return err
			}
			_, err = f.WriteString(text)
			if err := errors.Join(err, f.Close()); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "%s is written. Fill in your location and its token or your app, then: ghlsync doctor\n", name)
			return nil
		},
	}
	write.Flags().BoolVar(&force, "force", false, "replace the file")
	write.Flags().BoolVar(&dry, "dry-run", false, "print the file instead of writing it")
	check := &cobra.Command{
		Use: "check", Short: "Check the settings, without reaching out", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := p.load()
			if err != nil {
				return err
			}
			config, err := s.config(p.logger(s, slog.LevelWarn))
			if err != nil {
				return err
			}
			return p.show(map[string]any{"ok": true, "from": s.origin(), "locations": len(config.Locations), "ignored": s.unknown}, func() {
				fmt.Fprintf(p.out, "The settings of %s are fine: %s.\n", s.origin(), plural(len(config.Locations), "location"))
				for _, name := range s.unknown {
					fmt.Fprintf(p.out, "%s.\n", ignored(name))
				}
			})
		},
	}
	c.AddCommand(write, check)
	return c
}
