package webhook

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// deliveredAt is the timestamp of the samples.
var deliveredAt = time.Date(2025, 11, 7, 12, 46, 45, 953e6, time.UTC)

func clockAt(at time.Time) Option { return WithClock(func() time.Time { return at }) }

func handler(t testing.TB, opts ...Option) *Handler {
	h, err := NewHandler(verifier(t), append([]Option{clockAt(deliveredAt)}, opts...)...)
	require.NoError(t, err)
	return h
}

// post delivers a body, with a valid signature unless another header is given.
func post(h http.Handler, body string, header ...http.Header) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = signed([]byte(body))
	if len(header) > 0 {
		r.Header = header[0]
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func status(h http.Handler, body string, header ...http.Header) int {
	return post(h, body, header...).StatusCode
}

func numbered(n int) string {
	return fmt.Sprintf(`{"type":"NoteCreate","id":"n%d","timestamp":"2025-11-07T12:46:45.953Z","webhookId":"w%d"}`,
		n, n)
}

var note = flat(NoteCreate, noteRecord)

// outcomes collects the outcomes that the observer gets.
type outcomes struct {
	mu   sync.Mutex
	list []Outcome
}

func (o *outcomes) option() Option {
	return WithObserver(func(outcome Outcome) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.list = append(o.list, outcome)
	})
}

func (o *outcomes) results() []Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []Result
	for _, outcome := range o.list {
		list = append(list, outcome.Result)
	}
	return list
}

func TestAnswers(t *testing.T) {
	kept := 0
	var seen outcomes
	h := handler(t, OnAny(func(context.Context, Event) error { kept++; return nil }), seen.option(), WithMaxBody(2000),
		WithApp("our1"))
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
		r := httptest.NewRequest(method, "/", strings.NewReader(note))
		r.Header = signed([]byte(note))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "POST", w.Header().Get("Allow"))
	}
	for _, test := range []struct {
		name   string
		body   string
		header http.Header
		want   int
		result Result
	}{
		{"no signature", note, http.Header{}, 401, Forged},
		{"forged", note, http.Header{"X-Ghl-Signature": {signature(keyOf("other"), []byte(note))}}, 401, Forged},
		{"signature of another body", note, signed([]byte(note + " ")), 401, Forged},
		{"no JSON", "hello", signed([]byte("hello")), 400, Unreadable},
		{"no JSON and forged", "hello", signed([]byte("x")), 401, Forged},
		{"no type", "{}", signed([]byte("{}")), 400, Unreadable},
		{"empty", "", signed(nil), 401, Forged},
		{"too large", strings.Repeat("x", 2001), nil, 413, TooLarge},
		{"largest", strings.Repeat("x", 2000), http.Header{}, 401, Forged},
		{"other app", strings.Replace(note, "our1", "their1", 1), nil, 403, OtherApp},
		{"no app", numbered(1), nil, 403, OtherApp},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := test.header
			if header == nil {
				header = signed([]byte(test.body))
			}
			resp := post(h, test.body, header)
			require.Equal(t, test.want, resp.StatusCode)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Empty(t, body)
			list := seen.results()
			require.Equal(t, test.result, list[len(list)-1])
		})
	}
	require.Zero(t, kept)
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 1, kept)
	last := seen.list[len(seen.list)-1]
	require.Equal(t, Duplicate, last.Result)
	require.Equal(t, NoteCreate, last.Meta.Type)
	require.Equal(t, 200, last.Status)
	require.Nil(t, seen.list[0].Meta, "the outcome has no Meta of an unverified delivery")
}

// TestContentEncoding: the handler does not decompress a body, so a small body cannot become large.
func TestContentEncoding(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.WriteString(w, note)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	h := handler(t, OnAny(nothing))
	for text, want := range map[string]int{note: 401, packed.String(): 400} {
		header := signed([]byte(text))
		header.Set("Content-Encoding", "gzip")
		require.Equal(t, want, status(h, packed.String(), header))
	}
	header := signed([]byte(note))
	header.Set("Content-Type", "text/plain")
	require.Equal(t, 200, status(h, note, header), "the Content-Type is ignored")
}

