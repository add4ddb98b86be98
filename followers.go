package ghl

import "context"

// FollowersService changes which users follow a contact.
type FollowersService service

// FollowersResult lists the followers of a contact after a change, and the user ids that the change added or removed.
type FollowersResult struct {
	Followers        []string `json:"followers"`
	FollowersAdded   []string `json:"followersAdded,omitempty"`
	FollowersRemoved []string `json:"followersRemoved,omitempty"`
	Extra            Extra    `json:"-"`
}

type followerList struct {
	Followers []string `json:"followers"`
}

func (in followerList) check() error { return checkIDs("userIDs", in.Followers) }

// Add makes users follow a contact: POST /contacts/{contactId}/followers, scope contacts.write. Its other followers
// stay.
func (s *FollowersService) Add(
	ctx context.Context, contactID string, userIDs []string, opts ...CallOption,
) (*FollowersResult, error) {
	r := request{op: opFollowersAdd, path: []string{contactID}, in: followerList{userIDs}}
	return whole[FollowersResult](ctx, s.client, r, opts)
}

// Remove makes users stop following a contact: DELETE /contacts/{contactId}/followers, scope contacts.write.
func (s *FollowersService) Remove(
	ctx context.Context, contactID string, userIDs []string, opts ...CallOption,
) (*FollowersResult, error) {
	r := request{op: opFollowersRemove, path: []string{contactID}, in: followerList{userIDs}}
	return whole[FollowersResult](ctx, s.client, r, opts)
}
