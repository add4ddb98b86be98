package webhook

import "sync"

// unverified counts the memory of the bodies that are not verified yet.
type unverified struct {
	limit int64
	mu    sync.Mutex
	used  int64
}

// grow returns b with a larger capacity, at most one byte more than the largest body or the announced length, to detect
// the end. If no memory is left, it returns b and errTooMuch.
func (u *unverified) grow(b []byte, announced, maxBody int64) ([]byte, error) {
	old := int64(cap(b))
	size := min(max(firstRead, 2*old), maxBody+1)
	if old <= announced && announced < size {
		size = announced + 1
	}
	limit := u.limit
	if size > firstRead+1 {
		limit -= limit / 4
	}
	u.mu.Lock()
	enough := u.used+size-old <= limit
	if enough {
		u.used += size - old
	}
	u.mu.Unlock()
	if !enough {
		return b, errTooMuch
	}
	return append(make([]byte, 0, size), b...), nil
}

func (u *unverified) release(size int) {
	u.mu.Lock()
	u.used -= int64(size)
	u.mu.Unlock()
}
