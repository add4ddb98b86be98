package mapping_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
)

// mistakesOf returns the mistakes of a file, as "line:column: text".
func mistakesOf(t *testing.T, file string) []string {
	t.Helper()
	_, err := mapping.LoadRules("rules.yaml", []byte(file), ghl.NewCustomFieldResolver(definitions))
	var wrong *mapping.RulesError
	require.True(t, errors.As(err, &wrong), "%v", err)
	list := make([]string, len(wrong.Mistakes))
	for i, m := range wrong.Mistakes {
		list[i] = fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Text)
	}
	return list
}

// TestMistakesHavePositions: each mistake names the place of the wrong value, in the order of the file, in YAML and
// JSON.
func TestMistakesHavePositions(t *testing.T) {
	const unknown = `a contact in HighLevel has no field "emial"; did you mean email?`
	for file, want := range map[string][]string{
		"version: 1\ncontact:\n  - ghl: emial\n    pluvo: email\n    required: maybe\n    transform:\n      - trim\n      - case: title\n": {
			"3:10: " + unknown, `5:15: required must be true or false, got "maybe"`,
		},
		"version: 1\ncontact:\n  - ghl: email\n    pluvo: email\n    transform:\n      - trimm\n      - case: title\n    directon: both\n": {
			`6:9: unknown transform "trimm"; did you mean trim?`, `7:15: case must be lower or upper, got "title"`,
			`8:5: a rule has no property "directon"; did you mean direction?`,
		},
		"{\n\t\"version\"\t: 1,\n\t\"contact\": [{\"ghl\": \"emial\",\t\"pluvo\": \"email\"}]\n}": {"3:22: " + unknown},
		"\ufeff# Größe\nversion: 1\ncontact: [{ghl: 'größe', pluvo: tag}, {ghl: custom.contact.shoesize, pluvo: fields.x}]\n": {
			`3:17: a contact in HighLevel has no field "größe"; it has `, `3:33: a contact in Pluvo has no field "tag"; did you mean tags?`,
			`3:45: "custom.contact.shoesize": the location has no custom field "contact.shoesize"; did you mean custom.contact.shoe_size?`,
		},
		"version: 1\ncontact:\n  - {ghl: email, pluvo: email}\n  - ghl: source\n    pluvo: email\n    direction: toPluvo\n": {
			"5:12: email in Pluvo is already written by the rule in line 3",
		},
		"version: 1\ncontact:\n  - {ghl: \"\xff\"}\n":                              {"3:12: the file must be UTF-8"},
		"%YAML 1.2\n---\nversion: 2\ntask:\n  - {ghl: title, pluvo: title}\n...\n": {`3:10: version must be 1, got "2"`},
	} {
		got := mistakesOf(t, file)
		require.Len(t, got, len(want), "%q", got)
		for i := range want {
			require.True(t, strings.HasPrefix(got[i], want[i]), "want %s\ngot  %s", want[i], got[i])
		}
	}
}

// TestHostileFiles: a file that exceeds a limit of the parser is refused, with the position where it does.
func TestHostileFiles(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"brackets", "version: 1\ncontact: " + strings.Repeat("[", 10_000), "2:74: lists and objects must not be nested deeper than 64"},
		{"objects", strings.Repeat("{a: ", 10_000), "1:257: lists and objects must not be nested deeper than 64"},
		{"entries of one line", strings.Repeat("- ", 10_000), "1:129: lists and objects must not be nested deeper than 64"},
		{"keys of one line", strings.Repeat("? ", 10_000), "1:129: lists and objects must not be nested deeper than 64"},
		{"keys", "version: 1\n" + strings.Repeat("a: b\n", 50_000), "10001:1: the file must have at most 30000 YAML tokens"},
		{"aliases of aliases", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "2:8: anchors and aliases of YAML are not supported"},
		{"an alias of itself", "a: &a [*a]\n", "1:8: anchors and aliases of YAML are not supported"},
		{"merge keys", "version: 1\ncontact:\n  - <<: {ghl: email}\n    pluvo: email\n", `3:5: a rule has no property "<<"; it may have ghl`},
	} {
		got := mistakesOf(t, test.file)[0]
		require.True(t, strings.HasPrefix(got, test.want), "%s: %s", test.name, got)
	}
}

