package ghl

import (
	"context"
	"time"
)

// WorkflowsService puts contacts into workflows.
type WorkflowsService service

// WorkflowStart says when a workflow begins for a contact.
type WorkflowStart struct {
	// EventStartTime is the time of the event that the workflow counts from; zero means now. Its zone is sent along.
	EventStartTime time.Time
}

func (in *WorkflowStart) check() error { return nil }

func (in *WorkflowStart) wire(target) any {
	var body struct {
		EventStartTime string `json:"eventStartTime,omitempty"`
	}
	if in != nil && !in.EventStartTime.IsZero() {
		body.EventStartTime = in.EventStartTime.Format(time.RFC3339)
	}
	return body
}

// Add puts a contact into a workflow, which starts it: POST /contacts/{contactId}/workflow/{workflowId}, scope
// contacts.write. start may be nil. It is not repeated when its outcome is unknown ([ErrAmbiguous]).
func (s *WorkflowsService) Add(ctx context.Context, contactID, workflowID string, start *WorkflowStart, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opWorkflowsAdd, path: []string{contactID, workflowID}, in: start}, opts)
}

// Remove takes a contact out of a workflow: DELETE /contacts/{contactId}/workflow/{workflowId}, scope contacts.write.
func (s *WorkflowsService) Remove(ctx context.Context, contactID, workflowID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opWorkflowsRemove, path: []string{contactID, workflowID}, in: noInput{}}, opts)
}
