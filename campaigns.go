package ghl

import "context"

// CampaignsService puts contacts into campaigns.
type CampaignsService service

// noInput is the empty body that the API wants where there is nothing to say.
type noInput struct{}

// Add puts a contact into a campaign, which starts it: POST /contacts/{contactId}/campaigns/{campaignId}, scope
// contacts.write. It is not repeated when its outcome is unknown ([ErrAmbiguous]).
func (s *CampaignsService) Add(ctx context.Context, contactID, campaignID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsAdd, path: []string{contactID, campaignID}, in: noInput{}}, opts)
}

// Remove takes a contact out of a campaign: DELETE /contacts/{contactId}/campaigns/{campaignId}, scope contacts.write.
func (s *CampaignsService) Remove(ctx context.Context, contactID, campaignID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsRemove, path: []string{contactID, campaignID}}, opts)
}

// RemoveAll takes a contact out of every campaign: DELETE /contacts/{contactId}/campaigns/removeAll (remove-all in v3), scope
// contacts.write.
func (s *CampaignsService) RemoveAll(ctx context.Context, contactID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opCampaignsRemoveAll, path: []string{contactID}}, opts)
}
