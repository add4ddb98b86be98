package ghltest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

var noteUpdateProperties = properties{
	"body": optional(text), "title": optional(text), "color": optional(text), "pinned": optional(flag),
	"userId": optional(text),
}

var noteCreateProperties = noteUpdateProperties.with(properties{"body": required(text)})

type plainNote ghl.Note

// noteForm adds to a note the properties that are sent even when they are empty.
type noteForm struct {
	*plainNote
	Body     string `json:"body"`
	BodyText string `json:"bodyText"`
	Pinned   bool   `json:"pinned"`
}

func writeNote(n *ghl.Note) any {
	p := plainNote(*n)
	bare := n.BodyText
	setDefault(&bare, withoutMarkup(n.Body))
	return extend(noteForm{&p, n.Body, bare, n.Pinned}, n.Extra)
}

// withoutMarkup removes the tags from HTML.
func withoutMarkup(html string) string {
	var b strings.Builder
	inside := false
	for _, r := range html {
		switch {
		case r == '<':
			inside = true
		case r == '>' && inside:
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	if inside { // a "<" without ">"
		return html
	}
	return b.String()
}

// note returns the note in the path, and its contact.
func (c *call) note() (*contact, *ghl.Note, error) {
	of, err := c.contact()
	if err != nil {
		return nil, nil, err
	}
	for _, n := range of.notes {
		if n.ID == c.param("noteId") {
			return of, n, nil
		}
	}
	return nil, nil, notFound("Note")
}

// listNotes answers a contact's notes, newest first.
func (c *call) listNotes() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	list := slices.Clone(of.notes)
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b *ghl.Note) int {
		return cmp.Compare(millisOf(b.DateAdded), millisOf(a.DateAdded))
	})
	return map[string]any{"notes": answers(list, writeNote)}, nil
}

func (c *call) getNote() (any, error) {
	_, n, err := c.note()
	if err != nil {
		return nil, err
	}
	return map[string]any{"note": writeNote(n)}, nil
}

func (c *call) createNote() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[ghl.NoteUpdate](c)
	if err != nil {
		return nil, err
	}
	n := &ghl.Note{ContactID: of.ID, DateAdded: timestamp(c.now)}
	if err := fillNote(n, in); err != nil {
		return nil, err
	}
	n.ID = c.ids.id()
	of.notes = append(of.notes, n)
	c.emitNote(NoteCreate, n)
	return map[string]any{"note": writeNote(n)}, nil
}

func (c *call) updateNote() (any, error) {
	_, n, err := c.note()
	if err != nil {
		return nil, err
	}
	in, err := read[ghl.NoteUpdate](c)
	if err != nil {
		return nil, err
	}
	if err := fillNote(n, in); err != nil {
		return nil, err
	}
	c.emitNote(NoteUpdate, n)
	return map[string]any{"note": writeNote(n)}, nil
}

func fillNote(n *ghl.Note, in *ghl.NoteUpdate) error {
	if body, _ := in.Body.Get(); !in.Body.IsZero() && strings.TrimSpace(body) == "" {
		return invalid("body should not be empty")
	}
	if !in.Body.IsZero() {
		n.BodyText = "" // a seed's may differ from the body; a new body makes it stale
	}
	set(&n.Body, in.Body)
	set(&n.Title, in.Title)
	set(&n.Color, in.Color)
	set(&n.Pinned, in.Pinned)
	set(&n.UserID, in.UserID)
	return nil
}

func (c *call) deleteNote() (any, error) {
	of, n, err := c.note()
	if err != nil {
		return nil, err
	}
	of.notes = slices.DeleteFunc(of.notes, func(other *ghl.Note) bool { return other == n })
	c.emitNote(NoteDelete, n)
	return c.succeeded(), nil
}
