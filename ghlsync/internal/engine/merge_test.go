package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

func contactFields(t *testing.T) []*mapping.Field {
	t.Helper()
	m, err := mapping.New(mapping.Options{Location: "loc"})
	require.NoError(t, err)
	return m.Fields(pluvo.KindContact)
}

func ghlWins(string) Side   { return GHL }
func pluvoWins(string) Side { return Pluvo }

func TestMergeOfTags(t *testing.T) {
	fields := contactFields(t)
	tags := func(text string) *pluvo.Contact {
		return &pluvo.Contact{ID: "c", Email: "a@example.com", Tags: strings.Fields(text)}
	}
	for _, tc := range []struct{ was, ghl, pluvo, want string }{
		{"a b", "a b", "a b", "a b"},
		{"a b", "b", "a b", "b"},           // HighLevel took one
		{"a b", "a b", "a", "a"},           // Pluvo took one
		{"a b", "b", "a", ""},              // each took one: neither gives it back
		{"a", "a x", "a y", "a x y"},       // each added one
		{"a", "x", "a y", "x y"},           // added against taken
		{"a", "", "", ""},                  // both took the same
		{"a", "a x", "a x", "a x"},         // both added the same
		{"a", "a x", "a X", "a x"},         // which HighLevel writes small
		{"", "b a", "a b", "a b"},          // the order means nothing
		{"a b c", "c b", "B C d", "b c d"}, // all at once
	} {
		m := merge(fields, version{tags(tc.was), tags(tc.ghl)}, version{tags(tc.was), tags(tc.pluvo)}, ghlWins)
		for side, r := range map[string]pluvo.Record{"HighLevel": m.ghl, "Pluvo": m.pluvo} {
			got := strings.Fields(strings.ToLower(strings.Join(r.(*pluvo.Contact).Tags, " ")))
			slices.Sort(got)
			require.Equal(t, strings.Fields(tc.want), append([]string{}, got...), "%+v on %s", tc, side)
		}
		require.Empty(t, m.clashes)
	}
}

// TestMergeOfRandomEdits: edits of different fields both survive; what both changed goes by the owner and is told; a
// second merge changes nothing.
func TestMergeOfRandomEdits(t *testing.T) {
	fields := contactFields(t)
	random := rand.New(rand.NewPCG(1, 1))
	edit := func(c *pluvo.Contact) map[string]string {
		edited := map[string]string{}
		for name, field := range map[string]*string{"firstName": &c.FirstName, "lastName": &c.LastName,
			"email": &c.Email} {
			if random.IntN(3) == 0 {
				*field = fmt.Sprintf("v%d@example.com", random.IntN(4))
				if random.IntN(5) == 0 {
					*field = ""
				}
				edited[name] = *field
			}
		}
		return edited
	}
	value := func(r pluvo.Record, name string) string {
		for _, f := range fields {
			if f.Name() == name {
				return f.Get(r).String()
			}
		}
		return "?"
	}
	for range 2000 {
		was := &pluvo.Contact{ID: "c", FirstName: "f", LastName: "l", Email: "e@example.com"}
		theirs, ours := pluvo.Clone(was), pluvo.Clone(was)
		byGHL, byPluvo := edit(theirs), edit(ours)
		owner := ghlWins
		if random.IntN(2) == 0 {
			owner = pluvoWins
		}
		m := merge(fields, version{was, theirs}, version{was, ours}, owner)
		for _, name := range []string{"firstName", "lastName", "email"} {
			a, ghlEdited := byGHL[name]
			b, pluvoEdited := byPluvo[name]
			want := value(was, name)
			clashed := slices.ContainsFunc(m.clashes, func(c clash) bool { return c.field == name })
			switch original := want; {
			case ghlEdited && a != original && pluvoEdited && b != original && a != b:
				want = a
				if owner(name) == Pluvo {
					want = b
				}
				require.True(t, clashed)
			case ghlEdited && a != original:
				want = a
			case pluvoEdited && b != original:
				want = b
			}
			require.Equal(t, want, value(m.ghl, name), name)
			require.Equal(t, want, value(m.pluvo, name), name)
		}
		again := merge(fields, version{m.ghl, m.ghl}, version{m.pluvo, m.pluvo}, owner)
		require.True(t, pluvo.Equal(again.ghl, m.ghl))
		require.True(t, pluvo.Equal(again.pluvo, m.pluvo))
		require.Empty(t, again.clashes)
	}
}

// TestNewestWins where both times are known, and HighLevel otherwise.
func TestNewestWins(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	l := &Location{Owner: func(pluvo.Kind, string) Owner { return OwnerNewest }}
	for _, tc := range []struct {
		ghl, pluvo time.Time
		want       Side
	}{{early, late, Pluvo}, {late, early, GHL}, {early, early, GHL}, {early, time.Time{}, GHL}, {time.Time{},
		late, GHL}} {
		require.Equal(t, tc.want, l.owner(pluvo.KindContact, tc.ghl, tc.pluvo)("x"))
	}
	require.Equal(t, GHL, (&Location{}).owner(pluvo.KindTask, early, late)("x"))
}
