package ghl

import "context"

// TagsService changes the tags of contacts. [LocationsService.Tags] returns the tags that are defined in a location.
type TagsService service

// Add adds tags to a contact and returns all its tags: POST /contacts/{contactId}/tags, scope contacts.write.
// Adding a tag that the contact has is not an error. Tags are stored in lower case.
func (s *TagsService) Add(ctx context.Context, contactID string, tags []string, opts ...CallOption) ([]string, error) {
	return s.change(ctx, opTagsAdd, contactID, tags, opts)
}

// Remove removes tags from a contact and returns the remaining ones: DELETE /contacts/{contactId}/tags, scope
// contacts.write.
func (s *TagsService) Remove(
	ctx context.Context, contactID string, tags []string, opts ...CallOption,
) ([]string, error) {
	return s.change(ctx, opTagsRemove, contactID, tags, opts)
}

func (s *TagsService) change(
	ctx context.Context, op *Operation, contactID string, tags []string, opts []CallOption,
) ([]string, error) {
	var list []string
	err := s.client.do(ctx, request{op: op, path: []string{contactID}, in: tagList{tags}},
		func(k *call, body []byte) error {
			value, err := promised(body, k.op.answer, '[')
			list = texts(value)
			return err
		}, opts)
	return list, err
}

type tagList struct {
	Tags []string `json:"tags"`
}

func (in tagList) check() error {
	if len(in.Tags) == 0 {
		return badInputf("Tags", "Tags must not be empty")
	}
	return checkTags(in.Tags)
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if blank(tag) {
			return badInputf("Tags", "a tag must not be empty")
		}
	}
	return nil
}

// BulkType is the kind of a bulk update.
type BulkType string

// The kinds of a bulk update.
const (
	BulkAdd    BulkType = "add"
	BulkRemove BulkType = "remove"
)

// BulkTags is the input of [TagsService.BulkUpdate]. Type, ContactIDs and Tags are required.
type BulkTags struct {
	Type       BulkType
	ContactIDs []string
	Tags       []string
	// RemoveAllTags removes all tags, with BulkRemove only. Tags may then be empty.
	RemoveAllTags bool
}

func (in *BulkTags) check() error {
	switch {
	case in == nil:
		return badInputf("BulkTags", "the input is nil")
	case in.Type != BulkAdd && in.Type != BulkRemove:
		return badInputf("Type", "Type must be BulkAdd or BulkRemove")
	case in.RemoveAllTags && in.Type != BulkRemove:
		return badInputf("RemoveAllTags", "RemoveAllTags needs BulkRemove")
	case len(in.Tags) == 0 && !in.RemoveAllTags:
		return badInputf("Tags", "Tags must not be empty")
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return checkIDs("ContactIDs", in.ContactIDs)
}

func (in *BulkTags) wire(to target) any {
	tags := in.Tags
	if tags == nil {
		tags = []string{}
	}
	return struct {
		Contacts      []string `json:"contacts"`
		Tags          []string `json:"tags"`
		LocationID    string   `json:"locationId"`
		RemoveAllTags bool     `json:"removeAllTags,omitempty"`
	}{in.ContactIDs, tags, to.location, in.RemoveAllTags}
}

// BulkTagsResult is the result of [TagsService.BulkUpdate].
type BulkTagsResult struct {
	// Succeeded is the server's result for the whole update; ErrorCount is the number of contacts that failed.
	Succeeded  bool `json:"succeeded" also:"succeded"` // the vendor writes both
	ErrorCount int  `json:"errorCount"`
	// Responses has one element for each contact.
	Responses []struct {
		ContactID   string   `json:"contactId"`
		Message     string   `json:"message,omitempty"`
		Type        string   `json:"type,omitempty"` // "success" or "error"
		OldTags     []string `json:"oldTags,omitempty"`
		TagsAdded   []string `json:"tagsAdded,omitempty"`
		TagsRemoved []string `json:"tagsRemoved,omitempty"`
		Extra       Extra    `json:"-"`
	} `json:"responses"`
	Extra Extra `json:"-"`
}

// BulkUpdate adds tags to many contacts or removes tags from them: POST /contacts/bulk/tags/update/{type}, scope
// contacts.write. Some contacts can fail while others succeed: see [BulkTagsResult.Responses].
func (s *TagsService) BulkUpdate(ctx context.Context, in *BulkTags, opts ...CallOption) (*BulkTagsResult, error) {
	kind := string(orZero(in).Type)
	if in.check() != nil {
		kind = "none" // lets the error name the field of in that is wrong, not the path
	}
	return whole[BulkTagsResult](ctx, s.client, request{op: opTagsBulkUpdate, path: []string{kind}, in: in}, opts)
}
