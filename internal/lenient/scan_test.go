package lenient

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
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

func TestScannerAgreesWithJSON(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "01", "-", "1.", ".5", "1.5", "1e5", "1E+5", "1e", "1e-", "+1", "NaN", "true", "tru", "truex", "null", "nul", "false", `"a"`, `"a`, `"\u12aF"`,
		`"\u12g0"`, `"\u12"`, `"\`, `"\q"`, `"\/"`, "\"\t\"", "\"\x7f\"", "[]", "[ ]", "[1,]", "[,1]", "[1 2]", "[1,2]", "{}", `{"a":1}`, `{"a":1,}`, `{"a"}`, `{1:2}`, `{"a":}`, `{"a" : [ {} , "x" ] }`,
		"", " ", strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999), strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
	} {
		whole := []byte(`{"v":` + text + `}`)
		ok := EachField(whole, func(_, _ []byte) error { return nil }) == nil
		require.Equal(t, json.Valid(whole), ok, "%.40s", text)
		require.Equal(t, ok, Valid(whole), "%.40s", text)
	}
}

// TestOrdinaryPrefix compares the eight bytes at a time with one byte at a time.
func TestOrdinaryPrefix(t *testing.T) {
	bytes := []byte{0, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 0xff, 'a'}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var eight [8]byte
		want := 8
		for i := range eight {
			eight[i] = bytes[random.IntN(len(bytes))]
			if random.IntN(2) == 0 {
				eight[i] = 'a'
			}
			if classes[eight[i]] != ordinary && want == 8 {
				want = i
			}
		}
		require.Equal(t, want, ordinaryPrefix(binary.LittleEndian.Uint64(eight[:])), "%q", eight)
	}
}

// FuzzUnescape: texts and keys are unescaped as encoding/json does.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{`a`, `\"\\\/\b\f\n\r\t`, `\u00e9\u20AC\ud83d\ude00`, `\ud800`, `\ud800x`,
		`\ud800\u0041`, `\udc00\ud800`, "é\xff€", `\`, `\u12`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := []byte(`"` + text + `"`)
		var want string
		if json.Unmarshal(quoted, &want) != nil {
			_, ok := Scalar(quoted)
			require.False(t, ok)
			return
		}
		got, ok := Scalar(quoted)
		require.True(t, ok)
		require.Equal(t, want, got)
		require.NoError(t, EachField([]byte("{"+string(quoted)+":1}"), func(key, _ []byte) error {
			require.Equal(t, want, string(key))
			return nil
		}))
		var out string
		require.NoError(t, json.Unmarshal(appendText(nil, want), &out))
		require.Equal(t, want, out)
	})
}
