package ghltest

import (
	"slices"
	"strings"
)

var tagsProperties = properties{"tags": required(texts)}

var bulkTagsProperties = properties{
	"contacts": required(texts), "tags": required(texts), "locationId": required(text), "removeAllTags": optional(flag),
}

// normalTags returns the tags as they are stored: in lower case, without duplicates.
func normalTags(tags []string) []string {
	var list []string
	for _, tag := range tags {
		if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" && !slices.Contains(list, tag) {
			list = append(list, tag)
		}
	}
	return list
}

// changeTags adds and removes tags of a contact, and returns the tags that changed.
func (c *call) changeTags(of *contact, add, remove []string) (added, removed []string) {
	tags := slices.Clone(of.Tags)
	for _, tag := range add {
		if !slices.Contains(tags, tag) {
			tags, added = append(tags, tag), append(added, tag)
		}
	}
	tags = slices.DeleteFunc(tags, func(tag string) bool {
		gone := slices.Contains(remove, tag)
		if gone {
			removed = append(removed, tag)
		}
		return gone
	})
	of.Tags = tags
	c.addLocationTags(c.location, added)
	of.touch(c.now)
	if len(added)+len(removed) > 0 {
		c.emitContact(ContactTagUpdate, of)
	}
	return added, removed
}

type tagsBody struct {
	Tags          []string `json:"tags"`
	Contacts      []string `json:"contacts"`
	RemoveAllTags bool     `json:"removeAllTags"`
}

// addTags answers all tags of the contact.
func (c *call) addTags() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[tagsBody](c)
	if err != nil {
		return nil, err
	}
	c.changeTags(of, normalTags(in.Tags), nil)
	return map[string]any{"tags": orEmpty(of.Tags)}, nil
}

func (c *call) removeTags() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[tagsBody](c)
	if err != nil {
		return nil, err
	}
	c.changeTags(of, nil, normalTags(in.Tags))
	return map[string]any{"tags": orEmpty(of.Tags)}, nil
}

// bulkTagsContact is the outcome of a bulk update for one contact.
type bulkTagsContact struct {
	ContactID   string   `json:"contactId"`
	Message     string   `json:"message"`
	Type        string   `json:"type"`
	OldTags     []string `json:"oldTags,omitempty"`
	TagsAdded   []string `json:"tagsAdded,omitempty"`
	TagsRemoved []string `json:"tagsRemoved,omitempty"`
}

func (c *call) bulkUpdateTags() (any, error) {
	kind := c.param("type")
	if kind != "add" && kind != "remove" {
		return nil, invalid("type must be one of the following values: add, remove")
	}
	in, err := read[tagsBody](c)
	if err != nil {
		return nil, err
	}
	tags, failed, responses := normalTags(in.Tags), 0, []bulkTagsContact{}
	fail := func(id, message string) {
		failed++
		responses = append(responses, bulkTagsContact{ContactID: id, Message: message, Type: "error"})
	}
	for _, id := range in.Contacts {
		of := c.contacts[id]
		switch {
		case of == nil:
			fail(id, "contact id is not a valid firebase id")
			continue
		case of.location != c.location:
			fail(id, "contact does not belong to location")
			continue
		}
		done := bulkTagsContact{ContactID: id, Message: "Tags updated", Type: "success", OldTags: slices.Clone(of.Tags)}
		switch {
		case kind == "add":
			done.TagsAdded, _ = c.changeTags(of, tags, nil)
		case in.RemoveAllTags:
			_, done.TagsRemoved = c.changeTags(of, nil, of.Tags)
		default:
			_, done.TagsRemoved = c.changeTags(of, nil, tags)
		}
		responses = append(responses, done)
	}
	answer := map[string]any{"succeded": true, "errorCount": failed, "responses": responses}
	if c.v3 {
		answer["succeeded"] = true
	}
	return answer, nil
}
