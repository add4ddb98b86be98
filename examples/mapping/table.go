package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// The tables fit into 120 columns.

// writeToPluvo writes the report of a mapping, with the values.
func writeToPluvo(
	out io.Writer, report *mapping.Report, in *mapping.FullContact, full *pluvo.FullContact,
	definitions *ghl.CustomFieldResolver,
) {
	fmt.Fprint(out, "\nHighLevel → Pluvo\n")
	given, got := valuesOfGHL(in, definitions), valuesOfPluvo(full)
	byRecord(out, report, func(out io.Writer, entries []mapping.Entry) {
		t := table(out, "IN HIGHLEVEL", "", "IN PLUVO", "", "WHAT HAPPENED")
		for _, e := range entries {
			from := withKey(e.From, definitions)
			row(t, cut(from, 25), cut(given[name(e.Kind, from)], 16), e.To,
				cut(got[name(e.Kind, e.To)], 20), outcome(e))
		}
		_ = t.Flush()
	})
}

// writeToHighLevel writes the changes that were sent and those that were left out.
func writeToHighLevel(
	out io.Writer, report *mapping.Report, last, now *pluvo.FullContact, change *mapping.ContactChange,
) {
	fmt.Fprint(out, "\nThe records are changed in Pluvo. Pluvo → HighLevel: the differences\n")
	was, is := valuesOfPluvo(last), valuesOfPluvo(now)
	byRecord(out, report, func(out io.Writer, entries []mapping.Entry) {
		t := table(out, "IN PLUVO", "WAS", "IS", "IN HIGHLEVEL", "WHAT HAPPENED")
		for _, e := range entries {
			what := outcome(e)
			if e.To == "tags" {
				what = "added " + strings.Join(change.AddTags, ", ") +
					", removed " + strings.Join(change.RemoveTags, ", ")
			}
			from, to := name(e.Kind, e.From), strings.Replace(e.To, "custom.contact.", "custom.", 1)
			row(t, e.From, cut(was[from], 20), cut(is[from], 20), to, what)
		}
		_ = t.Flush()
	})
}

// writeComparison writes the values of both sides.
func writeComparison(out io.Writer, mapper *mapping.Mapper, ours, theirs *pluvo.FullContact) {
	fmt.Fprint(out, "\nBoth sides now, read again\n")
	other := map[string]pluvo.Record{}
	for _, r := range theirs.Records() {
		other[name(r.Kind(), r.Key())] = r
	}
	for _, r := range ours.Records() {
		fmt.Fprintf(out, "\n%s %s\n\n", r.Kind(), r.Key())
		t := table(out, "FIELD", "IN PLUVO", "FROM HIGHLEVEL", "THE SAME")
		of := other[name(r.Kind(), r.Key())]
		for _, f := range mapper.Fields(r.Kind()) {
			same := "yes"
			switch {
			case f.Same(r, of):
			case !f.ToGHL():
				same = "no: it comes from HighLevel only"
			default:
				same = "no"
			}
			row(t, f.Name(), cut(f.Get(r).String(), 30), cut(f.Get(of).String(), 30), same)
		}
		_ = t.Flush()
	}
}

// byRecord calls write with the entries of each record, after a heading.
func byRecord(out io.Writer, report *mapping.Report, write func(io.Writer, []mapping.Entry)) {
	for list := report.Entries; len(list) > 0; {
		n := 1
		for n < len(list) && list[n].Kind == list[0].Kind && list[n].ID == list[0].ID {
			n++
		}
		fmt.Fprintf(out, "\n%s %s\n\n", list[0].Kind, list[0].ID)
		write(out, list[:n])
		list = list[n:]
	}
}

// withKey returns the name of a custom field with its key in place of its id.
func withKey(field string, definitions *ghl.CustomFieldResolver) string {
	id, ok := strings.CutPrefix(field, "custom.")
	if !ok {
		return field
	}
	_, key, _ := strings.Cut(definitions.Key(id), ".")
	return "custom." + key
}

func name(kind pluvo.Kind, field string) string { return string(kind) + " " + field }

func outcome(e mapping.Entry) string {
	switch {
	case e.Reason == "":
		return e.Outcome.String()
	case e.Outcome == mapping.Changed:
		return e.Reason
	}
	return e.Outcome.String() + ": " + e.Reason
}

// valuesOfGHL returns the values of a contact by kind and name, such as "contact email".
func valuesOfGHL(in *mapping.FullContact, definitions *ghl.CustomFieldResolver) map[string]string {
	values := map[string]string{}
	add(values, "contact", in.Contact)
	for _, f := range in.Contact.CustomFields {
		values["contact "+withKey("custom."+f.ID, definitions)] = f.Value.Text()
	}
	for _, task := range in.Tasks {
		add(values, "task", task)
	}
	for _, note := range in.Notes {
		add(values, "note", note)
	}
	for _, appointment := range in.Appointments {
		add(values, "appointment", appointment)
	}
	return values
}

func valuesOfPluvo(full *pluvo.FullContact) map[string]string {
	values := map[string]string{}
	for _, r := range full.Records() {
		add(values, string(r.Kind()), r)
		values[string(r.Kind())+" origin.id"] = r.From().ID
	}
	for name, text := range full.Contact.Fields {
		values["contact fields."+name] = text
	}
	return values
}

// add adds the properties of a record's JSON to values.
func add(values map[string]string, kind string, record any) {
	data, err := json.Marshal(record)
	if err != nil {
		return
	}
	var properties map[string]any
	if json.Unmarshal(data, &properties) != nil {
		return
	}
	for name, value := range properties {
		text := fmt.Sprint(value)
		if list, ok := value.([]any); ok {
			items := make([]string, len(list))
			for i, item := range list {
				items[i] = fmt.Sprint(item)
			}
			text = strings.Join(items, ", ")
		}
		values[kind+" "+name] = text
	}
}

func table(out io.Writer, headings ...string) *tabwriter.Writer {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row(t, headings...)
	return t
}

func row(t *tabwriter.Writer, cells ...string) {
	fmt.Fprintln(t, "  "+strings.Join(cells, "\t"))
}

// cut returns a text as one line of at most n characters.
func cut(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
