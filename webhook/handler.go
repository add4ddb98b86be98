package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pluvo/ghl/internal/redact"
)

// The defaults of a [Handler].
const (
	DefaultMaxBody = 1 << 20 // bytes
	// DefaultMaxUnverified is the memory in bytes for the bodies of all requests before their signatures are verified.
	DefaultMaxUnverified = 16 << 20
	DefaultReadTimeout   = 10 * time.Second
	DefaultKeepTimeout   = 10 * time.Second
	DefaultMaxKeeping    = 1000
	// DefaultPast and DefaultFuture are the replay window. The past covers HighLevel's redeliveries, which have the
	// time of the first attempt.
	DefaultPast   = 72 * time.Hour
	DefaultFuture = 5 * time.Minute
	// DefaultRemembered is the number of deliveries that are remembered, in up to 14 MB.
	DefaultRemembered = 100_000
)

// Handler is the http.Handler for HighLevel's deliveries. It is immutable and safe for concurrent use.
//
// Its responses have no body and one of these statuses:
//
//	200  the delivery was kept, now or before
//	400  the body is signed, but is not an event
//	401  the signature is invalid or missing, or the timestamp is older than the replay window, or missing although
//	     [RequireTimestamp] is set; without a signature of the right form the body is not read
//	403  the delivery is for another app ([WithApp])
//	405  the method is not POST
//	413  the body is larger than [WithMaxBody]
//	429  the delivery was not kept and must be redelivered: the keeper failed, panicked or timed out, the
//	     deduplicator failed, too many deliveries are in progress, unverified bodies use all memory allowed for
//	     them, the body was too slow or incomplete, or the timestamp is in the future
//
// 429 is the only status after which HighLevel redelivers according to all of its documents.
type Handler struct {
	config
	verifier *Verifier

	mu      sync.Mutex
	flights map[string]*flight // by the id of the delivery
	keeping int

	unverified unverified
}

// NewHandler returns a Handler. It needs either routes, which are called before the response, or [WithKeeper]. It
// returns the error of the first invalid option.
func NewHandler(v *Verifier, opts ...Option) (*Handler, error) {
	if v == nil || len(v.keys) == 0 {
		return nil, ErrNoKey
	}
	h := &Handler{verifier: v, flights: map[string]*flight{}, config: config{
		maxBody: DefaultMaxBody, readTimeout: DefaultReadTimeout,
		keepTimeout: DefaultKeepTimeout, maxKeeping: DefaultMaxKeeping,
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
	if h.maxUnverified == 0 {
		h.maxUnverified = max(DefaultMaxUnverified, 2*h.maxBody)
	}
	h.unverified.limit = h.maxUnverified
	switch {
	case h.maxUnverified/2 < h.maxBody:
		return nil, errors.New("webhook: NewHandler: WithMaxUnverified is less than twice WithMaxBody")
	case h.keeper != nil && len(h.routes) > 0:
		return nil, errors.New("webhook: NewHandler: routes and WithKeeper exclude each other; see NewRouter")
	case h.keeper == nil && len(h.routes) == 0:
		return nil, errors.New("webhook: NewHandler: a route or WithKeeper is required")
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

// Result is the outcome of a request in one word.
type Result string

// The results.
const (
	Kept        Result = "kept"
	Duplicate   Result = "duplicate"    // kept before
	NotKept     Result = "not kept"     // the keeper or the deduplicator failed
	Panicked    Result = "panicked"     // the keeper panicked
	TimedOut    Result = "timed out"    // the keeper did not return in time
	Busy        Result = "busy"         // see [WithMaxKeeping] and [WithMaxUnverified]
	Forged      Result = "forged"       // not signed with an accepted key
	Replayed    Result = "replayed"     // older than the replay window, or without a required timestamp
	Early       Result = "early"        // the timestamp is in the future: check the clock
	OtherApp    Result = "other app"    // see [WithApp]
	Unreadable  Result = "unreadable"   // signed, but not an event
	CutOff      Result = "cut off"      // the body is incomplete
	TooLarge    Result = "too large"    // see [WithMaxBody]
	TooSlow     Result = "too slow"     // see [WithReadTimeout]
	WrongMethod Result = "wrong method" // not POST
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

// Outcome is what the function of [WithObserver] gets about a request.
type Outcome struct {
	Result Result
	Status int
	// Duration is the time from the beginning of the request to the decision about the response.
	Duration time.Duration
	// Meta is the envelope of a delivery with a valid signature, and otherwise nil. It must not be modified.
	Meta *Envelope
	// Err gives details, or is nil. It can wrap the error of the keeper.
	Err error
}

// ServeHTTP handles a delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	d, result, err := h.receive(w, r)
	if result == "" {
		result, err = h.keep(r.Context(), d)
	}
	status := result.status()
	header := w.Header()
	if result == WrongMethod {
		header.Set("Allow", http.MethodPost)
	}
	if d == nil && result != Unreadable && r.ContentLength != 0 {
		header.Set("Connection", "close") // do not wait for the rest of the body
	}
	w.WriteHeader(status)
	h.report(Outcome{Result: result, Status: status, Duration: time.Since(began), Err: err}, d, r)
}

// report logs the outcome and passes it to the observer.
func (h *Handler) report(o Outcome, d *Delivery, r *http.Request) {
	if d != nil {
		o.Meta = d.event.Meta()
	}
	level := slog.LevelWarn
	if o.Status == http.StatusOK && o.Err == nil {
		level = slog.LevelDebug
	}
	if ctx := r.Context(); h.logger.Enabled(ctx, level) {
		attrs := []slog.Attr{
			slog.String("result", string(o.Result)), slog.Int("status", o.Status),
			slog.Duration("duration", o.Duration),
		}
		if m := o.Meta; m != nil {
			attrs = append(attrs, slog.String("type", redact.Clip(string(m.Type), 100)),
				slog.String("webhookId", redact.Clip(m.WebhookID, 100)),
				slog.String("locationId", redact.Clip(m.LocationID, 100)))
		}
		if o.Err != nil {
			// Sprint recovers if Error panics.
			attrs = append(attrs, slog.String("error", redact.Clip(fmt.Sprint(o.Err), 1000)))
		}
		h.logger.LogAttrs(ctx, level, "webhook", attrs...)
	}
	if h.observe != nil {
		h.observe(o)
	}
}

// receive reads and checks a request. The result is "" for a delivery to keep.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (*Delivery, Result, error) {
	d, result, err := h.readVerified(w, r)
	if result != "" {
		return nil, result, err
	}
	meta := d.event.Meta()
	if len(h.apps) > 0 && !slices.Contains(h.apps, meta.AppID) {
		return d, OtherApp, nil
	}
	at, ok := meta.Timestamp.Instant()
	switch now := h.now(); {
	case !ok && h.needTimestamp:
		return d, Replayed, errors.New("webhook: the timestamp is missing")
	case !ok:
	case h.past > 0 && now.Sub(at) > h.past:
		return d, Replayed, errors.New("webhook: the timestamp is older than the replay window")
	case at.Sub(now) > h.future:
		return d, Early, errors.New("webhook: the timestamp is in the future")
	}
	return d, "", nil
}
