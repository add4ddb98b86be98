// Package answer holds what package ghltest and its package fault share: the forms of the API's errors, JSON that can
// be edited, and the effect of a fault.
package answer

import (
	"encoding/json"
	"net/http"
)

// ContentType is the Content-Type of the API's answers.
const ContentType = "application/json; charset=utf-8"

// Error is the usual form of an error of the API.
type Error struct {
	StatusCode int    `json:"statusCode"`
	Message    any    `json:"message"` // a string, or a list of strings
	Error      string `json:"error,omitempty"`
}

// NewError returns an error in the usual form. The API names the status of most errors, but not of a 401 and a 429.
func NewError(status int, message any) Error {
	name := http.StatusText(status)
	if status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
		name = ""
	}
	return Error{status, message, name}
}

// ContactNotFound is the form of the 400 for an unknown contact. No other error has these properties.
type ContactNotFound struct {
	Error  string `json:"error"`
	Status int    `json:"status"`
}

// NewContactNotFound returns the error for an unknown contact.
func NewContactNotFound(id string) ContactNotFound {
	return ContactNotFound{"Contact with id " + id + " not found", http.StatusBadRequest}
}

// Marshal returns the JSON of a value that encoding/json can always write. It panics on any other.
func Marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("ghltest: " + err.Error())
	}
	return text
}
