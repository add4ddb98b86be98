package ghl

import (
	"bytes"
	"net/http"
	"net/url"
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
	names  bool      // the answer names an existing contact
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
	case r.status == http.StatusUnauthorized && has("not authorized for this scope"):
		return verdict{categories: missingScope | unauthorized}
	case r.status == http.StatusUnauthorized:
		// A token of the wrong kind, or a request without a version, is refused with every token of the source.
		other := has("version header") || has("user type mismatch") || has("authclass type")
		return verdict{categories: unauthorized, refusesToken: !other}
	case r.status == http.StatusForbidden:
		return verdict{categories: forbidden}
	case r.names || has("does not allow duplicated contacts"):
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

// timedOut matches the texts of a gateway or driver that gave up. Each starts its sentence, because a validation text
// can contain the same words.
var timedOut = regexp.MustCompile(`(?i)(?:^|[:;,] )(?:the |an? |\d{1,3} )?(?:` +
	`(?:gateway|proxy|upstream|request|response|server|service|backend|command|operation|connection|connect|socket|` +
	`query|database|transaction|network|read|write|stream|endpoint|function|process|execution|fetch|lambda|task|job)` +
	`[ _-](?:(?:request|connection|response|read|write|execution)[ _-])?(?:has )?(?:timed[ _-]?out\b|time[ _-]?out` +
	`(?:$|[.,:;!]| -| \(| (?:error|after|while|waiting|occurred|exceeded|reached|when|during)\b))|` +
	`timed?[ _-]?out after \d+|timeout of \d+ ?m?s\b|timed?[ _-]?out[.!]?$|timeout exceeded|time limit exceeded|` +
	`(?:context )?deadline[ _]exceeded|` +
	`upstream connect error|upstream (?:service |server )?(?:error|unavailable)|no healthy upstream|bad gateway|` +
	`(?:internal )?(?:server|service) (?:is )?(?:temporarily )?unavailable|temporarily unavailable|` +
	`internal server error|socket hang up|` +
	`connection (?:was |has been )?(?:reset|refused|closed|aborted|terminated|lost)\b|network error|fetch failed|` +
	`client network socket disconnected)`)

// driverFailed matches the codes of a failed connection behind HighLevel's API, which a validation text does not have.
var driverFailed = regexp.MustCompile(`\b(?:ETIMEDOUT|ESOCKETTIMEDOUT|ESOCKET|ECONNRESET|ECONNREFUSED|ECONNABORTED|` +
	`EPIPE|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|UND_ERR_[A-Z_]+|` +
	`(?:Mongo|Mongoose)(?:Network|NetworkTimeout|ServerSelection|Timeout|WriteConcern)Error|` +
	`MaxRetriesPerRequestError|buffering timed out after \d+ ?ms|operation exceeded time limit)\b`)

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
		`(?:not (?:active|accessible|authorized|enabled|permitted)|inactive|inaccessible|disabled|suspended|deactivated|` +
		`blocked|locked|paused|deleted|closed|forbidden)\b`)
	locationAccess = regexp.MustCompile(
		`\b(?:access(?:ible)?|permissions?|authori[sz]ed|permitted|allowed|forbidden)\b(?: denied| to| for| on| access| by)*` +
			`(?: the| this| that| your| requested| given)*(?: location| sub-?account)` +
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

// pathID is an id in the path of a call, with the names of the kind of record that it identifies.
type pathID struct {
	id    string
	kinds []string
}

// pathIDs returns the records that the call asks for, with the ids in its path. The location is among them only if it is the record asked for.
func (k *call) pathIDs() []pathID {
	var ids []pathID
	if form, ok := k.request.in.(url.Values); k.op.company { // the query or the form names the record
		ids = append(ids, pathID{k.request.query.Get("appId"), []string{"app"}})
		if ok {
			ids = append(ids, pathID{form.Get("locationId"), []string{"location"}})
		}
	}
	before, positional := "", k.request.path
	template := k.op.path(k.to.version)
	for segment := range strings.SplitSeq(strings.Trim(template, "/"), "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if !ok {
			before = segment
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value := ""
		switch {
		case name == "locationId":
			value = k.to.location
		case len(positional) > 0:
			value, positional = positional[0], positional[1:]
		default:
			value = k.opts.path[name]
		}
		kinds := kindsOf(name, before)
		if !slices.Contains(kinds, "location") || strings.HasSuffix(template, segment) {
			ids = append(ids, pathID{value, kinds})
		}
	}
	return ids
}

// kindsOf returns the names of the records that a placeholder identifies, such as "contact" for {contactId} and for
// /contacts/{id}.
func kindsOf(placeholder, segment string) []string {
	kinds := []string{strings.ToLower(singular(segment))}
	if name := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(placeholder, "Id"), "ID")); name != "id" {
		kinds = append(kinds, name)
	}
	if slices.Contains(kinds, "event") {
		kinds = append(kinds, "appointment")
	}
	return kinds
}

func singular(word string) string {
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	if strings.HasSuffix(word, "ses") {
		return strings.TrimSuffix(word, "es")
	}
	return strings.TrimSuffix(word, "s")
}

