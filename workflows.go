package ghl

import (
	"context"
	"time"
)

// WorkflowsService adds contacts to workflows and removes them.
type WorkflowsService service

// WorkflowStart is the input of [WorkflowsService.Add].
type WorkflowStart struct {
	// EventStartTime is the event that the workflow's delays count from, sent to the second with its zone; zero
	// means now.
	EventStartTime time.Time
}

func (in *WorkflowStart) check() error { return nil }

func (in *WorkflowStart) wire(target) any {
	var body struct {
		EventStartTime string `json:"eventStartTime,omitempty"`
	}
	if in != nil {
		body.EventStartTime = calendarTime(in.EventStartTime)
	}
	return body
}

// Add adds a contact to a workflow, which starts the workflow for it: POST /contacts/{contactId}/workflow/{workflowId},
// scope contacts.write. start may be nil. Add is not retried when its outcome is unknown ([ErrAmbiguous]).
func (s *WorkflowsService) Add(
	ctx context.Context, contactID, workflowID string, start *WorkflowStart, opts ...CallOption,
) error {
	return done(ctx, s.client, request{op: opWorkflowsAdd, path: []string{contactID, workflowID}, in: start}, opts)
}

// Remove removes a contact from a workflow: DELETE /contacts/{contactId}/workflow/{workflowId}, scope contacts.write.
func (s *WorkflowsService) Remove(ctx context.Context, contactID, workflowID string, opts ...CallOption) error {
	r := request{op: opWorkflowsRemove, path: []string{contactID, workflowID}, in: noInput{}}
	return done(ctx, s.client, r, opts)
}
