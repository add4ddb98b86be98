//go:build unix

package db

import (
	"io/fs"
	"syscall"
)

// writable looks whether a file may be read and written, without opening it.
func writable(path string) error {
	const readAndWrite = 4 | 2 // R_OK and W_OK of POSIX
	if err := syscall.Access(path, readAndWrite); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}
