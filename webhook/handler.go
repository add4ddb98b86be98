package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
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
	// DefaultRemembered is how many deliveries are remembered, in about 13 MB.
	DefaultRemembered = 100_000
)

// Handler is the http.Handler that HighLevel delivers to. It is safe for concurrent use, and cannot be changed.
//
// It answers
//
//	200  the delivery was kept, now or before
//	400  the body was cut off, or is no event although it is signed
//	401  the signature is not valid or not there, or the timestamp is older than the replay window
//	403  the delivery is meant for another app ([WithApp])
//	405  it is no POST
//	413  the body is larger than [WithMaxBody]
//	429  the delivery was not kept, so it must come again: the keeper failed, panicked or outlived its time, the deduplicator
//	     failed, too many are being kept, the body came too slowly, or the timestamp lies in the future
//
// 429 is the one answer after which HighLevel delivers again under all that it has published. The answers have no body that
// says more.
type Handler struct {
	config
	verifier *Verifier

	mu      sync.Mutex
	flights map[string]*flight // by webhookId
	keeping int
}

type config struct {
	routes        []Route
	keeper        Keeper
	dedup         Deduplicator
	noDedup       bool
	apps          []string
	maxBody       int64
	readTimeout   time.Duration
	keepTimeout   time.Duration
	maxKeeping    int
	past, future  time.Duration
	needTimestamp bool
	now           func() time.Time
	logger        *slog.Logger
	observe       func(Outcome)
}

// Option configures a [Handler]. A [Route] is one.
type Option interface{ apply(*config) error }

type optionFunc func(*config) error

func (f optionFunc) apply(c *config) error { return f(c) }

func (r Route) apply(c *config) error {
	c.routes = append(c.routes, r)
	return nil
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

// WithKeeper keeps deliveries elsewhere, such as in a queue, instead of calling routes before the answer.
func WithKeeper(k Keeper) Option {
	return optionFunc(func(c *config) error {
		if f, ok := k.(KeeperFunc); k == nil || ok && f == nil {
			return errors.New("webhook: WithKeeper: the keeper is nil")
		}
		c.keeper = k
		return nil
	})
}

// WithDeduplicator remembers kept deliveries elsewhere than in a [Memory] of [DefaultRemembered]. nil remembers none, for
// a keeper that takes the webhookId as a unique key. Either way a delivery without a webhookId is no duplicate of another.
func WithDeduplicator(d Deduplicator) Option {
	return optionFunc(func(c *config) error {
		c.dedup, c.noDedup = d, d == nil
		return nil
	})
}

// WithApp accepts only deliveries for the apps with these ids. HighLevel signs the deliveries of all apps with one key:
// without this option whoever has an app of their own can forward to you what theirs got. A delivery that names no app is
// refused then.
func WithApp(ids ...string) Option {
	return optionFunc(func(c *config) error {
		if len(ids) == 0 || slices.Contains(ids, "") {
			return errors.New("webhook: WithApp: an id is missing")
		}
		c.apps = append(c.apps, ids...)
		return nil
	})
}

// WithReplayWindow sets how far the timestamp of a delivery may lie in the past and in the future, instead of [DefaultPast]
// and [DefaultFuture]; 0 past lets any age pass. A redelivery carries the time of the first one, so a past of minutes
// refuses what honestly comes again. What lies in the future is told to come again.
//
// A delivery without a timestamp passes, see [RequireTimestamp].
func WithReplayWindow(past, future time.Duration) Option {
	return optionFunc(func(c *config) error {
		if past < 0 || future < 0 {
			return errors.New("webhook: WithReplayWindow: a time is negative")
		}
		c.past, c.future = past, future
		return nil
	})
}

// RequireTimestamp refuses a delivery whose timestamp is missing or names no instant. The signature is over the timestamp too,
// so nobody can take it out; but the samples of HighLevel's guide have none, and without this option those pass.
func RequireTimestamp() Option {
	return optionFunc(func(c *config) error {
		c.needTimestamp = true
		return nil
	})
}

// WithMaxBody sets the largest body in bytes, instead of [DefaultMaxBody]. So much memory can one request take before its
// signature is looked at.
func WithMaxBody(bytes int64) Option {
	return optionFunc(func(c *config) error {
		c.maxBody = bytes
		return positive("WithMaxBody", bytes)
	})
}

// WithReadTimeout sets how long the body may take to come, instead of [DefaultReadTimeout].
func WithReadTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.readTimeout = d
		return positive("WithReadTimeout", d)
	})
}

