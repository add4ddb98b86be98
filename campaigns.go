package ghl

import "context"

// CampaignsService adds contacts to campaigns and removes them.
type CampaignsService service

// noInput is the empty JSON object that some endpoints require as a body.
type noInput struct{}

// Add adds a contact to a campaign, which starts the campaign for it: POST
// /contacts/{contactId}/campaigns/{campaignId}, scope contacts.write. Add is not retried when its outcome is
// unknown ([ErrAmbiguous]).
func (s *CampaignsService) Add(ctx context.Context, contactID, campaignID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsAdd, path: []string{contactID, campaignID}, in: noInput{}}, opts)
}

// Remove removes a contact from a campaign: DELETE /contacts/{contactId}/campaigns/{campaignId}, scope contacts.write.
func (s *CampaignsService) Remove(ctx context.Context, contactID, campaignID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsRemove, path: []string{contactID, campaignID}}, opts)
}

// RemoveAll removes a contact from every campaign: DELETE /contacts/{contactId}/campaigns/removeAll (remove-all in
// v3), scope contacts.write.
func (s *CampaignsService) RemoveAll(ctx context.Context, contactID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsRemoveAll, path: []string{contactID}}, opts)
}
