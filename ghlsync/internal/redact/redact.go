// Package redact removes secrets and personal data from logs and from stored failures. It works by an allow-list:
// names of fields, ids, states and codes stay. Other values are replaced by their type and length.
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

// maxBody bounds a redacted body, in bytes.
const maxBody = 8 << 10

// harmless are the names of fields with values that are not redacted. Names that end with "Id" or "Ids" are harmless
// too.
var harmless = map[string]bool{
	"id": true, "_id": true, "ids": true, "type": true, "status": true, "statuscode": true, "code": true,
	"canonicalcode": true, "matchingfield": true, "appointmentstatus": true, "limit": true, "page": true,
	"pagelimit": true, "total": true, "skip": true, "duedate": true, "starttime": true, "endtime": true,
	"dateadded": true, "dateupdated": true, "key": true, "field": true, "operator": true, "direction": true,
	"usertype": true,
}

// words are the names of fields with sentences of the server as values, which are redacted with [Text].
var words = map[string]bool{
	"message": true, "error": true, "error_description": true, "details": true, "resolution": true,
}

// JSON returns a redacted JSON body of at most 8 KiB. It returns only the length of a body that is not JSON.
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
	return clip(text, maxBody)
}

func marshal(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// value redacts the value of a field.
func value(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		redacted := make(map[string]any, len(v))
		for k, item := range v {
			redacted[fieldName(k)] = value(k, item)
		}
		return redacted
	case []any:
		redacted := make([]any, len(v))
		for i, item := range v {
			redacted[i] = value(name, item)
		}
		return redacted
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

// fieldName redacts the name of a field unless it looks like an identifier.
func fieldName(s string) string {
	if plainName.MatchString(s) && !personal.MatchString(s) {
		return s
	}
	return fmt.Sprintf("(name of %d characters)", utf8.RuneCountInString(s))
}

var (
	personal = regexp.MustCompile(`[^\s@"'<>]+@[^\s@"'<>]+|\+?\d[\d ().-]{6,}\d`)
	dates    = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$`)
	// Addresses in errors of package net look like phone numbers, but they are not personal and show which server is
	// down.
	dialled = regexp.MustCompile(`\bdial (tcp|udp) \d+(\.\d+){3}:\d+`)
	secret  = regexp.MustCompile(`(?i)bearer\s+\S+|\beyJ[\w.-]{8,}|\bpit-[\w-]+|\b[\w+/=-]{41,}`)
	uuid    = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// Text removes e-mail addresses, phone numbers and tokens from a text, and cuts it to at most 2,000 bytes of valid
// UTF-8.
func Text(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if dates.MatchString(s) || uuid.MatchString(s) {
		return s
	}
	s = secret.ReplaceAllString(s, "(redacted)")
	var text strings.Builder
	for s != "" {
		part, address := s, ""
		if at := dialled.FindStringIndex(s); at != nil {
			part, address = s[:at[0]], s[at[0]:at[1]]
		}
		text.WriteString(personal.ReplaceAllString(part, "(redacted)") + address)
		s = s[len(part)+len(address):]
	}
	return clip(text.String(), 2000)
}

// clip cuts a text to at most most bytes, at the boundary of a character.
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
