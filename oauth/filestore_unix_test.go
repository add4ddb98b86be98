//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package oauth_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestModes(t *testing.T) {
	old := syscall.Umask(0) // the most careless one
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "tokens")
	store := openStore(t, dir)
	save(t, store, "k", someToken(1))
	require.EqualValues(t, 0o700, mode(t, dir))
	require.EqualValues(t, 0o600, mode(t, store.TokenFile("k")))
	require.EqualValues(t, 0o600, mode(t, store.LockFile("k")))

	for _, open := range []os.FileMode{0o644, 0o660, 0o666, 0o777} { // of an earlier program
		require.NoError(t, os.Chmod(store.LockFile("k"), open))
		save(t, store, "k", someToken(1))
		require.EqualValues(t, 0o600, mode(t, store.LockFile("k")))
	}
	require.NoError(t, os.WriteFile(store.LockFile("new"), nil, 0o666))
	save(t, store, "new", someToken(1))
	require.EqualValues(t, 0o600, mode(t, store.LockFile("new")))
	require.NoError(t, store.Delete(t.Context(), "new"))

	require.NoError(t, store.Delete(t.Context(), "k"))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing is left of a key")

	require.NoError(t, os.Chmod(dir, 0o755))
	save(t, store, "k", someToken(2))
	require.EqualValues(t, 0o700, mode(t, dir), "the folder is closed to others")
	require.NoError(t, os.Chmod(dir, 0o777))
	openStore(t, dir)
	require.EqualValues(t, 0o700, mode(t, dir))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "photo.jpg"), nil, 0o600))
	require.NoError(t, os.Chmod(dir, 0o755))
	_, err = oauth.NewFileStore(dir)
	require.ErrorContains(t, err, "holds other files")
	require.EqualValues(t, 0o755, mode(t, dir), "a folder that is not for tokens alone is left as it is")
}

func TestFilesOfOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	store := openStore(t, dir)
	save(t, store, "k", someToken(1))
	before, err := os.ReadFile(store.TokenFile("k"))
	require.NoError(t, err)
	refused := func(want string) {
		t.Helper()
		_, err := store.Load(t.Context(), "k")
		require.ErrorContains(t, err, want)
		require.NotErrorIs(t, err, oauth.ErrNoToken)
		_, err = store.Update(t.Context(), "k",
			func(context.Context, *ghl.Token) (*ghl.Token, error) { return someToken(9), nil })
		require.ErrorContains(t, err, want)
		after, err := os.ReadFile(store.TokenFile("k"))
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
	for _, open := range []os.FileMode{0o640, 0o604, 0o660, 0o666} {
		require.NoError(t, os.Chmod(store.TokenFile("k"), open))
		refused("can be reached by other users")
		require.EqualValues(t, open, mode(t, store.TokenFile("k")), "left as it is")
	}
	require.NoError(t, os.Chmod(store.TokenFile("k"), 0o600))

	store.PretendUser(os.Geteuid() + 1)
	refused("belongs to another user")
	_, err = openStore(t, dir).Load(t.Context(), "k")
	require.NoError(t, err)
}

// TestAnotherUsersFile: a file of another user in the user's own folder is refused. Only root can make such a file; the
// test of another user shows that it cannot.
func TestAnotherUsersFile(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "tokens"))
	save(t, store, "k", someToken(1))
	if err := os.Chown(store.TokenFile("k"), 54321, -1); err != nil {
		require.ErrorIs(t, err, os.ErrPermission)
		return
	}
	_, err := store.Load(t.Context(), "k")
	require.ErrorContains(t, err, "belongs to another user")
	require.ErrorContains(t, err, store.TokenFile("k"))
}

func TestLinksAndPipes(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "tokens")
	store := openStore(t, dir)
	save(t, store, "k", someToken(1))
	elsewhere := filepath.Join(top, "elsewhere")
	update := func() error {
		_, err := store.Update(t.Context(), "k",
			func(context.Context, *ghl.Token) (*ghl.Token, error) { return someToken(9), nil })
		return err
	}
	for _, path := range []string{store.TokenFile("k"), store.LockFile("k")} {
		require.NoError(t, os.Rename(path, elsewhere))
		before, err := os.ReadFile(elsewhere)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(elsewhere, path))
		require.ErrorContains(t, update(), "is a symbolic link")
		after, err := os.ReadFile(elsewhere)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Rename(elsewhere, path))
	}
	require.NoError(t, update())

	link := filepath.Join(top, "link")
	require.NoError(t, os.Symlink(dir, link))
	_, err := oauth.NewFileStore(link)
	require.ErrorContains(t, err, "is a symbolic link")

	pipe := store.TokenFile("pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = store.Load(t.Context(), "pipe")
	require.ErrorContains(t, err, "is not a regular file", "it does not wait for a writer")
	require.NoError(t, os.Mkdir(store.TokenFile("dir"), 0o700))
	_, err = store.Load(t.Context(), "dir")
	require.ErrorContains(t, err, "is not a regular file")

	// A symbolic link at the path of the new file is not followed.
	victim := filepath.Join(top, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
	temp := store.TokenFile("k")[:len(store.TokenFile("k"))-len(".token")] + ".new"
	require.NoError(t, os.Symlink(victim, temp))
	require.NoError(t, update())
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "mine", string(data))
}

func TestFullDisk(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "tokens"))
	save(t, store, "k", someToken(1))
	// A folder at the path of the new file makes the write fail.
	temp := store.TokenFile("k")[:len(store.TokenFile("k"))-len(".token")] + ".new"
	require.NoError(t, os.MkdirAll(filepath.Join(temp, "x"), 0o700))
	_, err := store.Update(t.Context(), "k",
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return someToken(2), nil })
	require.Error(t, err)
	got, err := store.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "secret-refresh-1", got.RefreshToken, "the old token is still there, whole")
}
