package ghl

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// The network before HighLevel, Cloudflare and proxies, answers with pages: HTML, or a line of text. Newer answers of
// Cloudflare are JSON that says so.

// fromNetwork reports whether the answer is from the network before HighLevel.
func (r *refusal) fromNetwork() bool {
	return len(r.body) > 0 && !r.json || r.parsed.CloudflareError
}

var (
	// routerText is the text of HighLevel's router for a path that it does not have.
	routerText = regexp.MustCompile(`(?:^|>\s*)Cannot (?:GET|POST|PUT|PATCH|DELETE) /`)
	// cloudflareCode matches the number of Cloudflare's own errors, also with tags between the words.
	cloudflareCode = regexp.MustCompile(`(?i)\berror(?:[ -]?code)?(?:["':\s>]|<[^<>]*>)+(1[0-3][0-9]{2})\b`)
	timeOutWords   = regexp.MustCompile(`(?i)\btimed?[ -]?out\b`)
)

// networkWords says in words what Cloudflare's numbers mean. HTTP has no text for the statuses from 520 on.
var networkWords = map[int]string{
	520: "the server returned an unknown error", 521: "the server is down", 522: "the connection timed out",
	523: "the server is unreachable", 524: "a timeout occurred", 525: "the TLS handshake failed",
	526: "the certificate of the server is invalid", 527: "the connection to the server failed",
	530:  "the server is unreachable",
	1015: "rate limited", 1016: "the name of the server was not resolved",
	1033: "the server is unreachable", 1101: "the program at the edge failed", 1102: "the program at the edge failed",
}

// page returns the verdict on a page of the network. Its text is not shown: it can repeat the request.
func (r *refusal) page() verdict {
	code, html := r.code(), r.body[0] == '<'
	switch {
	case r.status == http.StatusNotFound && routerText.Match(r.body):
		return verdict{message: noEndpoint}
	case code == 1015, r.status == http.StatusTooManyRequests:
		return verdict{categories: rateLimited, message: r.pageText(code)}
	}
	// With a number of its own Cloudflare did not pass the request on; 1101 and 1102 come from a program that may have.
	blocked := code != 0 && code != 1101 && code != 1102
	timeout := r.status == http.StatusRequestTimeout || r.status == 499 ||
		r.status == http.StatusBadRequest && timeOutWords.Match(r.body)
	v := verdict{
		categories: serverError, message: r.pageText(code),
		mayHaveActed: !blocked && (r.status >= 500 || timeout),
	}
	if code == 0 && (r.refusesRequest() || !html && !timeout && !r.networkStatus()) {
		v.categories = 0 // a page that refuses this request, or a line of text that does
	}
	return v
}

// refusesRequest reports whether the status refuses this request for its size or form, whoever answers.
func (r *refusal) refusesRequest() bool {
	switch r.status {
	case http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return false
}

// networkStatus reports whether a proxy answers with the status for reasons that the request does not have.
func (r *refusal) networkStatus() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusProxyAuthRequired, http.StatusConflict, http.StatusMisdirectedRequest,
		http.StatusUnprocessableEntity, http.StatusTooEarly:
		return true
	}
	return r.status >= 500
}

// code returns the number of Cloudflare's own error, 0 if there is none.
func (r *refusal) code() int {
	if r.parsed.CloudflareError {
		n, _ := strconv.Atoi(strings.Trim(string(r.parsed.ErrorCode), `"`))
		return n
	}
	if m := cloudflareCode.FindSubmatch(r.body[:min(len(r.body), maxErrorBody)]); m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return 0
}

// pageText says what a page is, with its code, such as "a page of the network before HighLevel (Cloudflare, error
// 1010): Access denied".
func (r *refusal) pageText(code int) string {
	var who []string
	if code != 0 || r.status >= 520 && r.status <= 530 || bytes.Contains(bytes.ToLower(r.body), []byte("cloudflare")) ||
		strings.EqualFold(headerValue(r.header, "Server"), "cloudflare") || headerValue(r.header, "Cf-Ray") != "" {
		who = append(who, "Cloudflare")
	}
	words := networkWords[code]
	switch {
	case words != "":
	case code != 0 || len(who) > 0 && r.status == http.StatusForbidden:
		words = "Access denied"
	default:
		words = statusText(r.status)
	}
	if code != 0 {
		who = append(who, "error "+strconv.Itoa(code))
	}
	text := "a page of the network before HighLevel"
	if len(who) > 0 {
		text += " (" + strings.Join(who, ", ") + ")"
	}
	return text + ": " + words
}

// statusText returns the text of an HTTP status, also of those that net/http has no text for.
func statusText(status int) string {
	switch text := http.StatusText(status); {
	case text != "":
		return text
	case networkWords[status] != "":
		return networkWords[status]
	case status == 499:
		return "the connection was closed"
	case status >= 500:
		return "the server failed"
	}
	return "the server refused the request"
}
