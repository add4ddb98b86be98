package ghltest

import (
	"slices"

	"github.com/pluvo/ghl"
)

func (c *call) getLocation() (any, error) {
	return map[string]any{"location": c.location.Location}, nil
}

// listCustomFields answers the definitions of a model, contacts by default.
func (c *call) listCustomFields() (any, error) {
	model := c.query.Get("model")
	setDefault(&model, "contact")
	if !slices.Contains([]string{"contact", "opportunity", "all"}, model) {
		return nil, invalid("model must be one of the following values: contact, opportunity, all")
	}
	list := []*ghl.CustomFieldDefinition{}
	for _, d := range c.location.customFields {
		if model == "all" || d.Model == model {
			list = append(list, d)
		}
	}
	return map[string]any{"customFields": list, "traceId": c.ids.uuid()}, nil
}

func (c *call) listTags() (any, error) {
	return map[string]any{"tags": orEmpty(c.location.tags), "traceId": c.ids.uuid()}, nil
}
