package mapping

import (
	"slices"
	"strings"
)

// Tags returns the tags of a GHL contact as Pluvo stores them: as they are, without empty ones, each once.
func Tags(tags []string) []string { return slices.Clone(tagSet(tags, unchanged)) }

// TagsToGHL returns tags as GHL stores them: in lower case, without spaces around, without empty ones, each once.
func TagsToGHL(tags []string) []string { return slices.Clone(tagSet(tags, ghlTag)) }

// TagChanges returns the tags to add and to remove in GHL to get from the last known tags to those of now. Other tags
// that the contact has in GHL stay.
func TagChanges(now, last []string) (add, remove []string) {
	have, want := tagSet(last, ghlTag), tagSet(now, ghlTag)
	return without(want, have), without(have, want)
}

func unchanged(text string) string { return text }

func ghlTag(tag string) string { return strings.ToLower(strings.TrimSpace(tag)) }

// tagSet returns the tags in a form, without empty ones, each once. It returns the list itself if nothing changes.
func tagSet(tags []string, form func(string) string) []string {
	for i, tag := range tags {
		if form(tag) == tag && strings.TrimSpace(tag) != "" && !slices.Contains(tags[:i], tag) {
			continue
		}
		set := append(make([]string, 0, len(tags)), tags[:i]...)
		for _, tag := range tags[i:] {
			if tag = form(tag); strings.TrimSpace(tag) != "" && !slices.Contains(set, tag) {
				set = append(set, tag)
			}
		}
		if len(set) == 0 {
			return nil
		}
		return set
	}
	if len(tags) == 0 {
		return nil
	}
	return tags[:len(tags):len(tags)]
}

// without returns the items of a list that are not in the other one.
func without(list, others []string) []string {
	var rest []string
	for _, item := range list {
		if !slices.Contains(others, item) {
			rest = append(rest, item)
		}
	}
	return rest
}

// tagsFromGHL returns tags as Pluvo stores them, tagsForGHL as GHL stores them. A note says if that changes them.
func tagsFromGHL(tags []string) value { return tagsValue(tags, tagSet(tags, unchanged), whyTagOnce) }

func tagsForGHL(v value) value {
	tags := tagsValue(v.list, tagSet(v.list, ghlTag), whyTagForm)
	if tags.note == "" {
		tags.note = v.note
	}
	return tags
}

func tagsValue(given, tags []string, note string) value {
	v := listValue(tags)
	switch {
	case len(given) > 0 && len(tags) == 0:
		v.problem = whyBlankTag
	case !slices.Equal(given, tags):
		v.note = note
	}
	return v
}
