package webhook

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
)

// Deduplicator remembers the deliveries that were kept, by their [Delivery.ID]. Within one process a [Handler] itself
// ensures that a delivery is not handled twice at the same time. Several processes behind one address need a shared
// Deduplicator; two copies that reach two processes at the same moment are still handled twice, unless the keeper
// uses the id as a unique key. An implementation must be safe for concurrent use.
type Deduplicator interface {
	// Kept reports whether the delivery was kept. After an error the delivery is not handled, and is redelivered.
	Kept(ctx context.Context, id string) (bool, error)
	// Remember is called after the delivery was kept. An error does not prevent the acknowledgement.
	Remember(ctx context.Context, id string) error
}

// Memory is a [Deduplicator] in the memory of the process. When it is full, it forgets the oldest delivery.
type Memory struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
	ring  [][sha256.Size]byte // in the order of arrival
	next  int                 // index of the oldest, once the ring is full
	size  int
}

// NewMemory returns a memory for size deliveries, of up to 140 bytes each. It returns an error if size is not positive.
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
