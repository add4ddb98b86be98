package ghl

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/pluvo/ghl/internal/lenient"
)

// verdict is what an answer without success means. Categories, retries and ErrAmbiguous all follow from it.
type verdict struct {
	categories category
	// message replaces the server's text, where that is a page or missing.
	message string
	// refusesToken says that the server refused the token itself, so that another token may help.
	refusesToken bool
	// mayHaveActed says that the server may have done the operation all the same.
	mayHaveActed bool
}

// refusal is an answer that [classify] judges.
type refusal struct {
	op     *Operation
	ids    []pathID
	status int
	header http.Header
	body   []byte
	json   bool      // the body is JSON, which HighLevel's own answers are
	parsed errorBody // the body, if it is an object
	texts  []string  // the reasons in it
	// duplicate says that the answer names an existing contact.
	duplicate bool
}

const noEndpoint = "no such endpoint in this version of the API"

// classify decides what an answer without success means. The status alone is not enough: HighLevel returns 400 for a
// missing contact and for a time-out of its gateway, and a page of the network before it comes with any status.
func classify(r *refusal) verdict {
	text := strings.ToLower(strings.Join(r.texts, "; "))
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case r.status >= 300 && r.status < 400:
		return verdict{message: "the server redirects, which is not followed to another origin nor for a change"}
	case r.fromNetwork():
		return r.page()
	case r.status == http.StatusTooManyRequests:
		return verdict{categories: rateLimited}
	case r.status >= 500, r.status == http.StatusRequestTimeout, slices.ContainsFunc(r.texts, gatewayFailed):
		return verdict{categories: serverError, mayHaveActed: true}
	case slices.Contains(r.texts, noEndpoint), r.status == http.StatusNotFound && len(r.body) == 0:
		return verdict{message: noEndpoint}
	case refusesLocation(text):
		return verdict{categories: locationForbidden | forbidden}
	case r.status == http.StatusUnauthorized:
		return unauthorizedFor(has)
	case r.status == http.StatusForbidden:
		return verdict{categories: forbidden}
	case r.duplicate || has("does not allow duplicated contacts"):
		return verdict{categories: duplicateContact}
	case has("slot you have selected is no longer available"):
		return verdict{categories: slotTaken}
	case r.recordMissing():
		return verdict{categories: notFound}
	case r.status == http.StatusUnprocessableEntity,
		r.status == http.StatusBadRequest && r.op.Method != http.MethodGet && !r.op.NoBearer && refusesContent(text):
		return verdict{categories: validation}
	}
	return verdict{}
}

// unauthorizedFor returns the verdict on a 401 of HighLevel with a text.
func unauthorizedFor(has func(part string) bool) verdict {
	if has("not authorized for this scope") {
		return verdict{categories: missingScope | unauthorized}
	}
	// A token of the wrong kind, or a request without a version, is refused with every token of the source.
	other := has("version header") || has("user type mismatch") || has("authclass type")
	return verdict{categories: unauthorized, refusesToken: !other}
}

// timedOut matches the texts of a gateway or driver that gave up. Each starts its sentence, because a validation text
// can contain the same words.
var timedOut = regexp.MustCompile(`(?i)(?:^|[:;,] )(?:the |this |an? |\d{1,3} )?(?:` + strings.Join([]string{
	`(?:gateway|proxy|upstream|request|response|server|service|backend|command|operation|connection|connect|socket|` +
		`query|database|transaction|network|read|write|stream|endpoint|function|process|execution|fetch|lambda|` +
		`task|job)` +
		`(?: server)?[ _-](?:(?:request|connection|response|read|write|execution|processing|to upstream)[ _-])?` +
		`(?:(?:has |is )?(?:timed|timing)[ _-]?out\b|time[ _-]?out` +
		`(?:$|[.,:;!]| -| \(| (?:error|after|at|while|waiting|occurred|exceeded|reached|when|during)\b))`,
	`timed?[ _-]?out after \d+`, `timeout of \d+ ?m?s\b`, `timed?[ _-]?out(?: error)?[.!]?$`, `timeout exceeded`,
	`timeout (?:awaiting|acquiring) `, `lock wait timeout`, `canceling statement due to \w+ timeout`,
	`time limit exceeded`, `(?:context )?deadline[ _]exceeded`, `context cancell?ed$`,
	`(?:operation|request) (?:was )?aborted\b`, `user aborted a request`,
	`upstream connect error`, `upstream prematurely closed`, `upstream (?:service |server )?(?:error|unavailable)`,
	`no healthy upstream`, `bad gateway`,
	`(?:internal )?(?:server|service) (?:is )?(?:temporarily |currently )?unavailable`,
	`temporarily unavailable`, `internal server error`, `server (?:is )?(?:busy|overloaded)`, `socket hang up`,
	`request failed with status code 5\d\d`, `(?:http|error|http error|status code) 5\d\d$`,
	`connection (?:is |was |has been )?(?:reset|refused|closed|aborted|terminated|lost)\b`,
	`network error`, `fetch failed`, `client network socket disconnected`,
}, "|") + `)`)

