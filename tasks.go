package ghl

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// TasksService reads, searches and writes the tasks of contacts.
type TasksService service

// Task is a task about a contact.
type Task struct {
	ID         string `json:"id"`
	Title      string `json:"title,omitempty"`
	Body       string `json:"body,omitempty"`
	AssignedTo string `json:"assignedTo,omitempty"` // a user's id
	DueDate    Time   `json:"dueDate,omitzero"`
	Completed  bool   `json:"completed"`
	ContactID  string `json:"contactId,omitempty"`
	LocationID string `json:"locationId,omitempty"`
	BusinessID string `json:"businessId,omitempty"`
	DateAdded  Time   `json:"dateAdded,omitzero"`
	// DateUpdated is filled by [TasksService.Search] only.
	DateUpdated Time  `json:"dateUpdated,omitzero"`
	Extra       Extra `json:"-"`
}

func (t *Task) element() (id string, position Cursor) { return t.ID, "" }

// List returns all tasks of a contact: GET /contacts/{contactId}/tasks, scope contacts.readonly.
func (s *TasksService) List(ctx context.Context, contactID string, opts ...CallOption) ([]*Task, error) {
	return many[Task](ctx, s.client, request{op: opTasksList, path: []string{contactID}}, opts)
}

// Get returns a task: GET /contacts/{contactId}/tasks/{taskId}, scope contacts.readonly.
func (s *TasksService) Get(ctx context.Context, contactID, taskID string, opts ...CallOption) (*Task, error) {
	return one[Task](ctx, s.client, request{op: opTasksGet, path: []string{contactID, taskID}}, opts)
}

// Create creates a task: POST /contacts/{contactId}/tasks, scope contacts.write. Title and DueDate are required.
// Create is not retried when its outcome is unknown ([ErrAmbiguous]). With [CallReadBack] it then looks for the
// task.
func (s *TasksService) Create(
	ctx context.Context, contactID string, in *TaskCreate, opts ...CallOption,
) (*Task, error) {
	var sent time.Time
	task, err := one[Task](ctx, s.client, request{op: opTasksCreate, path: []string{contactID}, in: in},
		sentAt(&sent, opts))
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Task, error) {
			return s.findCreated(ctx, contactID, in, sent, errors.Is(err, ErrAmbiguous), opts)
		})
	}
	return task, nil
}

// TaskCreate is the input of [TasksService.Create].
type TaskCreate struct {
	Title      string    `json:"title"`
	Body       string    `json:"body,omitempty"`
	DueDate    time.Time `json:"dueDate"`
	Completed  bool      `json:"completed"`
	AssignedTo string    `json:"assignedTo,omitempty"` // a user's id
}

func (in *TaskCreate) check() error {
	switch {
	case in == nil:
		return badInputf("TaskCreate", "the input is nil")
	case blank(in.Title):
		return badInputf("Title", "Title is required")
	case in.DueDate.IsZero():
		return badInputf("DueDate", "DueDate is required")
	}
	return checkGiven("AssignedTo", in.AssignedTo)
}

// Update changes a task: PUT /contacts/{contactId}/tasks/{taskId}, scope contacts.write. It sends only the fields
// that are set.
func (s *TasksService) Update(
	ctx context.Context, contactID, taskID string, in *TaskUpdate, opts ...CallOption,
) (*Task, error) {
	return one[Task](ctx, s.client, request{op: opTasksUpdate, path: []string{contactID, taskID}, in: in}, opts)
}

// TaskUpdate is the input of [TasksService.Update]. A field that is not set keeps its value; [Null] clears a field.
type TaskUpdate struct {
	Title      Opt[string]    `json:"title,omitzero"`
	Body       Opt[string]    `json:"body,omitzero"`
	DueDate    Opt[time.Time] `json:"dueDate,omitzero"`
	Completed  Opt[bool]      `json:"completed,omitzero"`
	AssignedTo Opt[string]    `json:"assignedTo,omitzero"`
}

func (in *TaskUpdate) check() error {
	if err := checkUpdate("TaskUpdate", in); err != nil {
		return err
	}
	if title, ok := in.Title.Get(); ok && blank(title) || in.Title.IsNull() {
		return badInputf("Title", "Title cannot be cleared")
	}
	if due, ok := in.DueDate.Get(); ok && due.IsZero() || in.DueDate.IsNull() {
		return badInputf("DueDate", "DueDate cannot be cleared")
	}
	if err := refuseNull(nullField{"Completed", in.Completed.IsNull()}); err != nil {
		return err
	}
	return checkGiven("AssignedTo", valueOf(in.AssignedTo))
}

// SetCompleted marks a task as completed or as open: PUT /contacts/{contactId}/tasks/{taskId}/completed, scope
// contacts.write.
func (s *TasksService) SetCompleted(
	ctx context.Context, contactID, taskID string, completed bool, opts ...CallOption,
) (*Task, error) {
	in := struct {
		Completed bool `json:"completed"`
	}{completed}
	return one[Task](ctx, s.client, request{op: opTasksSetCompleted, path: []string{contactID, taskID}, in: in}, opts)
}

