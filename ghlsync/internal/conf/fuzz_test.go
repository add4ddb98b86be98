package conf

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode: any file is decoded or refused, with places that are in the file and one line for each mistake.
func FuzzDecode(f *testing.F) {
	for _, file := range []string{
		"", "a: b\n", "- a\n", "port: 1\nlisten: x\n", "app: {id: ${A}}\n", "items:\n  - id: a\n    tasks: {new: [{title: x, due: 1h}]}\n",
		"a: |\n  b\n c\n", "? [a]\n: b\n", "<<: *a\n", "keys: [a, 'b', \"c\"]\n", "%YAML 1.2\n---\na: b\n...\n---\n", "items: &x\n - id: *x\n",
		"!!str a: b\n", "listen: >-\n  text\n\n  b\n", "\ufefflisten: x\r\nport: ~\r\n", "listen: \"${file:/no/such}\"\n", "port: 1\nport: 2\n",
		strings.Repeat("[", 2000), strings.Repeat("- ", 2000), strings.Repeat("? ", 2000), strings.Repeat("a: {", 2000),
		strings.Repeat("&a ", 300),
	} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Count(file, "\n") + strings.Count(file, "\r") + 1
		env := map[string]string{"A": "secret", "X_APP_ID": "pit secret", "X_ITEM_ID": "x", "X_KEYS": "a,b"}
		s, err := Decode(Source{File: "x.yaml", Data: []byte(file), Env: env, Prefix: "X_"}, example{Listen: ":80"})
		if err != nil {
			var wrong *Error
			require.ErrorAs(t, err, &wrong)
			require.Len(t, wrong.Mistakes, 1)
			require.LessOrEqual(t, wrong.Mistakes[0].At.Line, lines)
			require.Equal(t, 0, strings.Count(err.Error(), "\n"))
			return
		}
		for _, m := range s.Mistakes {
			require.LessOrEqual(t, m.At.Line, lines, m)
			require.NotContains(t, m.String(), "\n")
		}
		if len(s.Mistakes) == 0 {
			require.Equal(t, []string{"a", "b"}, s.Values.Keys)
			require.Equal(t, "pit secret", s.Values.App.ID)
			require.Equal(t, Place{Variable: "X_APP_ID"}, s.Places["app.id"])
			require.Equal(t, "x", s.Values.Items[0].ID)
		}
	})
}