// TestErrorIsBounded: the text of the error has a line for each of the first mistakes and the number of the others.
func TestErrorIsBounded(t *testing.T) {
	_, err := mapping.LoadRules("rules.yaml",
		[]byte("version: 1\ncontact:\n"+strings.Repeat("  - {ghl: emial, pluvo: email}\n", 27)), nil)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 22)
	require.Equal(t, "mapping: rules.yaml has 27 mistakes:", lines[0])
	require.Equal(t, `rules.yaml:22:11: a contact in HighLevel has no field "emial"; did you mean email?`, lines[20])
	require.Equal(t, "… and 7 more", lines[21])
	var wrong *mapping.RulesError
	require.True(t, errors.As(err, &wrong))
	require.Len(t, wrong.Mistakes, 27)
	_, err = mapping.LoadRules("rules.yaml", []byte("version: 2\ntask:\n  - {ghl: title, pluvo: title}\n"), nil)
	require.EqualError(t, err, `mapping: rules.yaml:1:10: version must be 1, got "2"`)
}

// TestCheckRules: a file is checked without the location's custom fields, and the mapper then knows its fields.
func TestCheckRules(t *testing.T) {
	rules, err := mapping.CheckRules("rules.yaml", []byte(customRules+
		"  - {ghl: custom.anything, pluvo: fields.a, transform: [{split: ','}, {join: ;}, {case: upper}], default: {pluvo: x, ghl: [y]}}\n"+
		"  - {ghl: custom.birthday, pluvo: fields.b, transform: {date: DD.MM.YYYY}}\n"))
	require.NoError(t, err)
	m := newMapper(t, func(o *mapping.Options) { o.Rules = rules })
	require.Subset(t, names(m.Fields("contact")), []string{"fields.shoe size", "stage", "fields.a", "fields.b"})
	_, err = mapping.LoadRules("rules.yaml", []byte(customRules), nil)
	require.ErrorContains(t, err, "definitions of custom fields are needed")

	_, err = mapping.CheckRules("rules.yaml",
		[]byte(rulesFor("contact", "{ghl: custom.x, pluvo: stge}",
			"{ghl: custom.y, pluvo: fields.y, transform: {case: title}}",
			"{ghl: custom.y, pluvo: fields.z, direction: toGHL}")))
	require.EqualError(t, err, "mapping: rules.yaml has 3 mistakes:\n"+
		"rules.yaml:3:28: a contact in Pluvo has no field \"stge\"; did you mean stage?\n"+
		"rules.yaml:4:56: case must be lower or upper, got \"title\"\n"+
		"rules.yaml:5:11: custom.y in HighLevel is already written by the rule in line 4")
}

// TestWordsOfMistakes: the article fits the kind, and a misspelt kind is one mistake.
func TestWordsOfMistakes(t *testing.T) {
	for file, want := range map[string]string{
		"version: 1\nappointment: [{ghl: title, pluvo: title}]\n":                            "x.yaml:2:14: no rule writes start, and an appointment in Pluvo needs it",
		"version: 1\nappointment: [{ghl: startTime, pluvo: begin}]\n":                        `x.yaml:2:39: an appointment in Pluvo has no field "begin"; it has `,
		"version: 1\ncontacts: [{ghl: email, pluvo: email}]\n":                               `x.yaml:2:1: the file has no property "contacts"; did you mean contact?`,
		"version: 1\ncontact: [{ghl: email, pluvo: email, transform: [null]}]\n":             "x.yaml:2:50: a transform must be a name, such as trim, got nothing",
		"version: 1\ncontact: [{ghl: email, pluvo: email, transform: [[trim]]}]\n":           "x.yaml:2:50: a transform must be a name, such as trim, got a list",
		"version: 1\nfoo: 1\ncontact: [{ghl: email, pluvo: email, transform: [\"null\"]}]\n": `unknown transform "null"`,
	} {
		_, err := mapping.LoadRules("x.yaml", []byte(file), nil)
		require.ErrorContains(t, err, want, file)
		var rules *mapping.RulesError
		require.ErrorAs(t, err, &rules)
		require.NotContains(t, err.Error(), "the file has no rules")
	}
}
