package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/oauth/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func() (first, second oauth.Store) {
		s := oauth.NewMemoryStore()
		return s, s
	})
}

func TestFileStore(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	for name, opts := range map[string][]oauth.FileStoreOption{"plain": nil, "encrypted": {oauth.Encrypt(key)}} {
		t.Run(name, func(t *testing.T) {
			n := 0
			storetest.Run(t, func() (first, second oauth.Store) {
				n++
				dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
				a, err := oauth.NewFileStore(dir, opts...)
				require.NoError(t, err)
				b, err := oauth.NewFileStore(dir, opts...)
				require.NoError(t, err)
				return a, b
			})
		})
	}
}

// broken is a store with one fault.
type broken struct {
	*oauth.MemoryStore
	load   func(ctx context.Context, key string) (*ghl.Token, error)
	update func(ctx context.Context, key string, fn updater) (*ghl.Token, error)
	delete func(ctx context.Context, key string) error
	keys   func(ctx context.Context) iter.Seq2[string, error]
}

type updater = func(context.Context, *ghl.Token) (*ghl.Token, error)

func (b *broken) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if b.load != nil {
		return b.load(ctx, key)
	}
	return b.MemoryStore.Load(ctx, key)
}

func (b *broken) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	if b.update != nil {
		return b.update(ctx, key, fn)
	}
	return b.MemoryStore.Update(ctx, key, fn)
}

func (b *broken) Delete(ctx context.Context, key string) error {
	if b.delete != nil {
		return b.delete(ctx, key)
	}
	return b.MemoryStore.Delete(ctx, key)
}

func (b *broken) Keys(ctx context.Context) iter.Seq2[string, error] {
	if b.keys != nil {
		return b.keys(ctx)
	}
	return b.MemoryStore.Keys(ctx)
}

// report collects the errors of the suite.
type report struct{ texts []string }

func (*report) Helper() {}
func (r *report) Errorf(format string, args ...any) {
	r.texts = append(r.texts, fmt.Sprintf(format, args...))
}

