package ghltest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Kind is how a request goes wrong. It is made by the functions of this package that return one: answers with the statuses
// and bodies that HighLevel and the gateways before it were seen to give, connections that break, and answers with odd
// values.
type Kind struct {
	name  string
	err   error // of a wrong argument
	works bool  // the operation does its work all the same

	// The answer is replaced:
	reply *reply
	cut   ending
	hangs bool

	// The request or the answer is changed:
	request func(query url.Values, body map[string]any)
	edit    func(answer any, r *struckRequest) any // of a success
	reshape func(h http.Header, text []byte) []byte
	skew    time.Duration
	delay   time.Duration
	chunk   int
	pace    time.Duration
}

type ending uint8

const (
	whole      ending = iota
	cutWhole          // no answer
	cutHeaders        // the headers only
	cutBody           // half of the body
)

type reply struct {
	status      int
	contentType string
	body        string
	header      map[string]string
	gateway     bool // not by the API, so without its headers
}

func (k *Kind) decides() bool { return k.reply != nil || k.cut != whole || k.hangs }

// String returns the name of the kind, as it stands in [Request.Fault].
func (k Kind) String() string { return k.name }

// AfterWork lets the operation do its work before the request goes wrong: the contact is created, and the answer says that it
// was not. It is for kinds that replace the answer.
func (k Kind) AfterWork() Kind {
	if !k.decides() && k.err == nil {
		k.err = fmt.Errorf("AfterWork means nothing for %s, which leaves the answer in place", k.name)
	}
	k.works = true
	return k
}

func fails(name string, status int, body any) Kind {
	return Kind{name: name, reply: &reply{status: status, contentType: jsonType, body: string(must(json.Marshal(body)))}}
}

func failsAs(name string, status int, message any) Kind {
	return fails(name, status, refuse(status, "").(*refusal).saying(message))
}

func (r *refusal) saying(message any) refusalBody {
	body := r.body.(refusalBody)
	body.Message = message
	return body
}

func atGateway(name string, status int, contentType, body string) Kind {
	return Kind{name: name, reply: &reply{status: status, contentType: contentType, body: body, gateway: true}}
}

// Answer is any other answer: a status, a Content-Type ("" for none) and a body.
func Answer(status int, contentType, body string) Kind {
	k := atGateway("Answer", status, contentType, body)
	k.reply.gateway = false
	if status < 200 || status > 599 {
		k.err = fmt.Errorf("status %d of Answer is none of an answer", status)
	}
	return k
}

// BadRequest is 400 with a message, in the usual form.
func BadRequest(message string) Kind {
	return failsAs("BadRequest", http.StatusBadRequest, message)
}

// ContactNotFound is 400 {"error":"Contact with id … not found","status":400}, which HighLevel gives instead of a 404.
func ContactNotFound() Kind {
	return fails("ContactNotFound", http.StatusBadRequest, contactNotFound("0007BWpSzSwfiuSl0tR2").(*refusal).body)
}

// NotFound is 404 with a message, as other records than contacts have it.
func NotFound() Kind { return failsAs("NotFound", http.StatusNotFound, "Record not found") }

// MongoError is 400 with words of the database.
func MongoError() Kind {
	return fails("MongoError", http.StatusBadRequest, map[string]any{
		"status": 400, "message": "MongoError: E11000 duplicate key error collection", "name": "HttpException",
		"traceId": "0f0e0d0c-0b0a-4908-8706-050403020100",
	})
}

// DuplicateContact is 400 about a contact that is there already. field is "email", "phone" or "additionalEmail"; the name may be
// "", as it was seen to be. (The fake refuses real duplicates by itself.)
func DuplicateContact(contactID, contactName, field string) Kind {
	return fails("DuplicateContact", http.StatusBadRequest, map[string]any{
		"statusCode": 400, "message": "This location does not allow duplicated contacts.",
		"meta":    map[string]string{"contactName": contactName, "contactId": contactID, "matchingField": field},
		"traceId": "0f0e0d0c-0b0a-4908-8706-050403020100",
	})
}

// SlotTaken is 400 for an appointment. With AfterWork the slot was taken by the booking itself.
func SlotTaken() Kind {
	return failsAs("SlotTaken", http.StatusBadRequest, "The slot you have selected is no longer available.")
}

// RemovedEndpoint is 400 "API endpoint has been removed".
func RemovedEndpoint() Kind {
	return failsAs("RemovedEndpoint", http.StatusBadRequest, "API endpoint has been removed")
}

// InvalidGrant is 400 of the token endpoint to a refresh token that was used or is too old.
func InvalidGrant() Kind {
	return fails("InvalidGrant", http.StatusBadRequest, map[string]any{
		"error": "invalid_grant", "error_description": "Invalid grant: refresh token is invalid", "statusCode": 400,
	})
}

// InvalidJWT is 401 to a token that is bad or has expired.
func InvalidJWT() Kind { return failsAs("InvalidJWT", http.StatusUnauthorized, "Invalid JWT") }

