package pluvo

// LogLength returns how many states the store remembers.
func (s *MemoryStore) LogLength() int { return len(s.log) }