// WithKeepTimeout sets how long keeping a delivery may take, with the deduplicator's part, instead of [DefaultKeepTimeout]. At
// its end the keeper's context ends and the answer is 429. A keeper that succeeds all the same is believed: the redelivery
// is a duplicate then. It goes on when the request's connection ends.
func WithKeepTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.keepTimeout = d
		return positive("WithKeepTimeout", d)
	})
}

// WithMaxKeeping sets how many deliveries may be on their way through the keeper at once, instead of [DefaultMaxKeeping];
// those that have outlived their time count until they return. What is above it comes again.
func WithMaxKeeping(n int) Option {
	return optionFunc(func(c *config) error {
		c.maxKeeping = n
		return positive("WithMaxKeeping", n)
	})
}

// WithClock sets the clock of the replay window, for a fake one.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c *config) error {
		if now == nil {
			return errors.New("webhook: WithClock: the clock is nil")
		}
		c.now = now
		return nil
	})
}

// WithLogger logs each request: Debug when the delivery was kept or is a duplicate, else Warn. A record has the result, the
// status, how long it took, and of a signed delivery type, webhookId and location; of a failed keeper its error, of a panic
// where it happened. Never a body or a header.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(c *config) error {
		if l == nil {
			return errors.New("webhook: WithLogger: the logger is nil")
		}
		c.logger = l
		return nil
	})
}

// WithObserver calls f after the answer to each request, for metrics. It is called by many goroutines at once.
func WithObserver(f func(Outcome)) Option {
	return optionFunc(func(c *config) error {
		if f == nil {
			return errors.New("webhook: WithObserver: the function is nil")
		}
		c.observe = f
		return nil
	})
}

func positive[N ~int | ~int64](option string, n N) error {
	if n <= 0 {
		return fmt.Errorf("webhook: %s: the value is not positive", option)
	}
	return nil
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
	Unreadable  Result = "unreadable"   // cut off, or no event although signed
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
	// Duration is from the beginning of the request to the answer.
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
	case TooLarge, TooSlow, Unreadable:
		header.Set("Connection", "close") // what is left of the body is not read
	}
	header["Content-Length"] = noContent
	w.WriteHeader(status)
	h.tell(Outcome{Result: result, Status: status, Duration: time.Since(began), Err: err}, d, r)
}

var noContent = []string{"0"}