func TestEverySampleIsDelivered(t *testing.T) {
	for name, body := range samples() {
		var got Event
		h := handler(t, OnAny(func(_ context.Context, e Event) error { got = e; return nil }))
		require.Equal(t, 200, status(h, body), name)
		want, err := Decode([]byte(body))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestRoutes(t *testing.T) {
	var calls []string
	say := func(name string) func(context.Context, Event) error {
		return func(_ context.Context, e Event) error {
			calls = append(calls, name+" "+string(e.Meta().Type))
			return nil
		}
	}
	h := handler(t, WithDeduplicator(nil),
		OnContactCreatedOrUpdated(func(ctx context.Context, e *ContactEvent) error { return say("saved")(ctx, e) }),
		OnContact(func(ctx context.Context, e *ContactEvent) error { return say("contact")(ctx, e) }),
		OnTask(func(ctx context.Context, e *TaskEvent) error { return say("task")(ctx, e) }),
		OnNoteOrAppointment(say("note or appointment")),
		OnNote(func(ctx context.Context, e *NoteEvent) error { return say("note")(ctx, e) }),
		OnAppointment(func(ctx context.Context, e *AppointmentEvent) error { return say("appointment")(ctx, e) }),
		OnInstall(func(ctx context.Context, e *InstallEvent) error { return say("install")(ctx, e) }),
		OnUninstall(func(ctx context.Context, e *UninstallEvent) error { return say("uninstall")(ctx, e) }),
		OnUnknown(func(ctx context.Context, e *UnknownEvent) error { return say("unknown")(ctx, e) }),
		On("OpportunityCreate", say("on")),
	)
	for _, test := range []struct {
		kinds []Type
		want  []string
	}{
		{[]Type{ContactCreate, ContactUpdate, ContactTagUpdate, ContactDndUpdate}, []string{"saved", "contact"}},
		{[]Type{ContactDelete}, []string{"contact"}},
		{[]Type{TaskCreate, TaskComplete, TaskDelete}, []string{"task"}},
		{[]Type{NoteCreate, NoteUpdate, NoteDelete}, []string{"note or appointment", "note"}},
		{[]Type{AppointmentCreate, AppointmentUpdate, AppointmentDelete},
			[]string{"note or appointment", "appointment"}},
		{[]Type{AppInstall}, []string{"install"}},
		{[]Type{AppUninstall}, []string{"uninstall"}},
		{[]Type{"OpportunityCreate"}, []string{"unknown", "on"}},
	} {
		for _, kind := range test.kinds {
			calls = nil
			require.Equal(t, 200, status(h, flat(kind, `"id":"x"`)))
			var want []string
			for _, name := range test.want {
				want = append(want, name+" "+string(kind))
			}
			require.Equal(t, want, calls)
		}
	}
}

func TestNoRouteForAnEventKeepsIt(t *testing.T) {
	h := handler(t, OnTask(func(context.Context, *TaskEvent) error { return errors.New("not for notes") }))
	require.Equal(t, 200, status(h, note))
}

func TestRouterCallsAllRoutesAndFails(t *testing.T) {
	called := 0
	fails := func(context.Context, Event) error { called++; return fmt.Errorf("failure %d", called) }
	var seen outcomes
	h := handler(t, OnAny(fails), OnAny(fails), OnAny(func(context.Context, Event) error { called++; return nil }),
		seen.option())
	require.Equal(t, 429, status(h, note))
	require.Equal(t, 3, called)
	require.ErrorContains(t, seen.list[0].Err, "failure 1\nfailure 2")

	router, err := NewRouter(OnAny(nothing))
	require.NoError(t, err)
	require.Error(t, router.Keep(t.Context(), nil))
	require.Error(t, router.Keep(t.Context(), &Delivery{}), "an unverified delivery is refused")
}

func TestWrongOptions(t *testing.T) {
	for name, opts := range map[string][]Option{
		"nothing":              nil,
		"route without func":   {OnAny(nil)},
		"typed without func":   {OnNote(nil)},
		"zero route":           {Route{}},
		"both":                 {OnAny(nothing), WithKeeper(KeeperFunc(func(context.Context, *Delivery) error { return nil }))},
		"nil keeper":           {WithKeeper(nil)},
		"nil keeper func":      {WithKeeper(KeeperFunc(nil))},
		"no app":               {OnAny(nothing), WithApp()},
		"empty app":            {OnAny(nothing), WithApp("a", "")},
		"negative past":        {OnAny(nothing), WithReplayWindow(-1, 0)},
		"negative future":      {OnAny(nothing), WithReplayWindow(0, -1)},
		"body":                 {OnAny(nothing), WithMaxBody(0)},
		"unverified":           {OnAny(nothing), WithMaxUnverified(0)},
		"unverified too small": {OnAny(nothing), WithMaxBody(1000), WithMaxUnverified(1999)},
		"read timeout":         {OnAny(nothing), WithReadTimeout(0)},
		"keep timeout":         {OnAny(nothing), WithKeepTimeout(-time.Second)},
		"keeping":              {OnAny(nothing), WithMaxKeeping(0)},
		"clock":                {OnAny(nothing), WithClock(nil)},
		"logger":               {OnAny(nothing), WithLogger(nil)},
		"observer":             {OnAny(nothing), WithObserver(nil)},
		"installations no app": {FeedInstallations("", &oauth.Installations{})},
		"installations nil":    {FeedInstallations("our1", nil)},
	} {
		h, err := NewHandler(verifier(t), opts...)
		require.Error(t, err, name)
		require.Nil(t, h, name)
	}
	_, err := NewMemory(0)
	require.Error(t, err)
	_, err = NewHandler(verifier(t), nil, OnAny(nothing))
	require.NoError(t, err, "a nil option is ignored")
}

func TestReplayWindow(t *testing.T) {
	for _, test := range []struct {
		name string
		age  time.Duration // of the delivery
		opts []Option
		want int
	}{
		{"now", 0, nil, 200},
		{"a day old", 24 * time.Hour, nil, 200},
		{"at the end of the window", DefaultPast, nil, 200},
		{"older", DefaultPast + time.Millisecond, nil, 401},
		{"a little ahead", -DefaultFuture, nil, 200},
		{"from the future", -DefaultFuture - time.Millisecond, nil, 429},
		{"narrow, within", time.Minute, []Option{WithReplayWindow(time.Minute, time.Second)}, 200},
		{"narrow, older", time.Minute + time.Second, []Option{WithReplayWindow(time.Minute, time.Second)}, 401},
		{"narrow, ahead", -2 * time.Second, []Option{WithReplayWindow(time.Minute, time.Second)}, 429},
		{"any age", 1e5 * time.Hour, []Option{WithReplayWindow(0, 0)}, 200},
		{"any age, but not ahead", -time.Nanosecond, []Option{WithReplayWindow(0, 0)}, 429},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept := 0
			opts := append(test.opts, clockAt(deliveredAt.Add(test.age)),
				OnAny(func(context.Context, Event) error { kept++; return nil }))
			require.Equal(t, test.want, status(handler(t, opts...), note))
			require.Equal(t, test.want == 200, kept == 1)
		})
	}
	for _, body := range []string{`{"type":"x"}`, `{"type":"x","timestamp":"soon"}`,
		`{"type":"x","timestamp":"2025-11-07 12:46:45"}`} {
		require.Equal(t, 200, status(handler(t, OnAny(nothing)), body))
		require.Equal(t, 401, status(handler(t, OnAny(nothing), RequireTimestamp()), body))
	}
	require.Equal(t, 200, status(handler(t, OnAny(nothing), RequireTimestamp()), note))
}