// TestBrokenStoresFail: the suite reports each fault under the rule that it breaks.
func TestBrokenStoresFail(t *testing.T) {
	set := func(ctx context.Context, s oauth.Store, key string, token *ghl.Token) (*ghl.Token, error) {
		return s.Update(ctx, key, func(context.Context, *ghl.Token) (*ghl.Token, error) { return token, nil })
	}
	for _, tc := range []struct {
		fault string
		rule  string
		spoil func(b *broken, inner *oauth.MemoryStore)
	}{
		{"another error for no token", "an empty store has nothing", func(b *broken, inner *oauth.MemoryStore) {
			b.load = func(ctx context.Context, key string) (*ghl.Token, error) {
				token, err := inner.Load(ctx, key)
				if errors.Is(err, oauth.ErrNoToken) {
					err = errors.New("sql: no rows")
				}
				return token, err
			}
		}},
		{"the refresh token is not saved", "a token is stored whole", func(b *broken, inner *oauth.MemoryStore) {
			b.load = func(ctx context.Context, key string) (*ghl.Token, error) {
				token, err := inner.Load(ctx, key)
				if token != nil {
					token.RefreshToken = ""
				}
				return token, err
			}
		}},
		{"the new token is returned but not saved", "a token is stored whole", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				current, _ := inner.Load(ctx, key)
				return fn(context.WithoutCancel(ctx), current)
			}
		}},
		{"fn gets no token", "fn gets the stored token", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, key, func(ctx context.Context, _ *ghl.Token) (*ghl.Token, error) {
					return fn(ctx, nil)
				})
			}
		}},
		{"a transaction is retried with fn inside", "fn is called once", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
					_, _ = fn(ctx, current)
					return fn(ctx, current)
				})
			}
		}},
		{"fn is retried after its error", "fn is called once", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				token, err := inner.Update(ctx, key, fn)
				if err != nil && ctx.Err() == nil {
					return inner.Update(ctx, key, fn)
				}
				return token, err
			}
		}},
		{"what comes with an error is saved", "an error of fn writes nothing", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				var failed error
				token, err := inner.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
					token, err := fn(ctx, current)
					if failed = err; token != nil {
						return token, nil
					}
					return token, err
				})
				return token, errors.Join(err, failed)
			}
		}},
		{"fn's error is swallowed", "an error of fn writes nothing", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				token, err := inner.Update(ctx, key, fn)
				if err != nil && ctx.Err() == nil {
					return inner.Load(ctx, key)
				}
				return token, err
			}
		}},
		{"no token deletes", "no token and no error is an error", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				none := false
				token, err := inner.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
					token, err := fn(ctx, current)
					none = token == nil && err == nil && current != nil
					return token, err
				})
				if none {
					return nil, inner.Delete(ctx, key)
				}
				return token, err
			}
		}},
		{"tokens are shared", "tokens are not shared", func(b *broken, inner *oauth.MemoryStore) {
			var mu sync.Mutex
			shared := map[string]*ghl.Token{}
			b.load = func(ctx context.Context, key string) (*ghl.Token, error) {
				mu.Lock()
				defer mu.Unlock()
				if t := shared[key]; t != nil {
					return t, nil
				}
				return inner.Load(ctx, key)
			}
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				token, err := inner.Update(ctx, key, fn)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					shared[key] = token
				}
				return token, err
			}
		}},
		{"no lock", "one update of a key at a time", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				current, _ := inner.Load(ctx, key)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				next, err := fn(context.WithoutCancel(ctx), current)
				if err != nil || next == nil {
					return nil, errors.Join(err, errIf(current != nil && next == nil))
				}
				return set(context.WithoutCancel(ctx), inner, key, next)
			}
		}},
		{"one lock for all keys", "keys do not wait for each other", func(b *broken, inner *oauth.MemoryStore) {
			one := make(chan struct{}, 1)
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				select {
				case one <- struct{}{}:
					defer func() { <-one }()
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				return inner.Update(ctx, key, fn)
			}
		}},
		{"Load waits", "Load does not wait for an update", func(b *broken, inner *oauth.MemoryStore) {
			b.load = func(ctx context.Context, key string) (*ghl.Token, error) {
				token, err := inner.Update(ctx, key,
					func(_ context.Context, current *ghl.Token) (*ghl.Token, error) { return current, nil })
				if err == nil && token == nil {
					return nil, oauth.ErrNoToken
				}
				return token, err
			}
		}},
		{"the wait can't be ended", "a cancelled context ends the wait", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return inner.Update(context.WithoutCancel(ctx), key, fn)
			}
		}},
		{"an ended context is not looked at", "an ended context starts nothing", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				if errors.Is(ctx.Err(), context.Canceled) {
					ctx = context.WithoutCancel(ctx)
				}
				return inner.Update(ctx, key, fn)
			}
		}},
		{"the caller's context reaches fn", "a cancelled context does not end fn or the save", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, key, func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
					return fn(ctx, current)
				})
			}
		}},
		{"fn's context never ends", "a cancelled context does not end fn or the save", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, key, func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
					return fn(context.WithoutCancel(ctx), current)
				})
			}
		}},
		{"the save is abandoned", "a cancelled context does not end fn or the save", func(b *broken, inner *oauth.MemoryStore) {
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, key, func(detached context.Context, current *ghl.Token) (*ghl.Token, error) {
					token, err := fn(detached, current)
					return token, errors.Join(err, ctx.Err())
				})
			}
		}},
		{"Delete does nothing", "Delete removes", func(b *broken, _ *oauth.MemoryStore) {
			b.delete = func(context.Context, string) error { return nil }
		}},
		{"Delete does not wait", "Delete waits for an update", func(b *broken, inner *oauth.MemoryStore) {
			b.delete = func(ctx context.Context, key string) error {
				go func() { _ = inner.Delete(ctx, key) }()
				return nil
			}
		}},
		{"a removed key is listed", "Keys lists the stored keys", func(b *broken, inner *oauth.MemoryStore) {
			b.keys = func(ctx context.Context) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					if _, err := inner.Load(ctx, "location/1"); err == nil && !yield("gone", nil) {
						return
					}
					inner.Keys(ctx)(yield)
				}
			}
		}},
		{"Keys yields after a break", "Keys lists the stored keys", func(b *broken, inner *oauth.MemoryStore) {
			b.keys = func(ctx context.Context) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					for key, err := range inner.Keys(ctx) {
						yield(key, err)
					}
				}
			}
		}},
		{"upper and lower case are the same", "any key is a key", func(b *broken, inner *oauth.MemoryStore) {
			b.load = func(ctx context.Context, key string) (*ghl.Token, error) {
				return inner.Load(ctx, strings.ToLower(key))
			}
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				return inner.Update(ctx, strings.ToLower(key), fn)
			}
		}},
		{"a panic does not unlock", "a panic of fn unlocks the key", func(b *broken, inner *oauth.MemoryStore) {
			var mu sync.Mutex
			held := map[string]chan struct{}{}
			b.update = func(ctx context.Context, key string, fn updater) (*ghl.Token, error) {
				mu.Lock()
				if held[key] == nil {
					held[key] = make(chan struct{}, 1)
				}
				lock := held[key]
				mu.Unlock()
				select {
				case lock <- struct{}{}:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				token, err := inner.Update(ctx, key, fn)
				<-lock // not deferred
				return token, err
			}
		}},
		{"no store", "a token is stored whole", nil},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			t.Parallel()
			var r report
			storetest.Run(&r, func() (first, second oauth.Store) {
				if tc.spoil == nil {
					return nil, nil
				}
				inner := oauth.NewMemoryStore()
				b := &broken{MemoryStore: inner}
				tc.spoil(b, inner)
				return b, b
			})
			require.True(t, func() bool {
				for _, text := range r.texts {
					if strings.HasPrefix(text, tc.rule+": ") {
						return true
					}
				}
				return false
			}(), "%q is not among what was found: %q", tc.rule, r.texts)
		})
	}
	require.Contains(t, storetest.Names(), "a token is stored whole")
}

func errIf(wrong bool) error {
	if wrong {
		return errors.New("no token")
	}
	return nil
}
