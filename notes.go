package ghl

import (
	"context"
	"strings"
	"time"
)

// NotesService reaches the notes of contacts.
type NotesService service

// Note is a text about a contact.
type Note struct {
	ID string `json:"id"`
	// Body may be HTML; BodyText, where it comes, is the same without markup.
	Body      string `json:"body,omitempty"`
	BodyText  string `json:"bodyText,omitempty"`
	Title     string `json:"title,omitempty"`
	Color     string `json:"color,omitempty"` // such as "#FFAA00"
	Pinned    bool   `json:"pinned,omitempty"`
	UserID    string `json:"userId,omitempty"` // who wrote it
	ContactID string `json:"contactId,omitempty"`
	DateAdded Time   `json:"dateAdded,omitzero"`
	Extra     Extra  `json:"-"`
}

// List reads all notes of a contact; there are no pages: GET /contacts/{contactId}/notes, scope contacts.readonly.
func (s *NotesService) List(ctx context.Context, contactID string, opts ...CallOption) ([]*Note, error) {
	return many[Note](ctx, s.client, request{op: opNotesList, path: []string{contactID}}, opts)
}

// Get reads a note: GET /contacts/{contactId}/notes/{noteId}, scope contacts.readonly.
func (s *NotesService) Get(ctx context.Context, contactID, noteID string, opts ...CallOption) (*Note, error) {
	return one[Note](ctx, s.client, request{op: opNotesGet, path: []string{contactID, noteID}}, opts)
}

// Create makes a note: POST /contacts/{contactId}/notes, scope contacts.write. It needs a body. It is not repeated when its
// outcome is unknown ([ErrAmbiguous]); [CallReadBack] looks for the note then.
func (s *NotesService) Create(ctx context.Context, contactID string, in *NoteCreate, opts ...CallOption) (*Note, error) {
	var sent time.Time
	note, err := one[Note](ctx, s.client, request{op: opNotesCreate, path: []string{contactID}, in: in}, sentAt(&sent, opts))
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Note, error) {
			return s.findCreated(ctx, contactID, in, sent, opts)
		})
	}
	return note, nil
}

// NoteCreate is a new note.
type NoteCreate struct {
	Body   string `json:"body"`
	Title  string `json:"title,omitempty"`
	Color  string `json:"color,omitempty"` // such as "#FFAA00"
	Pinned bool   `json:"pinned,omitempty"`
	UserID string `json:"userId,omitempty"` // who writes it
}

func (in *NoteCreate) check() error {
	switch {
	case in == nil:
		return badInputf("NoteCreate", "there is no note to create")
	case blank(in.Body):
		return badInputf("Body", "a note needs a body")
	}
	return checkGiven("UserID", in.UserID)
}

// Update changes a note: PUT /contacts/{contactId}/notes/{noteId}, scope contacts.write. Only the fields that are set are sent.
func (s *NotesService) Update(ctx context.Context, contactID, noteID string, in *NoteUpdate, opts ...CallOption) (*Note, error) {
	return one[Note](ctx, s.client, request{op: opNotesUpdate, path: []string{contactID, noteID}, in: in}, opts)
}

// NoteUpdate is a change of a note.
type NoteUpdate struct {
	Body   Opt[string] `json:"body,omitzero"`
	Title  Opt[string] `json:"title,omitzero"`
	Color  Opt[string] `json:"color,omitzero"`
	Pinned Opt[bool]   `json:"pinned,omitzero"`
	UserID Opt[string] `json:"userId,omitzero"`
}

func (in *NoteUpdate) check() error {
	if in == nil {
		return badInputf("NoteUpdate", "there is nothing to update")
	}
	if body, ok := in.Body.Get(); ok && blank(body) || in.Body.IsNull() {
		return badInputf("Body", "a note needs a body")
	}
	if err := refuseNull(nullField{"Pinned", in.Pinned.IsNull()}); err != nil {
		return err
	}
	return checkGiven("UserID", valueOf(in.UserID))
}

// Delete deletes a note: DELETE /contacts/{contactId}/notes/{noteId}, scope contacts.write.
func (s *NotesService) Delete(ctx context.Context, contactID, noteID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opNotesDelete, path: []string{contactID, noteID}}, opts)
}

// findCreated looks for a note with the same text that was added since the create was sent.
func (s *NotesService) findCreated(ctx context.Context, contactID string, in *NoteCreate, sent time.Time, opts []CallOption) (*Note, error) {
	var resp Response
	notes, err := s.List(ctx, contactID, append(opts, CallResponse(&resp))...)
	for _, n := range notes {
		if strings.TrimSpace(n.Body) == strings.TrimSpace(in.Body) && n.Title == in.Title && addedSince(n.DateAdded, sent, &resp) {
			return n, nil
		}
	}
	return nil, err
}
