package pluvo

// LogLength returns the number of states in the store's log of changes.
func (s *MemoryStore) LogLength() int { return len(s.log) }
