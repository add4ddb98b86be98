package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	deliveries := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { deliveries++ }))
	defer receiver.Close()
	var out bytes.Buffer
	in := strings.NewReader(`{"Do":"consent","Locations":["locA1locA1locA1locA1"]}
{"Do":"advance","Hours":25}
{"Do":"fail","Fault":"too many requests","Operation":"contacts.get"}
{"Do":"flush"}
`)
	require.NoError(t, run([]string{receiver.URL}, in, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Equal(t, []string{`{"done":"consent"}`, `{"done":"advance"}`, `{"done":"fail"}`, `{"done":"flush"}`}, lines[1:])
	var s seeds
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &s))
	require.Contains(t, s.PublicKey, "BEGIN PUBLIC KEY")
	require.NotEmpty(t, s.Contact)
	require.Zero(t, deliveries, "seeds are no changes")
}

func TestRunRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"no JSON": "x", "unknown command": `{"Do":"x"}`, "unknown fault": `{"Do":"fail","Fault":"x"}`,
	} {
		require.Error(t, run([]string{"http://127.0.0.1:1/"}, strings.NewReader(line), new(bytes.Buffer)), name)
	}
	require.Error(t, run(nil, strings.NewReader(""), new(bytes.Buffer)))
}
