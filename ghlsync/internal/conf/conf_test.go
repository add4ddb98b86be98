package conf

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type example struct {
	Listen string        `yaml:"listen"`
	Port   int           `yaml:"port"`
	On     bool          `yaml:"on"`
	Wait   time.Duration `yaml:"wait"`
	Level  slog.Level    `yaml:"level"`
	Keys   []string      `yaml:"keys"`
	App    struct {
		ID string `yaml:"id"`
	} `yaml:"app"`
	Items []struct {
		ID    string            `yaml:"id"`
		Names map[string]string `yaml:"names"`
		Tasks map[string][]struct {
			Title string        `yaml:"title"`
			Due   time.Duration `yaml:"due"`
		} `yaml:"tasks"`
	} `yaml:"items"`

	internal int
}

func decodeExample(t *testing.T, file string, env map[string]string) *Settings[example] {
	t.Helper()
	s, err := Decode(Source{File: "x.yaml", Data: []byte(file), Env: env, Prefix: "X_", Ignore: []string{"X_CONFIG"}},
		example{Listen: ":80"})
	require.NoError(t, err)
	return s
}

// TestDecode: the file overrides the defaults, the environment overrides the file, and each value has its place.
func TestDecode(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(" from file\n"), 0o600))
	s := decodeExample(t, `# comment
port: ${PORT}
on: true
wait: 90s
level: warn
keys: [a, "b c", 'd']
app:
  id: ${file:`+secret+`}
items:
  - id: 007
    names: {x.y: "1", z: 2}
    tasks:
      new:
        - {title: Call, due: 48h}
        - title: |
            Two
            lines
`, map[string]string{"PORT": "99", "X_WAIT": "5s", "X_ITEM_ID": "mine", "X_LEVEL": "", "X_CONFIG": "x.yaml", "X_TYPO": "1", "HOME": "/"})
	require.Empty(t, s.Mistakes)
	v := s.Values
	require.Equal(t, ":80", v.Listen)
	require.Equal(t, 99, v.Port)
	require.True(t, v.On)
	require.Equal(t, 5*time.Second, v.Wait)
	require.Equal(t, slog.LevelWarn, v.Level, "an empty variable does not set a level")
	require.Equal(t, []string{"a", "b c", "d"}, v.Keys)
	require.Equal(t, "from file", v.App.ID)
	require.Equal(t, "mine", v.Items[0].ID)
	require.Equal(t, map[string]string{"x.y": "1", "z": "2"}, v.Items[0].Names)
	require.Equal(t, 48*time.Hour, v.Items[0].Tasks["new"][0].Due)
	require.Equal(t, "Two\nlines\n", v.Items[0].Tasks["new"][1].Title)
	require.Zero(t, v.internal)
	require.Equal(t, []string{"X_TYPO"}, s.Unknown)
	for path, want := range map[string]string{
		"port": "x.yaml:2:7", "wait": "X_WAIT", "keys[1]": "x.yaml:6:11", "app": "x.yaml:8:3", "items[0].id": "X_ITEM_ID",
		"items[0].names[x.y]": "x.yaml:11:18", "items[0].tasks[new][0].due": "x.yaml:14:30", "items[0].tasks[new][1]": "x.yaml:15:11",
	} {
		require.Equal(t, want, s.Places[path].String(), path)
	}
	require.NotContains(t, s.Places, "listen")
}

// TestEnvironmentAlone: variables without a file set values, lists and the only item of a list.
func TestEnvironmentAlone(t *testing.T) {
	s, err := Decode(Source{Env: map[string]string{"X_LISTEN": "", "X_KEYS": "a, b,c", "X_ITEM_ID": "i",
		"X_APP_ID": "${NO}"}, Prefix: "X_"}, example{Listen: ":80"})
	require.NoError(t, err)
	require.Empty(t, s.Mistakes)
	require.Empty(t, s.Values.Listen, "an empty variable sets an empty text")
	require.Equal(t, []string{"a", "b", "c"}, s.Values.Keys)
	require.Equal(t, "i", s.Values.Items[0].ID)
	require.Equal(t, "${NO}", s.Values.App.ID, "variables are not expanded again")
}

// TestOverridden: a variable replaces a value of the file that could not be used.
func TestOverridden(t *testing.T) {
	s := decodeExample(t, "port: ${NO}\napp:\nitems:\n",
		map[string]string{"X_PORT": "1", "X_APP_ID": "a", "X_ITEM_ID": "i"})
	require.Empty(t, s.Mistakes)
	require.Equal(t, 1, s.Values.Port)
	require.Equal(t, "a", s.Values.App.ID)
	require.Len(t, s.Values.Items, 1)
}

// TestMistakes: all mistakes are found at once, without the values.
func TestMistakes(t *testing.T) {
	s := decodeExample(t, `lissen: secret
port: secret
on: secret
wait: 5
level: secret
keys: secret
app: secret
items:
  - secret
  - {id: [secret], listen: secret, title: secret, "": secret}
  - {id: a, id: b, names: [secret], tasks: {a: {b: secret}}}
  - !!map {id: a}
tasks: secret
frobnicate: secret
pit-1-secret: x
`, map[string]string{"X_PORT": "secret", "X_ITEM_ID": "secret"})
	var lines []string
	for _, m := range s.Mistakes {
		lines = append(lines, strings.TrimPrefix(m.String(), "x.yaml:"))
	}
	require.Equal(t, []string{
		"X_ITEM_ID: the variable sets the only item of items, but x.yaml has several",
		`1:1: unknown setting "lissen" at the top level; did you mean listen?`,
		"X_PORT: port: must be a whole number",
		"3:5: on: must be true or false",
		"4:7: wait: must be a time such as 30s, 5m or 24h",
		"5:8: level: must be debug, info, warn or error",
		"6:7: keys: must be a list",
		"7:6: app: must be settings by name",
		"9:5: items[0]: must be settings by name",
		"10:10: items[1].id: must be a text",
		`10:20: unknown setting "listen" in items[1]; did you mean listen at the top level?`,
		`10:36: unknown setting "title" in items[1]; did you mean items[].tasks[][].title?`,
		`10:51: unknown setting "" in items[1]`,
		`11:13: "id" is set twice, first in line 11`,
		"11:27: items[2].names: must be settings by name",
		"11:48: items[2].tasks[a]: must be a list",
		"12:5: items[3]: tags of YAML are not supported",
		`13:1: unknown setting "tasks" at the top level; did you mean items[].tasks?`,
		`14:1: unknown setting "frobnicate" at the top level`,
		"15:1: unknown setting at the top level",
	}, lines)
}

