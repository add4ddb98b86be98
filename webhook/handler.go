package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a [Handler] does where no option says otherwise.
const (
	DefaultMaxBody     = 1 << 20 // bytes
	DefaultReadTimeout = 10 * time.Second
	DefaultKeepTimeout = 10 * time.Second
	DefaultMaxKeeping  = 1000
	// DefaultPast and DefaultFuture are the replay window. The past holds HighLevel's redeliveries, which carry the time of
	// the first one.
	DefaultPast   = 72 * time.Hour
	DefaultFuture = 5 * time.Minute
	// DefaultRemembered is how many deliveries are remembered, in up to 14 MB.
	DefaultRemembered = 100_000
)

// Handler is the http.Handler that HighLevel delivers to. It is safe for concurrent use, and cannot be changed.
//
// It answers
//
//	200  the delivery was kept, now or before
//	400  it is signed, but no event
//	401  the signature is not valid or not there, or the timestamp is older than the replay window, or not there though
//	     [RequireTimestamp] wants it
//	403  the delivery is meant for another app ([WithApp])
//	405  it is no POST
//	413  the body is larger than [WithMaxBody]
//	429  the delivery was not kept, so it must come again: the keeper failed, panicked or outlived its time, the deduplicator
//	     failed, too many are being kept, the body came too slowly or was cut off, or the timestamp lies in the future
//
// 429 is the one answer after which HighLevel delivers again under all that it has published. The answers have no body that
// says more.
type Handler struct {
	config
	verifier *Verifier

	mu      sync.Mutex
	flights map[string]*flight // by the id of the delivery
	keeping int
}

// NewHandler returns a Handler. It needs either routes, whose functions are then called before the answer is given, or one
// [WithKeeper]. The first option that is wrong is the error.
func NewHandler(v *Verifier, opts ...Option) (*Handler, error) {
	if v == nil || len(v.keys) == 0 {
		return nil, ErrNoKey
	}
	h := &Handler{verifier: v, flights: map[string]*flight{}, config: config{
		maxBody: DefaultMaxBody, readTimeout: DefaultReadTimeout, keepTimeout: DefaultKeepTimeout, maxKeeping: DefaultMaxKeeping,
		past: DefaultPast, future: DefaultFuture, now: time.Now, logger: slog.New(slog.DiscardHandler),
	}}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.apply(&h.config); err != nil {
			return nil, err
		}
	}
	switch {
	case h.keeper != nil && len(h.routes) > 0:
		return nil, errors.New("webhook: NewHandler: give it routes or WithKeeper; routes behind a queue go to NewRouter")
	case h.keeper == nil && len(h.routes) == 0:
		return nil, errors.New("webhook: NewHandler: there is neither a route nor WithKeeper")
	case h.keeper == nil:
		router, err := NewRouter(h.routes...)
		if err != nil {
			return nil, err
		}
		h.keeper = router
	}
	if h.dedup == nil && !h.noDedup {
		memory, err := NewMemory(DefaultRemembered)
		if err != nil {
			return nil, err
		}
		h.dedup = memory
	}
	return h, nil
}

// Result is what became of a request.
type Result string

// The results.
const (
	Kept        Result = "kept"
	Duplicate   Result = "duplicate"    // kept before
	NotKept     Result = "not kept"     // the keeper or the deduplicator failed
	Panicked    Result = "panicked"     // the keeper did
	TimedOut    Result = "timed out"    // the keeper outlived its time
	Busy        Result = "busy"         // see [WithMaxKeeping]
	Forged      Result = "forged"       // not signed, or not by an accepted key
	Replayed    Result = "replayed"     // older than the replay window, or without the timestamp that is required
	Early       Result = "early"        // from the future: is the clock right?
	OtherApp    Result = "other app"    // see [WithApp]
	Unreadable  Result = "unreadable"   // signed, but no event
	CutOff      Result = "cut off"      // the body ended too early
	TooLarge    Result = "too large"    // see [WithMaxBody]
	TooSlow     Result = "too slow"     // see [WithReadTimeout]
	WrongMethod Result = "wrong method" // no POST
)

func (r Result) status() int {
	switch r {
	case Kept, Duplicate:
		return http.StatusOK
	case Forged, Replayed:
		return http.StatusUnauthorized
	case OtherApp:
		return http.StatusForbidden
	case Unreadable:
		return http.StatusBadRequest
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case WrongMethod:
		return http.StatusMethodNotAllowed
	}
	return http.StatusTooManyRequests
}

// Outcome is what a [WithObserver] is told of a request.
type Outcome struct {
	Result Result
	Status int
	// Duration is from the beginning of the request until the answer was decided.
	Duration time.Duration
	// Meta is the envelope of a delivery whose signature is valid; else nil. It must not be changed.
	Meta *Envelope
	// Err says more, where there is more to say. It can hold what the keeper's error holds.
	Err error
}

// ServeHTTP takes a delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	d, result, err := h.receive(w, r)
	if result == "" {
		result, err = h.keep(r.Context(), d)
	}
	status := result.status()
	header := w.Header()
	switch result {
	case WrongMethod:
		header.Set("Allow", http.MethodPost)
		if r.ContentLength != 0 {
			header.Set("Connection", "close")
		}
	case TooLarge, TooSlow, CutOff:
		header.Set("Connection", "close") // the answer does not wait for what is left of the body
	}
	w.WriteHeader(status)
	h.tell(Outcome{Result: result, Status: status, Duration: time.Since(began), Err: err}, d, r)
}

func (h *Handler) tell(o Outcome, d *Delivery, r *http.Request) {
	if d != nil {
		o.Meta = d.event.Meta()
	}
	level := slog.LevelWarn
	if o.Status == http.StatusOK && o.Err == nil {
		level = slog.LevelDebug
	}
	if ctx := r.Context(); h.logger.Enabled(ctx, level) {
		attrs := []slog.Attr{
			slog.String("result", string(o.Result)), slog.Int("status", o.Status), slog.Duration("duration", o.Duration),
		}
		if m := o.Meta; m != nil {
			attrs = append(attrs, slog.String("type", clip(string(m.Type), 100)), slog.String("webhookId", clip(m.WebhookID, 100)),
				slog.String("locationId", clip(m.LocationID, 100)))
		}
		if o.Err != nil {
			attrs = append(attrs, slog.String("error", clip(fmt.Sprint(o.Err), 1000))) // Sprint outlives an Error that panics
		}
		h.logger.LogAttrs(ctx, level, "webhook", attrs...)
	}
	if h.observe != nil {
		h.observe(o)
	}
}

func clip(text string, n int) string {
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}

// receive reads and judges a request. The result is "" for a delivery that is to be kept.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (*Delivery, Result, error) {
	body, result, err := h.read(w, r)
	if result != "" {
		return nil, result, err
	}
	d, err := h.verifier.Open(body, r.Header)
	switch {
	case errors.Is(err, ErrUnreadable):
		return nil, Unreadable, err
	case err != nil:
		return nil, Forged, err
	}
	meta := d.event.Meta()
	if len(h.apps) > 0 && !slices.Contains(h.apps, meta.AppID) {
		return d, OtherApp, nil
	}
	at, ok := meta.Timestamp.Instant()
	switch now := h.now(); {
	case !ok && h.needTimestamp:
		return d, Replayed, errors.New("webhook: there is no timestamp")
	case !ok:
	case h.past > 0 && now.Sub(at) > h.past:
		return d, Replayed, errors.New("webhook: the timestamp is older than the replay window")
	case at.Sub(now) > h.future:
		return d, Early, errors.New("webhook: the timestamp lies in the future")
	}
	return d, "", nil
}
