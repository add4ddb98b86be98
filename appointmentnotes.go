package ghl

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strconv"

	"github.com/pluvo/ghl/internal/lenient"
)

// AppointmentNotesService reads and writes the notes of appointments, which have only a body and an author. HighLevel
// does not document whether such a note is also one of [NotesService], with the same id.
type AppointmentNotesService service

// List returns all notes of an appointment: GET /calendars/appointments/{appointmentId}/notes, scope
// calendars/events.readonly. It sends a request for every 20 notes, see [AppointmentNotesService.All].
func (s *AppointmentNotesService) List(
	ctx context.Context, appointmentID string, opts ...CallOption,
) ([]*Note, error) {
	notes := []*Note{}
	for note, err := range s.All(ctx, appointmentID, opts...) {
		if err != nil {
			return nil, err
		}
		notes = append(notes, note)
	}
	return notes, nil
}

// All iterates over the notes of an appointment: GET /calendars/appointments/{appointmentId}/notes, scope
// calendars/events.readonly. It reads pages of 20 until one is empty or says that it is the last. It yields an error
// once, with a nil note, and stops. A note that is created or deleted meanwhile can move other notes between pages,
// which are then yielded twice or missed.
func (s *AppointmentNotesService) All(
	ctx context.Context, appointmentID string, opts ...CallOption,
) iter.Seq2[*Note, error] {
	opts = slices.Clone(opts)
	return each(pager[[]*Note, *Note]{
		end: listEnd{op: opAppointmentNotesList, bySkip: true},
		read: func(_ Cursor, skip int) ([]*Note, pageInfo, error) {
			return s.page(ctx, appointmentID, skip, opts)
		},
		records: itself[[]*Note],
	}.pages(), itself[[]*Note])
}

// page reads the notes after the first offset ones.
func (s *AppointmentNotesService) page(
	ctx context.Context, appointmentID string, offset int, opts []CallOption,
) (notes []*Note, info pageInfo, err error) {
	q := url.Values{"limit": {"20"}, "offset": {strconv.Itoa(offset)}} // both are required, and 20 is the most
	r := request{op: opAppointmentNotesList, path: []string{appointmentID}, query: q}
	err = s.client.do(ctx, r, func(k *call, body []byte) (err error) {
		notes, err = records[Note](k, body)
		info.size, info.skipped = len(notes)+len(k.skipped), k.skipped
		info.last = string(lenient.Field(body, "hasMore")) == "false"
		return err
	}, opts)
	if err != nil {
		return nil, pageInfo{}, err
	}
	return notes, info, nil
}

func (n *Note) element() (id string, position Cursor) { return n.ID, "" }

// appointmentNote is the input of a create or an update. Both require the body.
type appointmentNote struct {
	Body   string      `json:"body"`
	UserID Opt[string] `json:"userId,omitzero"`
	wrong  error       // what the fields of the caller's input refuse
}

func (in *appointmentNote) check() error { return in.wrong }

// Create creates a note of an appointment: POST /calendars/appointments/{appointmentId}/notes, scope
// calendars/events.write. Body is required; Title, Color and Pinned are refused with [ErrBadInput]. Create is not
// retried when its outcome is unknown ([ErrAmbiguous]).
func (s *AppointmentNotesService) Create(
	ctx context.Context, appointmentID string, in *NoteCreate, opts ...CallOption,
) (*Note, error) {
	note := &appointmentNote{wrong: in.check()}
	if in != nil {
		note.Body = in.Body
		if in.UserID != "" {
			note.UserID = Some(in.UserID)
		}
		if note.wrong == nil {
			note.wrong = onlyBody(in.Title != "", in.Color != "", in.Pinned)
		}
	}
	r := request{op: opAppointmentNotesCreate, path: []string{appointmentID}, in: note}
	return one[Note](ctx, s.client, r, opts)
}

// Update changes a note of an appointment: PUT /calendars/appointments/{appointmentId}/notes/{noteId}, scope
// calendars/events.write. Body is required; Title, Color and Pinned are refused with [ErrBadInput]. Whether the API
// keeps the author when UserID is not set is not documented.
func (s *AppointmentNotesService) Update(
	ctx context.Context, appointmentID, noteID string, in *NoteUpdate, opts ...CallOption,
) (*Note, error) {
	note := &appointmentNote{wrong: in.check()}
	if in != nil {
		note.Body, note.UserID = valueOf(in.Body), in.UserID
		switch {
		case note.wrong != nil:
		case in.Body.IsZero():
			note.wrong = badInputf("Body", "Body is required")
		default:
			note.wrong = onlyBody(!in.Title.IsZero(), !in.Color.IsZero(), !in.Pinned.IsZero())
		}
	}
	r := request{op: opAppointmentNotesUpdate, path: []string{appointmentID, noteID}, in: note}
	return one[Note](ctx, s.client, r, opts)
}

// onlyBody refuses the fields that the note of an appointment does not have.
func onlyBody(title, color, pinned bool) error {
	for _, field := range []struct {
		name string
		set  bool
	}{{"Title", title}, {"Color", color}, {"Pinned", pinned}} {
		if field.set {
			return badInputf(field.name, "the note of an appointment has no %s", field.name)
		}
	}
	return nil
}

// Delete deletes a note of an appointment: DELETE /calendars/appointments/{appointmentId}/notes/{noteId}, scope
// calendars/events.write.
func (s *AppointmentNotesService) Delete(ctx context.Context, appointmentID, noteID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opAppointmentNotesDelete, path: []string{appointmentID, noteID}}, opts)
}
