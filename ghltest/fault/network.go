package fault

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// GatewayTimeoutAs400 is 400 "Request Timeout after 30000ms" in the usual form, which a gateway sends under load
// (reported by two projects). It is a failure of the server. With AfterWork the operation is done.
func GatewayTimeoutAs400() Kind {
	return withMessage("GatewayTimeoutAs400", http.StatusBadRequest, "Request Timeout after 30000ms")
}

// CDNErrorCode is Cloudflare's text "error code: 1010" instead of HighLevel's answer, for a code of 1000 to 1999: a
// 403, or a 429 for 1015. The request does not reach HighLevel, so AfterWork is refused.
func CDNErrorCode(code int) Kind {
	return blocked("CDNErrorCode", code, "text/plain; charset=UTF-8", "error code: "+strconv.Itoa(code))
}

// CDNAccessDenied is [CDNErrorCode] as Cloudflare's page "Access denied".
func CDNAccessDenied(code int) Kind {
	const title = "Access denied | services.leadconnectorhq.com used Cloudflare to restrict access"
	return blocked("CDNAccessDenied", code, htmlUTF8, fmt.Sprintf(
		"<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>%s</title></head>\n<body>\n"+
			"<h1><span>Error</span> <span>%d</span></h1>\n<h2>Access denied</h2>\n</body>\n</html>\n", title, code))
}

func blocked(name string, code int, contentType, body string) Kind {
	status := http.StatusForbidden
	if code == 1015 {
		status = http.StatusTooManyRequests
	}
	k := fromCDN(name, status, contentType, body)
	k.effect.NotReached = true
	return k.refusedIf(code < 1000 || code > 1999, "%s: the code must be between 1000 and 1999, got %d", name, code)
}

// cdnErrors are Cloudflare's own statuses. net/http has no text for them.
var cdnErrors = map[int]string{
	520: "Web server is returning an unknown error", 521: "Web server is down", 522: "Connection timed out",
	523: "Origin is unreachable", 524: "A timeout occurred", 525: "SSL handshake failed",
	526: "Invalid SSL certificate",
}

// CDNErrorPage is Cloudflare's page for a status of its own, 520 to 526: 524 is "A timeout occurred". With AfterWork
// the operation is done.
func CDNErrorPage(status int) Kind {
	title := strconv.Itoa(status) + ": " + cdnErrors[status]
	return fromCDN("CDNErrorPage", status, htmlUTF8, page(title, "cloudflare")).
		refusedIf(cdnErrors[status] == "", "CDNErrorPage: the status must be between 520 and 526, got %d", status)
}

func fromCDN(name string, status int, contentType, body string) Kind {
	k := fromGateway(name, status, contentType, body)
	k.effect.Reply.Header = map[string]string{"Server": "cloudflare", "Cf-Ray": "8f2a9c1d4e5b6a70-FRA"}
	return k
}

// SuccessWithError is 200 with an error object in its body, {"statusCode":401,"message":"Invalid JWT"}, for which
// several projects check. statusCode is 400 to 599. The operation does not run, except with AfterWork.
func SuccessWithError(statusCode int, message string) Kind {
	return withBody("SuccessWithError", http.StatusOK, answer.Error{StatusCode: statusCode, Message: message}).
		refusedIf(!isError(statusCode), "SuccessWithError: the status must be between 400 and 599, got %d", statusCode)
}

// SuccessWithPage is 200 with an HTML page. The operation does not run, except with AfterWork.
func SuccessWithPage() Kind {
	return fromGateway("SuccessWithPage", http.StatusOK, htmlUTF8, "<html>ok</html>")
}

// ZeroLimits sends rate headers of zero, which mean that no limit is known: the answer itself shows that there is
// quota.
func ZeroLimits() Kind {
	return zeroHeaders("ZeroLimits", "X-Ratelimit-Max", "X-Ratelimit-Remaining", "X-Ratelimit-Interval-Milliseconds",
		"X-Ratelimit-Limit-Daily", "X-Ratelimit-Daily-Remaining")
}

// ZeroDailyLimits is [ZeroLimits] for the two headers of the daily quota.
func ZeroDailyLimits() Kind {
	return zeroHeaders("ZeroDailyLimits", "X-Ratelimit-Limit-Daily", "X-Ratelimit-Daily-Remaining")
}

func zeroHeaders(name string, names ...string) Kind {
	return reshaped(name, func(h http.Header, text []byte) []byte {
		for _, name := range names {
			h.Set(name, "0")
		}
		return text
	})
}
