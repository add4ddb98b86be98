package ghl

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
)

// TasksService reaches the tasks of contacts.
type TasksService service

// Task is something to do for a contact.
type Task struct {
	// ID is the task's id; the location's search sends it as _id.
	ID         string `json:"id" also:"_id"`
	Title      string `json:"title,omitempty"`
	Body       string `json:"body,omitempty"`
	AssignedTo string `json:"assignedTo,omitempty"` // a user's id
	DueDate    Time   `json:"dueDate,omitzero"`
	Completed  bool   `json:"completed"`
	ContactID  string `json:"contactId,omitempty"`
	LocationID string `json:"locationId,omitempty"`
	BusinessID string `json:"businessId,omitempty"`
	DateAdded  Time   `json:"dateAdded,omitzero"`
	// DateUpdated is only in the location's search.
	DateUpdated Time  `json:"dateUpdated,omitzero"`
	Extra       Extra `json:"-"`
}

func (t *Task) id() string { return t.ID }

// List reads all tasks of a contact; there are no pages: GET /contacts/{contactId}/tasks, scope contacts.readonly.
func (s *TasksService) List(ctx context.Context, contactID string, opts ...CallOption) ([]*Task, error) {
	return many[Task](ctx, s.client, request{op: opTasksList, path: []string{contactID}}, opts)
}

// Get reads a task: GET /contacts/{contactId}/tasks/{taskId}, scope contacts.readonly.
func (s *TasksService) Get(ctx context.Context, contactID, taskID string, opts ...CallOption) (*Task, error) {
	return one[Task](ctx, s.client, request{op: opTasksGet, path: []string{contactID, taskID}}, opts)
}

// Create makes a task: POST /contacts/{contactId}/tasks, scope contacts.write. It needs a title and a due date. It is not
// repeated when its outcome is unknown ([ErrAmbiguous]); [CallReadBack] looks for the task then.
func (s *TasksService) Create(ctx context.Context, contactID string, in *TaskCreate, opts ...CallOption) (*Task, error) {
	var sent time.Time
	task, err := one[Task](ctx, s.client, request{op: opTasksCreate, path: []string{contactID}, in: in}, sentAt(&sent, opts))
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Task, error) {
			return s.findCreated(ctx, contactID, in, sent, errors.Is(err, ErrAmbiguous), opts)
		})
	}
	return task, nil
}

// TaskCreate is a new task.
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
		return badInputf("TaskCreate", "there is no task to create")
	case blank(in.Title):
		return badInputf("Title", "a task needs a title")
	case in.DueDate.IsZero():
		return badInputf("DueDate", "a task needs a due date")
	}
	return checkGiven("AssignedTo", in.AssignedTo)
}

// Update changes a task: PUT /contacts/{contactId}/tasks/{taskId}, scope contacts.write. Only the fields that are set are
// sent.
func (s *TasksService) Update(ctx context.Context, contactID, taskID string, in *TaskUpdate, opts ...CallOption) (*Task, error) {
	return one[Task](ctx, s.client, request{op: opTasksUpdate, path: []string{contactID, taskID}, in: in}, opts)
}

// TaskUpdate is a change of a task.
type TaskUpdate struct {
	Title      Opt[string]    `json:"title,omitzero"`
	Body       Opt[string]    `json:"body,omitzero"`
	DueDate    Opt[time.Time] `json:"dueDate,omitzero"`
	Completed  Opt[bool]      `json:"completed,omitzero"`
	AssignedTo Opt[string]    `json:"assignedTo,omitzero"`
}

func (in *TaskUpdate) check() error {
	if in == nil {
		return badInputf("TaskUpdate", "there is nothing to update")
	}
	if title, ok := in.Title.Get(); ok && blank(title) || in.Title.IsNull() {
		return badInputf("Title", "a task needs a title")
	}
	if due, ok := in.DueDate.Get(); ok && due.IsZero() || in.DueDate.IsNull() {
		return badInputf("DueDate", "a task needs a due date")
	}
	if err := refuseNull(nullField{"Completed", in.Completed.IsNull()}); err != nil {
		return err
	}
	return checkGiven("AssignedTo", valueOf(in.AssignedTo))
}

