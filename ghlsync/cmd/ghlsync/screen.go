package main

import (
	"fmt"
	"io"
	"sync"
)

// screen is a terminal with a status line below the output. Without a terminal it shows nothing.
type screen struct {
	out   io.Writer
	live  bool
	width func() int // nil is 80

	mu     sync.Mutex
	status string
}

// screen returns a screen. From now on, output and logs are printed above its status line.
func (p *program) screen() *screen {
	s := &screen{out: p.out, live: p.terminal && !p.json, width: p.width}
	p.out, p.err = &above{s, p.out}, &above{s, p.err}
	return s
}

// show changes the status line. It cuts a text that would wrap, because only one line can be cleared.
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
	s.status = cut(text, width-1)
	fmt.Fprint(s.out, "\r\x1b[K"+s.status)
}

// clear removes the status line.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.status = ""
	}
}

// above writes lines above the status line.
type above struct {
	s *screen
	w io.Writer
}

func (a *above) Write(b []byte) (int, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.s.status == "" {
		return a.w.Write(b)
	}
	fmt.Fprint(a.s.out, "\r\x1b[K")
	n, err := a.w.Write(b)
	fmt.Fprint(a.s.out, a.s.status)
	return n, err
}
