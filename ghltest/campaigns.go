package ghltest

import "slices"

// Campaigns and workflows are not stored, only their ids with the contact. Any id is valid.

var workflowProperties = properties{"eventStartTime": optional(instant)}

func (c *call) addCampaign() (any, error) {
	return c.changeContact(func(of *contact) { of.campaigns = including(of.campaigns, c.param("campaignId")) })
}

func (c *call) removeCampaign() (any, error) {
	return c.changeContact(func(of *contact) { of.campaigns = excluding(of.campaigns, c.param("campaignId")) })
}

func (c *call) removeAllCampaigns() (any, error) {
	return c.changeContact(func(of *contact) { of.campaigns = nil })
}

func (c *call) addWorkflow() (any, error) {
	return c.changeContact(func(of *contact) { of.workflows = including(of.workflows, c.param("workflowId")) })
}

func (c *call) removeWorkflow() (any, error) {
	return c.changeContact(func(of *contact) { of.workflows = excluding(of.workflows, c.param("workflowId")) })
}

func (c *call) changeContact(change func(*contact)) (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	change(of)
	c.location.indexLater(of.ID)
	return c.succeeded(), nil
}

func including(ids []string, id string) []string {
	if slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

func excluding(ids []string, id string) []string {
	return slices.DeleteFunc(ids, func(other string) bool { return other == id })
}
