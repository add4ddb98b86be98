package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/pluvo/ghl"
)

// Columns are cut so that a table fits a terminal of 100 columns.

func writeContacts(out io.Writer, location *ghl.Location, page *ghl.ContactPage, zone *time.Location) {
	fmt.Fprintf(out, "\n%s: %d of %d contacts (times in %s)\n\n", location.Name, len(page.Contacts), page.Total, zone)
	t := table(out, "NAME", "E-MAIL", "PHONE", "TAGS", "ADDED")
	for _, c := range page.Contacts {
		row(t, cut(name(c), 20), cut(c.Email, 30), cut(c.Phone, 14), cut(strings.Join(c.Tags, ", "), 20),
			day(c.DateAdded, zone))
	}
	_ = t.Flush()
}

func writeContact(out io.Writer, c *ghl.Contact, zone *time.Location) {
	fmt.Fprintf(out, "\n%s\n\n", cut(name(c), 98))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, field := range [][2]string{
		{"Id", c.ID}, {"E-mail", c.Email}, {"Phone", c.Phone}, {"Company", c.CompanyName},
		{"Address", join(", ", c.Address1, c.City, join(" ", c.State, c.PostalCode), c.Country)},
		{"Tags", strings.Join(c.Tags, ", ")}, {"Added", moment(c.DateAdded, zone)},
	} {
		if field[1] != "" {
			row(t, "  "+field[0], cut(field[1], 80))
		}
	}
	_ = t.Flush()
}

func writeTasks(out io.Writer, tasks []*ghl.Task, zone *time.Location) {
	if !section(out, "Tasks", len(tasks)) {
		return
	}
	t := table(out, "DUE", "DONE", "TITLE")
	for _, task := range tasks {
		done := "no"
		if task.Completed {
			done = "yes"
		}
		row(t, moment(task.DueDate, zone), done, cut(task.Title, 64))
	}
	_ = t.Flush()
}

func writeNotes(out io.Writer, notes []*ghl.Note, zone *time.Location) {
	if !section(out, "Notes", len(notes)) {
		return
	}
	t := table(out, "WRITTEN", "NOTE")
	for _, note := range notes {
		text := note.BodyText
		if text == "" {
			text = note.Body
		}
		row(t, moment(note.DateAdded, zone), cut(join(": ", note.Title, text), 74))
	}
	_ = t.Flush()
}

func writeAppointments(out io.Writer, appointments []*ghl.Appointment, zone *time.Location) {
	if !section(out, "Appointments", len(appointments)) {
		return
	}
	t := table(out, "START", "END", "STATUS", "TITLE")
	for _, a := range appointments {
		row(t, moment(a.StartTime, zone), clock(a.EndTime, zone), string(a.AppointmentStatus), cut(a.Title, 48))
	}
	_ = t.Flush()
}

// section writes a heading and reports whether the section has entries.
func section(out io.Writer, title string, n int) bool {
	if n == 0 {
		fmt.Fprintf(out, "\n%s: none\n", title)
		return false
	}
	fmt.Fprintf(out, "\n%s\n\n", title)
	return true
}

func table(out io.Writer, headings ...string) *tabwriter.Writer {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	headings[0] = "  " + headings[0]
	row(t, headings...)
	return t
}

func row(t *tabwriter.Writer, cells ...string) {
	if !strings.HasPrefix(cells[0], "  ") {
		cells[0] = "  " + cells[0]
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

func name(c *ghl.Contact) string {
	if full := join(" ", c.FirstName, c.LastName); full != "" {
		return full
	}
	return join("", c.Name)
}

// Time.In converts times with a zone to the location's zone, and reads times without a zone as times in that zone.

func moment(at ghl.Time, zone *time.Location) string { return format(at, zone, "Mon 2 Jan 2006 15:04") }
func day(at ghl.Time, zone *time.Location) string    { return format(at, zone, "2006-01-02") }
func clock(at ghl.Time, zone *time.Location) string  { return format(at, zone, "15:04") }

func format(at ghl.Time, zone *time.Location, layout string) string {
	if at.IsZero() {
		return ""
	}
	return at.In(zone).Format(layout)
}

// join joins the texts that are not empty.
func join(separator string, texts ...string) string {
	var list []string
	for _, text := range texts {
		if text != "" {
			list = append(list, text)
		}
	}
	return strings.Join(list, separator)
}

// cut returns a text as one line of at most n characters.
func cut(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
