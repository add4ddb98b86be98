//go:build !race

package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// TestRulesStayWithinTheirBudget holds rules to at most twice the allocations of the functions that do the same, and the
// functions to what they cost now. The race detector allocates on its own account, so the test is built without it.
func TestRulesStayWithinTheirBudget(t *testing.T) {
	hand, ruled := newMapper(t, nil), withRules(t, string(mapping.Template()))
	in := fullContact()
	cost := func(m *mapping.Mapper) float64 {
		return testing.AllocsPerRun(200, func() {
			if _, _, err := m.FullContact(in); err != nil {
				t.Error(err)
			}
		})
	}
	byHand, byRules := cost(hand), cost(ruled)
	t.Logf("a contact with five tasks, five notes and two appointments: %.0f allocations by the functions, %.0f by rules", byHand, byRules)
	require.LessOrEqual(t, byHand, 12.0)
	require.LessOrEqual(t, byRules, 2*byHand)

	full, _, err := hand.FullContact(in)
	require.NoError(t, err)
	back := func(m *mapping.Mapper) float64 {
		return testing.AllocsPerRun(200, func() {
			changed := full.Contact
			changed.LastName = "King"
			if _, _, err := m.ContactUpdate(&changed, &full.Contact); err != nil {
				t.Error(err)
			}
			for i := range full.Tasks {
				task := full.Tasks[i]
				task.Completed = !task.Completed
				if _, _, err := m.TaskUpdate(&task, &full.Tasks[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	byHand, byRules = back(hand), back(ruled)
	t.Logf("the updates of the contact and its tasks: %.0f allocations by the functions, %.0f by rules", byHand, byRules)
	require.LessOrEqual(t, byRules, 2*byHand)
}

func TestComparingAllocatesNothing(t *testing.T) {
	m := newMapper(t, nil)
	full, _, err := m.FullContact(fullContact())
	require.NoError(t, err)
	for _, r := range full.Records() {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
		}))
		copied, fields := pluvo.Clone(r), m.Fields(r.Kind())
		require.Zero(t, testing.AllocsPerRun(100, func() {
			for _, f := range fields {
				if !f.Same(r, copied) {
					t.Error(f.Name())
				}
			}
		}))
	}
}
