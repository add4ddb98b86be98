package ghltest

import (
	"cmp"
	_ "embed"
	"net/http"
	"strings"
	"sync"

	"github.com/pluvo/ghl"
)

// endpoints.txt has a line for each endpoint of the vendor's documents: the generation of the API (old, v3 or both),
// the method, the path and the operation's name. A test in internal/spec writes and checks the file.
//
//go:embed endpoints.txt
var endpointsText string

// documented is an endpoint of the vendor's documents.
type documented struct {
	generation, method, path, name string
	segments                       []string
}

// missingEndpoints returns the documented endpoints that the fake does not have.
var missingEndpoints = sync.OnceValue(func() []documented {
	here := map[string]bool{}
	for _, op := range append(ghl.Operations(), tokenOperation) {
		here[op.Method+shapeOf(op.Path)], here[op.Method+shapeOf(cmp.Or(op.PathV3, op.Path))] = true, true
	}
	var list []documented
	for line := range strings.Lines(endpointsText) {
		fields := strings.Fields(line)
		d := documented{fields[0], fields[1], fields[2], fields[3], segmentsOf(fields[2])}
		if !here[d.method+shapeOf(d.path)] {
			list = append(list, d)
		}
	}
	return list
})

// segmentsOf returns the segments of a path. A slash at its end is ignored.
func segmentsOf(path string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
}

// shapeOf returns a path without the names of its placeholders.
func shapeOf(path string) string {
	segments := segmentsOf(path)
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// matches reports whether a path is the endpoint's, and the number of its literal segments.
func (d *documented) matches(segments []string) (literal int, ok bool) {
	if len(segments) != len(d.segments) {
		return 0, false
	}
	for i, want := range d.segments {
		switch segment := segments[i]; {
		case segment == want:
			literal++
		case !strings.HasPrefix(want, "{") || segment == "" || segment == "." || segment == "..":
			return 0, false
		}
	}
	return literal, true
}

// in reports whether a version of the API has the endpoint. A request without a version may mean either generation.
func (d *documented) in(v ghl.Version) bool {
	return v == "" || d.generation == "both" || (d.generation == "v3") == (v == ghl.VersionV3)
}

// unknownPath returns the error for a request to a path that the fake does not have: 501 with the name of the endpoint
// for one of the vendor's documents, else the router's 404, which repeats the path.
func unknownPath(r *http.Request) error {
	segments, most := segmentsOf(r.URL.Path), -1
	var found documented
	for _, d := range missingEndpoints() {
		if literal, ok := d.matches(segments); ok && literal > most && d.method == r.Method && d.in(version(r)) {
			found, most = d, literal
		}
	}
	if most < 0 {
		return refuse(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
	}
	return refuse(http.StatusNotImplemented,
		"ghltest does not have the endpoint "+found.name+" ("+found.method+" "+found.path+")")
}
