package queue

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestSentBelongsToTheFailedCall: an attempt holds the body that the failed operation sent, not that of another
// operation.
func TestSentBelongsToTheFailedCall(t *testing.T) {
	recorded := &Recorder{operation: "contacts.get", sent: []byte(`{"firstName":"Ada"}`)}
	require.NotEmpty(t, Attempt{}.of(&ghl.Error{Operation: "contacts.get"}, recorded).Sent)
	require.Empty(t, Attempt{}.of(&ghl.Error{Operation: "contacts.update"}, recorded).Sent)
	require.Empty(t, Attempt{}.of(errors.New("not an error of HighLevel"), recorded).Sent)
	require.Empty(t, Attempt{}.of(errors.New("no call failed"), &Recorder{}).Sent)
}

// TestAPermanentErrorDoesNotPreventRetries of the errors joined with it.
func TestAPermanentErrorDoesNotPreventRetries(t *testing.T) {
	invalid, server := fmt.Errorf("task: %w", ghl.ErrValidation), fmt.Errorf("note: %w", ghl.ErrServer)
	wait := &WaitError{After: time.Second}
	require.Equal(t, GiveUp, Classify(invalid).Action)
	require.Equal(t, GiveUp, Classify(errors.Join(invalid, invalid)).Action)
	require.Equal(t, Verdict{TryAgain, 0, "server error"}, Classify(errors.Join(invalid, server)))
	require.Equal(t, Verdict{Wait, time.Second, "waits"}, Classify(errors.Join(server, wait, invalid)))
	require.Equal(t, PauseLocation,
		Classify(errors.Join(server, wait, fmt.Errorf("x: %w", ghl.ErrReauthRequired))).Action)
	require.Equal(t, GiveUp, Classify(fmt.Errorf("contact: %w", errors.Join(invalid))).Action)
}

// TestCategoriesAreStable: categories are stored in the database and are labels of metrics. A changed text would not
// match the rows of an earlier version.
func TestCategoriesAreStable(t *testing.T) {
	for text, c := range map[string]Category{
		"failed": CategoryFailed, "waits": CategoryWaits, "killed": CategoryKilled, "timeout": CategoryTimeout,
		"wrong setting": CategoryWrongSetting, "outcome unknown": CategoryAmbiguous,
		"authorization needed again": CategoryReauthRequired, "missing scope": CategoryMissingScope,
		"unauthorized": CategoryUnauthorized, "daily limit reached": CategoryDailyLimit,
		"rate limited": CategoryRateLimited, "bad input": CategoryBadInput, "validation failed": CategoryValidation,
		"forbidden": CategoryForbidden, "duplicate contact": CategoryDuplicateContact, "slot taken": CategorySlotTaken,
		"not found": CategoryNotFound, "server error": CategoryServer, "bad response": CategoryBadResponse,
		"invalid record": CategoryInvalidRecord, "origin taken": CategoryOriginTaken,
		"changed meanwhile": CategoryConflict, "contact missing": CategoryNoOwner,
	} {
		require.Equal(t, text, string(c))
	}
}

// TestPausingCategories: a category pauses a location exactly if its errors do.
func TestPausingCategories(t *testing.T) {
	for _, c := range classes {
		require.Equal(t, c.action == PauseLocation, c.category.Pauses(), c.category)
		want := Category("")
		if c.action == PauseLocation {
			want = c.category
		}
		require.Equal(t, want, Location{Reason: string(c.category)}.Category())
	}
}
