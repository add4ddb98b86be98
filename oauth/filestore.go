package oauth

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// FileStore is a [Store] in a folder, with one file for each token, shared by any number of processes of one
// machine and user. A token is replaced as a whole: the new file is written beside the old one, synced and renamed,
// so that a process that is killed at any moment leaves either the old token or the new one. The lock of a key is a
// lock of the operating system on a file beside it, which ends with the process that holds it. Use a local disk:
// such locks are not reliable on network file systems.
//
// The folder has mode 0700 and the files have mode 0600. A file that is a symbolic link, belongs to another user,
// can be read by others, is incomplete, holds anything else or is encrypted with an unknown key is an error that
// names the file, and is left as it is. (Windows does not have such modes: there the folder's own permissions must
// keep other users out.)
//
// Use [Encrypt]: without a key, the accounts are open to everybody who can read the user's files or a backup of them.
//
// A FileStore prints without its keys. Make one with [NewFileStore].
type FileStore struct {
	dir   string
	ring  *KeyRing
	locks *KeyLocks
	uid   int               // the user to whom files must belong
	step  func(what string) // called at each step of an update, for tests
}

// FileStoreOption configures a [FileStore].
type FileStoreOption func(*FileStore) error

// Encrypt encrypts the files of a [FileStore] with a [KeyRing]. A key has 32 random bytes. The first key encrypts new
// files, the older keys only read files that were written before. A file that is not encrypted is refused, unless
// [ReadPlain] is given too.
func Encrypt(key []byte, older ...[]byte) FileStoreOption {
	return func(s *FileStore) error {
		ring, err := NewKeyRing(append([][]byte{key}, older...)...)
		if err != nil {
			return err
		}
		s.ring.keys = append(s.ring.keys, ring.keys...)
		return nil
	}
}

// ReadPlain lets a store with [Encrypt] read files that were written before it had a key. Such a file is encrypted
// when its token is next saved.
func ReadPlain() FileStoreOption {
	return func(s *FileStore) error {
		s.ring.readPlain = true
		return nil
	}
}

// NewFileStore opens a folder. It makes the folder, but not its parent, when it does not exist. A folder that other
// users can enter is closed to them; when it also holds files that are not tokens, that is an error instead.
func NewFileStore(dir string, opts ...FileStoreOption) (*FileStore, error) {
	if dir == "" {
		return nil, badInput("dir", "the folder of the token store is empty")
	}
	dir, err := filepath.Abs(dir) // so that a change of the working directory does not move it
	if err != nil {
		return nil, folderError(err)
	}
	s := &FileStore{dir: dir, ring: new(KeyRing), locks: new(KeyLocks), uid: os.Geteuid(), step: func(string) {}}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		_ = syncDir(filepath.Dir(dir)) // so that the folder outlasts a power cut; some parents cannot be opened
	case !errors.Is(err, fs.ErrExist):
		return nil, folderError(err)
	}
	if err := s.checkDir(); err != nil {
		return nil, err
	}
	return s, nil
}

func folderError(err error) error { return fmt.Errorf("oauth: token store: %w", err) }

func keyError(key string, err error) error { return fmt.Errorf("oauth: token of key %q: %w", key, err) }

// Format prints the folder and none of the keys for every verb.
func (s FileStore) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "oauth.FileStore{%q}", s.dir) }

// checkDir checks that the folder belongs to the user, and closes it to other users.
func (s *FileStore) checkDir() error {
	info, err := os.Lstat(s.dir)
	switch {
	case err != nil:
		return folderError(err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("oauth: token store: the folder %s is a symbolic link", s.dir)
	case !info.IsDir():
		return fmt.Errorf("oauth: token store: %s is not a folder", s.dir)
	case !ownedBy(info, s.uid):
		return fmt.Errorf("oauth: token store: the folder %s belongs to another user", s.dir)
	case !openToOthers(info):
		return nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return folderError(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) {
			return fmt.Errorf("oauth: token store: the folder %s is open to others and holds other files, such as %q: "+
				"give tokens a folder of their own, of mode 0700", s.dir, e.Name())
		}
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		return folderError(err)
	}
	return nil
}

const (
	filePrefix = "ghl-"
	tokenEnd   = ".token"
	lockEnd    = ".lock"
	tempEnd    = ".new"

	maxTokenFile = 16 << 20
)

// nameCoding turns any key into a file name, also for file systems that ignore case.
var nameCoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// path returns the file of a key with an ending.
func (s *FileStore) path(key, end string) string {
	return filepath.Join(s.dir, filePrefix+nameCoding.EncodeToString([]byte(key))+end)
}

// keyOf returns the key of a token's file name. It returns false for other names.
func keyOf(name string) (string, bool) {
	name, ok := strings.CutPrefix(name, filePrefix)
	if !ok {
		return "", false
	}
	if name, ok = strings.CutSuffix(name, tokenEnd); !ok {
		return "", false
	}
	key, err := nameCoding.DecodeString(name)
	return string(key), err == nil && nameCoding.EncodeToString(key) == name && CheckKey(string(key)) == nil
}

// Load reads the token's file, see [Store].
func (s *FileStore) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.checkDir(); err != nil {
		return nil, err
	}
	t, err := s.read(key)
	if err == nil && t == nil {
		return nil, noToken(key)
	}
	return t, err
}