// driverFailed matches the codes of a failed connection behind HighLevel's API, which a validation text does not have.
var driverFailed = regexp.MustCompile(`\b(?:ETIMEDOUT|ESOCKETTIMEDOUT|ESOCKET|ECONNRESET|ECONNREFUSED|ECONNABORTED|` +
	`EPIPE|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_[A-Z_]+|` +
	`(?:Mongo|Mongoose)(?:Network|NetworkTimeout|ServerSelection|Timeout|WriteConcern|NotConnected|` +
	`TopologyClosed)Error|` +
	`PoolClearedError|TimeoutError|i/o timeout|unexpected EOF|` +
	`(?:1 CANCELLED|4 DEADLINE_EXCEEDED|10 ABORTED|13 INTERNAL|14 UNAVAILABLE):|` + // gRPC
	`code = (?:Canceled|DeadlineExceeded|Aborted|Internal|Unavailable) desc|` +
	`MaxRetriesPerRequestError|buffering timed out after \d+ ?ms|operation exceeded time limit)(?:\b|$| )`)

// ofInput matches the words of a text that is about the caller's input or sign-in.
var ofInput = regexp.MustCompile(`(?i)\b(?:must|should|required|expected|invalid|valid|cannot be|may not|` +
	`greater than|less than|at least|at most|not allowed|log ?in|sign ?in|session|token|otp)\b`)

var quoted = regexp.MustCompile("\"[^\"]*\"|`[^`]*`|(?:^|[ (])'[^']*'")

// gatewayFailed reports whether a text is that of a gateway or a driver behind the API. The work may have been done.
func gatewayFailed(text string) bool {
	text = quoted.ReplaceAllString(text, " ") // the caller's own words, repeated by the server
	return driverFailed.MatchString(text) || timedOut.MatchString(text) && !ofInput.MatchString(text)
}

var (
	locationSubject = regexp.MustCompile(`(?:^|[:.;,] )(?:the |this |your |requested )*(?:location|sub-?account)` +
		`(?: (?:with )?(?:id )?\S+)? (?:is|was|has been)(?: currently| temporarily)? ` +
		`(?:not (?:active|accessible|authorized|enabled|permitted)|inactive|inaccessible|disabled|suspended|` +
		`deactivated|blocked|locked|paused|deleted|closed|forbidden)\b`)
	locationAccess = regexp.MustCompile(
		`\b(?:access(?:ible)?|permissions?|authori[sz]ed|permitted|allowed|forbidden)\b` +
			`(?: denied| to| for| on| access| by)*(?: the| this| that| your| requested| given)*` +
			`(?: location| sub-?account)` +
			`(?: (?:with )?(?:id )?[\w-]{3,})?(?:$|[.,;!]| (?:is|was|has|with|denied)\b)|` +
			`\b(?:location|sub-?account) access\b`)
	negated = regexp.MustCompile(`\b(?:no|not|cannot|never|without|lacks?|denied|forbidden|refused|\w+n't)\b`)
)

// refusesLocation reports whether a text refuses the whole location, so that every call of the location gets it.
func refusesLocation(lower string) bool {
	return locationSubject.MatchString(lower) || locationAccess.MatchString(lower) && negated.MatchString(lower)
}

var contentRefused = regexp.MustCompile(`\b(?:must|should|required|provide|invalid|not valid|at least|at most|` +
	`cannot be|can't be|can not be|missing|too long|too short|exceeds?|already exists|not allowed|unsupported|` +
	`not supported|malformed|duplicate)\b`)

// refusesContent reports whether the text of a 400 is about the content of the request. A text about a missing header,
// a grant or a token is not, nor is one about something that was not found.
func refusesContent(lower string) bool {
	for _, other := range []string{"header", "grant", "token", "not found", "mongo", "endpoint", "client_id", "scope"} {
		if strings.Contains(lower, other) {
			return false
		}
	}
	return contentRefused.MatchString(lower)
}

// newError returns the error of an answer with a status other than success, and the verdict on it. It copies the body.
func (k *call) newError(status int, header http.Header, body []byte) (*Error, verdict) {
	stored := append([]byte{}, body[:min(len(body), maxErrorBody)]...)
	e := &Error{Operation: k.op.Name, Status: status, body: &stored}
	r := &refusal{op: k.op, ids: k.pathIDs(), status: status, header: header, body: bytes.TrimSpace(body)}
	r.parse()
	if lenient.IsObject(body) {
		e.TraceID, e.Details = r.parsed.TraceID, r.texts
		e.Message = strings.Join(r.texts, "; ")
		if m := r.parsed.Meta; m.ContactID != "" {
			e.Duplicate, r.duplicate = &Duplicate{m.ContactID, m.ContactName, m.MatchingField}, true
		}
	}
	v := classify(r)
	if v.message != "" {
		e.Message, e.Details = v.message, nil
	}
	if v.categories&missingScope != 0 {
		e.Scopes = append([]Scope(nil), k.op.Scopes...)
	}
	e.categories = v.categories
	return e, v
}

// parse reads the body as far as it is JSON.
func (r *refusal) parse() {
	if len(r.body) > 0 {
		switch r.body[0] {
		case '{', '[':
			r.json = true // also when it is cut
		default:
			r.json = lenient.Valid(r.body)
		}
	}
	if !lenient.IsObject(r.body) || lenient.Unmarshal(r.body, &r.parsed) != nil {
		r.parsed = errorBody{}
		return
	}
	r.texts = r.parsed.reasons()
	left := maxReasons
	for i, text := range r.texts {
		text = clipped(withoutPath(text), left)
		r.texts[i] = text
		if left -= len(text); left <= 0 {
			r.texts = r.texts[:i+1]
			return
		}
	}
}

// maxReasons is how much of the texts of an answer is read. A text of a megabyte would take seconds.
const maxReasons = 16 << 10

// clipped returns the first bytes of a text.
func clipped(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "")
}
