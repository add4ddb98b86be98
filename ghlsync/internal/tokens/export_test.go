package tokens

import "time"

// SetLease changes how long a lease lasts.
func (s *Store) SetLease(d time.Duration) { s.lease = d }
