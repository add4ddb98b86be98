package ghltest

import "net/http"

// refusal is an answer that is no success.
type refusal struct {
	status int
	body   any
}

func (r *refusal) Error() string { return http.StatusText(r.status) }

// refusalBody is the usual form of HighLevel's errors.
type refusalBody struct {
	StatusCode int    `json:"statusCode"`
	Message    any    `json:"message"` // a text, or a list of texts
	Error      string `json:"error,omitempty"`
}

// refuse answers with a status and a message.
func refuse(status int, message string) error {
	name := http.StatusText(status)
	if status == http.StatusUnauthorized || status == http.StatusTooManyRequests { // these have none
		name = ""
	}
	return &refusal{status, refusalBody{status, message, name}}
}

// invalid is 422 with the reasons.
func invalid(reasons ...string) error {
	return &refusal{http.StatusUnprocessableEntity, refusalBody{http.StatusUnprocessableEntity, reasons, "Unprocessable Entity"}}
}

// invalidText is 422 with one text, as the search answers.
func invalidText(reason string) error {
	return refuse(http.StatusUnprocessableEntity, reason)
}

// contactNotFound is a 400 whose keys differ from every other error's.
func contactNotFound(id string) error {
	return &refusal{http.StatusBadRequest, struct {
		Error  string `json:"error"`
		Status int    `json:"status"`
	}{"Contact with id " + id + " not found", http.StatusBadRequest}}
}

func notFound(what string) error { return refuse(http.StatusNotFound, what+" not found") }

// wrongLocation is the answer about a location that the token does not reach.
func wrongLocation() error {
	return refuse(http.StatusForbidden, "The token does not have access to this location.")
}

// unknownPath is what the router answers; it repeats the path.
func unknownPath(r *http.Request) error {
	return refuse(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
}
