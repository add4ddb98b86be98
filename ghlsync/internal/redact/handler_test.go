package redact_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

func TestHandler(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(redact.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log = log.With("who", "ada@example.com").WithGroup("g")
	log.Error("no answer to +1 415 555 0100", "err", errors.New("bearer eyJhbGciOi.secret for grace@example.com"),
		"n", 14155550100, "location", "ve9EPM428h8vShlRW1KT", "id", "12345678901234567890", slog.Group("in", "phone",
			"4155550177"), "any", []string{"bob@example.com"})
	text := out.String()
	for _, personal := range []string{"example.com", "0100\"", "4155550177", "eyJ", "secret"} {
		require.NotContains(t, text, personal)
	}
	for _, plain := range []string{"no answer to", "ve9EPM428h8vShlRW1KT", "12345678901234567890", "level=ERROR",
		"g.n=14155550100", "g.in.phone="} {
		require.Contains(t, text, plain)
	}
	require.Equal(t, redact.Handler(log.Handler()), log.Handler(), "redacts once")
}