// SetCompleted ticks a task off, or opens it again: PUT /contacts/{contactId}/tasks/{taskId}/completed, scope
// contacts.write.
func (s *TasksService) SetCompleted(ctx context.Context, contactID, taskID string, completed bool, opts ...CallOption) (*Task, error) {
	in := struct {
		Completed bool `json:"completed"`
	}{completed}
	return one[Task](ctx, s.client, request{op: opTasksSetCompleted, path: []string{contactID, taskID}, in: in}, opts)
}

// Delete deletes a task: DELETE /contacts/{contactId}/tasks/{taskId}, scope contacts.write.
func (s *TasksService) Delete(ctx context.Context, contactID, taskID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opTasksDelete, path: []string{contactID, taskID}}, opts)
}

// TaskSearch chooses tasks of the location. The zero value is the first page of all.
type TaskSearch struct {
	ContactIDs []string
	// Completed is nil for both.
	Completed  *bool
	AssignedTo []string // user ids
	Query      string
	BusinessID string
	// Limit is the size of a page; 0 leaves it to the server, which takes 25.
	Limit int
	// Skip leaves out so many tasks.
	Skip int
}

func (in *TaskSearch) check() error {
	switch {
	case in.Limit < 0:
		return badInputf("Limit", "Limit is not negative")
	case in.Skip < 0:
		return badInputf("Skip", "Skip is not negative")
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

// Search reads one page of the location's tasks: POST /locations/{locationId}/tasks/search, scope
// locations/tasks.readonly. in may be nil.
func (s *TasksService) Search(ctx context.Context, in *TaskSearch, opts ...CallOption) ([]*Task, error) {
	tasks, _, err := s.search(ctx, orZero(in), opts)
	return tasks, err
}

// search reads a page. size counts what is on it, also what is no record.
func (s *TasksService) search(ctx context.Context, in *TaskSearch, opts []CallOption) (tasks []*Task, size int, err error) {
	err = s.client.do(ctx, request{op: opTasksSearch, in: in}, func(k *call, body []byte) (err error) {
		tasks, err = records[Task](k, body)
		size = len(tasks) + len(k.skipped)
		return err
	}, opts)
	if err != nil {
		return nil, 0, err
	}
	return tasks, size, nil
}

// SearchAll reads all tasks that Search would, page by page, from in.Skip on. It ends with the first empty page. A
// failure is yielded once, with a nil task, and ends it. in may be nil and is copied. A task that is made or deleted
// meanwhile can move others between pages: those may come twice or be missed.
func (s *TasksService) SearchAll(ctx context.Context, in *TaskSearch, opts ...CallOption) iter.Seq2[*Task, error] {
	first, opts := *orZero(in), slices.Clone(opts)
	first.ContactIDs, first.AssignedTo = slices.Clone(first.ContactIDs), slices.Clone(first.AssignedTo)
	first.Completed = clonePointer(first.Completed)
	return func(yield func(*Task, error) bool) {
		next := first
		if next.Limit == 0 {
			next.Limit = 100
		}
		all := pagesUntilEmpty(opTasksSearch, itself, func() ([]*Task, int, error) {
			tasks, size, err := s.search(ctx, &next, opts)
			next.Skip += size
			return tasks, size, err
		})
		each(all, itself)(yield)
	}
}

func itself[T any](list []T) []T { return list }

// findCreated looks for a task that has all that a new one was given and was added since the create was sent. The documents
// do not promise that the server says when a task was added; where it does not, undated decides.
func (s *TasksService) findCreated(ctx context.Context, contactID string, in *TaskCreate, sent time.Time, undated bool, opts []CallOption) (*Task, error) {
	var resp Response
	tasks, err := s.List(ctx, contactID, append(opts, CallResponse(&resp))...)
	for _, t := range tasks {
		due, ok := t.DueDate.Instant()
		same := t.Title == in.Title && t.Body == in.Body && t.AssignedTo == in.AssignedTo && t.Completed == in.Completed &&
			ok && due.Truncate(time.Millisecond).Equal(in.DueDate.Truncate(time.Millisecond))
		if same && (undated && t.DateAdded.IsZero() || addedSince(t.DateAdded, sent, &resp)) {
			return t, nil
		}
	}
	return nil, err
}