func TestDuplicatesOutsideOfTheWindowAreStillRefused(t *testing.T) {
	at := deliveredAt
	h := handler(t, OnAny(nothing), WithClock(func() time.Time { return at }))
	require.Equal(t, 200, status(h, note))
	at = at.Add(DefaultPast + time.Second)
	require.Equal(t, 401, status(h, note), "the replay window is separate from the duplicate check")
}

func TestWhatCouldNotBeKeptComesAgain(t *testing.T) {
	for name, fail := range map[string]func(context.Context, Event) error{
		"error":  func(context.Context, Event) error { return errors.New("no") },
		"panic":  func(context.Context, Event) error { panic("no") },
		"goexit": func(context.Context, Event) error { runtime.Goexit(); return nil },
		"index":  func(context.Context, Event) error { return []error{}[len(numbered(1))] },
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			var logged bytes.Buffer
			h := handler(t, WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
				OnAny(func(ctx context.Context, e Event) error {
					if calls++; calls < 3 {
						return fail(ctx, e)
					}
					return nil
				}))
			require.Equal(t, []int{429, 429, 200, 200},
				[]int{status(h, note), status(h, note), status(h, note), status(h, note)})
			require.Equal(t, 3, calls, "remembered only after it was kept")
			require.Equal(t, 2, strings.Count(logged.String(), "status=429"))
			if name == "panic" {
				require.Contains(t, logged.String(), "handler_test.go:")
			}
		})
	}
}

