package main

import (
	"fmt"
	"io"
	"sync"
)

// screen is a terminal whose last line changes. Where there is no terminal it shows nothing.
type screen struct {
	out   io.Writer
	live  bool
	width func() int // nil is 80

	mu    sync.Mutex
	below string
}

// screen has whole lines that are printed, those of a log too, stand above the line that changes.
func (p *program) screen() *screen {
	s := &screen{out: p.out, live: p.terminal && !p.json, width: p.width}
	p.out, p.err = &above{s, p.out}, &above{s, p.err}
	return s
}

// show changes the last line. One that wraps could not be cleared, so it is cut.
func (s *screen) show(text string) {
	if !s.live {
		return
	}
	width := 80
	if s.width != nil {
		width = s.width()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.below = cut(text, width-1)
	fmt.Fprint(s.out, "\r\x1b[K"+s.below)
}

// clear takes the last line away.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.below != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.below = ""
	}
}

// above is a writer of what stands above that line.
type above struct {
	s *screen
	w io.Writer
}

func (a *above) Write(b []byte) (int, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.s.below == "" {
		return a.w.Write(b)
	}
	fmt.Fprint(a.s.out, "\r\x1b[K")
	n, err := a.w.Write(b)
	fmt.Fprint(a.s.out, a.s.below)
	return n, err
}
