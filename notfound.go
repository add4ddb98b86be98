package ghl

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pathID is an id in the path of a call, with the names of the kind of record that it identifies.
type pathID struct {
	id    string
	kinds []string
}

// pathIDs returns the records that the call asks for, with the ids in its path. The location is among them only if it
// is the record asked for.
func (k *call) pathIDs() []pathID {
	var ids []pathID
	if form, ok := k.request.in.(url.Values); k.op.company { // the query or the form names the record
		ids = append(ids, pathID{k.request.query.Get("appId"), []string{"app"}})
		if ok {
			ids = append(ids, pathID{form.Get("locationId"), []string{"location"}})
		}
	}
	before, positional := "", k.request.path
	template := k.op.path(k.to.version)
	for segment := range strings.SplitSeq(strings.Trim(template, "/"), "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if !ok {
			before = segment
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value := ""
		switch {
		case name == "locationId":
			value = k.to.location
		case len(positional) > 0:
			value, positional = positional[0], positional[1:]
		default:
			value = k.opts.path[name]
		}
		kinds := kindsOf(name, before)
		if !slices.Contains(kinds, "location") || strings.HasSuffix(template, segment) {
			ids = append(ids, pathID{value, kinds})
		}
	}
	return ids
}

// kindsOf returns the names of the records that a placeholder identifies, such as "contact" for {contactId} and for
// /contacts/{id}.
func kindsOf(placeholder, segment string) []string {
	kinds := []string{strings.ToLower(singular(segment))}
	if name := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(placeholder, "Id"), "ID")); name != "id" {
		kinds = append(kinds, name)
	}
	if slices.Contains(kinds, "event") {
		kinds = append(kinds, "appointment")
	}
	return kinds
}

func singular(word string) string {
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	if strings.HasSuffix(word, "ses") {
		return strings.TrimSuffix(word, "es")
	}
	return strings.TrimSuffix(word, "s")
}

// recordMissing reports whether the answer says that the record asked for does not exist: a text names an id of the
// path as not found, or a 404 in JSON names the kind of record. A record within another one, such as a contact's task,
// is missing with that one. HTTP's own "Not Found" names nothing and proves nothing.
func (r *refusal) recordMissing() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
	default:
		return false
	}
	// A missing location is a 400, and this package has no other record that is one without its id in the text.
	location := slices.ContainsFunc(r.ids, func(p pathID) bool { return slices.Contains(p.kinds, "location") })
	byKind := r.json && (r.status == http.StatusNotFound || r.status == http.StatusGone || location)
	return slices.ContainsFunc(r.texts, func(text string) bool {
		if byKind && text == "not found" {
			return len(r.ids) > 0 // a handler's own text; frameworks send HTTP's "Not Found" for any missing path
		}
		missing := missingThing(text)
		return len(missing) > 0 && r.asksFor(missing, byKind) && !doubtful(text)
	})
}

// doubts are words of texts in which a missing record may only be out of the token's reach, late, or lacking in the
// request.
var doubts = []string{"access", "permission", "permissions", "authorized", "token", "yet", "again", "retry", "later",
	"cache", "index", "header", "headers", "body", "request", "query"}

// doubtful reports whether a text that names the record as not found has words of doubt, or says that something else
// is not found as well.
func doubtful(text string) bool {
	words, missing := wordsOf(text), 0
	for i, word := range words {
		if slices.Contains(doubts, strings.ToLower(word)) {
			return true
		}
		if lengthAt(words[i:], missingAfter) > 0 {
			missing++
		}
	}
	return missing > 1
}

// fillers are the words that can surround the name and the id of a missing record.
var fillers = map[string]bool{
	"the": true, "a": true, "an": true, "this": true, "that": true, "any": true, "such": true, "requested": true,
	"specified": true, "given": true, "provided": true, "error": true, "with": true, "having": true, "by": true,
	"of": true, "id": true, "ids": true, "was": true, "is": true, "were": true, "be": true, "could": true,
	"does": true, "do": true, "has": true, "been": true, "can": true, "matching": true,
}

// asksFor reports whether the words name the record asked for and nothing else: an id of the path, or with byKind the
// kind of record.
func (r *refusal) asksFor(words []string, byKind bool) bool {
	named := false
	for _, word := range words {
		lower := strings.ToLower(word)
		isID := slices.ContainsFunc(r.ids, func(p pathID) bool { return p.id != "" && p.id == word })
		isKind := len(r.ids) > 0 && (lower == "record" || slices.ContainsFunc(r.ids, func(p pathID) bool {
			return slices.Contains(p.kinds, strings.TrimSuffix(lower, "id"))
		}))
		if !isID && !isKind && !fillers[lower] {
			return false
		}
		named = named || isID || isKind && byKind && !strings.HasSuffix(lower, "id")
	}
	return named
}

// missingAfter are the words after the name of what is missing, missingBefore those before it.
var (
	missingAfter = [][]string{
		{"not", "found"}, {"not", "be", "found"}, {"cannot", "be", "found"}, {"couldn't", "be", "found"},
		{"not", "exist"}, {"not", "exists"}, {"doesn't", "exist"}, {"no", "longer", "exists"},
	}
	missingBefore = [][]string{
		{"not", "find"}, {"cannot", "find"}, {"couldn't", "find"}, {"can't", "find"}, {"unable", "to", "find"},
		{"failed", "to", "find"},
	}
)

// missingThing returns the words that name what a text says is not found, nil if the text does not say so.
func missingThing(text string) []string {
	if !strings.Contains(text, " ") {
		text = strings.ReplaceAll(text, "_", " ") // CONTACT_NOT_FOUND
	}
	words := wordsOf(text)
	for i := range words {
		if lengthAt(words[i:], missingAfter) > 0 {
			if i > 0 && strings.EqualFold(words[0], "no") {
				return words[1:i]
			}
			return words[:i]
		}
		if n := lengthAt(words[i:], missingBefore); n > 0 {
			return untilPlace(words[i+n:])
		}
	}
	found := func(word string) bool { return strings.EqualFold(word, "found") || strings.EqualFold(word, "exists") }
	if len(words) > 0 && strings.EqualFold(words[0], "no") && slices.ContainsFunc(words, found) {
		return slices.DeleteFunc(untilPlace(words[1:]), found)
	}
	return nil
}

// wordsOf returns the words of a text. Ids with "-" and "_", and words such as "doesn't", are one word.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(strings.ReplaceAll(text, "\u2019", "'"), func(r rune) bool {
		return r != '-' && r != '_' && r != '\'' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
	for i := range words {
		words[i] = strings.Trim(words[i], "'")
	}
	return words
}

// lengthAt returns the length of the phrase at the start of words, 0 if there is none.
func lengthAt(words []string, phrases [][]string) int {
	for _, phrase := range phrases {
		if len(words) >= len(phrase) && slices.EqualFunc(words[:len(phrase)], phrase, strings.EqualFold) {
			return len(phrase)
		}
	}
	return 0
}

// untilPlace returns the words before one that says where the thing was looked for.
func untilPlace(words []string) []string {
	place := slices.IndexFunc(words, func(w string) bool {
		return slices.Contains([]string{"in", "for", "at", "on", "from", "within", "under"}, strings.ToLower(w))
	})
	if place >= 0 {
		return slices.Clone(words[:place])
	}
	return slices.Clone(words)
}
