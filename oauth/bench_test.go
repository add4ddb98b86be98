package oauth_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/oauth"
)

// BenchmarkTokenFromMemory measures what a call pays for a valid token.
func BenchmarkTokenFromMemory(b *testing.B) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	server.stored(b, store, "k", oneLocation, time.Hour)
	source := server.app(b).TokenSource(store, "k")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := source.Token(b.Context()); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkFileStoreUpdate measures a lock, a read, a write, two syncs and a rename.
func BenchmarkFileStoreUpdate(b *testing.B) {
	store := openStore(b, filepath.Join(b.TempDir(), "tokens"), oauth.Encrypt(storeKey(1)))
	n := 0
	for b.Loop() {
		n++
		save(b, store, "k", someToken(n))
	}
	require.NotZero(b, n)
}