func TestTheSameDelivery100TimesAtOnceIsHandledOnce(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var handled atomic.Int32
			var seen outcomes
			h := handler(t, seen.option(), OnAny(func(context.Context, Event) error {
				handled.Add(1)
				time.Sleep(time.Second) // of the fake clock
				if fails {
					return errors.New("no")
				}
				return nil
			}))
			answers := make(chan int, 100)
			for range 100 {
				go func() { answers <- status(h, note) }()
			}
			time.Sleep(999 * time.Millisecond)
			synctest.Wait()
			require.Empty(t, answers, "a delivery is acknowledged only after it was kept")
			for range 100 {
				require.Equal(t, map[bool]int{false: 200, true: 429}[fails], <-answers)
			}
			require.EqualValues(t, 1, handled.Load())
			require.Empty(t, h.flights)
			require.Zero(t, h.keeping)
			count := map[Result]int{}
			for _, r := range seen.results() {
				count[r]++
			}
			if fails {
				require.Equal(t, map[Result]int{NotKept: 100}, count)
			} else {
				require.Equal(t, map[Result]int{Kept: 1, Duplicate: 99}, count)
			}
		})
	}
}

func TestAHandlerThatOutlivesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, end := 0, make(chan error)
		var seen outcomes
		var logged bytes.Buffer
		h := handler(t, WithKeepTimeout(time.Minute), seen.option(),
			WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
			OnAny(func(ctx context.Context, _ Event) error {
				calls++
				deadline, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, time.Minute, time.Until(deadline))
				return <-end // without a look at the context
			}))
		began := time.Now()
		require.Equal(t, 429, status(h, note))
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, 429, status(h, note), "a redelivery while the first is being handled")
		require.Equal(t, 1, calls, "the redelivery is not handled")
		end <- errors.New("too late")
		synctest.Wait()
		require.Contains(t, logged.String(), "returned after its time")
		require.Contains(t, logged.String(), "too late")

		go func() {
			time.Sleep(2 * time.Minute)
			end <- nil
		}()
		require.Equal(t, 429, status(h, note))
		require.Equal(t, 2, calls)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, 2, strings.Count(logged.String(), "returned after its time"))
		go func() { end <- nil }()
		require.Equal(t, 200, status(h, note), "it was answered 429, so it is handled again despite the late success")
		require.Equal(t, 3, calls)
		require.Equal(t, 200, status(h, note))
		require.Equal(t, 3, calls)
		require.Equal(t, []Result{TimedOut, TimedOut, TimedOut, Kept, Duplicate}, seen.results())
		require.Empty(t, h.flights)
		require.Zero(t, h.keeping)
	})
}

// TestACopyOfAHandlerThatOutlivesItsTime: a repeated delivery waits for the first one and gets the same answer.
func TestACopyOfAHandlerThatOutlivesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan error)
		h := handler(t, WithKeepTimeout(time.Minute), OnAny(func(context.Context, Event) error { return <-end }))
		answers := make(chan int, 2)
		began := time.Now()
		go func() { answers <- status(h, note) }()
		time.Sleep(59 * time.Second)
		go func() { answers <- status(h, note) }()
		require.Equal(t, []int{429, 429}, []int{<-answers, <-answers})
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, 429, status(h, note), "at once, because the handler still runs")
		require.Equal(t, time.Minute, time.Since(began))
		close(end)
		synctest.Wait()
		require.Equal(t, 200, status(h, note))
	})
}

// TestADeduplicatorThatTakesLong: a delivery that was kept in time is acknowledged even if Remember takes too long, and
// Remember still completes.
func TestADeduplicatorThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, err := NewMemory(1)
		require.NoError(t, err)
		var seen outcomes
		calls, dedup := 0, &fakeDedup{Memory: memory, slow: 90 * time.Second}
		h := handler(t, WithKeepTimeout(time.Minute), WithDeduplicator(dedup), seen.option(),
			OnAny(func(context.Context, Event) error {
				calls++
				time.Sleep(59 * time.Second)
				return nil
			}))
		began := time.Now()
		require.Equal(t, 200, status(h, note))
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, 200, status(h, note))
		require.Equal(t, 1, calls)
		require.Equal(t, []Result{Kept, Duplicate}, seen.results())
		require.ErrorIs(t, seen.list[0].Err, errRemembering)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.ErrorIs(t, dedup.seenErr, context.DeadlineExceeded,
			"the context of the deduplicator has a deadline too")
		dedup.slow = 29 * time.Second
		require.Equal(t, 200, status(h, numbered(1)))
		time.Sleep(time.Hour)
		require.Equal(t, 200, status(h, numbered(1)))
		require.Equal(t, 2, calls, "half of the time is reserved for Remember")
		calls = 1
		dedup.slow = 0
		require.Equal(t, 200, status(h, note))
		require.Equal(t, 2, calls, "it was not remembered")
		require.Equal(t, 200, status(h, note))
		require.Equal(t, 2, calls)
	})
}

func TestAHandlerThatHeedsItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, WithKeepTimeout(time.Second), OnAny(func(ctx context.Context, _ Event) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		require.Equal(t, 429, status(h, note))
		synctest.Wait()
		require.Empty(t, h.flights)
	})
}

// nilError is an error whose methods panic on a nil pointer.
type nilError struct{ inner error }

func (e *nilError) Error() string { return e.inner.Error() }
func (e *nilError) Unwrap() error { return e.inner }

func TestAnErrorThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var takes time.Duration
		var logged bytes.Buffer
		h := handler(t, WithKeepTimeout(time.Second), WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
			OnAny(func(context.Context, Event) error {
				time.Sleep(takes)
				return (*nilError)(nil)
			}))
		for _, takes = range []time.Duration{0, time.Minute} {
			require.Equal(t, 429, status(h, note))
			time.Sleep(time.Hour)
			synctest.Wait()
			require.Empty(t, h.flights)
		}
		require.Equal(t, 2, strings.Count(logged.String(), "status=429"))
	})
}

func TestASenderThatGoesAwayDoesNotEndTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, OnAny(func(ctx context.Context, _ Event) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
				return nil
			}
		}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(note))
		r.Header = signed([]byte(note))
		h.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, 200, status(h, note))
	})
}

func TestMaxKeeping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var seen outcomes
		h := handler(t, WithMaxKeeping(3), seen.option(),
			OnAny(func(context.Context, Event) error { <-release; return nil }))
		answers := make(chan int, 4)
		for i := range 3 {
			go func() { answers <- status(h, numbered(i)) }()
		}
		synctest.Wait()
		require.Equal(t, 429, status(h, numbered(4)))
		go func() { answers <- status(h, numbered(0)) }() // waits beside the first
		synctest.Wait()
		require.Equal(t, []Result{Busy}, seen.results())
		close(release)
		for range 4 {
			require.Equal(t, 200, <-answers)
		}
		require.Equal(t, 200, status(h, numbered(4)))
	})
}

func TestWithoutWebhookID(t *testing.T) {
	calls := 0
	var seen outcomes
	var logged bytes.Buffer
	count := OnAny(func(context.Context, Event) error { calls++; return nil })
	h := handler(t, seen.option(), WithLogger(slog.New(slog.NewTextHandler(&logged, nil))), count)
	timed := `{"type":"ContactUpdate","id":"con1","timestamp":"2025-11-07T12:46:45.953Z"}`
	for range 3 {
		require.Equal(t, 200, status(h, timed))
	}
	require.Equal(t, 200, status(h, strings.Replace(timed, "953", "952", 1)))
	require.Equal(t, 200, status(h, strings.Replace(timed, "con1", "con2", 1)))
	require.Equal(t, []Result{Kept, Duplicate, Duplicate, Kept, Kept}, seen.results(), "identified by its bytes")
	require.Equal(t, 3, calls)
	require.Empty(t, logged.String())

	bare := `{"type":"ContactUpdate","id":"con1"}`
	seen.list = nil
	for range 2 {
		require.Equal(t, 200, status(h, bare))
	}
	require.Equal(t, []Result{Kept, Kept}, seen.results(), "it may be another change with the same content")
	require.Equal(t, 5, calls)
	require.ErrorIs(t, seen.list[0].Err, errUnidentified)
	require.Equal(t, 2, strings.Count(logged.String(), "a repetition cannot be detected"), "this is logged")

	h = handler(t, RequireTimestamp(), count)
	require.Equal(t, 401, status(h, bare), "a delivery without an identity is refused")
}

func TestDeliveryID(t *testing.T) {
	id := func(body string) string {
		d, err := verifier(t).Open([]byte(body), signed([]byte(body)))
		require.NoError(t, err)
		return d.ID()
	}
	require.Equal(t, "w1", id(numbered(1)))
	require.Empty(t, id(`{"type":"x"}`))
	require.Empty(t, id(`{"type":"x","webhookId":null,"timestamp":null}`))
	odd := id(`{"type":"x","timestamp":"soon"}`)
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", odd)
	require.Equal(t, odd, id(`{"type":"x","timestamp":"soon"}`))
	require.NotEqual(t, odd, id(`{"type":"x","timestamp":"soon" }`))
}

