package ghl

import (
	"bytes"
	"encoding/json"
)

// Extra holds the JSON properties of a record that have no field in its model, and the values that their field does not
// hold completely, by their names on the wire. It is nil when there are none. An odd value never fails a record.
//
// Writing a record writes its Extra too. A value that belongs to a field is written as long as the field is what was
// read from it: a field that was changed since is written instead.
type Extra map[string]json.RawMessage

// put stores a copy of a value.
func (e *Extra) put(name string, value []byte) {
	if *e == nil {
		*e = Extra{}
	}
	(*e)[name] = bytes.Clone(value)
}
