package fault

import (
	"html"
	"regexp"
	"strings"
)

// markup matches a tag of HTML. Other text between "<" and ">" is plain text.
var markup = regexp.MustCompile(`(?i)</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>`)

// blockEnds matches a tag of HTML after which a new line begins.
var blockEnds = regexp.MustCompile(`(?i)</(?:p|div|li|h[1-6]|tr|blockquote)>|<br\s*/?>`)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// EditorNotes sends notes as if they had been written in HighLevel's editor: body is HTML with a paragraph for each
// line, {"body": "<p>Tom &amp; Jerry</p>", "bodyText": "Tom & Jerry"}, and bodyText is its plain text. The stored note
// is unchanged. Without this kind the fake answers the body as it was written.
func EditorNotes() Kind {
	return changedObjects("EditorNotes", func(object map[string]any) {
		body, isText := object["body"].(string)
		if _, isNote := object["bodyText"]; !isNote || !isText {
			return
		}
		if markup.MatchString(body) {
			lines := blockEnds.ReplaceAllString(body, "\n")
			object["bodyText"] = html.UnescapeString(strings.TrimSuffix(markup.ReplaceAllString(lines, ""), "\n"))
			return
		}
		object["body"] = "<p>" + strings.ReplaceAll(escaper.Replace(body), "\n", "</p><p>") + "</p>"
		object["bodyText"] = body
	})
}
