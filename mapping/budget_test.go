//go:build !race

package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// TestRulesStayWithinTheirBudget limits the allocations of the template's rules, and those of rules that map more to
// twice as many. The race detector allocates too, so the test is built without it.
func TestRulesStayWithinTheirBudget(t *testing.T) {
	plain, loaded := newMapper(t, nil), withRules(t, string(mapping.Template()))
	custom := withRules(t, customRules, definitions...)
	in := fullContact()
	cost := func(m *mapping.Mapper) float64 {
		return testing.AllocsPerRun(200, func() {
			if _, _, err := m.FullContact(in); err != nil {
				t.Error(err)
			}
		})
	}
	byTemplate, byCustom := cost(plain), cost(custom)
	t.Logf("a contact with five tasks, five notes and two appointments: %.0f allocations by the template, %.0f by custom rules",
		byTemplate, byCustom)
	require.LessOrEqual(t, byTemplate, 12.0)
	require.LessOrEqual(t, cost(loaded), byTemplate)
	require.LessOrEqual(t, byCustom, 2*byTemplate)

	full, _, err := plain.FullContact(in)
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
	byTemplate, byCustom = back(plain), back(custom)
	t.Logf("the updates of the contact and its tasks: %.0f allocations by the template, %.0f by custom rules",
		byTemplate, byCustom)
	require.LessOrEqual(t, byTemplate, 33.0)
	require.LessOrEqual(t, byCustom, 2*byTemplate)
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
