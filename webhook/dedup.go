package webhook

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
)

// Deduplicator remembers which deliveries were kept, by their [Delivery.ID]. [Handler] asks it, and calls Remember only
// when a delivery was kept; that a delivery which is being handled is not handled a second time meanwhile is the Handler's
// own care, within its process. An implementation is safe for concurrent use. Give several processes that share one address
// a shared one; two copies that come to two of them in the same moment are then still handled twice, unless what keeps them
// takes the id as a unique key.
type Deduplicator interface {
	// Kept reports whether the delivery was kept. After an error nothing is handled, and the delivery comes again.
	Kept(ctx context.Context, id string) (bool, error)
	// Remember is called once the delivery was kept. After an error it is acknowledged all the same.
	Remember(ctx context.Context, id string) error
}

// Memory is a [Deduplicator] in the memory of the process. It forgets the oldest delivery when it is full.
type Memory struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
	ring  [][sha256.Size]byte // in the order of their coming
	next  int                 // the oldest one, once the ring is full
	size  int
}

// NewMemory returns a memory for so many deliveries. Each takes up to 140 bytes, whatever its id. A size that is not
// positive is an error.
func NewMemory(size int) (*Memory, error) {
	if size <= 0 {
		return nil, errors.New("webhook: NewMemory: the size is not positive")
	}
	return &Memory{known: map[[sha256.Size]byte]struct{}{}, size: size}, nil
}

// Kept reports whether the delivery is remembered. It never fails.
func (m *Memory) Kept(_ context.Context, id string) (bool, error) {
	key := sha256.Sum256([]byte(id))
	m.mu.Lock()
	defer m.mu.Unlock()
	_, known := m.known[key]
	return known, nil
}

// Remember remembers the delivery. It never fails.
func (m *Memory) Remember(_ context.Context, id string) error {
	key := sha256.Sum256([]byte(id))
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.known[key]; known {
		return nil
	}
	m.known[key] = struct{}{}
	if len(m.ring) < m.size {
		m.ring = append(m.ring, key)
		return nil
	}
	delete(m.known, m.ring[m.next])
	m.ring[m.next] = key
	m.next = (m.next + 1) % m.size
	return nil
}
