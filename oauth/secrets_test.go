package oauth_test

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/deepprint"
	"github.com/pluvo/ghl/oauth"
)

// TestReflectionReachesNoSecrets: a printer that calls no methods and follows pointers, such as that of a failed
// assertion, prints no secret of a value that this package made.
func TestReflectionReachesNoSecrets(t *testing.T) {
	key := []byte("secret-key-secret-key-secret-key")
	memory := oauth.NewMemoryStore()
	files := openStore(t, filepath.Join(t.TempDir(), "tokens"), oauth.Encrypt(key, []byte("secret-old-secret-old-secret-old")))
	ring, err := oauth.NewKeyRing(key)
	require.NoError(t, err)
	server := newAuthServer()
	app := server.app(t, func(c *oauth.Config) { // without the server's own record of its tokens
		c.HTTPClient = &http.Client{Transport: roundTripFunc(server.RoundTrip)}
	})
	source := app.TokenSource(memory, oauth.LocationKey("loc1"))
	location := app.LocationTokenSource(memory, oauth.CompanyKey("comp1"), "comp1", "loc2")
	refused := app.TokenSource(memory, "refused")
	all, err := oauth.NewInstallations(app, memory)
	require.NoError(t, err)
	server.stored(t, memory, oauth.LocationKey("loc1"), oneLocation, time.Hour)
	server.stored(t, memory, oauth.CompanyKey("comp1"), oneCompany, time.Hour)
	save(t, memory, "refused", &ghl.Token{AccessToken: "secret-access", RefreshToken: "secret-refresh", ExpiresAt: time.Now()})
	client, err := all.Client(t.Context(), "loc1")
	require.NoError(t, err)
	for _, source := range []ghl.TokenSource{source, location} {
		_, err = source.Token(t.Context())
		require.NoError(t, err)
	}
	_, failure := refused.Token(t.Context())
	require.ErrorIs(t, failure, ghl.ErrReauthRequired)

	for _, value := range []any{
		memory, *memory, files, *files, ring, *ring, app, *app, source, location, refused, all, *all, client, *client,
		failure, ghl.StaticTokenSource("secret-access"), map[string]any{"app": []any{app, all}},
		struct{ hidden any }{source},
	} {
		printed := deepprint.Text(value) + fmt.Sprintf("%p %t", value, value)
		for _, secret := range []string{"secret-access", "secret-refresh", "secret-key", "secret-old", clientSecret,
			hex.EncodeToString(key[:8]), fmt.Sprintf("(%d)", binary.BigEndian.Uint32(key)),
			fmt.Sprintf("(%d)", binary.LittleEndian.Uint32(key))} {
			require.NotContains(t, printed, secret, "%T", value)
		}
	}
}

type inside struct {
	Token  *ghl.Token
	Config oauth.Config
}

// TestEncodersHideSecrets: an encoder that asks a value for its form gets one without secrets.
func TestEncodersHideSecrets(t *testing.T) {
	token := someToken(1)
	config := newAuthServer().appConfig()
	config.HTTPClient = nil
	for _, value := range []any{token, *token, config, &config, []ghl.Token{*token}, map[string]oauth.Config{"a": config},
		inside{token, config}} {
		for name, encode := range map[string]func(any) ([]byte, error){
			"json": json.Marshal, "yaml": yaml.Marshal,
			"gob": func(v any) ([]byte, error) {
				var b bytes.Buffer
				err := gob.NewEncoder(&b).Encode(v)
				return b.Bytes(), err
			},
			"xml": func(v any) ([]byte, error) {
				if _, isMap := v.(map[string]oauth.Config); isMap {
					return []byte("XML has no maps"), nil
				}
				return xml.Marshal(v)
			},
		} {
			encoded, err := encode(value)
			require.NoError(t, err, "%s of %T", name, value)
			require.NotEmpty(t, encoded)
			for _, secret := range []string{token.AccessToken, token.RefreshToken, "secret-", clientSecret} {
				require.NotContains(t, string(encoded), secret, "%s of %T", name, value)
			}
		}
		require.NotContains(t, fmt.Sprintf("%#v %+v %s", value, value, value), clientSecret)
	}
}

// TestGobOfAToken: gob sends the same as JSON.
func TestGobOfAToken(t *testing.T) {
	token := someToken(1)
	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(token))
	var got ghl.Token
	require.NoError(t, gob.NewDecoder(&b).Decode(&got))
	token.AccessToken, token.RefreshToken = "", ""
	require.Equal(t, token.ExpiresAt.UTC(), got.ExpiresAt.UTC())
	require.Equal(t, token.Scopes, got.Scopes)
	require.Equal(t, token.CompanyID, got.CompanyID)
	require.Empty(t, got.AccessToken+got.RefreshToken)
}

// TestOneSource: the same store and key have the same source, which can be a key of a map.
func TestOneSource(t *testing.T) {
	app, store := newAuthServer().app(t), oauth.NewMemoryStore()
	seen := map[ghl.TokenSource]bool{app.TokenSource(store, "a"): true, ghl.StaticTokenSource("b"): true}
	require.True(t, seen[app.TokenSource(store, "a")])
	require.False(t, seen[app.TokenSource(store, "b")])
	require.False(t, seen[app.LocationTokenSource(store, "a", "comp1", "loc1")])
	_, refreshes := app.TokenSource(store, "a").(ghl.TokenRefresher)
	require.True(t, refreshes)
}
