package ghltest

import (
	"slices"

	"github.com/pluvo/ghl"
)

// Missing returns the names of the operations without a row.
func Missing() []string {
	var names []string
	for _, op := range ghl.Operations() {
		if !slices.Contains(Rows(), op.Name) {
			names = append(names, op.Name)
		}
	}
	return names
}

// Rows returns the names of the operations with a row.
func Rows() []string {
	var names []string
	for _, r := range rows {
		names = append(names, r.operation)
	}
	return names
}

// WithoutHandler removes the row of an operation from a server before its first request.
func WithoutHandler(s *Server, name string) {
	s.routes = newRoutes(slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.operation == name }),
		s.serveEndpoint)
}
