package ghltest

import (
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

var taskUpdateProperties = properties{
	"title": optional(text), "body": optional(text), "dueDate": optional(instant), "completed": optional(flag),
	"assignedTo": optional(text),
}

var taskCreateProperties = taskUpdateProperties.with(properties{
	"title": required(text), "dueDate": required(instant), "completed": required(flag),
})

var taskCompletedProperties = properties{"completed": required(flag)}

var taskSearchProperties = properties{
	"contactId": optional(texts), "completed": optional(flag), "assignedTo": optional(texts), "query": optional(text),
	"limit": optional(number), "skip": optional(number), "businessId": optional(text),
}

// taskForm is a task in the form of the contact's endpoints.
type taskForm struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Body       string   `json:"body"`
	AssignedTo string   `json:"assignedTo,omitempty"`
	DueDate    ghl.Time `json:"dueDate"`
	Completed  bool     `json:"completed"`
	ContactID  string   `json:"contactId"`
}

func ofContact(t *ghl.Task) any {
	return extend(taskForm{t.ID, t.Title, t.Body, t.AssignedTo, t.DueDate, t.Completed, t.ContactID}, t.Extra)
}

type plainTask ghl.Task

// ofLocation returns a task in the form of the location's search: with _id and its dates.
func ofLocation(t *ghl.Task) any {
	p := plainTask(*t)
	return extend(struct {
		*plainTask
		ID       string `json:"_id"`
		NoID     any    `json:"id,omitempty"` // hides the model's id
		Body     string `json:"body"`
		Assigned string `json:"assignedTo,omitempty"`
	}{plainTask: &p, ID: t.ID, Body: t.Body, Assigned: t.AssignedTo}, t.Extra)
}

// task returns the task in the path, and its contact.
func (c *call) task() (*contact, *ghl.Task, error) {
	of, err := c.contact()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range of.tasks {
		if t.ID == c.param("taskId") {
			return of, t, nil
		}
	}
	return nil, nil, notFound("Task")
}

func (c *call) listTasks() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	return map[string]any{"tasks": answers(of.tasks, ofContact)}, nil
}

func (c *call) getTask() (any, error) {
	_, t, err := c.task()
	if err != nil {
		return nil, err
	}
	return map[string]any{"task": ofContact(t)}, nil
}

func (c *call) createTask() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[ghl.TaskUpdate](c)
	if err != nil {
		return nil, err
	}
	t := &ghl.Task{ContactID: of.ID, LocationID: of.LocationID, BusinessID: of.BusinessID, DateAdded: timestamp(c.now)}
	if err := c.fillTask(t, in); err != nil {
		return nil, err
	}
	t.ID = c.ids.id()
	of.tasks = append(of.tasks, t)
	c.emitTask(TaskCreate, t)
	return map[string]any{"task": ofContact(t)}, nil
}

func (c *call) updateTask() (any, error) {
	_, t, err := c.task()
	if err != nil {
		return nil, err
	}
	in, err := read[ghl.TaskUpdate](c)
	if err != nil {
		return nil, err
	}
	was := t.Completed
	if err := c.fillTask(t, in); err != nil {
		return nil, err
	}
	if t.Completed && !was {
		c.emitTask(TaskComplete, t)
	}
	return map[string]any{"task": ofContact(t)}, nil
}

func (c *call) fillTask(t *ghl.Task, in *ghl.TaskUpdate) error {
	if title, _ := in.Title.Get(); !in.Title.IsZero() && strings.TrimSpace(title) == "" {
		return invalid("title should not be empty")
	}
	if in.DueDate.IsNull() {
		return invalid("dueDate" + reasons[instant])
	}
	set(&t.Title, in.Title)
	set(&t.Body, in.Body)
	set(&t.Completed, in.Completed)
	set(&t.AssignedTo, in.AssignedTo)
	if due, ok := in.DueDate.Get(); ok {
		t.DueDate = timestamp(due)
	}
	t.DateUpdated = timestamp(c.now)
	return nil
}

func (c *call) deleteTask() (any, error) {
	of, t, err := c.task()
	if err != nil {
		return nil, err
	}
	of.tasks = slices.DeleteFunc(of.tasks, func(other *ghl.Task) bool { return other == t })
	c.emitTask(TaskDelete, t)
	return c.succeeded(), nil
}

// searchTasks answers the tasks of the location, newest contact first.
func (c *call) searchTasks() (any, error) {
	in, err := read[struct {
		ContactID  []string `json:"contactId"`
		Completed  *bool    `json:"completed"`
		AssignedTo []string `json:"assignedTo"`
		Query      string   `json:"query"`
		BusinessID string   `json:"businessId"`
		Limit      *int     `json:"limit"`
		Skip       int      `json:"skip"`
	}](c)
	if err != nil {
		return nil, err
	}
	limit := 25
	if in.Limit != nil {
		limit = *in.Limit
	}
	if limit < 1 || in.Skip < 0 {
		return nil, invalid("limit must not be less than 1")
	}
	query, page := strings.ToLower(in.Query), []*ghl.Task{}
	skip := in.Skip
	for _, of := range c.location.contacts {
		for _, t := range of.tasks {
			switch {
			case len(in.ContactID) > 0 && !slices.Contains(in.ContactID, t.ContactID),
				in.Completed != nil && *in.Completed != t.Completed,
				len(in.AssignedTo) > 0 && !slices.Contains(in.AssignedTo, t.AssignedTo),
				in.BusinessID != "" && in.BusinessID != of.BusinessID,
				!strings.Contains(strings.ToLower(t.Title+"\n"+t.Body), query):
			case skip > 0:
				skip--
			case len(page) < limit:
				page = append(page, t)
			}
		}
	}
	return map[string]any{"tasks": answers(page, ofLocation), "traceId": c.ids.uuid()}, nil
}

// millisOf returns a time in milliseconds since 1970, 0 for the zero time.
func millisOf(t ghl.Time) int64 {
	at := t.In(time.UTC)
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}
