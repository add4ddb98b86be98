package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// fakeInstallations writes down what it is told.
type fakeInstallations struct {
	calls []string
	err   error
	block chan struct{}
}

func (f *fakeInstallations) add(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	if f.block != nil {
		<-f.block
	}
	return f.err
}

func (f *fakeInstallations) AddLocation(_ context.Context, companyID, locationID string) (*ghl.Client, error) {
	return nil, f.add("add %s of %s", locationID, companyID)
}

func (f *fakeInstallations) AddInstalled(_ context.Context, companyID string) ([]string, error) {
	return nil, f.add("add all of %s", companyID)
}

func (f *fakeInstallations) Remove(_ context.Context, locationID string) error {
	return f.add("remove %s", locationID)
}

func (f *fakeInstallations) RemoveCompany(_ context.Context, companyID string) error {
	return f.add("remove all of %s", companyID)
}

func installation(kind Type, more string) string {
	return `{"type":"` + string(kind) + `","appId":"our1"` + more + `}`
}

func TestFeedInstallations(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
	}{
		{"a location", installation(AppInstall, `,"companyId":"com1","locationId":"loc1"`), "add loc1 of com1"},
		{"a company", installation(AppInstall, `,"companyId":"com1"`), "add all of com1"},
		{"a location of no company", installation(AppInstall, `,"locationId":"loc1"`), ""},
		{"nested", `{"type":"INSTALL","data":{"appId":"our1","companyId":"com1","locationId":"loc1"}}`, "add loc1 of com1"},
		{"removed from a location", installation(AppUninstall, `,"locationId":"loc1"`), "remove loc1"},
		{"removed from a location of a company", installation(AppUninstall, `,"companyId":"com1","locationId":"loc1"`), "remove loc1"},
		{"removed from a company", installation(AppUninstall, `,"companyId":"com1"`), "remove all of com1"},
		{"removed from nowhere", installation(AppUninstall, ""), ""},
		{"another app", `{"type":"UNINSTALL","appId":"their1","locationId":"loc1"}`, ""},
		{"no app", `{"type":"UNINSTALL","locationId":"loc1"}`, ""},
		{"another event", installation(ContactCreate, `,"locationId":"loc1"`), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &fakeInstallations{}
			h := handler(t, FeedInstallations("our1", in))
			require.Equal(t, 401, status(h, test.body, http.Header{}))
			require.Equal(t, 401, status(h, test.body, http.Header{"X-Ghl-Signature": {signature(keyOf("other"), []byte(test.body))}}))
			require.Empty(t, in.calls, "never without a valid signature")
			require.Equal(t, 200, status(h, test.body))
			if test.want == "" {
				require.Empty(t, in.calls)
			} else {
				require.Equal(t, []string{test.want}, in.calls)
			}
		})
	}
}

func TestFeedInstallationsFails(t *testing.T) {
	in := &fakeInstallations{err: errors.New("the store is away")}
	h := handler(t, FeedInstallations("our1", in))
	require.Equal(t, 429, status(h, installation(AppInstall, `,"companyId":"com1","locationId":"loc1"`)))
	require.Equal(t, 429, status(h, installation(AppUninstall, `,"locationId":"loc1"`)))
	in.err = fmt.Errorf("company com1: %w", ghl.ErrReauthRequired)
	require.Equal(t, 200, status(h, installation(AppInstall, `,"companyId":"com1","locationId":"loc1"`)), "no redelivery mends that")
	require.Equal(t, 429, status(h, installation(AppUninstall, `,"locationId":"loc1"`)))
}

func timed(kind Type, where string, second int) string {
	return installation(kind, fmt.Sprintf(`,"companyId":"com1","locationId":%q,"timestamp":"2025-11-07T12:46:%02dZ"`, where, second))
}

// An uninstall that could not be kept comes again after the app was installed anew.
func TestALateUninstallDoesNotRemoveWhatWasInstalledSince(t *testing.T) {
	in := &fakeInstallations{err: errors.New("away")}
	h := handler(t, FeedInstallations("our1", in))
	require.Equal(t, 429, status(h, timed(AppUninstall, "loc1", 10)))
	in.calls, in.err = nil, nil
	require.Equal(t, 200, status(h, timed(AppInstall, "loc1", 20)))
	require.Equal(t, 200, status(h, timed(AppUninstall, "loc1", 10)))
	require.Equal(t, []string{"add loc1 of com1"}, in.calls)
	require.Equal(t, 200, status(h, timed(AppUninstall, "loc2", 10)))
	require.Equal(t, 200, status(h, timed(AppUninstall, "loc1", 30)))
	require.Equal(t, 200, status(h, timed(AppInstall, "loc1", 20)))
	require.Equal(t, []string{"add loc1 of com1", "remove loc2", "remove loc1"}, in.calls)
}

func TestInstallationsAreFedOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &fakeInstallations{block: make(chan struct{})}
		h := handler(t, FeedInstallations("our1", in), WithKeepTimeout(time.Second))
		first := make(chan int)
		go func() { first <- status(h, timed(AppInstall, "loc1", 1)) }()
		synctest.Wait()
		require.Equal(t, 429, status(h, timed(AppInstall, "loc2", 1)), "its time is over before its turn")
		require.Equal(t, 429, <-first)
		close(in.block)
		synctest.Wait()
		require.Equal(t, 200, status(h, timed(AppInstall, "loc2", 1)))
		require.Equal(t, []string{"add loc1 of com1", "add loc2 of com1"}, in.calls)
	})
}

func TestWhatIsKnownOfInstallationsIsBounded(t *testing.T) {
	f := &feed{in: &fakeInstallations{}, turn: make(chan struct{}, 1), latest: map[string]time.Time{}}
	for i := range maxLatest + 5 {
		e := &UninstallEvent{Envelope: Envelope{LocationID: fmt.Sprint(i), Timestamp: ghl.NewTime(deliveredAt.Add(time.Duration(i)))}}
		require.NoError(t, f.call(t.Context(), e))
	}
	require.Len(t, f.latest, maxLatest)
	require.NotContains(t, f.latest, "location:4")
	require.Contains(t, f.latest, "location:5")
}
