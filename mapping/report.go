package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pluvo/ghl/pluvo"
)

// Outcome is the outcome of a mapping for one value.
type Outcome uint8

// The outcomes.
const (
	// Mapped: the value was mapped unchanged.
	Mapped Outcome = iota + 1
	// Changed: the value was mapped in another form; the reason names the form.
	Changed
	// LeftOut: the value was not mapped; the reason says why.
	LeftOut
	// Missing: a required value is missing, so the record was refused.
	Missing
)

// String returns the outcome in words, such as "left out".
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

// Entry is the outcome for one field of one record. It holds no value, so it can be logged. A field without a value
// has an entry only if the value is required.
type Entry struct {
	Kind pluvo.Kind
	// ID is the record's id in the system that it comes from.
	ID string
	// From is the name of the field in the system that the record comes from, To the name in the other system. To is ""
	// for a value that was not mapped. Both are "" for a record that was left out as a whole.
	From, To string
	Outcome  Outcome
	// Reason says why the outcome is not Mapped; "" if it is.
	Reason string
}

// Report lists the outcome for each value of a mapping.
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

// String returns the report as a table with one line for each entry.
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

// went reports a value that was mapped; a note says how it was changed.
func (s *sink) went(from, to, note string) {
	if note == "" {
		s.add(from, to, Mapped, "")
	} else {
		s.add(from, to, Changed, note)
	}
}

func (s *sink) leftOut(from, reason string) { s.add(from, "", LeftOut, reason) }

// missing reports a required value that is missing, or that has a problem, and returns the error.
func (s *sink) missing(from, to, problem string) error {
	problem = cmp.Or(problem, whyMissing)
	s.add(from, to, Missing, problem)
	return &Error{s.kind, s.id, from, problem}
}

// takeBack changes the last entry of a value that was mapped to a field: the value was left out.
func (s *sink) takeBack(to, reason string) {
	for i := range slices.Backward(s.report.Entries) {
		if e := &s.report.Entries[i]; e.Kind == s.kind && e.ID == s.id && e.To == to {
			e.To, e.Outcome, e.Reason = "", LeftOut, reason
			return
		}
	}
}

// The reasons in reports and errors.
const (
	whyMissing     = "it is required"
	whyNoField     = "Pluvo has no field for it"
	whyNoRule      = "there is no rule for it"
	whyOwn         = "HighLevel sets it"
	whyNoStage     = "a HighLevel contact has no stage; a rule can map it to a custom field"
	whyDerived     = "it is derived from completed and dueDate, and differs from them"
	whyNoBack      = "HighLevel does not store it"
	whyBlankTag    = "every tag is empty"
	whyTagForm     = "tags in lower case, without spaces around, each once"
	whyTagOnce     = "tags without empty ones, each once"
	whyNotCleared  = "HighLevel does not clear it"
	whyCreateOnly  = "HighLevel accepts it only when the record is created"
	whyUpdateOnly  = "HighLevel accepts it only when the record is updated"
	whyNoZone      = "the time has no zone, and the location's zone is unknown"
	whyNoTime      = "it is not a time"
	whyNoYear      = "the year is not in 1 to 9999"
	whySplitName   = "the first word of the whole name"
	whyRestName    = "the whole name without its first word"
	whyZone        = "a time without a zone, read in the location's"
	whyMillis      = "HighLevel stores milliseconds"
	whySeconds     = "HighLevel stores seconds"
	whyV3Status    = "only VersionV3 sets this state"
	whyNoStatus    = "HighLevel has no such state"
	whyOlderStatus = "the older status field"
	whyMarkup      = "the text of HTML"
	whyNoIdentity  = "HighLevel needs an e-mail, a phone or a name"
	whyEnd         = "HighLevel needs an end after the start"
	whyNoPhone     = "HighLevel stores phone numbers only"
	whyNoID        = "it cannot be an id of HighLevel"
	whyDeleted     = "it is deleted in HighLevel"
	whyUnknown     = "the value in HighLevel is unknown"
	whyDefault     = "the rule's default"
	whyTrimmed     = "without spaces around"
	whyLower       = "in lower case"
	whyUpper       = "in upper case"
	whyJoined      = "a list in one text"
	whySplit       = "a text as a list"
	whySeparator   = "an item of the list contains the text between the items"
	whyOption      = "by the rule's table of options"
	whyNoOption    = "the rule's table of options does not have the value"
	whyPicklist    = "the field in HighLevel has no such option"
	whyNoNumber    = "it is not a number"
	whyOtherType   = "it is not of the type of its field in HighLevel"
	whyDay         = "the day in UTC, without the time"
	whyNoFlag      = "it is neither true nor false"
	whyNoRecord    = "there is no record"
)
