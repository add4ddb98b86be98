package answer_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// The results are those of JSON.stringify(JSON.parse(text)) in Node.
var stringified = map[string]string{
	`{"a": 1, "b" : [ true, false , null ]}`:         `{"a":1,"b":[true,false,null]}`,
	`"\u003cb\u003e Tom \u0026 Jerry \u2028\u2029"`:  "\"<b> Tom & Jerry \u2028\u2029\"",
	`"\b\t\n\f\r\u0000\u001F\u007f\/\\\""`:           "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f/\\\\\\\"\"",
	`{"b":1,"10":2,"a":3,"2":4,"01":5,"-1":6}`:       `{"2":4,"10":2,"b":1,"a":3,"01":5,"-1":6}`,
	`{"4294967294":1,"4294967295":2,"0":3,"1.0":4}`:  `{"0":3,"4294967294":1,"4294967295":2,"1.0":4}`,
	`{"a":1,"b":2,"a":{"c":3}}`:                      `{"a":{"c":3},"b":2}`,
	`[1.0,1e3,-0,0.1,100,1e21,1e20,1e-6,1e-7]`:       `[1,1000,0,0.1,100,1e+21,100000000000000000000,0.000001,1e-7]`,
	`[12345678901234567890,1.5e300,-2.50,1e400]`:     `[12345678901234567000,1.5e+300,-2.5,null]`,
	`[1e-10,123456789.123,9007199254740993,5e-324]`:  `[1e-10,123456789.123,9007199254740992,5e-324]`,
	`{"":{},"é":"😀","x":[]}`:                         `{"":{},"é":"😀","x":[]}`,
	` { } `:                                          `{}`,
	`{"constructor":1,"__proto__":{"a":1},"2":[{}]}`: `{"2":[{}],"constructor":1,"__proto__":{"a":1}}`,
}

func TestStringify(t *testing.T) {
	for text, want := range stringified {
		got, err := answer.Stringify([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, string(got), text)
		again, err := answer.Stringify(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again), "a second pass changes nothing")
		require.True(t, json.Valid(got))
	}
	for _, text := range []string{``, `{`, `[1,`, `{"a"`, `nul`} {
		_, err := answer.Stringify([]byte(text))
		require.Error(t, err, text)
	}
}

func FuzzStringify(f *testing.F) {
	for text := range stringified {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		got, err := answer.Stringify(text)
		require.NoError(t, err)
		require.True(t, json.Valid(got), "%s", got)
		again, err := answer.Stringify(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}
