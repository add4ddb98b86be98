package spec

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

var update = flag.Bool("update", false, "write ghltest/endpoints.txt from the vendor's documents")

// endpointsFile lists the documented endpoints for ghltest, which answers 501 to those that it does not have.
const endpointsFile = "../../ghltest/endpoints.txt"

// TestTheListOfEndpoints checks that ghltest/endpoints.txt has the method, the path and the name of every endpoint of
// the vendor's documents. With -update it writes the file.
func TestTheListOfEndpoints(t *testing.T) {
	list := documentedEndpoints(t)
	require.Greater(t, len(list), 500)
	want := strings.Join(list, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(endpointsFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(endpointsFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run: go test -run TestTheListOfEndpoints -update .")
}

// documentedEndpoints returns a line for each endpoint: the generation (old, v3 or both), the method, the path and the
// operation's name.
func documentedEndpoints(t *testing.T) []string {
	type endpoint struct{ path, rest string }
	placeholder, space := regexp.MustCompile(`\{[^}]*\}`), regexp.MustCompile(`\s+`)
	generations := map[endpoint]string{}
	paths := map[endpoint]string{}
	dir := documentsDir(t)
	for _, of := range []struct{ generation, files string }{{"old", "apps/*.json"}, {"v3", "apps/v3/*.json"}} {
		names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(of.files)))
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			var document struct {
				Paths map[string]map[string]json.RawMessage `json:"paths"`
			}
			require.NoError(t, json.Unmarshal(data, &document), name)
			for path, item := range document.Paths {
				for method, data := range item {
					if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
						continue
					}
					var operation struct {
						ID string `json:"operationId"`
					}
					require.NoError(t, json.Unmarshal(data, &operation), "%s: %s %s", name, method, path)
					// One line for both generations, although they name placeholders differently.
					key := endpoint{placeholder.ReplaceAllString(path, "{}"),
						strings.ToUpper(method) + " " + space.ReplaceAllString(operation.ID, "-")}
					if generations[key] == "" {
						generations[key], paths[key] = of.generation, path
					} else if generations[key] != of.generation {
						generations[key] = "both"
					}
				}
			}
		}
	}
	var list []string
	for key, generation := range generations {
		method, name, _ := strings.Cut(key.rest, " ")
		list = append(list, fmt.Sprintf("%s %s %s %s", generation, method, paths[key], name))
	}
	slices.SortFunc(list, func(a, b string) int {
		return slices.Compare(byPath(a), byPath(b))
	})
	return list
}

func byPath(line string) []string {
	fields := strings.Fields(line)
	return []string{fields[2], fields[1], fields[0], fields[3]}
}

// TestTheEndpointsOfTheCatalogAreListed compares the list with the client's catalog, except for operations that
// exceptions.json says the documents lack.
func TestTheEndpointsOfTheCatalogAreListed(t *testing.T) {
	data, err := os.ReadFile(endpointsFile)
	require.NoError(t, err)
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	listed := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		require.Len(t, fields, 4)
		require.Contains(t, []string{"old", "v3", "both"}, fields[0])
		listed[fields[1]+" "+placeholder.ReplaceAllString(fields[2], "{}")] = true
	}
	excepted, err := readExceptions(exceptionsJSON)
	require.NoError(t, err)
	for _, op := range ghl.Operations() {
		if _, lacking := excepted[difference{op.Name, ghl.Version20210728, "path"}]; lacking {
			continue
		}
		require.True(t, listed[op.Method+" "+placeholder.ReplaceAllString(op.Path, "{}")], op.Name)
	}
}
