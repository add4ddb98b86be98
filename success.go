package ghl

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pluvo/ghl/internal/lenient"
)

// envelope is what the top level of an answer says about success.
type envelope struct {
	code    int  // statusCode, if it is an error's; else 0
	status  int  // status or code, if it is an error's number; -1 for a word such as "error"
	failed  bool // a flag of success is false
	done    bool // a flag of success is true
	err     bool // error or errors holds something
	message bool
	others  bool // there are properties that no error object has
}

// readEnvelope reads the top level of an answer. It returns an error if the answer is not a JSON object.
func readEnvelope(body []byte) (envelope, error) {
	var e envelope
	err := lenient.EachField(body, func(key, value []byte) error {
		switch string(key) {
		case "statusCode", "status_code":
			e.code = errorStatus(value)
		case "status", "code":
			if e.status == 0 {
				e.status = errorStatus(value)
			}
			switch string(value) {
			case `"error"`, `"fail"`, `"failed"`, `"failure"`:
				e.status = -1
			}
		case "succeded", "succeeded", "success": // HighLevel uses all three spellings
			e.failed = e.failed || string(value) == "false" || string(value) == `"false"`
			e.done = e.done || string(value) == "true"
		case "error", "errors":
			e.err = e.err || holdsSomething(value)
		case "message":
			e.message = holdsSomething(value)
		case "traceId", "name", "error_description", "canonicalCode", "meta", "path", "timestamp", "details", "data":
		default:
			e.others = true
		}
		return nil
	})
	return e, err
}

// errorStatus returns the number of an HTTP error that a value holds, 0 for any other value.
func errorStatus(value []byte) int {
	if len(value) < 3 || len(value) > len(`"500"`) {
		return 0
	}
	n, err := strconv.Atoi(strings.Trim(string(value), `"`))
	if err != nil || n < 400 || n > 599 {
		return 0
	}
	return n
}

func holdsSomething(value []byte) bool {
	switch string(value) {
	case "null", "false", "0", `""`:
		return false
	}
	inner := strings.TrimSpace(string(value[1 : len(value)-min(1, len(value)-1)]))
	return value[0] != '[' && value[0] != '{' || inner != ""
}

// reportsFailure reports whether an answer with a status of success is the report of a failure. An answer with the
// promised record is one only if it says so by its own status or flag, because records have properties such as
// status, message and error too.
func (e envelope) reportsFailure(op *Operation, body []byte) bool {
	if e.code == 0 && e.status == 0 && !e.failed && !e.err {
		return op.answer == "" && e.message && !e.others && !e.done && refusedWith(body)
	}
	whole := op.answer == "."
	hasRecord := hasID(body) || whole && e.others
	for name := range strings.SplitSeq(strings.TrimSuffix(op.answer, "."), "|") {
		value := lenient.Field(body, name)
		hasRecord = hasRecord || name != "" && len(value) > 0 && (value[0] == '{' || value[0] == '[')
	}
	switch {
	case e.code != 0:
		return true
	case e.failed:
		return !hasRecord || !whole && op.Method != http.MethodGet
	case hasRecord:
		return false
	case e.status != 0:
		return e.message || e.err || !e.others
	}
	return e.err && !e.done
}

// refusalTexts are parts of HighLevel's refusals of a token, bareRefusals the whole text of others.
var (
	refusalTexts = []string{"invalid jwt", "invalid private integration token", "forbidden resource",
		"not authorized for this scope", "authclass type"}
	bareRefusals = []string{"bad request", "unauthorized", "forbidden", "not found", "unprocessable entity",
		"too many requests"}
)

// refusedWith reports whether the message of an answer is a refusal that HighLevel or its gateway writes with an
// error's status, such as "Invalid JWT", "Forbidden" and "Endpoint request timed out".
func refusedWith(body []byte) bool {
	text, _ := lenient.Scalar(lenient.Field(body, "message"))
	text = clipped(text, maxReasons)
	lower := strings.ToLower(text)
	return slices.Contains(bareRefusals, lower) || gatewayFailed(text) || refusesLocation(lower) ||
		slices.ContainsFunc(refusalTexts, func(part string) bool { return strings.Contains(lower, part) })
}

// falseSuccess returns the error of an answer with a status of success that is a page or reports a failure, nil for
// any other one. refusesToken says that the failure is the server's refusal of the token.
func (k *call) falseSuccess() (_ *Error, refusesToken bool) {
	body := bytes.TrimSpace(k.answer.Bytes())
	switch {
	case len(body) == 0:
		return nil, false
	case body[0] == '<':
		return k.badAnswer(&badAnswerError{text: "the answer is a page, not JSON"}), false
	case body[0] != '{':
		if lenient.Valid(body) {
			return nil, false
		}
		return k.badAnswer(&badAnswerError{text: "the answer is not JSON"}), false
	}
	said, err := readEnvelope(body)
	if err != nil {
		return k.badAnswer(&badAnswerError{text: "the answer is not JSON"}), false
	}
	if !said.reportsFailure(k.op, body) {
		return nil, false
	}
	r := &refusal{op: k.op, ids: k.pathIDs(), status: said.code, header: k.header, body: body}
	if r.status == 0 {
		r.status = max(said.status, http.StatusOK)
	}
	r.parse()
	e := k.badAnswer(&badAnswerError{
		text: "the status is a success, but the answer reports a failure" + r.suffix(),
	})
	if len(r.texts) > 1 {
		e.Details = slices.Clone(r.texts)
		e.hide(k.secrets())
	}
	return e, classify(r).refusesToken
}

// suffix returns the server's reasons for the end of a text.
func (r *refusal) suffix() string {
	if len(r.texts) == 0 {
		return ""
	}
	return ": " + strings.Join(r.texts, "; ")
}