// recordMissing reports whether the answer says that the record asked for does not exist: a text names an id of the
// path as not found, or a 404 in JSON names the kind of record. A record within another one, such as a contact's task,
// is missing with that one. HTTP's own "Not Found" names nothing and proves nothing.
func (r *refusal) recordMissing() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
	default:
		return false
	}
	// A missing location is a 400, and this package has no other record that is one without its id in the text.
	location := slices.ContainsFunc(r.ids, func(p pathID) bool { return slices.Contains(p.kinds, "location") })
	byKind := r.json && (r.status == http.StatusNotFound || r.status == http.StatusGone || location)
	return slices.ContainsFunc(r.texts, func(text string) bool {
		if byKind && text == "not found" {
			return len(r.ids) > 0 // a handler's own text; frameworks send HTTP's "Not Found" for any missing path
		}
		missing := missingThing(text)
		return len(missing) > 0 && r.asksFor(missing, byKind)
	})
}

// fillers are the words that can surround the name and the id of a missing record.
var fillers = map[string]bool{
	"the": true, "a": true, "an": true, "this": true, "that": true, "any": true, "such": true, "requested": true,
	"specified": true, "given": true, "provided": true, "error": true, "with": true, "having": true, "by": true,
	"of": true, "id": true, "ids": true, "was": true, "is": true, "were": true, "be": true, "could": true,
	"does": true, "do": true, "has": true, "been": true, "can": true, "matching": true,
}

// asksFor reports whether the words name the record asked for and nothing else: an id of the path, or with byKind the
// kind of record.
func (r *refusal) asksFor(words []string, byKind bool) bool {
	named := false
	for _, word := range words {
		lower := strings.ToLower(word)
		isID := slices.ContainsFunc(r.ids, func(p pathID) bool { return p.id != "" && p.id == word })
		isKind := len(r.ids) > 0 && (lower == "record" || slices.ContainsFunc(r.ids, func(p pathID) bool {
			return slices.Contains(p.kinds, strings.TrimSuffix(lower, "id"))
		}))
		if !isID && !isKind && !fillers[lower] {
			return false
		}
		named = named || isID || isKind && byKind && !strings.HasSuffix(lower, "id")
	}
	return named
}

// missingThing returns the words that name what a text says is not found, nil if the text does not say so.
func missingThing(text string) []string {
	if !strings.Contains(text, " ") {
		text = strings.ReplaceAll(text, "_", " ") // CONTACT_NOT_FOUND
	}
	words := strings.FieldsFunc(strings.ReplaceAll(text, "\u2019", "'"), func(r rune) bool {
		return r != '-' && r != '_' && r != '\'' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
	for i := range words {
		words[i] = strings.Trim(words[i], "'")
	}
	is := func(i int, options ...string) bool {
		return i >= 0 && i < len(words) && slices.Contains(options, strings.ToLower(words[i]))
	}
	for i := range words {
		switch {
		case is(i, "not") && (is(i+1, "found", "exist", "exists") || is(i+1, "be") && is(i+2, "found")),
			is(i, "doesn't", "didn't") && is(i+1, "exist"), is(i, "couldn't", "cannot") && is(i+1, "be") && is(i+2, "found"),
			is(i, "no") && is(i+1, "longer") && is(i+2, "exists", "exist"):
			return words[:i]
		case is(i, "not", "cannot", "couldn't", "can't", "unable", "failed") &&
			(is(i+1, "find") || is(i+1, "to") && is(i+2, "find")):
			for i++; !is(i, "find"); i++ {
			}
			return untilPlace(words[i+1:])
		case i == 0 && is(0, "no") && slices.ContainsFunc(words, func(w string) bool {
			return strings.EqualFold(w, "found") || strings.EqualFold(w, "exists")
		}):
			return slices.DeleteFunc(untilPlace(words[1:]), func(w string) bool {
				return strings.EqualFold(w, "found") || strings.EqualFold(w, "exists")
			})
		}
	}
	return nil
}

// untilPlace returns the words before one that says where the thing was looked for.
func untilPlace(words []string) []string {
	place := slices.IndexFunc(words, func(w string) bool {
		return slices.Contains([]string{"in", "for", "at", "on", "from", "within", "under"}, strings.ToLower(w))
	})
	if place >= 0 {
		return slices.Clone(words[:place])
	}
	return slices.Clone(words)
}

// newError returns the error of an answer with a status other than success, and the verdict on it. It copies the body.
func (k *call) newError(status int, header http.Header, body []byte) (*Error, verdict) {
	stored := append([]byte{}, body[:min(len(body), maxErrorBody)]...)
	e := &Error{Operation: k.op.Name, Status: status, body: &stored}
	r := &refusal{op: k.op, ids: k.pathIDs(), status: status, header: header, body: trimSpace(body)}
	r.parse()
	if lenient.IsObject(body) {
		e.TraceID, e.Details = r.parsed.TraceID, r.texts
		e.Message = strings.Join(r.texts, "; ")
		if m := r.parsed.Meta; m.ContactID != "" {
			e.Duplicate, r.names = &Duplicate{m.ContactID, m.ContactName, m.MatchingField}, true
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
	for i, text := range r.texts {
		r.texts[i] = withoutPath(text)
	}
}

func trimSpace(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}
