//go:build unix

package db_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m, map[string]func([]string){"lock": lockRole}) }

// lockRole is another process. It prints whether it could take an exclusive lock of a SQLite file.
func lockRole(arguments []string) {
	f, err := os.Open(arguments[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	// SQLite's SHARED_FIRST and SHARED_SIZE, from https://sqlite.org/src/file/src/os.h
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 0x40000000 + 2, Len: 510}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock)
	fmt.Println(lock.Type == syscall.F_UNLCK, err)
}

// TestAFileThatIsOpenTwiceIsLocked: opening a database a second time does not release the locks of the first. A
// process loses its locks of a file when it closes any descriptor of the file.
func TestAFileThatIsOpenTwiceIsLocked(t *testing.T) {
	address := dbtest.SQLite(t)
	first := dbtest.Open(t, address)
	dbtest.Open(t, address).Close()
	require.Equal(t, "false <nil>", dbtest.Start(t, "lock", first.Path()).Line(t))
	dbtest.Open(t, address)
	require.Equal(t, "false <nil>", dbtest.Start(t, "lock", first.Path()).Line(t))
	first.Close()
}
