// Package redact takes secrets and personal data out of what is kept of a failed attempt. It goes by what is known to be
// harmless and leaves out all else: names of fields, ids, states and codes stay; of other values their kind and length.
package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxKept is how much is kept of one body, in bytes.
const maxKept = 8 << 10

// harmless are names of fields whose values stay; so do those of all that end with "Id" or "Ids".
var harmless = map[string]bool{
	"id": true, "_id": true, "ids": true, "type": true, "status": true, "statuscode": true, "code": true, "canonicalcode": true,
	"matchingfield": true, "appointmentstatus": true, "limit": true, "page": true, "pagelimit": true, "total": true, "skip": true,
	"duedate": true, "starttime": true, "endtime": true, "dateadded": true, "dateupdated": true, "key": true, "field": true,
	"operator": true, "direction": true, "usertype": true,
}

// words are names of fields whose values are sentences of the server: they stay without what looks like a person's.
var words = map[string]bool{"message": true, "error": true, "error_description": true, "details": true, "resolution": true}

// JSON redacts a body. What is no JSON is not kept, but for its length.
func JSON(body []byte) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Sprintf("(%d bytes, no JSON)", len(body))
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Sprintf("(%d bytes, no JSON)", len(body))
	}
	text, err := marshal(value("", v))
	if err != nil {
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	return clip(text, maxKept)
}

func marshal(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func value(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := make(map[string]any, len(v))
		for k, item := range v {
			kept[fieldName(k)] = value(k, item)
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, item := range v {
			kept[i] = value(name, item)
		}
		return kept
	case string:
		lower := strings.ToLower(name)
		switch {
		case words[lower]:
			return Text(v)
		case harmless[lower] || strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "Ids"):
			return clip(Text(v), 200)
		case v == "":
			return ""
		}
		return fmt.Sprintf("(%d characters)", utf8.RuneCountInString(v))
	case json.Number:
		if lower := strings.ToLower(name); harmless[lower] {
			return v
		}
		return "(number)"
	}
	return v // true, false, null
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.$-]{1,60}$`)

// fieldName keeps the names of fields that a program made up.
func fieldName(s string) string {
	if plainName.MatchString(s) && !personal.MatchString(s) {
		return s
	}
	return fmt.Sprintf("(name of %d characters)", utf8.RuneCountInString(s))
}

var (
	personal = regexp.MustCompile(`[^\s@"'<>]+@[^\s@"'<>]+|\+?\d[\d ().-]{6,}\d`)
	dates    = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$`)
	// What net says of a server that does not answer is no number of a person, and whoever mends it needs to know which.
	dialled = regexp.MustCompile(`\bdial (tcp|udp) \d+(\.\d+){3}:\d+`)
	secret  = regexp.MustCompile(`(?i)bearer\s+\S+|\beyJ[\w.-]{8,}|\bpit-[\w-]+|\b[\w+/=-]{41,}`)
	uuid    = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// Text takes out of a sentence what looks like an address, a number of a person or a token.
func Text(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if dates.MatchString(s) || uuid.MatchString(s) {
		return s
	}
	s = secret.ReplaceAllString(s, "(redacted)")
	var kept strings.Builder
	for s != "" {
		part, address := s, ""
		if at := dialled.FindStringIndex(s); at != nil {
			part, address = s[:at[0]], s[at[0]:at[1]]
		}
		kept.WriteString(personal.ReplaceAllString(part, "(redacted)") + address)
		s = s[len(part)+len(address):]
	}
	return clip(kept.String(), 2000)
}

// clip cuts a text to at most so many bytes, at a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
