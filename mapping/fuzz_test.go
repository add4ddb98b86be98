package mapping_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// FuzzLoadRules loads any file. LoadRules never panics. It accepts a file, or refuses it with mistakes at positions of
// the file. Accepted rules map any text without a panic, to records that are valid for Pluvo, and a value that they
// send to GHL and read back is the same to them.
func FuzzLoadRules(f *testing.F) {
	resolver := ghl.NewCustomFieldResolver(definitions)
	for _, file := range []string{
		string(mapping.Template()), customRules, rulesFor("contact", "{ghl: tags, pluvo: stage}"), "{\"version\": 1,\n\"task\": [{\"ghl\": \"title\", \"pluvo\": \"title\", \"transform\": [\"trim\", {\"case\": \"upper\"}]}]}",
		rulesFor("contact", "{ghl: custom.cf6, pluvo: tags, transform: [{split: ','}, trim, {options: {a: b, b: a}}]}",
			"{ghl: custom.cf4, pluvo: fields.x, transform: {date: 'YYYY/MM/DD'}, default: {pluvo: none}}"),
		rulesFor("contact", "{ghl: custom.cf6, pluvo: fields.x, transform: {date: {ghl: 'DD.MM.YYYY HH:mm', pluvo: 'YYYY-MM-DDTHH:mm:ssZ'}}}", "{ghl: custom.cf10, pluvo: fields.y, required: true, transform: {join: ;}}"),
		"version: 1\n? [a]\n: b\n", "a: &a [*a]", "{", "version: 1\n---\n...\n", "!!binary x", "\ufeff{}", "'\xff'",
	} {
		f.Add([]byte(file), "Ada ", "x;y")
	}
	f.Fuzz(func(t *testing.T, file []byte, text, other string) {
		rules, err := mapping.LoadRules("rules", file, resolver)
		if err != nil {
			var wrong *mapping.RulesError
			require.True(t, errors.As(err, &wrong))
			require.NotEmpty(t, wrong.Mistakes)
			require.Nil(t, rules)
			lines := bytes.Count(file, []byte("\n")) + bytes.Count(file, []byte("\r")) + bytes.Count(file,
				[]byte("\u0085")) + bytes.Count(file, []byte("\u2028")) + bytes.Count(file, []byte("\u2029")) + 1
			for i, m := range wrong.Mistakes {
				require.True(t, m.Line >= 1 && m.Line <= lines+1, "line %d of %d: %s", m.Line, lines, m.Text)
				require.Positive(t, m.Column)
				require.True(t, i == 0 || wrong.Mistakes[i-1].Line <= m.Line)
				require.NotEmpty(t, m.Text)
			}
			return
		}
		again, err := mapping.LoadRules("rules", file, resolver)
		require.NoError(t, err)
		require.NotNil(t, again)

		m := newMapper(t, func(o *mapping.Options) { o.Rules = rules })
		in := contact()
		in.LastName, in.Source, in.Tags = text, other, []string{text, other}
		for _, d := range definitions {
			in.CustomFields = append(in.CustomFields, ghl.CustomField{ID: d.ID, Value: ghl.ValueOf(text)})
		}
		if got, _, err := m.Contact(in); err == nil {
			require.NoError(t, got.Validate())
			change, _, err := m.ContactUpdate(got, got)
			require.True(t, err != nil || change.IsEmpty())
		}
		given := &pluvo.Contact{ID: "p1", Email: "a@b.c", LastName: text, Stage: other,
			Tags: mapping.Tags([]string{text, other}), Fields: map[string]string{"x": text + ".", "y": other + "."}}
		_, _, _ = m.ContactCreate(given)
		for _, f := range m.Fields(pluvo.KindContact) {
			once := f.Canonical(f.Get(given))
			twice := f.Canonical(once)
			require.True(t, once.Equal(twice) ||
				f.Canonical(twice).Equal(twice), "%s of %q becomes %q, then %q", f.Name(), f.Get(given), once, twice)
		}
		_, _, _ = m.FullContact(fullContact())
	})
}
