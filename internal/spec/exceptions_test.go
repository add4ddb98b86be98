package spec

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pluvo/ghl"
)

// exceptions.json lists the intended differences between the client and the documents, ghltest.json those of package
// ghltest. An entry covers each combination of its operations, versions and places, and each combination must occur in
// a run.
//
// A place is "path", "scopes" or "answer", or the path of a parameter or property: "query.startAfter",
// "body.dndSettings.RCS", "body.country=null" (null as the value), "answer.metadata". A property of an answer covers
// the properties below it. In ghltest.json a place can also be "status.201" (a status that the document does not have),
// "answer401.message" (a property of a refusal), or a change of a request: "body.title=missing", "body.title=added",
// "query.limit=text", "body.pinned=flag".
//
//go:embed exceptions.json
var exceptionsJSON []byte

// difference is a place where the client and the documents differ.
type difference struct {
	operation string
	version   ghl.Version
	place     string
}

func (d difference) String() string {
	return fmt.Sprintf("%s (%s): %s", d.operation, d.version, d.place)
}

// exceptions has the intended differences, and whether each has occurred.
type exceptions map[difference]bool

// exception is an entry of the list.
type exception struct {
	Operations []string        `json:"operations"`
	Versions   []ghl.Version   `json:"versions"`
	Places     []string        `json:"places"`
	Answer     json.RawMessage `json:"answer"` // the live answer, where the documents have none
	Reason     string          `json:"reason"`
}

func readEntries(data []byte) ([]exception, error) {
	var entries []exception
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&entries)
	return entries, err
}

// readAnswers returns the answer of each operation for which the documents have none.
func readAnswers(data []byte) (map[string]json.RawMessage, error) {
	entries, err := readEntries(data)
	answers := map[string]json.RawMessage{}
	for _, e := range entries {
		for _, operation := range e.Operations {
			if e.Answer != nil {
				answers[operation] = e.Answer
			}
		}
	}
	return answers, err
}

func readExceptions(data []byte) (exceptions, error) {
	entries, err := readEntries(data)
	if err != nil {
		return nil, err
	}
	list := exceptions{}
	for i, e := range entries {
		if len(e.Operations) == 0 || len(e.Versions) == 0 || len(e.Places) == 0 || e.Reason == "" {
			return nil, fmt.Errorf("exception %d lacks operations, versions, places or a reason", i+1)
		}
		for _, operation := range e.Operations {
			for _, version := range e.Versions {
				for _, place := range e.Places {
					d := difference{operation, version, place}
					if _, twice := list[d]; twice {
						return nil, fmt.Errorf("%s: listed twice", d)
					}
					list[d] = false
				}
			}
		}
	}
	return list, nil
}

// allow reports whether a difference is intended, and records that it has occurred.
func (e exceptions) allow(d difference) bool {
	_, listed := e[d]
	if listed {
		e[d] = true
	}
	return listed
}

// unused returns the exceptions that have not occurred.
func (e exceptions) unused() []string {
	var list []string
	for d, used := range e {
		if !used {
			list = append(list, d.String())
		}
	}
	slices.Sort(list)
	return list
}
