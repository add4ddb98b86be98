package queue

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

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
