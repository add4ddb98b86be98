package main

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzSettings: any file is decoded and validated or refused with places that are in it, and a token is never in a message.
func FuzzSettings(f *testing.F) {
	for _, c := range wrongSettings {
		f.Add(c.file)
	}
	f.Add(template)
	f.Add("? [a]\n: b\n")
	f.Add("a: |\n  b\n c\n")
	f.Add(strings.Repeat("[", 2000))
	f.Add(strings.Repeat("- ", 2000))
	f.Add(strings.Repeat("? ", 2000))
	f.Add(strings.Repeat("a: {", 2000))
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Count(file, "\n") + strings.Count(file, "\r") + 1
		root, err := parseYAML("ghlsync.yaml", []byte(file))
		if err != nil {
			var wrong *settingsError
			require.ErrorAs(t, err, &wrong)
			require.LessOrEqual(t, wrong.mistakes[0].at.line, lines)
			return
		}
		s := decodeSettings("ghlsync.yaml", root, map[string]string{"GHLSYNC_NOTIFY_URL": "pit secret", "GHLSYNC_HIGHLEVEL_WEBHOOK_KEYS": "pit,secret"})
		_, err = s.config(slog.New(slog.NewTextHandler(io.Discard, nil)))
		var wrong *settingsError
		require.ErrorAs(t, err, &wrong)
		require.True(t, errors.As(err, new(usageError)))
		seen := map[string]bool{}
		for _, m := range wrong.mistakes {
			require.LessOrEqual(t, m.at.line, lines, m)
			require.NotContains(t, m.String(), "\n")
			require.False(t, seen[m.String()], m)
			seen[m.String()] = true
		}
		require.True(t, seen["GHLSYNC_HIGHLEVEL_WEBHOOK_KEYS: highlevel.webhook_keys[0]: must be an Ed25519 public key in PEM or base64"] || s.has("highlevel"), err)
	})
}

func (s *settings) has(path string) bool { return (&validator{settings: s, list: s.form}).has(path) }
