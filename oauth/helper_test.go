package oauth_test

import (
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/internal/httpstep"
)

// The steps of package httpstep, of which a transport is scripted.
type step = httpstep.Step

var (
	inTurn   = httpstep.InTurn
	answers  = httpstep.Answer
	errReset = httpstep.ErrReset
	loses    = httpstep.Lose
	refuses  = httpstep.Refuse
	cutsBody = httpstep.CutBody
	hangs    = httpstep.Hang
)

// mock is an httpmock transport of one test.
type mock struct{ *httpmock.MockTransport }

// newMock returns a transport on which answer serves every request.
func newMock(answer step) mock {
	m := mock{httpmock.NewMockTransport()}
	m.RegisterNoResponder(answer)
	return m
}

func (m mock) count() int { return m.GetTotalCallCount() }

const (
	okContact = `{"contact":{"id":"c1","firstName":"Ada"}}`
	server500 = `{"statusCode":500,"message":"Internal server error","traceId":"trace-500"}`
	tooMany   = `{"statusCode":429,"message":"Too Many Requests"}`
)

// asError returns the *ghl.Error in err.
func asError(t testing.TB, err error) *ghl.Error {
	t.Helper()
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	return e
}

// onFake starts a HighLevel in this process, for what needs state.
func onFake(t testing.TB, opts ...ghltest.Option) *ghltest.Server {
	t.Helper()
	s, err := ghltest.NewHandler(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
