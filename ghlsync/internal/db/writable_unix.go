//go:build unix

package db

import (
	"io/fs"
	"syscall"
)

// writable returns an error if the process may not read and write a file. It does not open the file.
func writable(path string) error {
	const readAndWrite = 4 | 2 // R_OK and W_OK of POSIX
	if err := syscall.Access(path, readAndWrite); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}
