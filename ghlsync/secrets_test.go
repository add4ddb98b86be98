package ghlsync_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/tokens"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/internal/deepprint"
	"github.com/pluvo/ghl/oauth"
)

// TestConfigHidesItsSecrets: no verb of fmt, no logger and no encoder prints a secret of a Config.
func TestConfigHidesItsSecrets(t *testing.T) {
	unused := &http.Client{Transport: &http.Transport{}} // other tests use the shared one, while this one is read here
	app, err := oauth.NewApp(oauth.Config{ClientID: "id", ClientSecret: "secret-client", HTTPClient: unused,
		RedirectURL: "https://example.com/callback", Scopes: []ghl.Scope{"contacts.readonly"}})
	require.NoError(t, err)
	notifier, err := ghlsync.NewWebhookNotifier("https://chat.example.com/secret-hook", unused)
	require.NoError(t, err)
	config := ghlsync.Config{
		Database:  "postgres://user:secret-password@db.example.com/ghlsync?password=secret-other",
		TokenKeys: [][]byte{[]byte("secret-key-secret-key-secret-key")},
		Locations: []ghlsync.Location{{ID: "loc1", TokenSource: ghl.StaticTokenSource("secret-token")}},
		App:       app, Notifier: notifier,
	}
	options := tokens.Options{Keys: config.TokenKeys}
	wrong := config
	wrong.Database = "secret-password"
	for _, value := range []any{config, &config, wrong, config.Locations, notifier, *notifier, options, &options} {
		var printed bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&printed, verb, value)
			fmt.Fprintf(&printed, verb, struct{ Value any }{value})
			fmt.Fprintf(&printed, verb, []any{value})
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
			slog.New(handler).Info("x", "value", value, "list", []any{value})
		}
		for _, secret := range []string{"secret-", fmt.Sprintf("%x", "secret-"), fmt.Sprintf("%d", []byte("secret-"))[1:20]} {
			require.NotContains(t, printed.String(), secret, "%T", value)
		}
	}
	for name, encode := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "yaml": yaml.Marshal, "xml": xml.Marshal,
		"binary": func(v any) ([]byte, error) {
			if list, isList := v.([]ghlsync.Config); isList {
				v = list[0]
			}
			return v.(encoding.BinaryMarshaler).MarshalBinary()
		},
	} {
		for _, value := range []any{config, &config, []ghlsync.Config{config}} {
			encoded, err := encode(value)
			require.NoError(t, err, "%s %T", name, value)
			require.Contains(t, string(encoded), "loc1", name)
			require.NotContains(t, string(encoded), "secret-", name)
			require.NotContains(t, string(encoded), "c2VjcmV0", "%s: in base64", name)
		}
	}
	var sent bytes.Buffer
	require.Error(t, gob.NewEncoder(&sent).Encode(config), "gob cannot describe its functions")
	require.NotContains(t, sent.String(), "secret-")
	for _, value := range []any{config.Locations, app, notifier} {
		require.NotContains(t, deepprint.Text(value), "secret-", "%T", value)
	}
	require.Equal(t, `ghlsync.Config{database: "postgres", locations: ["loc1"]}`, fmt.Sprint(config))
	require.Equal(t, `ghlsync.Config{database: "", locations: ["loc1"]}`, fmt.Sprint(wrong))
}

// TestSyncerPrintsNoSecrets: a Syncer does not hold the keys of its tokens in its settings.
func TestSyncerPrintsNoSecrets(t *testing.T) {
	server := ghltest.Start(t)
	c := config(t, dbtest.SQLite(t), server)
	c.TokenKeys = [][]byte{[]byte("secret-key-secret-key-secret-key")}
	s, err := ghlsync.New(t.Context(), c)
	require.NoError(t, err)
	defer stop(t, s)
	require.Equal(t, "ghlsync.Syncer", fmt.Sprintf("%+v", s))
	require.Equal(t, "ghlsync.Syncer", fmt.Sprintf("%#v", s))
}