// fakeDedup is a deduplicator that fails on demand.
type fakeDedup struct {
	*Memory
	keptErr, rememberErr error
	panics, exits        bool
	slow                 time.Duration
	seenErr              error // of the context, behind the slowness
}

func (f *fakeDedup) Kept(ctx context.Context, id string) (bool, error) {
	if f.keptErr != nil {
		return false, f.keptErr
	}
	return f.Memory.Kept(ctx, id)
}

func (f *fakeDedup) Remember(ctx context.Context, id string) error {
	if f.panics {
		panic("no")
	}
	if f.exits {
		runtime.Goexit()
	}
	if f.slow > 0 {
		time.Sleep(f.slow)
		if f.seenErr = ctx.Err(); f.seenErr != nil {
			return f.seenErr
		}
	}
	if f.rememberErr != nil {
		return f.rememberErr
	}
	return f.Memory.Remember(ctx, id)
}

func TestDeduplicator(t *testing.T) {
	memory, err := NewMemory(10)
	require.NoError(t, err)
	calls, dedup := 0, &fakeDedup{Memory: memory, keptErr: errors.New("store is away")}
	var seen outcomes
	h := handler(t, WithDeduplicator(dedup), seen.option(),
		OnAny(func(context.Context, Event) error { calls++; return nil }))
	require.Equal(t, 429, status(h, note))
	require.Zero(t, calls, "a delivery is not handled if the duplicate check fails")
	require.ErrorIs(t, seen.list[0].Err, dedup.keptErr)

	dedup.keptErr, dedup.rememberErr = nil, errors.New("store is full")
	require.Equal(t, 200, status(h, note), "the delivery is kept")
	require.ErrorIs(t, seen.list[1].Err, dedup.rememberErr)
	dedup.panics = true
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 2, calls)
	dedup.panics, dedup.exits = false, true
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 3, calls)
	require.ErrorContains(t, seen.list[3].Err, "ended its goroutine")
	dedup.exits, dedup.rememberErr = false, nil
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 4, calls)
}

func TestMemoryIsBounded(t *testing.T) {
	m, err := NewMemory(3)
	require.NoError(t, err)
	known := func(id string) bool {
		ok, err := m.Kept(t.Context(), id)
		require.NoError(t, err)
		return ok
	}
	for i := range 10 {
		id := fmt.Sprint(i, strings.Repeat("x", i*1000))
		require.False(t, known(id))
		require.NoError(t, m.Remember(t.Context(), id))
		require.NoError(t, m.Remember(t.Context(), id), "a repeated Remember has no effect")
		require.True(t, known(id))
		require.LessOrEqual(t, len(m.known), 3)
		require.Len(t, m.ring, len(m.known))
	}
	require.False(t, known("6"+strings.Repeat("x", 6000)), "the oldest are dropped")
	require.True(t, known("7"+strings.Repeat("x", 7000)))
}

func TestKeeperAsAQueue(t *testing.T) {
	var queue []*Delivery
	full := true
	h := handler(t, WithKeeper(KeeperFunc(func(_ context.Context, d *Delivery) error {
		if full {
			return errors.New("the queue is full")
		}
		queue = append(queue, d)
		return nil
	})))
	require.Equal(t, 429, status(h, note))
	full = false
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 200, status(h, note))
	require.Len(t, queue, 1)

	got := ""
	router, err := NewRouter(OnNote(func(_ context.Context, e *NoteEvent) error { got = e.Note.Body; return nil }))
	require.NoError(t, err)
	d, err := verifier(t).Open(queue[0].Body(), queue[0].Header())
	require.NoError(t, err)
	require.NoError(t, router.Keep(t.Context(), d))
	require.Equal(t, "was friendly", got)
}

func TestLogIsByAllowList(t *testing.T) {
	var logged bytes.Buffer
	h := handler(t, WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		OnAny(nothing))
	require.Equal(t, 200, status(h, flat(ContactCreate, contactRecord)))
	require.Equal(t, 401, status(h, flat(ContactCreate, contactRecord),
		http.Header{"X-Ghl-Signature": {"not-a-signature"}, "Authorization": {"hush"}}))
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	require.Len(t, lines, 2)
	var records [2]map[string]any
	for i, line := range lines {
		require.NoError(t, json.Unmarshal([]byte(line), &records[i]))
		delete(records[i], "time")
		delete(records[i], "duration")
	}
	require.Equal(t, map[string]any{
		"level": "DEBUG", "msg": "webhook", "result": "kept", "status": 200.0, "type": "ContactCreate", "locationId": "loc1",
		"webhookId": "9c1d7a52-3a0e-4a58-8f43-000000000000",
	}, records[0])
	require.Equal(t, map[string]any{
		"level": "WARN", "msg": "webhook", "result": "forged", "status": 401.0, "error": ErrInvalidSignature.Error(),
	}, records[1], "no attributes of an unverified delivery")
}

