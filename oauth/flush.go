package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Flush waits until no token is being renewed and no code is being exchanged, and retries the save of tokens that
// could not be saved. Call it before the process ends: a renewal that is cut off can cost the account. The error
// names the keys whose new token is not saved, or is that of ctx.
func (a *App) Flush(ctx context.Context) error {
	var all []error
	if err := a.exchanges.wait(ctx); err != nil {
		all = append(all, fmt.Errorf("oauth: a code is still being exchanged: %w", err))
	}
	for _, s := range a.sources().list() {
		all = append(all, s.flush(ctx))
	}
	return errors.Join(all...)
}

func (s *storedSource) flush(ctx context.Context) error {
	tried := false
	for {
		s.mu.Lock()
		f := s.flight
		if f == nil && s.unsaved.token != nil && !tried {
			f, tried = s.start(ctx, ""), true
		}
		unsaved := s.unsaved.token != nil
		s.mu.Unlock()
		switch {
		case f == nil && unsaved:
			return fmt.Errorf("oauth: the new token of key %q is not saved", s.key)
		case f == nil:
			return nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("oauth: the token of key %q is still being renewed: %w", s.key, ctx.Err())
		}
	}
}

// pending counts operations that Flush must wait for.
type pending struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0
}

func (p *pending) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n++; p.n == 1 {
		p.none = make(chan struct{})
	}
}

func (p *pending) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 {
		close(p.none)
	}
}

func (p *pending) wait(ctx context.Context) error {
	p.mu.Lock()
	n, none := p.n, p.none
	p.mu.Unlock()
	if n == 0 {
		return nil
	}
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
