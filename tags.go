package ghl

import "context"

// TagsService reaches the tags of contacts. The tags that a location knows are in [LocationsService.Tags].
type TagsService service

// Add adds tags to a contact and returns all that it has then: POST /contacts/{contactId}/tags, scope contacts.write. Tags
// that it has already stay; the server writes them in lower case.
func (s *TagsService) Add(ctx context.Context, contactID string, tags []string, opts ...CallOption) ([]string, error) {
	return s.change(ctx, opTagsAdd, contactID, tags, opts)
}

// Remove takes tags from a contact and returns those that it has then: DELETE /contacts/{contactId}/tags, scope
// contacts.write.
func (s *TagsService) Remove(ctx context.Context, contactID string, tags []string, opts ...CallOption) ([]string, error) {
	return s.change(ctx, opTagsRemove, contactID, tags, opts)
}

func (s *TagsService) change(ctx context.Context, op *Operation, contactID string, tags []string, opts []CallOption) ([]string, error) {
	var list []string
	err := s.client.do(ctx, request{op: op, path: []string{contactID}, in: tagList{tags}}, func(k *call, body []byte) error {
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
		return badInputf("Tags", "there are no tags")
	}
	return checkTags(in.Tags)
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if blank(tag) {
			return badInputf("Tags", "a tag is empty")
		}
	}
	return nil
}

// BulkType says what a bulk update does.
type BulkType string

// The types of a bulk update.
const (
	BulkAdd    BulkType = "add"
	BulkRemove BulkType = "remove"
)

// BulkTags is a change of the tags of many contacts.
type BulkTags struct {
	Type       BulkType
	ContactIDs []string
	Tags       []string
	// RemoveAllTags, with BulkRemove, takes all tags; Tags may be empty then.
	RemoveAllTags bool
}

func (in *BulkTags) check() error {
	switch {
	case in == nil:
		return badInputf("BulkTags", "there is nothing to update")
	case in.Type != BulkAdd && in.Type != BulkRemove:
		return badInputf("Type", "the type is BulkAdd or BulkRemove")
	case in.RemoveAllTags && in.Type != BulkRemove:
		return badInputf("RemoveAllTags", "only BulkRemove removes all tags")
	case len(in.Tags) == 0 && !in.RemoveAllTags:
		return badInputf("Tags", "there are no tags")
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

// BulkTagsResult says what became of each contact.
type BulkTagsResult struct {
	// Succeeded is what the server says of the whole; ErrorCount counts the contacts that failed.
	Succeeded  bool               `json:"succeeded" also:"succeded"` // the vendor writes both
	ErrorCount int                `json:"errorCount"`
	Responses  []*BulkTagsContact `json:"responses"`
	Extra      Extra              `json:"-"`
}

// BulkTagsContact is what became of one contact.
type BulkTagsContact struct {
	ContactID   string   `json:"contactId"`
	Message     string   `json:"message,omitempty"`
	Type        string   `json:"type,omitempty"` // "success" or "error"
	OldTags     []string `json:"oldTags,omitempty"`
	TagsAdded   []string `json:"tagsAdded,omitempty"`
	TagsRemoved []string `json:"tagsRemoved,omitempty"`
	Extra       Extra    `json:"-"`
}

// BulkUpdate adds tags to many contacts, or takes them away: POST /contacts/bulk/tags/update/{type}, scope contacts.write.
// Some contacts can fail while others succeed: see the result.
func (s *TagsService) BulkUpdate(ctx context.Context, in *BulkTags, opts ...CallOption) (*BulkTagsResult, error) {
	kind := string(orZero(in).Type)
	if in.check() != nil {
		kind = "none" // the input is refused, by name; its type must not be before that
	}
	return whole[BulkTagsResult](ctx, s.client, request{op: opTagsBulkUpdate, path: []string{kind}, in: in}, opts)
}
