package lenient

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzScan: the scanners find what encoding/json does in valid JSON, names that come twice included, and don't break on
// anything else.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"contact":{"id":"c1","tags":["a\"b","\\"],"n":-1.5e3},"traceId":"t"}`, ` { "a" : [ ] , "a" : { } , "\u0061":null } `,
		`[1,"a",{"b":[]},null,true,[[]]]`, `[]`, `{}`, `[ ]`, `"`, `"\`, `{"a`, `{"a":}`, `{"a":1]`, `[1}`, `{"a" 1}`, `{1:2}`, `[,]`, `{"":""}`, "{\"\xff\":\"\xff\"}", ``, `{"a":1}{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var keys, values, elements []string
		fieldsErr := EachField(data, func(key, value []byte) error {
			require.NotEmpty(t, value)
			keys, values = append(keys, string(key)), append(values, string(value))
			return nil
		})
		elementsErr := EachElement(data, func(value []byte) error {
			require.NotEmpty(t, value)
			elements = append(elements, string(value))
			return nil
		})
		_, _ = Scalar(data)
		_ = exactNumbers(data)
		if !json.Valid(data) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber() // numbers beyond float64 are valid too
		open, err := d.Token()
		require.NoError(t, err)
		switch open {
		case json.Delim('{'):
			require.NoError(t, fieldsErr)
			for i := 0; d.More(); i++ {
				key, err := d.Token()
				require.NoError(t, err)
				var value json.RawMessage
				require.NoError(t, d.Decode(&value))
				require.Less(t, i, len(keys))
				require.Equal(t, key, keys[i])
				require.Equal(t, string(value), values[i])
				keys[i], values[i] = "", ""
			}
			require.Empty(t, strings.Join(append(keys, values...), ""), "something was found that is not there")
		case json.Delim('['):
			require.NoError(t, elementsErr)
			var want []json.RawMessage
			require.NoError(t, json.Unmarshal(data, &want))
			require.Len(t, elements, len(want))
			for i, value := range want {
				require.Equal(t, string(value), elements[i])
			}
		default:
			require.Error(t, fieldsErr)
			require.Error(t, elementsErr)
		}
	})
}
