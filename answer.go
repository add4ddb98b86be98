package ghl

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/pluvo/ghl/internal/lenient"
)

// decoder reads the body of a successful answer.
type decoder func(k *call, body []byte) error

// model is a pointer to a record type, which all have UnmarshalJSON.
type model[T any] interface {
	*T
	json.Unmarshaler
}

// one sends a request whose answer is one record.
func one[T any, P model[T]](ctx context.Context, c *Client, r request, opts []CallOption) (*T, error) {
	record := new(T)
	err := c.do(ctx, r, func(k *call, body []byte) error {
		value, err := promisedRecord(body, k.op.answer)
		if err != nil {
			return err
		}
		return P(record).UnmarshalJSON(value)
	}, opts)
	if err != nil {
		return nil, err
	}
	return record, nil
}

// many sends a request whose answer is a list of records.
func many[T any, P model[T]](ctx context.Context, c *Client, r request, opts []CallOption) ([]*T, error) {
	var list []*T
	err := c.do(ctx, r, func(k *call, body []byte) (err error) {
		list, err = records[T, P](k, body)
		return err
	}, opts)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// maxElements limits the memory that a hostile list can use. No real list has as many elements.
const maxElements = 100_000

// records reads the list in an answer. It skips elements that are not records and collects them in k.skipped.
func records[T any, P model[T]](k *call, body []byte) ([]*T, error) {
	value, err := promised(body, k.op.answer, '[')
	if err != nil {
		return nil, err
	}
	list := []*T{}
	if string(value) == "null" {
		return list, nil
	}
	err = lenient.EachElement(value, func(element []byte) error {
		if len(list)+len(k.skipped) >= maxElements {
			return &badAnswerError{text: "the list in the answer has more than 100,000 elements"}
		}
		if !lenient.IsObject(element) || !hasID(element) {
			k.skipped = append(k.skipped, bytes.Clone(element))
			return nil
		}
		record := new(T)
		list = append(list, record)
		return P(record).UnmarshalJSON(element)
	})
	return list, err
}

// whole sends a request whose answer as a whole is the record. The operation may name a list that such an answer has.
func whole[T any, P model[T]](ctx context.Context, c *Client, r request, opts []CallOption) (*T, error) {
	record := new(T)
	err := c.do(ctx, r, func(k *call, body []byte) error {
		if err := checkObject(body); err != nil {
			return err
		}
		if k.op.answer != "." {
			if _, err := promised(body, k.op.answer, '['); err != nil {
				return err
			}
		}
		return P(record).UnmarshalJSON(body)
	}, opts)
	if err != nil {
		return nil, err
	}
	return record, nil
}

// done sends a request whose answer does not hold a record.
func done(ctx context.Context, c *Client, r request, opts []CallOption) error {
	return c.do(ctx, r, func(*call, []byte) error { return nil }, opts)
}

// into returns a decoder that reads the answer into out.
func into(out any) decoder {
	return func(_ *call, body []byte) error {
		if out == nil {
			return nil
		}
		if len(body) == 0 {
			return &badAnswerError{text: "the answer is empty"}
		}
		return json.Unmarshal(body, out)
	}
}

func checkObject(body []byte) error {
	switch {
	case len(body) == 0:
		return &badAnswerError{text: "the answer is empty"}
	case !lenient.Valid(body) || !lenient.IsObject(body):
		return &badAnswerError{text: "the answer is not a JSON object"}
	}
	return nil
}

// promised returns the property that holds what the operation promises: an object if kind is '{', a list or null if
// kind is '['. names are alternatives separated by "|"; "." is the answer itself, if it has an id.
func promised(body []byte, names string, kind byte) ([]byte, error) {
	if err := checkObject(body); err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(names, "|") {
		if name == "." {
			if hasID(body) {
				return body, nil
			}
			continue
		}
		if value := lenient.Field(body, name); value != nil &&
			(value[0] == kind || kind == '[' && string(value) == "null") {
			return value, nil
		}
	}
	return nil, &badAnswerError{absent: true,
		text: "the answer has no " + strings.ReplaceAll(strings.TrimSuffix(names, "|."), "|", " or ")}
}

// promisedRecord returns the record that the operation promises.
func promisedRecord(body []byte, names string) ([]byte, error) {
	value, err := promised(body, names, '{')
	if err == nil && !hasID(value) {
		return nil, &badAnswerError{text: "the record in the answer has no id"}
	}
	return value, err
}

// hasID reports whether an object has an id, as every record does.
func hasID(object []byte) bool {
	for _, name := range []string{"id", "_id"} {
		if id, ok := lenient.Scalar(lenient.Field(object, name)); ok && id != "" {
			return true
		}
	}
	return false
}
