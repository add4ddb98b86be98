//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package oauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Without a lock between processes a token could be lost, so the file store fails at its first use on these systems.

func openNoFollow(path string, _ int) (*os.File, error) {
	return nil, fmt.Errorf("%s: this system has no file locks for the token store: %w", path, errors.ErrUnsupported)
}

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func replaceFile(string, string) error { return errors.ErrUnsupported }

func syncDir(string) error { return errors.ErrUnsupported }

func ownedBy(fs.FileInfo, int) bool { return true }

func openToOthers(fs.FileInfo) bool { return false }
