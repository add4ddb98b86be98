package oauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

func storeKey(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func openStore(t testing.TB, dir string, opts ...oauth.FileStoreOption) *oauth.FileStore {
	t.Helper()
	s, err := oauth.NewFileStore(dir, opts...)
	require.NoError(t, err)
	return s
}

func someToken(n int) *ghl.Token {
	return &ghl.Token{
		AccessToken: fmt.Sprintf("secret-access-%d", n), RefreshToken: fmt.Sprintf("secret-refresh-%d", n),
		ExpiresAt: time.Now().Add(time.Hour).UTC().Round(0), UserType: ghl.UserTypeLocation, LocationID: "loc1",
	}
}

func TestFilesAreEncrypted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	store := openStore(t, dir, oauth.Encrypt(storeKey(1)))
	save(t, store, "k", someToken(1))
	data, err := os.ReadFile(store.TokenFile("k"))
	require.NoError(t, err)
	for _, part := range []string{"secret", "loc1", "Location", "accessToken"} {
		require.NotContains(t, string(data), part)
	}
	require.True(t, bytes.HasPrefix(data, []byte("ghl-token/1 aes-256-gcm ")))
	plain := openStore(t, filepath.Join(t.TempDir(), "plain"))
	save(t, plain, "k", someToken(1))
	data, err = os.ReadFile(plain.TokenFile("k"))
	require.NoError(t, err)
	require.Contains(t, string(data), "secret-refresh-1")
}

func TestKeyRing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	one, two, three := storeKey(1), storeKey(2), storeKey(3)
	save(t, openStore(t, dir, oauth.Encrypt(one)), "k", someToken(1))

	both := openStore(t, dir, oauth.Encrypt(two, one))
	got, err := both.Load(t.Context(), "k")
	require.NoError(t, err, "an old key still reads")
	require.Equal(t, someToken(1).RefreshToken, got.RefreshToken)
	save(t, both, "k", someToken(2))
	got, err = openStore(t, dir, oauth.Encrypt(two)).Load(t.Context(), "k")
	require.NoError(t, err, "the new key writes")
	require.Equal(t, someToken(2).RefreshToken, got.RefreshToken)

	before, err := os.ReadFile(both.TokenFile("k"))
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		opts []oauth.FileStoreOption
		want string
	}{
		"another key":        {[]oauth.FileStoreOption{oauth.Encrypt(three)}, "is encrypted with another key"},
		"the old key alone":  {[]oauth.FileStoreOption{oauth.Encrypt(one)}, "is encrypted with another key"},
		"no key":             {nil, "is encrypted, and this store has no key"},
		"plain ones allowed": {[]oauth.FileStoreOption{oauth.ReadPlain()}, "is encrypted, and this store has no key"},
	} {
		wrong := openStore(t, dir, tc.opts...)
		_, err = wrong.Load(t.Context(), "k")
		require.ErrorContains(t, err, tc.want, name)
		require.NotErrorIs(t, err, oauth.ErrNoToken)
		_, err = wrong.Update(t.Context(), "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
			require.Fail(t, "fn is called although the token can't be read")
			return someToken(9), nil
		})
		require.ErrorContains(t, err, tc.want, name)
		after, err := os.ReadFile(both.TokenFile("k"))
		require.NoError(t, err)
		require.Equal(t, before, after, "a wrong key destroys nothing")
	}
	for _, size := range []int{0, 16, 31, 33} {
		_, err := oauth.NewFileStore(dir, oauth.Encrypt(make([]byte, size)))
		require.ErrorIs(t, err, ghl.ErrBadInput)
	}
	_, err = oauth.NewFileStore(dir, oauth.Encrypt(one, []byte("short-secret-key")))
	require.ErrorIs(t, err, ghl.ErrBadInput)
	require.NotContains(t, err.Error(), "short-secret")
}

func TestPlainFilesOfAnEncryptedStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	save(t, openStore(t, dir), "k", someToken(1))
	_, err := openStore(t, dir, oauth.Encrypt(storeKey(1))).Load(t.Context(), "k")
	require.ErrorContains(t, err, "is not encrypted, but this store is")
	moving := openStore(t, dir, oauth.Encrypt(storeKey(1)), oauth.ReadPlain())
	_, err = moving.Load(t.Context(), "k")
	require.NoError(t, err)
	save(t, moving, "k", someToken(2))
	_, err = openStore(t, dir, oauth.Encrypt(storeKey(1))).Load(t.Context(), "k")
	require.NoError(t, err)
}

// TestBadTokenFiles: a bad file is an error that names the file, and the store does not change the file.
func TestBadTokenFiles(t *testing.T) {
	for name, opts := range map[string][]oauth.FileStoreOption{"plain": nil,
		"encrypted": {oauth.Encrypt(storeKey(1))}} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t, filepath.Join(t.TempDir(), "tokens"), opts...)
			save(t, store, "k", someToken(1))
			save(t, store, "other", someToken(2))
			path := store.TokenFile("k")
			good, err := os.ReadFile(path)
			require.NoError(t, err)
			other, err := os.ReadFile(store.TokenFile("other"))
			require.NoError(t, err)
			bad := map[string][]byte{
				"empty": {}, "rubbish": []byte("\x00\xffrubbish\n\nsecret-access-1"), "another program's": []byte(`{"access_token":"secret-access-1"}`),
				"header alone": []byte("ghl-token/1 plain\n"), "later format": []byte("ghl-token/2 plain\n{}"), "huge": make([]byte, 17<<20),
				"no token": []byte("ghl-token/1 plain\n{\"version\":1}"), "later version": []byte("ghl-token/1 plain\n{\"version\":2,\"accessToken\":\"secret-access-1\"}"),
				"a line break in the token": []byte("ghl-token/1 plain\n{\"version\":1,\"accessToken\":\"secret-access-1\\n\"}"),
			}
			for n := range len(good) {
				bad[fmt.Sprintf("cut at %d", n)] = good[:n]
			}
			if name == "encrypted" {
				bad["another key's file"] = other
				for n := range len(good) {
					changed := slices.Clone(good)
					changed[n] ^= 0x20
					bad[fmt.Sprintf("changed at %d", n)] = changed
				}
			}
			for what, data := range bad {
				require.NoError(t, os.WriteFile(path, data, 0o600))
				_, err := store.Load(t.Context(), "k")
				require.Error(t, err, what)
				require.NotErrorIs(t, err, oauth.ErrNoToken, what)
				require.ErrorContains(t, err, path, what)
				require.NotContains(t, err.Error(), "secret-", what)
				_, err = store.Update(t.Context(), "k",
					func(context.Context, *ghl.Token) (*ghl.Token, error) { return someToken(9), nil })
				require.ErrorContains(t, err, path, what)
				left, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, data, left, what)
			}
			require.NoError(t, os.WriteFile(path, good, 0o600))
			_, err = store.Load(t.Context(), "k")
			require.NoError(t, err)
		})
	}
}

// TestLargeTokens: a token with a long list of locations is stored. A token that could not be read again is refused.
func TestLargeTokens(t *testing.T) {
	server, store := newAuthServer(), openStore(t, filepath.Join(t.TempDir(), "tokens"), oauth.Encrypt(storeKey(1)))
	ids := make([]string, 100_000)
	for n := range ids {
		ids[n] = fmt.Sprintf("location-%020d", n)
	}
	server.codes["code-1"] = account{userType: ghl.UserTypeCompany, company: "comp1", locations: ids}
	token, err := server.app(t).Exchange(t.Context(), "code-1")
	require.NoError(t, err)
	save(t, store, "k", token)
	got, err := store.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, ids, got.ApprovedLocations)

	token.UserID = strings.Repeat("x", 17<<20)
	_, err = store.Update(t.Context(), "k", func(context.Context, *ghl.Token) (*ghl.Token, error) { return token, nil })
	require.ErrorContains(t, err, "too large")
	got, err = store.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "u1", got.UserID, "the old token is still there")
}

