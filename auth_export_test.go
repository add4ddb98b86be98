package ghl

// OnStep has f told of each step of an update of the store.
func (s *FileTokenStore) OnStep(f func(what string)) { s.files.step = f }

// PretendUser makes the store take only the files of another user.
func (s *FileTokenStore) PretendUser(uid int) { s.files.uid = uid }

// TokenFile and LockFile return the path of a key's file.
func (s *FileTokenStore) TokenFile(key string) string { return s.files.path(key, tokenEnd) }
func (s *FileTokenStore) LockFile(key string) string  { return s.files.path(key, lockEnd) }