// serve runs the handler in a real server, without a network, and returns how to connect.
func serve(t *testing.T, h http.Handler) func() net.Conn {
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return func() net.Conn {
		client, conn := net.Pipe()
		listener.conns <- conn
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// hidden is a middleware that hides the optional methods of its writer.
func hidden(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}

func TestASlowBodyIsGivenUp(t *testing.T) {
	const perSecond, never = time.Second, time.Hour
	for _, test := range []struct {
		name  string
		wrap  func(http.Handler) http.Handler
		pause time.Duration // behind each byte
	}{
		{"drips", nil, perSecond}, {"hangs", nil, never},
		{"drips where no deadline can be set", hidden, perSecond}, {"hangs where no deadline can be set", hidden, never},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen outcomes
				var h http.Handler = handler(t, OnAny(nothing), WithReadTimeout(7500*time.Millisecond), seen.option())
				if test.wrap != nil {
					h = test.wrap(h)
				}
				conn := serve(t, h)()
				began := time.Now()
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-GHL-Signature: "+
						signature(testKey, nil)+"\r\nContent-Length: 1000000\r\n\r\n")
					for {
						if _, err := conn.Write([]byte("x")); err != nil {
							return
						}
						time.Sleep(test.pause)
					}
				}()
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				require.Equal(t, 429, resp.StatusCode)
				require.True(t, resp.Close)
				require.Equal(t, 7500*time.Millisecond, time.Since(began))
				require.Equal(t, []Result{TooSlow}, seen.results())
				_ = conn.Close()
				<-done
			})
		})
	}
}

// TestABodyThatIsNotReadIsGivenUp: an unread body does not delay the answer, and holds the connection no longer than a
// body that is read.
func TestABodyThatIsNotReadIsGivenUp(t *testing.T) {
	for name, head := range map[string]string{
		"405": "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nx",
		"413": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\nx",
	} {
		synctest.Test(t, func(t *testing.T) {
			conn := serve(t, handler(t, OnAny(nothing), WithMaxBody(1000), WithReadTimeout(7500*time.Millisecond)))()
			began := time.Now()
			defer time.AfterFunc(time.Hour, func() { _ = conn.Close() }).Stop()
			_, err := io.WriteString(conn, head)
			require.NoError(t, err)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, name, fmt.Sprint(resp.StatusCode))
			require.Zero(t, time.Since(began))
			_, err = conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, 7500*time.Millisecond, time.Since(began).Truncate(time.Second/2))
		})
	}
}

func TestACutBodyIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen outcomes
		conn := serve(t, handler(t, OnAny(nothing), seen.option()))()
		_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-GHL-Signature: "+
			signature(testKey, nil)+"\r\nContent-Length: 100\r\n\r\nabc")
		require.NoError(t, err)
		_ = conn.Close()
		synctest.Wait()
		require.Equal(t, []Result{CutOff}, seen.results())
	})
}

func TestTheConnectionGoesOnAfterADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, WithReadTimeout(time.Second),
			OnAny(func(context.Context, Event) error { time.Sleep(2 * time.Second); return nil }))
		conn := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// a middleware that reads the body: the server then waits for the next request already
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.ServeHTTP(w, r)
			assert.NoError(t, r.Context().Err(), "the sender is still connected")
		}))()
		reader := bufio.NewReader(conn)
		for i := range 3 {
			body := numbered(i)
			_, err := fmt.Fprintf(conn,
				"POST / HTTP/1.1\r\nHost: x\r\nX-GHL-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
				signature(testKey, []byte(body)), len(body), body)
			require.NoError(t, err)
			resp, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			time.Sleep(time.Hour) // the deadline was for the body alone
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			resp, err = http.ReadResponse(reader, nil)
			require.NoError(t, err)
			require.Equal(t, 405, resp.StatusCode)
			time.Sleep(time.Hour)
		}
		_ = conn.Close()
		synctest.Wait()
	})
}

