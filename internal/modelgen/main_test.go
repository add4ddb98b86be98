package main

import (
	"bytes"
	"go/format"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestModels(t *testing.T) {
	dir := t.TempDir()
	write := func(name, source string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	write("a.go", `package ghl
type (
	Reminder struct { ID string; Extra Extra }
	Odd struct { Extra Extra }
	Input struct { ID string }
	hidden struct { Extra Extra }
	Other Reminder
)
func (o *Odd) UnmarshalJSON([]byte) error { return nil }
func (hidden) MarshalJSON() ([]byte, error) { return nil, nil }
`)
	write("b_test.go", "package ghl\ntype Test struct { Extra Extra }\n")
	write("b_gen.go", "package ghl\nfunc (r *Reminder) UnmarshalJSON([]byte) error { return nil }\n")
	models, err := modelsIn(dir)
	require.NoError(t, err)
	require.Equal(t, []model{{name: "Odd", reads: true}, {name: "Reminder"}}, models)

	var b bytes.Buffer
	methods(&b, models)
	source, err := format.Source(b.Bytes())
	require.NoError(t, err)
	require.Contains(t, string(source),
		"func (r *Reminder) UnmarshalJSON(data []byte) error { return lenient.Unmarshal(data, r) }")
	require.Contains(t, string(source), "func (o Odd) MarshalJSON() ([]byte, error) { return lenient.Marshal(&o) }")
	require.NotContains(t, string(source), "*Odd")

	write("broken.go", "package")
	_, err = modelsIn(dir)
	require.Error(t, err)
}