// InvalidPrivateToken is 401 to a private integration token.
func InvalidPrivateToken() Kind {
	return failsAs("InvalidPrivateToken", http.StatusUnauthorized, "Invalid Private Integration token")
}

// MissingScope is 401 to a token without the scope of the operation.
func MissingScope() Kind {
	return failsAs("MissingScope", http.StatusUnauthorized, "The token is not authorized for this scope.")
}

// WrongAuthClass is 401 to a company's token where a location's is needed.
func WrongAuthClass() Kind {
	return failsAs("WrongAuthClass", http.StatusUnauthorized, "This authClass type is not allowed to access this scope.")
}

// UserTypeMismatch is 401 to a location's token where a company's is needed.
func UserTypeMismatch() Kind {
	return failsAs("UserTypeMismatch", http.StatusUnauthorized, "Token's user type mismatch!")
}

// MissingVersion is 401 to a request without the Version header.
func MissingVersion() Kind {
	return failsAs("MissingVersion", http.StatusUnauthorized, "version header was not found.")
}

// AuthorizationCodeNotFound is 401 of the token endpoint, with the keys of OAuth.
func AuthorizationCodeNotFound() Kind {
	return fails("AuthorizationCodeNotFound", http.StatusUnauthorized, map[string]string{
		"error": "UnAuthorized!", "error_description": "Authorization code not found",
	})
}

// CommandTimedOut is 401 "Command timed out": a gateway gave up, and the token is fine. With AfterWork the work was done.
func CommandTimedOut() Kind {
	return failsAs("CommandTimedOut", http.StatusUnauthorized, "Command timed out")
}

// Forbidden is 403 "Forbidden resource".
func Forbidden() Kind { return failsAs("Forbidden", http.StatusForbidden, "Forbidden resource") }

// WrongLocation is 403 to a token of another location.
func WrongLocation() Kind {
	return failsAs("WrongLocation", http.StatusForbidden, "The token does not have access to this location.")
}

// BlockedByCDN is 403 with HTML, as the network before HighLevel answers those whom it takes for a robot.
func BlockedByCDN() Kind {
	return atGateway("BlockedByCDN", http.StatusForbidden, "text/html; charset=UTF-8", page("403 Forbidden", "cloudflare"))
}

// EmptyBody404 is 404 without a body, to a path that the API does not have.
func EmptyBody404() Kind { return atGateway("EmptyBody404", http.StatusNotFound, "", "") }

// CannotGet404 is 404 "Cannot GET …", the router's other answer to a path that the API does not have.
func CannotGet404() Kind {
	return failsAs("CannotGet404", http.StatusNotFound, "Cannot GET /contacts/0007BWpSzSwfiuSl0tR2")
}

// RequestTimeout is 408 with text of a gateway.
func RequestTimeout() Kind {
	return atGateway("RequestTimeout", http.StatusRequestTimeout, "text/plain", "Request Timeout")
}

// ValidationArray is 422 whose message is an array of reasons.
func ValidationArray(reasons ...string) Kind {
	return failsAs("ValidationArray", http.StatusUnprocessableEntity, orEmpty(reasons))
}

// ValidationString is 422 whose message is one text.
func ValidationString(reason string) Kind {
	return failsAs("ValidationString", http.StatusUnprocessableEntity, reason)
}

// UndeclaredProperty is 422 ["property … should not exist"].
func UndeclaredProperty(name string) Kind {
	k := ValidationArray("property " + name + " should not exist")
	k.name = "UndeclaredProperty"
	return k
}

// CreatedAllTheSame is 422 although the work was done, as a create of a contact was seen to answer.
func CreatedAllTheSame() Kind {
	k := ValidationArray("property createdBy should not exist").AfterWork()
	k.name = "CreatedAllTheSame"
	return k
}

// TooManyRequests is 429. HighLevel sends no Retry-After; one is sent if it is over 0, in whole seconds.
func TooManyRequests(retryAfter time.Duration) Kind {
	k := failsAs("TooManyRequests", http.StatusTooManyRequests, "Too Many Requests")
	k.reply.header = map[string]string{"X-Ratelimit-Remaining": "0"}
	if retryAfter > 0 {
		k.reply.header["Retry-After"] = strconv.Itoa(int((retryAfter + time.Second - 1) / time.Second))
	}
	if retryAfter < 0 {
		k.err = fmt.Errorf("TooManyRequests: %s is no time to wait", retryAfter)
	}
	return k
}

// DailyLimitReached is 429 with headers that say that nothing is left of the day's quota.
func DailyLimitReached() Kind {
	k := TooManyRequests(0)
	k.name = "DailyLimitReached"
	k.reply.header["X-Ratelimit-Daily-Remaining"] = "0"
	return k
}

// InternalServerError is 500 in the usual form.
func InternalServerError() Kind {
	return fails("InternalServerError", http.StatusInternalServerError, refusalBody{500, "Internal server error", ""})
}