// endless is a body without end that counts the bytes read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func TestAnEndlessBodyCostsBoundedMemory(t *testing.T) {
	h := handler(t, OnAny(nothing), WithMaxBody(100_000))
	for _, announced := range []int64{-1, 50} { // chunked, and a length that is too small
		body := &endless{}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header = signed(nil)
		r.Body, r.ContentLength = body, announced
		w := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.ServeHTTP(w, r)
		runtime.ReadMemStats(&after)
		require.Equal(t, 413, w.Code)
		require.Equal(t, "close", w.Header().Get("Connection"))
		require.Equal(t, 100_001, body.read)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
	body := &endless{}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Body, r.ContentLength = body, 100_001
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 413, w.Code)
	require.Zero(t, body.read)
}

func TestAMiddlewareThatBoundsTheBody(t *testing.T) {
	h := http.MaxBytesHandler(handler(t, OnAny(nothing)), int64(len(note)))
	require.Equal(t, 200, status(h, note))
	require.Equal(t, 413, status(h, note+" "))
}

// TestAnAnnouncedBodyTakesMemoryOnlyAsItComes: memory grows with the bytes received, not with Content-Length.
func TestAnAnnouncedBodyTakesMemoryOnlyAsItComes(t *testing.T) {
	w := &wire{header: http.Header{}}
	h := handler(t, OnAny(nothing), WithMaxBody(1<<30))
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header = signed(nil)
	r.Body, r.ContentLength = w, 1<<30
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	require.Equal(t, 401, w.status)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<17))
}

func TestReadAll(t *testing.T) {
	var h *Handler
	readAll := func(from io.Reader, announced, limit int64) ([]byte, error) {
		h = handler(t, OnAny(nothing), WithMaxBody(limit))
		return h.readAll(from, announced)
	}
	for _, size := range []int{1, 99, 100, 101, 4095, 4096, 4097, 5000, 16384, 16385, 70_000} {
		text := bytes.Repeat([]byte("ab"), size)[:size]
		for _, announced := range []int64{0, int64(size), 100, -1, 1 << 40} {
			got, err := readAll(bytes.NewReader(text), announced, 70_000)
			require.NoError(t, err)
			require.True(t, bytes.Equal(text, got))
			require.EqualValues(t, cap(got), h.unverified.used)
		}
		if size > 1 {
			_, err := readAll(bytes.NewReader(text), 10, int64(size)-1)
			require.ErrorIs(t, err, errTooLarge)
			require.Zero(t, h.unverified.used)
		}
	}
	got, err := readAll(strings.NewReader(""), 0, 70_000)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = readAll(io.MultiReader(strings.NewReader("abc"), &failingReader{}), 3, 100)
	require.ErrorContains(t, err, "broken")
	require.Zero(t, h.unverified.used)
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// FuzzHandler: the handler never panics and keeps only deliveries that the key signed.
func FuzzHandler(f *testing.F) {
	body := []byte(note)
	f.Add(body, signature(testKey, body), "POST")
	f.Add([]byte("{}"), signature(testKey, body), "POST")
	f.Add(body, "N/A", "GET")
	var kept []byte
	v := verifier(f)
	f.Fuzz(func(t *testing.T, data []byte, text, method string) {
		h, err := NewHandler(v, clockAt(deliveredAt), WithKeeper(KeeperFunc(func(_ context.Context, d *Delivery) error {
			kept = d.Body()
			return nil
		})))
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(data))
		r.Method, r.Header = method, http.Header{"X-Ghl-Signature": {text}}
		w := httptest.NewRecorder()
		kept = nil
		h.ServeHTTP(w, r)
		if bytes.Equal(data, body) && strings.TrimSpace(text) == signature(testKey, body) && method == http.MethodPost {
			require.Equal(t, 200, w.Code)
			require.Equal(t, body, kept)
			return
		}
		require.Nil(t, kept)
		require.Contains(t, []int{400, 401, 405, 413}, w.Code)
	})
}

func TestWhatIsKnownOfInstallationsIsBounded(t *testing.T) {
	f := newFeed(nil)
	for i := range maxLatest + 5 {
		e := &InstallEvent{Envelope: Envelope{LocationID: fmt.Sprint(i),
			Timestamp: ghl.NewTime(deliveredAt.Add(time.Duration(i)))}}
		require.NoError(t, f.call(t.Context(), e)) // without a company, so no token is removed
	}
	require.Len(t, f.latest, maxLatest)
	require.NotContains(t, f.latest, "location:4")
	require.Contains(t, f.latest, "location:5")
}
