package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

type answers struct {
	mu   sync.Mutex
	list []func() (int, string)
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status, body := a.list[0]()
	if len(a.list) > 1 {
		a.list = a.list[1:]
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func answer(status int, body string) func() (int, string) {
	return func() (int, string) { return status, body }
}

// TestFailure: a permanent error stops a unit. The failure has the request and the answer without personal data. It
// can be retried once, and a retry that succeeds resolves it.
func TestFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		transport := &answers{list: []func() (int, string){
			answer(422, `{"statusCode":422,"message":["email ada@example.com must be an email"],"contact":{"firstName":"Ada"},"traceId":"t-1"}`),
			answer(200, `{"contact":{"id":"0IHuJvc2ofPAAA8GzTRi"}}`),
		}}
		client, err := ghl.New(ghl.WithToken("pit-secret-token"), ghl.WithLocation("loc"),
			ghl.WithHTTPClient(&http.Client{Transport: transport}), ghl.WithMiddleware(queue.Middleware))
		require.NoError(t, err)
		var incidents atomic.Int32
		q := open(t, d, queue.Config{
			Incident: func(queue.Failure) { incidents.Add(1) },
			Work: func(ctx context.Context, run *queue.Run) error {
				_, err := client.Contacts.Update(ctx, run.ID,
					&ghl.ContactUpdate{FirstName: ghl.Some("Ada"), Email: ghl.Some("ada@example.com")})
				return err
			}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("0IHuJvc2ofPAAA8GzTRi"), queue.Everything, queue.Live))
		var list []queue.Failure
		eventually(t, "the unit has stopped", func() bool {
			list, err = q.Failures(t.Context(), queue.FailureFilter{States: []queue.State{queue.Stopped}})
			return err == nil && len(list) == 1
		})
		f := list[0]
		require.Equal(t, queue.CategoryValidation, f.Category)
		require.Equal(t, 1, f.Attempts)
		require.True(t, f.Next.IsZero())
		attempts, err := q.Attempts(t.Context(), f.ID)
		require.NoError(t, err)
		require.Len(t, attempts, 1)
		a := attempts[0]
		require.Equal(t, "contacts.update", a.Operation)
		require.Equal(t, 422, a.Status)
		require.Equal(t, "t-1", a.TraceID)
		require.JSONEq(t, `{"firstName":"(3 characters)","email":"(15 characters)"}`, a.Sent)
		require.JSONEq(t, `{"statusCode":422,"message":["email (redacted) must be an email"],"contact":{"firstName":"(3 characters)"},"traceId":"t-1"}`, a.Received)
		everything := fmt.Sprintf("%+v %+v", f, a)
		for _, word := range []string{"ada@", "Ada", "secret"} {
			require.NotContains(t, everything, word)
		}
		eventually(t, "an alert", func() bool { return incidents.Load() == 1 })

		for range 2 { // the second retry does nothing
			require.NoError(t, q.Retry(t.Context(), f.ID))
		}
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.NoError(t, q.Retry(t.Context(), f.ID), "a resolved failure does not change")
		require.Zero(t, behind(t, d))
		list, err = q.Failures(t.Context(), queue.FailureFilter{States: []queue.State{queue.Resolved}})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.LessOrEqual(t, count(t, d, `SELECT count(*) FROM river_job`), 2, "only the first retry added a job")
		require.ErrorIs(t, q.Retry(t.Context(), "no such"), queue.ErrNotFound)
	})
}