// BadGatewayHTML is 502 with a gateway's page.
func BadGatewayHTML() Kind {
	return atGateway("BadGatewayHTML", http.StatusBadGateway, "text/html; charset=UTF-8", page("502 Bad Gateway", "cloudflare"))
}

// ServiceUnavailableHTML is 503 with a gateway's page.
func ServiceUnavailableHTML() Kind {
	return atGateway("ServiceUnavailableHTML", http.StatusServiceUnavailable, "text/html", page("503 Service Temporarily Unavailable", "nginx"))
}

// UpstreamConnectError is 503 with a proxy's text.
func UpstreamConnectError() Kind {
	return atGateway("UpstreamConnectError", http.StatusServiceUnavailable, "text/plain",
		"upstream connect error or disconnect/reset before headers. reset reason: connection termination")
}

// GatewayTimeoutHTML is 504 with a gateway's page.
func GatewayTimeoutHTML() Kind {
	return atGateway("GatewayTimeoutHTML", http.StatusGatewayTimeout, "text/html", page("504 Gateway Time-out", "nginx"))
}

func page(title, server string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n<hr><center>" +
		server + "</center>\r\n</body>\r\n</html>\r\n"
}

// V3Error is an error in the form of v3, {"error":{"code","message","details","resolution"}}.
func V3Error(status int, code, message string) Kind {
	k := fails("V3Error", status, map[string]any{"error": map[string]any{
		"code": code, "message": message, "details": []string{}, "resolution": "See the documentation of the API.",
	}})
	if status < 400 || status > 599 {
		k.err = fmt.Errorf("V3Error: %d is no status of an error", status)
	}
	return k
}

// MismatchedStatus is an error whose body names another status than the answer has. The answer's is the one to trust.
func MismatchedStatus(status, inBody int, message string) Kind {
	k := fails("MismatchedStatus", status, refusalBody{inBody, message, http.StatusText(inBody)})
	if status < 400 || status > 599 {
		k.err = fmt.Errorf("MismatchedStatus: %d is no status of an error", status)
	}
	return k
}

// CutBeforeWork ends the connection with nothing done and nothing answered. (For a read whose connection was used before,
// net/http by itself sends the request a second time. Both show in [Server.Requests].)
//
// All cuts need a connection, over loopback or any other http.Server. Where [Server.Handler] is called by hand, a cut without
// an answer is 502 with text instead, and a cut answer just ends too early.
func CutBeforeWork() Kind { return Kind{name: "CutBeforeWork", cut: cutWhole} }

// CutAfterWork ends the connection when the work is done, before an answer.
func CutAfterWork() Kind {
	return Kind{name: "CutAfterWork", cut: cutWhole, works: true}
}

// CutAfterHeaders ends the connection behind the headers of the answer. The work is done.
func CutAfterHeaders() Kind {
	return Kind{name: "CutAfterHeaders", cut: cutHeaders, works: true}
}

// CutBody ends the connection in the middle of the answer's body. The work is done.
func CutBody() Kind { return Kind{name: "CutBody", cut: cutBody, works: true} }

// Hang gives no answer until the caller gives up or the server is closed. With AfterWork the work is done at once.
func Hang() Kind { return Kind{name: "Hang", hangs: true} }

// Delay holds the answer back. The work is done at once. The time is the real one, whatever the server's clock says, and ends
// early with [Server.Close].
func Delay(d time.Duration) Kind {
	k := Kind{name: "Delay", delay: d}
	if d <= 0 {
		k.err = fmt.Errorf("Delay: %s is no time to wait", d)
	}
	return k
}

// SlowBody writes so many bytes of the body at a time, with a pause behind each. Time as in [Delay].
func SlowBody(bytes int, pause time.Duration) Kind {
	k := Kind{name: "SlowBody", chunk: bytes, pace: pause}
	if bytes < 1 || pause <= 0 {
		k.err = fmt.Errorf("SlowBody: %d bytes and then %s is no pace", bytes, pause)
	}
	return k
}

// EmptyAnswer takes the body out of the answer. The work is done, the status is its own.
func EmptyAnswer() Kind {
	return Kind{name: "EmptyAnswer", reshape: func(http.Header, []byte) []byte { return nil }}
}

// WrongContentType sends the answer as it is under another Content-Type, such as "text/html"; "" sends none.
func WrongContentType(contentType string) Kind {
	return Kind{name: "WrongContentType", reshape: func(h http.Header, text []byte) []byte {
		h["Content-Type"] = nil
		if contentType != "" {
			h["Content-Type"] = []string{contentType}
		}
		return text
	}}
}

// DateSkew puts the Date header off the server's clock.
func DateSkew(by time.Duration) Kind {
	k := Kind{name: "DateSkew", skew: by}
	if by == 0 {
		k.err = fmt.Errorf("DateSkew: a skew of 0 is none")
	}
	return k
}