func (h *Handler) tell(o Outcome, d *Delivery, r *http.Request) {
	if d != nil {
		o.Meta = d.event.Meta()
	}
	level := slog.LevelWarn
	if o.Status == http.StatusOK {
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
			attrs = append(attrs, slog.String("error", clip(o.Err.Error(), 1000)))
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
	if r.Method != http.MethodPost {
		return nil, WrongMethod, nil
	}
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

const firstRead = 16 << 10

// read reads the body. It takes memory as the body comes, not as its length is announced.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, result Result, err error) {
	if r.ContentLength > h.maxBody {
		return nil, TooLarge, nil
	}
	size := r.ContentLength
	if size < 0 || size > firstRead {
		size = min(firstRead, h.maxBody)
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(h.readTimeout)) == nil {
		if body, err = readAll(r.Body, size, h.maxBody); err == nil {
			_ = control.SetReadDeadline(time.Time{}) // for the connection's next request
		}
	} else {
		body, err = h.readWithout(r.Body, size)
	}
	switch {
	case err == nil:
		return body, "", nil
	case errors.Is(err, errTooLarge):
		return nil, TooLarge, nil
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return nil, TooSlow, nil
	}
	return nil, Unreadable, errors.New("webhook: the body was cut off")
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// readWithout reads a body from where no deadline can be set, as behind a middleware that hides the connection. A read that
// hangs is left behind; it ends when the server closes the body.
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

// readAll reads to the end, at most limit bytes.
func readAll(from io.Reader, size, limit int64) ([]byte, error) {
	if from == nil {
		return nil, nil
	}
	b := make([]byte, 0, size+1) // one more, to see the end
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

// flight is a delivery on its way through the keeper.
type flight struct {
	done chan struct{} // closed when the rest is set
	end  result
}

type result struct {
	result Result
	err    error
}

// keep hands a delivery to the keeper, or waits for the same one that is there already.
func (h *Handler) keep(ctx context.Context, d *Delivery) (Result, error) {
	id := d.event.Meta().WebhookID
	h.mu.Lock()
	f := h.flights[id]
	first := f == nil
	if first {
		if h.keeping >= h.maxKeeping {
			h.mu.Unlock()
			return Busy, nil
		}
		f = &flight{done: make(chan struct{})}
		h.keeping++
		if id != "" {
			h.flights[id] = f
		}
	}
	h.mu.Unlock()
	// The sender's patience must not decide whether the work is done: it would come again all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.keepTimeout)
	if first {
		go h.fly(ctx, cancel, f, d, id)
	} else {
		defer cancel()
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		select {
		case <-f.done: // in the same moment
		default:
			return TimedOut, nil
		}
	}
	if !first && f.end.result == Kept {
		return Duplicate, nil
	}
	return f.end.result, f.end.err
}

// fly runs the keeper. Until it returns, no other copy of the delivery is handled, also when its time is over.
func (h *Handler) fly(ctx context.Context, cancel context.CancelFunc, f *flight, d *Delivery, id string) {
	f.end = result{Panicked, errors.New("webhook: the keeper ended its goroutine")}
	defer func() {
		if p := recover(); p != nil {
			f.end = result{Panicked, fmt.Errorf("webhook: the keeper panicked: %v%s", p, where())}
		}
		if f.end.result != Kept && ctx.Err() != nil { // nobody may be waiting to tell of it
			h.logger.LogAttrs(ctx, slog.LevelWarn, "webhook: a keeper whose time was over has failed", slog.String("webhookId", clip(id, 100)),
				slog.String("error", clip(fmt.Sprint(f.end.err), 1000)))
		}
		h.mu.Lock()
		h.keeping--
		if id != "" {
			delete(h.flights, id)
		}
		h.mu.Unlock()
		close(f.done)
		cancel() // only now, so that whoever waits sees the end and no time-out
	}()
	f.end = h.handle(ctx, d, id)
}

func (h *Handler) handle(ctx context.Context, d *Delivery, id string) result {
	remembers := id != "" && h.dedup != nil
	if remembers {
		known, err := h.dedup.Kept(ctx, id)
		switch {
		case err != nil:
			return result{NotKept, fmt.Errorf("webhook: the deduplicator failed: %w", err)}
		case known:
			return result{Duplicate, nil}
		}
	}
	if err := h.keeper.Keep(ctx, d); err != nil {
		return result{NotKept, err}
	}
	if !remembers {
		return result{Kept, nil}
	}
	if ctx.Err() != nil { // late, but done
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), h.keepTimeout)
		defer cancel()
	}
	if err := h.remember(ctx, id); err != nil { // it is kept, so it must not come again for that
		return result{Kept, fmt.Errorf("webhook: the delivery is kept, but the deduplicator did not remember it: %w", err)}
	}
	return result{Kept, nil}
}

// remember keeps a panic of the deduplicator from undoing what was kept.
func (h *Handler) remember(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return h.dedup.Remember(ctx, id)
}

// where says where a panic happened: functions and lines, without what they were called with.
func where() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	var b strings.Builder
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			file := frame.File[strings.LastIndexByte(frame.File, '/')+1:]
			fmt.Fprintf(&b, "; %s (%s:%d)", frame.Function, file, frame.Line)
		}
		if !more || strings.HasSuffix(frame.Function, "(*Handler).handle") {
			return b.String()
		}
	}
}
