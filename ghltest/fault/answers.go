package fault

import (
	"net/http"
	"strconv"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

const exampleUUID = "0f0e0d0c-0b0a-4908-8706-050403020100"

// Answer replaces the answer by any other: a status of 200 to 599, a Content-Type ("" for none) and a body.
func Answer(status int, contentType, body string) Kind {
	return replaced("Answer", answer.Reply{Status: status, ContentType: contentType, Body: body}).
		refusedIf(status < 200 || status > 599, "Answer: the status must be between 200 and 599, got %d", status)
}

// BadRequest is 400 with a message in the usual form.
func BadRequest(message string) Kind {
	return withMessage("BadRequest", http.StatusBadRequest, message)
}

// ContactNotFound is 400 {"error":"Contact with id … not found","status":400}, which HighLevel sends instead of 404.
// The id is that of the request's path, if it has one.
func ContactNotFound() Kind {
	const another = "0007BWpSzSwfiuSl0tR2"
	k := withBody("ContactNotFound", http.StatusBadRequest, answer.NewContactNotFound(another))
	k.effect.Reply.ContactID = another
	return k
}

// NotFound is 404 with a message, which HighLevel sends for records other than contacts.
func NotFound() Kind { return withMessage("NotFound", http.StatusNotFound, "Record not found") }

// NotFoundOf is an error "… not found" about something other than the record of the request: NotFoundOf(400,
// "Location"), NotFoundOf(404, "Location with id L"), NotFoundOf(404, "route"). The status is 400 or 404.
func NotFoundOf(status int, what string) Kind {
	return withMessage("NotFoundOf", status, what+" not found").
		refusedIf(status != http.StatusBadRequest && status != http.StatusNotFound,
			"NotFoundOf: the status must be 400 or 404, got %d", status)
}

// MongoError is 400 with an error text of the database.
func MongoError() Kind {
	return withBody("MongoError", http.StatusBadRequest, map[string]any{
		"status": 400, "message": "MongoError: E11000 duplicate key error collection", "name": "HttpException",
		"traceId": exampleUUID,
	})
}

// DuplicateContact is 400 for a contact that already exists. field is "email", "phone" or "additionalEmail";
// contactName may be "", as HighLevel sometimes sends it. The fake refuses real duplicates without this fault.
func DuplicateContact(contactID, contactName, field string) Kind {
	return withBody("DuplicateContact", http.StatusBadRequest, map[string]any{
		"statusCode": 400, "message": "This location does not allow duplicated contacts.",
		"meta":    map[string]string{"contactName": contactName, "contactId": contactID, "matchingField": field},
		"traceId": exampleUUID,
	})
}

// SlotTaken is 400 for an appointment. With AfterWork the failed booking itself occupies the slot.
func SlotTaken() Kind {
	return withMessage("SlotTaken", http.StatusBadRequest, "The slot you have selected is no longer available.")
}

// RemovedEndpoint is 400 "API endpoint has been removed".
func RemovedEndpoint() Kind {
	return withMessage("RemovedEndpoint", http.StatusBadRequest, "API endpoint has been removed")
}

// InvalidGrant is 400 from the token endpoint for a refresh token that is used or too old.
func InvalidGrant() Kind {
	return withBody("InvalidGrant", http.StatusBadRequest, map[string]any{
		"error": "invalid_grant", "error_description": "Invalid grant: refresh token is invalid", "statusCode": 400,
	})
}

// InvalidJWT is 401 for a token that is invalid or expired.
func InvalidJWT() Kind { return withMessage("InvalidJWT", http.StatusUnauthorized, "Invalid JWT") }

// InvalidPrivateToken is 401 for a private integration token.
func InvalidPrivateToken() Kind {
	return withMessage("InvalidPrivateToken", http.StatusUnauthorized, "Invalid Private Integration token")
}

// MissingScope is 401 for a token without the scope of the operation.
func MissingScope() Kind {
	return withMessage("MissingScope", http.StatusUnauthorized, "The token is not authorized for this scope.")
}

// WrongAuthClass is 401 for a company's token where the operation needs a location's.
func WrongAuthClass() Kind {
	return withMessage("WrongAuthClass", http.StatusUnauthorized,
		"This authClass type is not allowed to access this scope.")
}

// UserTypeMismatch is 401 for a location's token where the operation needs a company's.
func UserTypeMismatch() Kind {
	return withMessage("UserTypeMismatch", http.StatusUnauthorized, "Token's user type mismatch!")
}

// MissingVersion is 401 for a request without the Version header.
func MissingVersion() Kind {
	return withMessage("MissingVersion", http.StatusUnauthorized, "version header was not found.")
}

// AuthorizationCodeNotFound is 401 from the token endpoint, with the properties of an OAuth error.
func AuthorizationCodeNotFound() Kind {
	return withBody("AuthorizationCodeNotFound", http.StatusUnauthorized, map[string]string{
		"error": "UnAuthorized!", "error_description": "Authorization code not found",
	})
}

// CommandTimedOut is 401 "Command timed out": a gateway timed out, and the token is valid. With AfterWork the
// operation is done.
func CommandTimedOut() Kind {
	return withMessage("CommandTimedOut", http.StatusUnauthorized, "Command timed out")
}

// Forbidden is 403 "Forbidden resource".
func Forbidden() Kind { return withMessage("Forbidden", http.StatusForbidden, "Forbidden resource") }

// WrongLocation is 403 for a token without access to the location. HighLevel sends it to every request of the location:
// without Fault.Operation and Fault.Times the whole location is refused.
func WrongLocation() Kind {
	return withMessage("WrongLocation", http.StatusForbidden, "The token does not have access to this location.")
}

// BlockedByCDN is 403 with HTML, which the CDN sends to a caller that it treats as a robot.
func BlockedByCDN() Kind {
	return fromGateway("BlockedByCDN", http.StatusForbidden, htmlUTF8, page("403 Forbidden", "cloudflare"))
}

// EmptyBody404 is 404 without a body, one of two answers for an unknown path.
func EmptyBody404() Kind { return fromGateway("EmptyBody404", http.StatusNotFound, "", "") }

// CannotGet404 is 404 "Cannot GET …", the router's answer for an unknown path.
func CannotGet404() Kind {
	return withMessage("CannotGet404", http.StatusNotFound, "Cannot GET /contacts/0007BWpSzSwfiuSl0tR2")
}

// RequestTimeout is 408 with a gateway's text.
func RequestTimeout() Kind {
	return fromGateway("RequestTimeout", http.StatusRequestTimeout, "text/plain", "Request Timeout")
}

// ValidationArray is 422 with a list of reasons as its message.
func ValidationArray(reasons ...string) Kind {
	return withMessage("ValidationArray", http.StatusUnprocessableEntity, append([]string{}, reasons...))
}

// ValidationString is 422 with a string as its message.
func ValidationString(reason string) Kind {
	return withMessage("ValidationString", http.StatusUnprocessableEntity, reason)
}

// UndeclaredProperty is 422 ["property … should not exist"].
func UndeclaredProperty(name string) Kind {
	return ValidationArray("property " + name + " should not exist").named("UndeclaredProperty")
}

// CreatedAllTheSame is 422 after the operation is done, as HighLevel once answered a create of a contact.
func CreatedAllTheSame() Kind {
	return ValidationArray("property createdBy should not exist").AfterWork().named("CreatedAllTheSame")
}

// TooManyRequests is 429. A positive retryAfter is sent as Retry-After, rounded up to seconds; 0 sends none, as
// HighLevel does. A client waits for Retry-After even when the fault is removed; see ghltest.Server.ClearFaults.
//
// Without Fault.Times a call of a client waits for its whole ghl.RetryPolicy.MaxRateLimitWait, 5 minutes by default. A
// test sets a short one, or uses a fake clock (testing/synctest) and ghltest.NewHandler.
func TooManyRequests(retryAfter time.Duration) Kind {
	k := withMessage("TooManyRequests", http.StatusTooManyRequests, "Too Many Requests")
	k.effect.Reply.Header = map[string]string{"X-Ratelimit-Remaining": "0"}
	if retryAfter > 0 {
		k.effect.Reply.Header["Retry-After"] = strconv.Itoa(int((retryAfter + time.Second - 1) / time.Second))
	}
	return k.refusedIf(retryAfter < 0, "TooManyRequests: retryAfter must not be negative, got %s", retryAfter)
}

// DailyLimitReached is 429 with headers that report an exhausted daily quota.
func DailyLimitReached() Kind {
	k := TooManyRequests(0).named("DailyLimitReached")
	k.effect.Reply.Header["X-Ratelimit-Daily-Remaining"] = "0"
	return k
}

// InternalServerError is 500 in the usual form.
func InternalServerError() Kind {
	return withBody("InternalServerError", http.StatusInternalServerError,
		answer.Error{StatusCode: http.StatusInternalServerError, Message: "Internal server error"})
}

// BadGatewayHTML is 502 with a gateway's page.
func BadGatewayHTML() Kind {
	return fromGateway("BadGatewayHTML", http.StatusBadGateway, htmlUTF8, page("502 Bad Gateway", "cloudflare"))
}

// ServiceUnavailableHTML is 503 with a gateway's page.
func ServiceUnavailableHTML() Kind {
	return fromGateway("ServiceUnavailableHTML", http.StatusServiceUnavailable, "text/html",
		page("503 Service Temporarily Unavailable", "nginx"))
}

// UpstreamConnectError is 503 with a proxy's text.
func UpstreamConnectError() Kind {
	return fromGateway("UpstreamConnectError", http.StatusServiceUnavailable, "text/plain",
		"upstream connect error or disconnect/reset before headers. reset reason: connection termination")
}

// GatewayTimeoutHTML is 504 with a gateway's page.
func GatewayTimeoutHTML() Kind {
	return fromGateway("GatewayTimeoutHTML", http.StatusGatewayTimeout, "text/html",
		page("504 Gateway Time-out", "nginx"))
}

const htmlUTF8 = "text/html; charset=UTF-8"

func page(title, server string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>" + server + "</center>\r\n</body>\r\n</html>\r\n"
}

// V3Error is an error in the form of v3, {"error":{"code","message","details","resolution"}}, with a status of 400 to
// 599.
func V3Error(status int, code, message string) Kind {
	return withBody("V3Error", status, map[string]any{"error": map[string]any{
		"code": code, "message": message, "details": []string{}, "resolution": "See the documentation of the API.",
	}}).refusedIf(!isError(status), "V3Error: the status must be between 400 and 599, got %d", status)
}

// MismatchedStatus is an error with a status of 400 to 599 and another status in its body. Clients must trust the
// former.
func MismatchedStatus(status, inBody int, message string) Kind {
	body := answer.Error{StatusCode: inBody, Message: message, Error: http.StatusText(inBody)}
	return withBody("MismatchedStatus", status, body).
		refusedIf(!isError(status), "MismatchedStatus: the status must be between 400 and 599, got %d", status)
}

func isError(status int) bool { return status >= 400 && status <= 599 }
