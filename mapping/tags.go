package mapping

import (
	"slices"
	"strings"
)

// Tags returns the tags of a GHL contact as Pluvo keeps them: as they are, without empty ones, each once.
func Tags(tags []string) []string { return tagSet(tags, func(tag string) string { return tag }) }

// TagsToGHL returns tags as GHL keeps them: in lower case, without spaces around, without empty ones, each once.
func TagsToGHL(tags []string) []string { return tagSet(tags, ghlTag) }

// TagChanges returns what to add and remove in GHL to get from the tags that were last known there to those of now. Tags
// that somebody else has added or removed meanwhile stay as they are.
func TagChanges(now, last []string) (add, remove []string) {
	have, want := TagsToGHL(last), TagsToGHL(now)
	return without(want, have), without(have, want)
}

func ghlTag(tag string) string { return strings.ToLower(strings.TrimSpace(tag)) }

func tagSet(tags []string, form func(string) string) []string {
	var set []string
	for _, tag := range tags {
		if tag = form(tag); strings.TrimSpace(tag) == "" || slices.Contains(set, tag) {
			continue
		}
		if set == nil {
			set = make([]string, 0, len(tags))
		}
		set = append(set, tag)
	}
	return set
}

func without(tags, others []string) []string {
	var rest []string
	for _, tag := range tags {
		if !slices.Contains(others, tag) {
			rest = append(rest, tag)
		}
	}
	return rest
}

// tagReport says what became of tags.
func (s *sink) tags(given, kept []string) {
	switch {
	case len(given) == 0:
	case len(kept) == 0:
		s.leftOut("tags", whyBlankTag)
	case slices.Equal(given, kept):
		s.mapped("tags", "tags")
	default:
		s.add("tags", "tags", Changed, whyTagForm)
	}
}