// read returns the token under a key, nil if none is stored.
func (s *FileStore) read(key string) (*ghl.Token, error) {
	path := s.path(key, tokenEnd)
	f, err := openNoFollow(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, keyError(key, err)
	}
	defer func() { _ = f.Close() }()
	bad := func(problem string) error { return keyError(key, fmt.Errorf("the file %s %s", path, problem)) }
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, keyError(key, err)
	case !info.Mode().IsRegular():
		return nil, bad("is not a regular file")
	case !ownedBy(info, s.uid):
		return nil, bad("belongs to another user")
	case openToOthers(info):
		return nil, bad(fmt.Sprintf("can be reached by other users (mode %04o, wanted 0600)", info.Mode().Perm()))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return nil, keyError(key, err)
	}
	if len(data) > maxTokenFile {
		return nil, bad("is too large to be a token")
	}
	t, err := s.ring.Open(key, data)
	if err != nil {
		return nil, keyError(key, fmt.Errorf("the file %s: %w", path, err))
	}
	return t, nil
}

// Update changes a token, see [Store].
func (s *FileStore) Update(
	ctx context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error),
) (*ghl.Token, error) {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	current, err := s.read(key)
	if err != nil {
		return nil, err
	}
	s.step("read")
	next, changed, err := Update(ctx, current, fn)
	if err != nil || !changed {
		return next, err
	}
	s.step("changed")
	if err := s.write(key, next); err != nil {
		return nil, keyError(key, err)
	}
	return next, nil
}

// write replaces the token's file. The caller holds the key's lock.
func (s *FileStore) write(key string, t *ghl.Token) error {
	data, err := s.ring.Seal(key, t)
	if err != nil {
		return err
	}
	if len(data) > maxTokenFile { // read would refuse it
		return errors.New("the token is too large to be stored")
	}
	temp := s.path(key, tempEnd)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a process that was killed
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.step("created")
	half := len(data) / 2
	_, err = f.Write(data[:half])
	s.step("half written")
	if err == nil {
		_, err = f.Write(data[half:])
	}
	s.step("written")
	if err == nil {
		err = f.Sync()
	}
	s.step("synced")
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = replaceFile(temp, s.path(key, tokenEnd))
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	s.step("renamed")
	err = syncDir(s.dir)
	s.step("folder synced")
	return err
}

// Delete removes a token, see [Store], also one that cannot be read.
func (s *FileStore) Delete(ctx context.Context, key string) error {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	// The lock is removed last. A process that has it open notices the removal.
	for _, end := range []string{tempEnd, tokenEnd, lockEnd} {
		if err := os.Remove(s.path(key, end)); err != nil && !errors.Is(err, fs.ErrNotExist) && end != lockEnd {
			return keyError(key, err)
		}
	}
	if err := syncDir(s.dir); err != nil {
		return keyError(key, err)
	}
	return nil
}

// Keys yields the keys in the folder, without reading the tokens.
func (s *FileStore) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.checkDir(); err != nil {
			yield("", err)
			return
		}
		entries, err := os.ReadDir(s.dir)
		if err != nil {
			yield("", folderError(err))
			return
		}
		for _, e := range entries {
			key, ok := keyOf(e.Name())
			if !ok {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// lock locks a key, first among the goroutines of this process and then among all processes.
func (s *FileStore) lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	leave, err := s.locks.Lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	if err := s.checkDir(); err != nil {
		return nil, err
	}
	f, err := s.lockFile(ctx, s.path(key, lockEnd))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("oauth: lock of key %q: %w", key, err)
	}
	s.step("locked")
	return func() {
		_ = f.Close() // which unlocks
		s.step("unlocked")
		leave()
	}, nil
}

// closeToOthers gives a lock that an earlier version or a person has opened to other users mode 0600: they could hold
// it for ever.
func (s *FileStore) closeToOthers(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", f.Name())
	case !ownedBy(info, s.uid):
		return fmt.Errorf("%s belongs to another user", f.Name())
	case openToOthers(info):
		return f.Chmod(0o600)
	}
	return nil
}

// lockFile waits for the lock of a file. It polls, because a blocking system call would not end with ctx. A lock is
// usually held for the time of a request.
func (s *FileStore) lockFile(ctx context.Context, path string) (*os.File, error) {
	const first, longest = time.Millisecond, 25 * time.Millisecond
	pause := first
	for {
		f, err := openNoFollow(path, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		locked := false
		if err = s.closeToOthers(f); err == nil {
			locked, err = tryLock(f)
		}
		if err == nil && locked {
			// After a Delete by another process, this is the lock of a file that no longer exists.
			if here, errHere := f.Stat(); errHere == nil {
				if there, errThere := os.Lstat(path); errThere == nil && os.SameFile(here, there) {
					return f, nil
				}
			}
		}
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		pause = min(2*pause, longest)
	}
}
