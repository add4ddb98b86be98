package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/pluvo/ghl/pluvo"
)

// reachStage makes the tasks of the stage that a contact stands at in Pluvo, once for each contact, stage and title.
// They are made in Pluvo and go to HighLevel like any other; their completion comes back the same way.
func (e *Engine) reachStage(ctx context.Context, l *Location, ghlID string, c *pluvo.Contact) (made bool, err error) {
	for _, t := range l.Stages[c.Stage] {
		name := fmt.Sprintf("stage/%s/%s/%s", c.ID, c.Stage, t.Title)
		before, err := e.intent(ctx, l.ID, name)
		if err != nil {
			return made, err
		}
		if before != nil {
			continue
		}
		sum := sha256.Sum256([]byte(l.ID + "\x00" + name))
		task := &pluvo.Task{ID: "stage-" + hex.EncodeToString(sum[:12]), ContactID: c.ID, Title: t.Title,
			DueDate: e.now().Add(t.Due), Status: pluvo.TaskOpen}
		// Killed before it is noted as made, it is made again under the same id, which is there.
		switch _, err := e.store.Put(ctx, task, pluvo.NoVersion); {
		case err == nil:
			e.wrote(ctx, l, Pluvo, "create", task)
		case !errors.Is(err, pluvo.ErrConflict):
			return made, err
		}
		made = true
		if err := e.note(ctx, l.ID, name, ghlID); err != nil {
			return made, err
		}
	}
	return made, nil
}
