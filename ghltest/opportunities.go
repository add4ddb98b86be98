package ghltest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pluvo/ghl"
)

// Opportunity is a deal of a contact. The fake has no endpoints for opportunities; searches filter contacts by them.
type Opportunity struct {
	ID              string `json:"id"`
	ContactID       string `json:"contactId"`
	Name            string `json:"name,omitempty"`
	PipelineID      string `json:"pipelineId,omitempty"`
	PipelineStageID string `json:"pipelineStageId,omitempty"`
	// Status is open, won, lost or abandoned; "" is open.
	Status        string  `json:"status,omitempty"`
	MonetaryValue float64 `json:"monetaryValue,omitempty"`
}

// AddOpportunity adds an opportunity to the contact ContactID.
func (s *Server) AddOpportunity(in Opportunity) Opportunity {
	s.helper()
	return seed(s, "AddOpportunity", in, s.state.addOpportunity)
}

func (s *state) addOpportunity(in Opportunity) (*Opportunity, error) {
	c, err := s.contactOf(in.ContactID)
	if err != nil {
		return nil, err
	}
	if err := s.ids.give(&in.ID); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.opportunities, func(other *Opportunity) bool { return other.ID == in.ID }) {
		return nil, fmt.Errorf("the contact already has an opportunity %s", in.ID)
	}
	setDefault(&in.Status, "open")
	if !slices.Contains([]string{"open", "won", "lost", "abandoned"}, in.Status) {
		return nil, fmt.Errorf("unknown status %q of an opportunity", in.Status)
	}
	if in.PipelineStageID != "" && in.PipelineID == "" {
		return nil, errors.New("an opportunity with a PipelineStageID needs the PipelineID")
	}
	c.opportunities = append(c.opportunities, &in)
	c.location.indexLater(c.ID)
	return &in, nil
}

// opportunityFields are the fields that a nested filter can use.
var opportunityFields = map[string]func(*Opportunity) string{
	string(ghl.FieldID): func(o *Opportunity) string { return o.ID },
	"pipelineId":        func(o *Opportunity) string { return o.PipelineID },
	"pipelineStageId":   func(o *Opportunity) string { return o.PipelineStageID },
	"status":            func(o *Opportunity) string { return o.Status },
}

// opportunityMatcher returns a function that reports whether an opportunity meets all filters, or an error for
// invalid filters.
func opportunityMatcher(filters []filter) (func(*Opportunity) bool, error) {
	return combine("AND", filters, func(f filter) (func(*Opportunity) bool, error) {
		read, known := opportunityFields[f.Field]
		if !known {
			return nil, invalidText("Invalid field (opportunities." + f.Field + ") passed in filters")
		}
		return test(f, searchField[*Opportunity]{forFlags, func(o *Opportunity) []string {
			if value := read(o); value != "" {
				return []string{value}
			}
			return nil
		}})
	})
}
