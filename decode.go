package ghl

import (
	"bytes"
	"encoding/json"

	"github.com/pluvo/ghl/internal/lenient"
)

// Extra holds the JSON properties of a record that have no field in its model, and the values that their field does not
// hold completely, by their names on the wire. It is nil when there are none. An odd value never fails a record.
//
// Writing a record writes its Extra too. A value that belongs to a field is written as long as the field is what was read
// from it: a field that was changed since is written instead.
type Extra map[string]json.RawMessage

// put stores a copy of a value.
func (e *Extra) put(name string, value []byte) {
	if *e == nil {
		*e = Extra{}
	}
	(*e)[name] = bytes.Clone(value)
}

// decodeHead reads the properties around the records of an answer, with the same tolerance; unknown ones are dropped.
func decodeHead(data []byte, head any) error { return lenient.Unmarshal(data, head) }

// These are used throughout the package.
func eachField(data []byte, f func(key, value []byte) error) error { return lenient.EachField(data, f) }
func eachElement(data []byte, f func(value []byte) error) error    { return lenient.EachElement(data, f) }
func isObject(data []byte) bool                                    { return lenient.IsObject(data) }
func scalar(data []byte) (string, bool)                            { return lenient.Scalar(data) }
func parseNumber(text string) (float64, bool)                      { return lenient.ParseNumber(text) }