func TestBadFolders(t *testing.T) {
	_, err := oauth.NewFileStore("")
	require.ErrorIs(t, err, ghl.ErrBadInput)
	top := t.TempDir()
	_, err = oauth.NewFileStore(filepath.Join(top, "no", "parent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	file := filepath.Join(top, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = oauth.NewFileStore(file)
	require.ErrorContains(t, err, "is not a folder")

	t.Chdir(top)
	store := openStore(t, "tokens")
	save(t, store, "k", someToken(1))
	t.Chdir(t.TempDir())
	_, err = store.Load(t.Context(), "k")
	require.NoError(t, err, "the store does not move with the working directory")
	require.NoError(t, os.RemoveAll(filepath.Join(top, "tokens")))
	_, err = store.Load(t.Context(), "k")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, oauth.ErrNoToken,
		"a missing folder, such as of a disk that is not mounted, is not an empty store")
	for _, err := range store.Keys(t.Context()) {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	_, err = store.Update(t.Context(), "k",
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return someToken(2), nil })
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Error(t, store.Delete(t.Context(), "k"))
}

func TestKeysOfTheFileStore(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "tokens"))
	save(t, store, "k", someToken(1))
	dir := filepath.Dir(store.TokenFile("k"))
	for _, name := range []string{"ghl-.token", "ghl-!.token", "ghl-a.token", "ghl-NM.token", "other", "ghl-nm.new",
		"ghl-nm.lock"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	var keys []string
	for key, err := range store.Keys(t.Context()) {
		require.NoError(t, err)
		keys = append(keys, key)
	}
	require.Equal(t, []string{"k"}, keys, "other files are ignored")
	for _, key := range []string{"", strings.Repeat("x", 121)} {
		_, err := store.Load(t.Context(), key)
		require.Equal(t, "key", asError(t, err).Field)
	}
	require.NoError(t, store.Delete(t.Context(), "k"))
	require.NoFileExists(t, store.TokenFile("k"))
}

// TestEncodeToken: DecodeToken reads what EncodeToken wrote, and nothing else.
func TestEncodeToken(t *testing.T) {
	token := someToken(1)
	token.Scopes, token.ApprovedLocations, token.BulkInstallation = []ghl.Scope{"a", "b"}, []string{"l"}, true
	data, err := oauth.EncodeToken(token)
	require.NoError(t, err)
	got, err := oauth.DecodeToken(data)
	require.NoError(t, err)
	require.Equal(t, *token, *got)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	require.EqualValues(t, 1, fields["version"])

	for _, bad := range []*ghl.Token{nil, {}, {RefreshToken: "r"}, {AccessToken: "a b"},
		{AccessToken: "a", RefreshToken: "secret\n"}} {
		_, err := oauth.EncodeToken(bad)
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.NotContains(t, err.Error(), "secret")
	}
	for _, bad := range []string{"", "null", "[]", `"secret"`, `{"version":1}`, `{"accessToken":"secret-a"}`,
		`{"version":2,"accessToken":"secret-a"}`,
		`{"version":1,"accessToken":"secret-a`, `{"version":1,"accessToken":5}`, `{"version":1,"accessToken":"secret-a","refreshToken":"secret b"}`} {
		_, err := oauth.DecodeToken([]byte(bad))
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "secret", bad)
	}
}