// TestRetries: a temporary error is retried up to the limit, and then the unit stops: one incident, one alert. A new
// change starts another try.
func TestRetries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var incidents, runs atomic.Int32
		q := open(t, d, queue.Config{
			Retries:  queue.Retry{First: time.Millisecond, Max: 2 * time.Millisecond, Attempts: 4},
			Incident: func(queue.Failure) { incidents.Add(1) },
			Work: func(context.Context, *queue.Run) error {
				if runs.Add(1)%2 == 0 {
					panic("with ada@example.com")
				}
				return errors.New("call +1 800 555 0100")
			}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		stopped := func() bool {
			return count(t, d, `SELECT count(*) FROM ghlsync_failure WHERE state = 'stopped'`) == 1 &&
				count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE stopped = 1`) == 1
		}
		eventually(t, "the unit has stopped", stopped)
		require.EqualValues(t, 4, runs.Load())
		list, err := q.Failures(t.Context(), queue.FailureFilter{})
		require.NoError(t, err)
		require.Equal(t, "panic: with (redacted)", list[0].Message)
		attempts, err := q.Attempts(t.Context(), list[0].ID)
		require.NoError(t, err)
		require.Len(t, attempts, 4)
		require.Equal(t, "call (redacted)", attempts[0].Message)
		require.False(t, attempts[0].Next.IsZero())
		require.True(t, attempts[3].Next.IsZero())

		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		eventually(t, "another try", func() bool { return runs.Load() == 5 && stopped() })
		eventually(t, "an alert", func() bool { return incidents.Load() == 1 })

		for range 2 {
			require.NoError(t, q.Skip(t.Context(), list[0].ID))
		}
		require.NoError(t, q.Resolve(t.Context(), list[0].ID), "a resolved failure does not change")
		require.Zero(t, behind(t, d))
		list, err = q.Failures(t.Context(), queue.FailureFilter{States: []queue.State{queue.Skipped}})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.EqualValues(t, 1, incidents.Load())
	})
}

// TestTimeout: a run that exceeds its time limit fails. It is not put back like a run of a process that stops.
func TestTimeout(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Timeout: 20 * time.Millisecond,
			Retries: queue.Retry{First: time.Millisecond, Attempts: 2},
			Work:    func(ctx context.Context, _ *queue.Run) error { <-ctx.Done(); return ctx.Err() }})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		eventually(t, "the unit has stopped", func() bool {
			return count(t, d, `SELECT count(*) FROM ghlsync_failure WHERE state = 'stopped'`) == 1
		})
		list, err := q.Failures(t.Context(), queue.FailureFilter{})
		require.NoError(t, err)
		require.Equal(t, queue.CategoryTimeout, list[0].Category)
		require.Equal(t, 2, list[0].Attempts)
	})
}

// TestReauth: a location that must be authorized again pauses with one alert, and no other location pauses.
func TestReauth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var incidents atomic.Int32
		var mended atomic.Bool
		q := open(t, d, queue.Config{
			Incident: func(f queue.Failure) {
				if f.Paused && f.Unit.Location == "loc" {
					incidents.Add(1)
				}
			},
			Work: func(_ context.Context, run *queue.Run) error {
				if run.Location == "loc" && !mended.Load() {
					return fmt.Errorf("token: %w", ghl.ErrReauthRequired)
				}
				return nil
			}})
		for _, location := range []string{"loc", "other"} {
			require.NoError(t, q.AddLocation(t.Context(), location))
			for i := range 5 {
				require.NoError(t, q.Mark(t.Context(), queue.Unit{Location: location, ID: fmt.Sprint(i)}, queue.Everything, queue.Live))
			}
		}
		start(t, q)
		eventually(t, "one is paused, the other is synced", func() bool {
			return behind(t, d) == 5 && count(t, d,
				`SELECT count(*) FROM ghlsync_unit WHERE epoch > 0 OR number > synced AND location = 'other'`) == 0 &&
				count(t, d, `SELECT count(*) FROM ghlsync_location WHERE paused > 0`) == 1
		})
		eventually(t, "an alert", func() bool { return incidents.Load() == 1 })
		require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE attempts > 0`))
		mended.Store(true)
		require.NoError(t, q.Resume(t.Context(), "loc"))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.EqualValues(t, 1, incidents.Load())
	})
}

func TestFailuresArePaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		for i := range 7 {
			exec(t, d, `INSERT INTO ghlsync_failure (id, location, unit, state, category, message, attempts, first_at, last_at, next_at)
				VALUES ($1, $2, 'u' || $3, 'stopped', '', '', 1, 0, $4, 0)`, fmt.Sprint("f", i), fmt.Sprint("l", i%2), fmt.Sprint(i), int64(1000+i/2))
		}
		var ids []string
		filter := queue.FailureFilter{Limit: 2}
		for {
			page, err := q.Failures(t.Context(), filter)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, f := range page {
				ids = append(ids, f.ID)
			}
			filter.After = &page[len(page)-1]
		}
		require.Equal(t, []string{"f6", "f4", "f5", "f2", "f3", "f0", "f1"}, ids)
		page, err := q.Failures(t.Context(), queue.FailureFilter{Location: "l1"})
		require.NoError(t, err)
		require.Len(t, page, 3)
	})
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		err      error
		action   queue.Action
		category queue.Category
	}{
		{errors.New("x"), queue.TryAgain, "failed"},
		{ghl.ErrServer, queue.TryAgain, "server error"},
		{errors.Join(ghl.ErrAmbiguous, ghl.ErrValidation), queue.TryAgain, "outcome unknown"},
		{ghl.ErrValidation, queue.GiveUp, "validation failed"},
		{ghl.ErrDailyLimit, queue.Wait, "daily limit reached"},
		{&ghl.Error{RetryAfter: time.Hour, Message: "x"}, queue.TryAgain, "failed"},
		{ghl.ErrMissingScope, queue.PauseLocation, "missing scope"},
		{&queue.WaitError{After: time.Minute}, queue.Wait, "waits"},
		{pluvo.ErrInvalid, queue.GiveUp, "invalid record"},
		{pluvo.ErrConflict, queue.TryAgain, "changed meanwhile"},
		{context.DeadlineExceeded, queue.TryAgain, "timeout"},
	} {
		v := queue.Classify(fmt.Errorf("wrapped: %w", test.err))
		require.Equal(t, test.action, v.Action, "%v", test.err)
		require.Equal(t, test.category, v.Category)
	}
	require.Equal(t, time.Minute, queue.Classify(&queue.WaitError{After: time.Minute}).After)
}