// TestNotYAML: the error names the place and shows nothing of the file.
func TestNotYAML(t *testing.T) {
	for file, want := range map[string]string{
		"listen: [\n":                               "x.yaml:1:9: the file is not valid YAML: ",
		"keys: secret: secret\n":                    "x.yaml:1:",
		"listen: secret\n\tport: 1\n":               "x.yaml:2:",
		"listen:\n\tport: 1\n":                      "x.yaml:2:1: the file is not valid YAML: indent with spaces, not with tabs",
		"listen: |secret\n":                         "x.yaml:1:9: the file is not valid YAML: a value that begins with | or > must be in quotes",
		"listen: >secret\n  a\n":                    "x.yaml:1:9: the file is not valid YAML: a value that begins with | or > must be in quotes",
		"%YAML 1.secret\n---\nport: 1\n":            "x.yaml:1:7: the file is not valid YAML: unknown YAML version",
		"listen: x\nport = 1\n":                     "x.yaml:2:1: the file is not valid YAML: a setting must be a name, a colon, a space and a value",
		"port:1\nlisten: x\n":                       "x.yaml:1:1: the file is not valid YAML: a setting must be a name, a colon, a space and a value",
		"listen: sqlite:\n":                         "x.yaml:1:9: the file is not valid YAML: the value contains a colon, so write it in quotes",
		"listen: 'secret\n":                         "x.yaml:1:9: the file is not valid YAML: the closing quote is missing",
		"items:\n  - id: a\n   names: {}\n":         "x.yaml:3:4: the file is not valid YAML: a line is not indented as the lines before it",
		"- secret\n":                                "x.yaml:1:1: the file must have settings by name",
		"secret\n":                                  "x.yaml:1:1: the file must have settings by name",
		"listen: secret\n---\nlisten: secret\n":     "x.yaml:3:7: the file must have one document",
		"listen: \xff\n":                            "x.yaml: the file must be UTF-8",
		strings.Repeat("a", 256<<10+1):              "x.yaml: the file must not be larger than 256 KiB",
		"keys: " + strings.Repeat("[", 1000):        "x.yaml:1:57: objects and lists must not be nested this deep",
		"keys:\n" + strings.Repeat("- ", 500) + "a": "x.yaml:2:201: objects and lists must not be nested this deep",
	} {
		_, err := Decode(Source{File: "x.yaml", Data: []byte(file)}, example{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestExpansion: ${…} that is only a part of a value, or does not name a variable or a file, is a mistake.
func TestExpansion(t *testing.T) {
	for value, want := range map[string]string{
		"sqlite:${A}":      "${…} must be the whole value, such as ${NAME} or ${file:PATH}",
		"${A}b":            "${…} must be the whole value, such as ${NAME} or ${file:PATH}",
		"${A}${A}":         "${…} must be the whole value, such as ${NAME} or ${file:PATH}",
		"${A":              "${…} must be the whole value, such as ${NAME} or ${file:PATH}",
		"${}":              "${…} must contain the name of a variable, such as ${NAME}, or a file, such as ${file:PATH}",
		"${file:}":         "${…} must contain the name of a variable, such as ${NAME}, or a file, such as ${file:PATH}",
		"${pit-secret}":    "${…} must contain the name of a variable, such as ${NAME}, or a file, such as ${file:PATH}",
		"${A:-pit-secret}": "${…} must contain the name of a variable, such as ${NAME}, or a file, such as ${file:PATH}",
		"${A}":             "",
		"$A":               "",
		"{A}$":             "",
	} {
		s := decodeExample(t, "listen: '"+value+"'\n", map[string]string{"A": "${b}"})
		if want == "" {
			require.Empty(t, s.Mistakes, value)
			continue
		}
		require.Len(t, s.Mistakes, 1, value)
		require.Equal(t, "x.yaml:1:9: listen: "+want, s.Mistakes[0].String(), value)
	}
}

// TestRefusedName: a name that is not a word is a mistake at its place, and the other settings are decoded.
func TestRefusedName(t *testing.T) {
	s := decodeExample(t, "port: 1\n~: a\n<<: {on: true}\nlisten: x\n", nil)
	var lines []string
	for _, m := range s.Mistakes {
		lines = append(lines, m.String())
	}
	require.Equal(t, []string{
		"x.yaml:2:1: the name of a setting must be a word",
		"x.yaml:3:1: anchors and aliases of YAML are not supported",
	}, lines)
	require.Equal(t, 1, s.Values.Port)
	require.Equal(t, "x", s.Values.Listen)
}

// TestDirective: a directive before the document is ignored.
func TestDirective(t *testing.T) {
	s := decodeExample(t, "%YAML 1.2\n---\nport: 1\n", nil)
	require.Empty(t, s.Mistakes)
	require.Equal(t, 1, s.Values.Port)
}
