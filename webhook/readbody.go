package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// readVerified reads the body of a POST, verifies and decodes it. The result is "" for a delivery.
func (h *Handler) readVerified(w http.ResponseWriter, r *http.Request) (*Delivery, Result, error) {
	control := http.NewResponseController(w)
	// The deadline is needed even if the body is not read here: the server reads a part of the rest.
	bounded := control.SetReadDeadline(time.Now().Add(h.readTimeout)) == nil
	switch {
	case r.Method != http.MethodPost:
		return nil, WrongMethod, nil
	case r.ContentLength > h.maxBody:
		return nil, TooLarge, nil
	}
	signed, err := h.verifier.signature(r.Header)
	if err != nil {
		return nil, Forged, err
	}
	var body []byte
	if bounded {
		if body, err = h.readAll(r.Body, r.ContentLength); err == nil {
			// If a middleware has read the body, the deadline would end the request.
			_ = control.SetReadDeadline(time.Time{})
		}
	} else {
		body, err = h.readWithout(r.Body, r.ContentLength)
	}
	if err != nil {
		result, err := readFailure(err)
		return nil, result, err
	}
	err = h.verifier.check(body, signed)
	h.unverified.release(cap(body))
	if err != nil {
		return nil, Forged, err
	}
	d, err := open(body, signed)
	if err != nil {
		return nil, Unreadable, err
	}
	return d, "", nil
}

func readFailure(err error) (Result, error) {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooMuch):
		return Busy, err
	case errors.Is(err, errTooLarge), errors.As(err, new(*http.MaxBytesError)): // from a middleware
		return TooLarge, nil
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TooSlow, nil
	}
	return CutOff, nil
}

// readWithout reads a body without a deadline on the connection, which a middleware hides. On a timeout it leaves its
// goroutine behind, which ends when the server closes the body.
func (h *Handler) readWithout(from io.Reader, announced int64) ([]byte, error) {
	type result struct {
		body []byte
		err  error
	}
	done, gone := make(chan result), make(chan struct{})
	go func() {
		var end result
		defer func() {
			if p := recover(); p != nil {
				end = result{nil, errors.New("webhook: reading the body panicked")}
			}
			select {
			case done <- end:
			case <-gone:
				h.unverified.release(cap(end.body))
			}
		}()
		end.body, end.err = h.readAll(from, announced)
	}()
	timer := time.NewTimer(h.readTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.body, r.err
	case <-timer.C:
		close(gone)
		return nil, context.DeadlineExceeded
	}
}

var (
	errTooLarge = errors.New("webhook: the body is too large")
	errTooMuch  = errors.New("webhook: unverified bodies use all memory allowed for them")
)

// firstRead is the memory of a body before its first byte arrives, in bytes.
const firstRead = 4 << 10

// readAll reads the whole body, and returns errTooLarge if it has more than h.maxBody bytes. It allocates memory as the
// body arrives, not for the announced length, which is negative if unknown. The caller releases the capacity of the
// body.
func (h *Handler) readAll(from io.Reader, announced int64) (body []byte, err error) {
	if from == nil {
		return nil, nil
	}
	var b []byte
	defer func() { // also if Read panics
		if body == nil {
			h.unverified.release(cap(b))
		}
	}()
	for {
		if len(b) == cap(b) {
			if b, err = h.unverified.grow(b, announced, h.maxBody); err != nil {
				return nil, err
			}
		}
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > h.maxBody:
			return nil, errTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}
