//go:build unix

package ghltest_test

import (
	"syscall"
	"time"
)

// cpuTime returns how long the process has been computing, for itself and in the system.
func cpuTime() (time.Duration, bool) {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0, false
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), true
}
