package mapping

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/pluvo/ghl"
)

// noteText returns the text of a note as a person reads it. The body of a note from HighLevel's editor is HTML; any
// other body is the text.
func noteText(n *ghl.Note) value {
	switch {
	case !isHTML(n.Body):
		return textValue(n.Body)
	case strings.TrimSpace(n.BodyText) != "":
		return value{text: strings.TrimRight(n.BodyText, "\r\n"), note: whyMarkup}
	}
	return value{text: textOfHTML(n.Body), note: whyMarkup}
}

// asNoteText returns the text of a body, for comparisons.
func asNoteText(_ *Mapper, v value) value {
	if isHTML(v.text) {
		return textValue(textOfHTML(v.text))
	}
	return v
}

var (
	// closingTag and lineBreak are the tags by which a text is HTML. A "<" alone is not one, nor is "<name>".
	closingTag = regexp.MustCompile(`(?i)</(p|div|span|h[1-6]|ul|ol|li|table|blockquote|pre|code|` +
		`b|strong|i|em|u|s|strike|del|sub|sup|mark|font|a)\s*>`)
	lineBreak = regexp.MustCompile(`(?i)<br\s*/?>`)
	anyTag    = regexp.MustCompile(`(?s)<!--.*?-->|<[a-zA-Z/!](?:[^<>"']|"[^"]*"|'[^']*')*>`)
	hidden    = regexp.MustCompile(`(?is)<(?:script\b.*?</script|style\b.*?</style)\s*>`)
	tagName   = regexp.MustCompile(`^</?[a-zA-Z][a-zA-Z0-9]*`)
	spaces    = regexp.MustCompile(`[ \t\r\n\f]+`)
)

// isHTML reports whether a text has a line break or an element with its closing tag.
func isHTML(text string) bool {
	if !strings.Contains(text, "<") {
		return false
	}
	if lineBreak.MatchString(text) {
		return true
	}
	for _, match := range closingTag.FindAllStringSubmatch(text, 20) {
		if opening := "<" + strings.ToLower(match[1]); containsTag(strings.ToLower(text), opening) {
			return true
		}
	}
	return false
}

// containsTag reports whether a text has an opening tag, such as "<p>" or "<p class=x>".
func containsTag(text, opening string) bool {
	for {
		_, rest, found := strings.Cut(text, opening)
		if !found {
			return false
		}
		if rest != "" && strings.ContainsAny(rest[:1], "> \t\r\n") {
			return true
		}
		text = rest
	}
}

// textOfHTML returns the text of HTML, with a line for each block and line break.
func textOfHTML(source string) string {
	source = hidden.ReplaceAllString(source, "")
	var out strings.Builder
	var line []byte
	endLine := func() {
		out.Write(bytes.TrimSpace(line))
		out.WriteByte('\n')
		line = line[:0]
	}
	add := func(text string) {
		text = html.UnescapeString(spaces.ReplaceAllString(text, " "))
		if len(line) == 0 || line[len(line)-1] == ' ' {
			text = strings.TrimLeft(text, " ")
		}
		line = append(line, strings.ReplaceAll(text, "\u00a0", " ")...)
	}
	at := 0
	for _, tag := range anyTag.FindAllStringIndex(source, -1) {
		add(source[at:tag[0]])
		at = tag[1]
		switch name := strings.ToLower(tagName.FindString(source[tag[0]:tag[1]])); {
		case name == "<br":
			endLine()
		case isBlock(strings.TrimLeft(name, "</")) && len(bytes.TrimSpace(line)) > 0:
			endLine()
		case name == "</td" || name == "</th":
			line = append(line, ' ')
		}
	}
	add(source[at:])
	endLine()
	return strings.Trim(out.String(), "\n")
}

// isBlock reports whether an element begins a line of its own.
func isBlock(name string) bool {
	switch name {
	case "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "tr", "blockquote", "pre", "hr":
		return true
	}
	return false
}