// Delete deletes a task: DELETE /contacts/{contactId}/tasks/{taskId}, scope contacts.write.
func (s *TasksService) Delete(ctx context.Context, contactID, taskID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opTasksDelete, path: []string{contactID, taskID}}, opts)
}

// TaskSearch is the input of [TasksService.Search]. The zero value means the first page of all tasks.
type TaskSearch struct {
	ContactIDs []string
	// Completed is whether to return completed tasks or open ones; nil means both.
	Completed  *bool
	AssignedTo []string // user ids
	Query      string
	BusinessID string
	// Limit is the size of a page. 0 means 25 in Search, and 100 in [TasksService.SearchAll].
	Limit int
	// Skip is the number of tasks to leave out.
	Skip int
}

func (in *TaskSearch) check() error {
	switch {
	case in.Limit < 0:
		return badInputf("Limit", "Limit must not be negative")
	case in.Skip < 0:
		return badInputf("Skip", "Skip must not be negative")
	}
	if len(in.ContactIDs) > 0 {
		if err := checkIDs("ContactIDs", in.ContactIDs); err != nil {
			return err
		}
	}
	if len(in.AssignedTo) > 0 {
		if err := checkIDs("AssignedTo", in.AssignedTo); err != nil {
			return err
		}
	}
	return checkGiven("BusinessID", in.BusinessID)
}

func (in *TaskSearch) wire(target) any {
	return struct {
		ContactIDs []string `json:"contactId,omitempty"`
		Completed  *bool    `json:"completed,omitempty"`
		AssignedTo []string `json:"assignedTo,omitempty"`
		Query      string   `json:"query,omitempty"`
		BusinessID string   `json:"businessId,omitempty"`
		Limit      int      `json:"limit,omitempty"`
		Skip       int      `json:"skip,omitempty"`
	}(*in)
}

// Search returns one page of the location's tasks: POST /locations/{locationId}/tasks/search, scope
// locations/tasks.readonly. in may be nil. A page with fewer tasks than Limit need not be the last one: the end is an
// empty page.
func (s *TasksService) Search(ctx context.Context, in *TaskSearch, opts ...CallOption) ([]*Task, error) {
	tasks, _, err := s.search(ctx, orZero(in), opts)
	return tasks, err
}

// search reads a page.
func (s *TasksService) search(
	ctx context.Context, in *TaskSearch, opts []CallOption,
) (tasks []*Task, info pageInfo, err error) {
	err = s.client.do(ctx, request{op: opTasksSearch, in: in}, func(k *call, body []byte) (err error) {
		if tasks, err = records[Task](k, body); err != nil {
			return err
		}
		var head struct {
			Total int `json:"total"`
			Count int `json:"count"`
		}
		if err := lenient.Unmarshal(body, &head); err != nil {
			return err
		}
		info.size, info.skipped = len(tasks)+len(k.skipped), k.skipped
		info.total = totalOf(head.Total, head.Count, info.size)
		return nil
	}, opts)
	if err != nil {
		return nil, pageInfo{}, err
	}
	return tasks, info, nil
}

// SearchAll iterates over the location's tasks from in.Skip on, and reads them with [TasksService.Search] page by page
// until one is empty. It yields an error once, with a nil task, and stops. in may be nil and is copied. A task that is
// created or deleted meanwhile can move other tasks between pages, which are then yielded twice or missed.
func (s *TasksService) SearchAll(ctx context.Context, in *TaskSearch, opts ...CallOption) iter.Seq2[*Task, error] {
	first, opts := *orZero(in), slices.Clone(opts)
	first.ContactIDs, first.AssignedTo = slices.Clone(first.ContactIDs), slices.Clone(first.AssignedTo)
	first.Completed = clonePointer(first.Completed)
	if first.Limit == 0 {
		first.Limit = 100
	}
	return each(pager[[]*Task, *Task]{
		end: listEnd{op: opTasksSearch, bySkip: true, counted: true, read: first.Skip},
		read: func(_ Cursor, skip int) ([]*Task, pageInfo, error) {
			in := first
			in.Skip += skip
			return s.search(ctx, &in, opts)
		},
		records: itself[[]*Task],
	}.pages(), itself[[]*Task])
}

func itself[T any](list T) T { return list }

// findCreated returns the task with the fields of in that was added since the create was sent, or nil. The vendor
// does not document that tasks have a date; undated is whether a task without one qualifies.
func (s *TasksService) findCreated(
	ctx context.Context, contactID string, in *TaskCreate, sent time.Time, undated bool, opts []CallOption,
) (*Task, error) {
	var resp Response
	tasks, err := s.List(ctx, contactID, append(opts, CallResponse(&resp))...)
	for _, t := range tasks {
		due, ok := t.DueDate.Instant()
		same := t.Title == in.Title && t.Body == in.Body && t.AssignedTo == in.AssignedTo &&
			t.Completed == in.Completed &&
			ok && due.Truncate(time.Millisecond).Equal(in.DueDate.Truncate(time.Millisecond))
		if same && (undated && t.DateAdded.IsZero() || addedSince(t.DateAdded, sent, &resp)) {
			return t, nil
		}
	}
	return nil, err
}
