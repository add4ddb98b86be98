package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pluvo/ghl/pluvo"
)

// Outcome is what became of a value.
type Outcome uint8

// The outcomes.
const (
	// Mapped: the value went over as it was.
	Mapped Outcome = iota + 1
	// Changed: it went over in another form; the reason says which.
	Changed
	// LeftOut: it did not go over; the reason says why.
	LeftOut
	// Missing: a value is required, and there is none.
	Missing
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case Mapped:
		return "mapped"
	case Changed:
		return "changed"
	case LeftOut:
		return "left out"
	case Missing:
		return "missing"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Entry says what became of one field of one record. It holds no value, so it can be logged. A field that has no value has
// no entry, unless it is required.
type Entry struct {
	Kind pluvo.Kind
	// ID is the record's id in the system that it comes from.
	ID string
	// From is the field's name there, To the one on the other side; "" where the value went nowhere. Both are "" where the
	// record as a whole was left out.
	From, To string
	Outcome  Outcome
	// Reason says why, except of a value that was mapped as it was.
	Reason string
}

// Report says what a mapping did with each value.
type Report struct{ Entries []Entry }

// Only returns the entries with an outcome.
func (r *Report) Only(o Outcome) []Entry {
	if r == nil {
		return nil
	}
	var list []Entry
	for _, e := range r.Entries {
		if e.Outcome == o {
			list = append(list, e)
		}
	}
	return list
}

// String returns the report as a table, a line for each entry.
func (r *Report) String() string {
	if r == nil {
		return ""
	}
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, e := range r.Entries {
		fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\t%s\n", e.Kind, e.ID, e.From, e.To, e.Outcome, e.Reason)
	}
	_ = t.Flush()
	return text.String()
}

// sink adds the entries of one record to a report.
type sink struct {
	report *Report
	kind   pluvo.Kind
	id     string
}

func newSink(kind pluvo.Kind, id string) *sink {
	return &sink{&Report{Entries: make([]Entry, 0, 16)}, kind, id}
}

func (s *sink) add(from, to string, o Outcome, reason string) {
	s.report.Entries = append(s.report.Entries, Entry{s.kind, s.id, from, to, o, reason})
}

func (s *sink) mapped(from, to string) { s.add(from, to, Mapped, "") }

// went says that a value went over, in another form if there is a note.
func (s *sink) went(from, to, note string) {
	if note == "" {
		s.add(from, to, Mapped, "")
	} else {
		s.add(from, to, Changed, note)
	}
}

func (s *sink) leftOut(from, reason string) { s.add(from, "", LeftOut, reason) }

// missing says that a value is needed and, where there is one that cannot be used, why; and returns the error.
func (s *sink) missing(from, to, problem string) error {
	problem = cmp.Or(problem, whyMissing)
	s.add(from, to, Missing, problem)
	return &Error{s.kind, s.id, from, problem}
}

// takeBack says that a value was left out after all. To is the field that it had gone to.
func (s *sink) takeBack(to, reason string) {
	for i := range slices.Backward(s.report.Entries) {
		if e := &s.report.Entries[i]; e.Kind == s.kind && e.ID == s.id && e.To == to {
			e.To, e.Outcome, e.Reason = "", LeftOut, reason
			return
		}
	}
}

// Reasons.
const (
	whyMissing     = "it is required"
	whyNoField     = "Pluvo has no field for it"
	whyNoRule      = "there is no rule for it"
	whyOwn         = "HighLevel sets it"
	whyNoStage     = "a HighLevel contact has no stage; a rule may put it into a custom field"
	whyNoExtra     = "a rule may put it into a custom field"
	whyNoFurther   = "a rule may put it into a further field"
	whyDerived     = "it is derived from completed and dueDate, and says something else"
	whyNoBack      = "HighLevel does not keep it"
	whyBlankTag    = "a tag is empty"
	whyTagForm     = "tags are in lower case, without spaces around, each once"
	whyNotCleared  = "HighLevel does not let it be cleared"
	whyCreateOnly  = "HighLevel takes it only when the record is made"
	whyNoZone      = "the time has no zone, and the location's is not known"
	whyNoTime      = "it is no time"
	whyNoYear      = "the year is not in 1 to 9999"
	whySplitName   = "the first word of the one name that HighLevel has"
	whyRestName    = "the rest of the one name that HighLevel has"
	whyZone        = "a time without a zone, read in the location's"
	whyMillis      = "HighLevel holds milliseconds"
	whySeconds     = "HighLevel holds seconds"
	whyV3Status    = "only VersionV3 sets this state"
	whyNoStatus    = "HighLevel has no such state"
	whyOlderStatus = "the older status field"
	whyNobody      = "HighLevel needs an e-mail, a phone or a name"
	whyUpdateOnly  = "HighLevel takes it only when the record is changed"
	whyEnd         = "HighLevel needs an end after the start"
	whyNoPhone     = "HighLevel keeps phone numbers only"
	whyNoID        = "it is no id of HighLevel's"
	whyDeleted     = "it is deleted in HighLevel"
	whyUnknown     = "nobody knows what HighLevel has"
	whyDefault     = "the rule's default"
	whyTrimmed     = "without spaces around"
	whyLower       = "in lower case"
	whyUpper       = "in upper case"
	whyJoined      = "a list in one text"
	whySplit       = "a text as a list"
	whySeparator   = "an item of the list holds the text that comes between the items"
	whyOption      = "by the rule's table of options"
	whyNoOption    = "the rule's table of options has no such value"
	whyPicklist    = "the field in HighLevel has no such option"
	whyNoNumber    = "it is no number"
	whyOtherType   = "it is of another type than its field in HighLevel"
	whyDay         = "the day in UTC, without the time"
	whyNoFlag      = "it is neither true nor false"
)
