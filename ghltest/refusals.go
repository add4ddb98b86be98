package ghltest

import (
	"net/http"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// refusal is an error answer.
type refusal struct {
	status int
	body   any
}

func (r *refusal) Error() string { return http.StatusText(r.status) }

// refuse returns an error answer in the usual form.
func refuse(status int, message any) error {
	return &refusal{status, answer.NewError(status, message)}
}

// invalid returns a 422 with a list of reasons.
func invalid(reasons ...string) error {
	return refuse(http.StatusUnprocessableEntity, reasons)
}

// invalidText returns a 422 with one reason as a string, the form of the search.
func invalidText(reason string) error {
	return refuse(http.StatusUnprocessableEntity, reason)
}

// contactNotFound returns a 400, with properties that no other error has.
func contactNotFound(id string) error {
	return &refusal{http.StatusBadRequest, answer.NewContactNotFound(id)}
}

func notFound(what string) error { return refuse(http.StatusNotFound, what+" not found") }

// wrongLocation returns the error for a location that the token has no access to.
func wrongLocation() error {
	return refuse(http.StatusForbidden, "The token does not have access to this location.")
}
