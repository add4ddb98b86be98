package ghl

import (
	"context"
	"strings"
	"time"
)

// NotesService reads and writes the notes of contacts.
type NotesService service

// Note is a note about a contact or, from [AppointmentNotesService], about an appointment.
type Note struct {
	ID string `json:"id"`
	// Body may be HTML. BodyText is the same text without markup; not every answer has it.
	Body      string `json:"body,omitempty"`
	BodyText  string `json:"bodyText,omitempty"`
	Title     string `json:"title,omitempty"`
	Color     string `json:"color,omitempty"` // such as "#FFAA00"
	Pinned    bool   `json:"pinned,omitempty"`
	UserID    string `json:"userId,omitempty"` // the author
	ContactID string `json:"contactId,omitempty"`
	DateAdded Time   `json:"dateAdded,omitzero"`
	// CreatedBy is filled by [AppointmentNotesService] only.
	CreatedBy struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name,omitempty"`
	} `json:"createdBy,omitzero"`
	Extra Extra `json:"-"`
}

// List returns all notes of a contact: GET /contacts/{contactId}/notes, scope contacts.readonly.
func (s *NotesService) List(ctx context.Context, contactID string, opts ...CallOption) ([]*Note, error) {
	return many[Note](ctx, s.client, request{op: opNotesList, path: []string{contactID}}, opts)
}

// Get returns a note: GET /contacts/{contactId}/notes/{noteId}, scope contacts.readonly.
func (s *NotesService) Get(ctx context.Context, contactID, noteID string, opts ...CallOption) (*Note, error) {
	return one[Note](ctx, s.client, request{op: opNotesGet, path: []string{contactID, noteID}}, opts)
}

// Create creates a note: POST /contacts/{contactId}/notes, scope contacts.write. Body is required. Create is not
// retried when its outcome is unknown ([ErrAmbiguous]). With [CallReadBack] it then looks for the note.
func (s *NotesService) Create(
	ctx context.Context, contactID string, in *NoteCreate, opts ...CallOption,
) (*Note, error) {
	var sent time.Time
	note, err := one[Note](ctx, s.client, request{op: opNotesCreate, path: []string{contactID}, in: in},
		sentAt(&sent, opts))
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Note, error) {
			return s.findCreated(ctx, contactID, in, sent, opts)
		})
	}
	return note, nil
}

// NoteCreate is the input of [NotesService.Create].
type NoteCreate struct {
	Body   string `json:"body"`
	Title  string `json:"title,omitempty"`
	Color  string `json:"color,omitempty"` // such as "#FFAA00"
	Pinned bool   `json:"pinned,omitempty"`
	UserID string `json:"userId,omitempty"` // the author
}

func (in *NoteCreate) check() error {
	switch {
	case in == nil:
		return badInputf("NoteCreate", "the input is nil")
	case blank(in.Body):
		return badInputf("Body", "Body is required")
	}
	return checkGiven("UserID", in.UserID)
}

// Update changes a note: PUT /contacts/{contactId}/notes/{noteId}, scope contacts.write. It sends only
// the fields that are set.
func (s *NotesService) Update(
	ctx context.Context, contactID, noteID string, in *NoteUpdate, opts ...CallOption,
) (*Note, error) {
	return one[Note](ctx, s.client, request{op: opNotesUpdate, path: []string{contactID, noteID}, in: in}, opts)
}

// NoteUpdate is the input of [NotesService.Update]. A field that is not set keeps its value; [Null] clears a field.
// Body replaces the whole body, so a plain text also removes the formatting of HighLevel's editor.
type NoteUpdate struct {
	Body   Opt[string] `json:"body,omitzero"`
	Title  Opt[string] `json:"title,omitzero"`
	Color  Opt[string] `json:"color,omitzero"`
	Pinned Opt[bool]   `json:"pinned,omitzero"`
	UserID Opt[string] `json:"userId,omitzero"`
}

func (in *NoteUpdate) check() error {
	if err := checkUpdate("NoteUpdate", in); err != nil {
		return err
	}
	if body, ok := in.Body.Get(); ok && blank(body) || in.Body.IsNull() {
		return badInputf("Body", "Body cannot be cleared")
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

// findCreated returns the note with the text of in that was added since the create was sent, or nil.
func (s *NotesService) findCreated(
	ctx context.Context, contactID string, in *NoteCreate, sent time.Time, opts []CallOption,
) (*Note, error) {
	var resp Response
	notes, err := s.List(ctx, contactID, append(opts, CallResponse(&resp))...)
	for _, n := range notes {
		same := strings.TrimSpace(n.Body) == strings.TrimSpace(in.Body) && n.Title == in.Title
		if same && addedSince(n.DateAdded, sent, &resp) {
			return n, nil
		}
	}
	return nil, err
}