// FuzzDecodeToken: no data panics or is quoted in an error, and a decoded token is encoded to the same data.
func FuzzDecodeToken(f *testing.F) {
	data, err := oauth.EncodeToken(someToken(1))
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"version":1,"accessToken":"a","scopes":[null],"expiresAt":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := oauth.DecodeToken(data)
		if err != nil {
			require.NotContains(t, err.Error(), "secret-")
			return
		}
		written, err := oauth.EncodeToken(token)
		require.NoError(t, err)
		again, err := oauth.DecodeToken(written)
		require.NoError(t, err)
		rewritten, err := oauth.EncodeToken(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(rewritten))
	})
}

// TestNothingPrintsItsSecrets: no verb prints a secret, by value or by pointer, alone or inside another value.
func TestNothingPrintsItsSecrets(t *testing.T) {
	server := newAuthServer()
	memory, files := oauth.NewMemoryStore(), openStore(t, filepath.Join(t.TempDir(), "tokens"),
		oauth.Encrypt([]byte("secret-key-secret-key-secret-key")))
	token := someToken(1)
	save(t, memory, "k", token)
	save(t, files, "k", token)
	config := server.appConfig()
	app := server.app(t)
	source := app.TokenSource(memory, "k")
	_, err := source.Token(t.Context())
	require.NoError(t, err)
	location := app.LocationTokenSource(memory, "k", "comp1", "loc1")
	installations, err := oauth.NewInstallations(app, memory)
	require.NoError(t, err)
	for _, value := range []any{
		token, *token, config, &config, app, *app, memory, *memory, files, *files, source, location, installations,
		*installations,
		server.client(t, source), ghl.StaticTokenSource(token.AccessToken), oauth.App{}, oauth.FileStore{},
		oauth.MemoryStore{},
	} {
		wrapped := struct{ Value any }{value}
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", value, "wrapped", wrapped)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", value, "list", []any{value})
		asJSON, _ := json.Marshal(value)
		printed := []string{logged.String(), string(asJSON)}
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			printed = append(printed, fmt.Sprintf(verb, wrapped), fmt.Sprintf(verb, &wrapped),
				fmt.Sprintf(verb, []any{&wrapped}))
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			printed = append(printed, fmt.Sprintf(verb, value), fmt.Sprintf(verb, []any{value}),
				fmt.Sprintf(verb, map[string]any{"a": value}))
		}
		for _, text := range printed {
			for _, secret := range []string{"secret-", clientSecret, fmt.Sprintf("%x", "secret-"),
				fmt.Sprintf("%X", clientSecret)} {
				require.NotContains(t, text, secret, "%T", value)
			}
		}
	}
}

// TestPrivateFieldsPrintNoSecrets: fmt does not call the methods of values in private fields.
func TestPrivateFieldsPrintNoSecrets(t *testing.T) {
	memory := oauth.NewMemoryStore()
	save(t, memory, "k", someToken(1))
	app := newAuthServer().app(t)
	source := app.TokenSource(memory, "k")
	_, err := source.Token(t.Context())
	require.NoError(t, err)
	installations, err := oauth.NewInstallations(app, memory)
	require.NoError(t, err)
	ring, err := oauth.NewKeyRing([]byte("secret-key-secret-key-secret-key"))
	require.NoError(t, err)
	client, err := ghl.New(ghl.WithToken("secret-token"))
	require.NoError(t, err)
	value := struct {
		app      oauth.App
		memory   oauth.MemoryStore
		all      oauth.Installations
		ring     oauth.KeyRing
		pointers []any
		source   ghl.TokenSource
		static   ghl.TokenSource
		client   *ghl.Client
	}{*app, *memory, *installations, *ring, []any{app, memory, installations, ring}, source,
		ghl.StaticTokenSource("secret-token"), client}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t"} {
		printed := fmt.Sprintf(verb, value)
		for _, secret := range []string{"secret-access", "secret-refresh", "secret-token", "secret-key", clientSecret,
			fmt.Sprintf("%x", "secret-")} {
			require.NotContains(t, printed, secret, verb)
		}
	}
}

// spoil overwrites a file with data that is not a token.
func spoil(t testing.TB, path string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte("rubbish"), 0o600))
}
