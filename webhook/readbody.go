package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

const firstRead = 16 << 10

// read reads the body of a POST. It allocates memory as the body arrives, not for the announced length.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, result Result, err error) {
	control := http.NewResponseController(w)
	// The deadline is needed even if the body is not read here: the server reads a part of the rest.
	bounded := control.SetReadDeadline(time.Now().Add(h.readTimeout)) == nil
	switch {
	case r.Method != http.MethodPost:
		return nil, WrongMethod, nil
	case r.ContentLength > h.maxBody:
		return nil, TooLarge, nil
	}
	size := r.ContentLength
	if size < 0 || size > firstRead {
		size = min(firstRead, h.maxBody)
	}
	if bounded {
		if body, err = readAll(r.Body, size, h.maxBody); err == nil {
			// If a middleware has read the body, the deadline would end the request.
			_ = control.SetReadDeadline(time.Time{})
		}
	} else {
		body, err = h.readWithout(r.Body, size)
	}
	switch {
	case err == nil:
		return body, "", nil
	case errors.Is(err, errTooLarge), errors.As(err, new(*http.MaxBytesError)): // from a middleware
		return nil, TooLarge, nil
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return nil, TooSlow, nil
	}
	return nil, CutOff, nil
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// readWithout reads a body without a deadline on the connection, which a middleware hides. On a timeout it leaves its
// goroutine behind, which ends when the server closes the body.
func (h *Handler) readWithout(from io.Reader, size int64) ([]byte, error) {
	type result struct {
		body []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var end result
		defer func() {
			if p := recover(); p != nil {
				end = result{nil, errors.New("webhook: reading the body panicked")}
			}
			done <- end
		}()
		end.body, end.err = readAll(from, size, h.maxBody)
	}()
	timer := time.NewTimer(h.readTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.body, r.err
	case <-timer.C:
		return nil, context.DeadlineExceeded
	}
}

var errTooLarge = errors.New("webhook: the body is too large")

// readAll reads the whole body. It returns errTooLarge if the body has more than limit bytes.
func readAll(from io.Reader, size, limit int64) ([]byte, error) {
	if from == nil {
		return nil, nil
	}
	b := make([]byte, 0, size+1) // one more byte, to detect the end
	for {
		n, err := from.Read(b[len(b):min(int64(cap(b)), limit+1)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
		if len(b) == cap(b) {
			b = slices.Grow(b, 1)
		}
	}
}
