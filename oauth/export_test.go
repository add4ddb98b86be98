package oauth

// OnStep has f called at each step of an update of the store.
func (s *FileStore) OnStep(f func(what string)) { s.step = f }

// PretendUser makes the store accept only the files of another user.
func (s *FileStore) PretendUser(uid int) { s.uid = uid }

// TokenFile returns the path of a key's file.
func (s *FileStore) TokenFile(key string) string { return s.path(key, tokenEnd) }

// LockFile returns the path of a key's lock.
func (s *FileStore) LockFile(key string) string { return s.path(key, lockEnd) }

// Store returns the store of the installations.
func (i *Installations) Store() Store { return i.store }
