// Package lenient reads and writes JSON records whose values often differ from their documents. Two rules hold:
//
//   - One odd value never fails a record. A value that can be converted to the type of its field is converted (a number
//     to a string, a single value to a list of one); any other value leaves the field zero.
//   - Nothing is lost. A struct with a field named Extra, a map[string]json.RawMessage or a type of that kind, stores
//     there the properties without a field, and the values that their field does not hold completely.
//
// A struct needs no methods for this, at any depth. A nested struct without Extra is stored in the
// Extra of the struct around it when it holds less than its JSON. Types that implement [json.Unmarshaler] read
// themselves.
//
// Only fields with a json tag are read and written. The tag also:"a,b" lists further names of a field: the value
// under the first name that has one is used, and a value under another name that differs is stored in Extra. A field
// named id is also read from _id, and a field named _id from id.
package lenient
