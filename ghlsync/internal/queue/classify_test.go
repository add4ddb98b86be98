package queue

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestSentIsOfWhatFailed: what a call that failed has sent is not told of another failure.
func TestSentIsOfWhatFailed(t *testing.T) {
	recorded := &Recorder{operation: "contacts.get", sent: []byte(`{"firstName":"Ada"}`)}
	require.NotEmpty(t, Attempt{}.of(&ghl.Error{Operation: "contacts.get"}, recorded).Sent)
	require.Empty(t, Attempt{}.of(&ghl.Error{Operation: "contacts.update"}, recorded).Sent)
	require.Empty(t, Attempt{}.of(errors.New("none of HighLevel's"), recorded).Sent)
	require.Empty(t, Attempt{}.of(errors.New("no call failed"), &Recorder{}).Sent)
}

// TestWhatFailsForGoodDoesNotKeepTheRest from being tried again.
func TestWhatFailsForGoodDoesNotKeepTheRest(t *testing.T) {
	invalid, server := fmt.Errorf("task: %w", ghl.ErrValidation), fmt.Errorf("note: %w", ghl.ErrServer)
	wait := &WaitError{After: time.Second}
	require.Equal(t, GiveUp, Classify(invalid).Action)
	require.Equal(t, GiveUp, Classify(errors.Join(invalid, invalid)).Action)
	require.Equal(t, Verdict{TryAgain, 0, "server error"}, Classify(errors.Join(invalid, server)))
	require.Equal(t, Verdict{Wait, time.Second, "waits"}, Classify(errors.Join(server, wait, invalid)))
	require.Equal(t, PauseLocation, Classify(errors.Join(server, wait, fmt.Errorf("x: %w", ghl.ErrReauthRequired))).Action)
	require.Equal(t, GiveUp, Classify(fmt.Errorf("contact: %w", errors.Join(invalid))).Action)
}
