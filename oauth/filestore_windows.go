package oauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// openNoFollow opens a file and refuses a symbolic link. Windows opens the target of a link, so the file is
// examined before, and compared with the opened one afterwards.
func openNoFollow(path string, flag int) (f *os.File, err error) {
	for range tries {
		if f, err = openSame(path, flag); !errors.Is(err, errReplaced) {
			break
		}
	}
	return f, err
}

var errReplaced = errors.New("was replaced while it was opened")

func openSame(path string, flag int) (*os.File, error) {
	before, err := os.Lstat(path)
	if err == nil && before.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return nil, fmt.Errorf("%s is a symbolic link", path)
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && before != nil && !os.SameFile(before, opened) {
		err = fmt.Errorf("%s %w", path, errReplaced)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

var procLockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

// tryLock locks an open file and reports whether it could. Windows unlocks the file when it is closed, also when
// the process is killed.
func tryLock(f *os.File) (bool, error) {
	const (
		failImmediately = 1
		exclusive       = 2

		errLockViolation = syscall.Errno(33)
	)
	var at syscall.Overlapped
	ok, _, err := procLockFileEx.Call(f.Fd(), failImmediately|exclusive, 0, 1, 0, uintptr(unsafe.Pointer(&at)))
	switch {
	case ok != 0:
		return true, nil
	case errors.Is(err, errLockViolation), errors.Is(err, syscall.ERROR_IO_PENDING):
		return false, nil
	}
	return false, fmt.Errorf("%s: %w", f.Name(), err)
}

// A file that another process has open for reading cannot be replaced. Readers close it quickly, so the rename is
// retried.
const (
	tries = 200
	pause = 5 * time.Millisecond

	errSharingViolation = syscall.Errno(32)
)

// replaceFile renames a file over another atomically.
func replaceFile(from, to string) (err error) {
	for range tries {
		err = os.Rename(from, to)
		if !errors.Is(err, syscall.ERROR_ACCESS_DENIED) && !errors.Is(err, errSharingViolation) {
			break
		}
		time.Sleep(pause)
	}
	return err
}

// syncDir does nothing: Windows journals renames and cannot sync a folder.
func syncDir(string) error { return nil }

// ownedBy and openToOthers have fixed results: Windows has no file modes, and the folder's permissions keep other
// users out.
func ownedBy(fs.FileInfo, int) bool { return true }

func openToOthers(fs.FileInfo) bool { return false }
