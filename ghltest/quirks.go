package ghltest

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// The kinds of this file leave an answer a success and make values in it odd, each as HighLevel was seen to send them. An
// answer that is no success stays as it is.

// Quirks returns the kinds that make values odd, one for each quirk that HighLevel's answers were seen to have, for a test that
// goes through all of them. The package documentation says what each is.
//
//	for _, quirk := range ghltest.Quirks() {
//		t.Run(quirk.String(), func(t *testing.T) {
//			server := ghltest.Start(t, ghltest.WithDemoData())
//			server.Fail(ghltest.Fault{Kind: quirk})
//			…
//		})
//	}
func Quirks() []Kind {
	list := []Kind{
		NumbersAsStrings(), StringsAsNumbers(), BooleansAsStrings(), NullLists(), ObjectsForStrings(), StringsForLists(),
		AdditionalEmailsAsObjects(), AdditionalEmailsAsStrings(), CustomFieldValues(), RenamedProperty("event", "appointment"),
		RenamedProperty("succeded", "success"), MissingProperties("startAfter", "searchAfter", "traceId"), UnknownProperties(), NullCursors(),
		WrongContentType("text/html"), DateSkew(-time.Hour),
	}
	for form := DateISO; form < dateForms; form++ {
		list = append(list, DatesAs(form))
	}
	return list
}

// EditedAnswer lets a function change the decoded JSON of each success: objects are map[string]any, numbers are json.Number. It
// is for oddities that have no name here. The function is called while the server's lock is held: it must not call the server.
func EditedAnswer(edit func(answer any) any) Kind {
	if edit == nil {
		return Kind{name: "EditedAnswer", err: errors.New("EditedAnswer: the function is nil")}
	}
	return Kind{name: "EditedAnswer", edit: func(answer any, _ *struckRequest) any { return edit(answer) }}
}

// odd is a kind that looks at each property of each object of an answer. What change returns takes the value's place; with
// keep false the property is left out.
func odd(name string, change func(property string, value any) (_ any, keep bool)) Kind {
	return EditedAnswer(func(answer any) any { return walk(answer, change) }).named(name)
}

func (k Kind) named(name string) Kind {
	k.name = name
	return k
}

func walk(v any, change func(property string, value any) (any, bool)) any {
	return walkIn("", v, change)
}

// walkIn takes what stands in a list for a value of the property that is the list.
func walkIn(property string, v any, change func(property string, value any) (any, bool)) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if changed, keep := change(name, walkIn(name, value, change)); keep {
				v[name] = changed
			} else {
				delete(v, name)
			}
		}
	case []any:
		for i, element := range v {
			switch element.(type) {
			case map[string]any, []any:
				v[i] = walkIn(property, element, change)
			default:
				v[i], _ = change(property, element)
			}
		}
	}
	return v
}

// objects calls a function for each object of an answer, the inner ones first.
func objects(v any, change func(object map[string]any)) any {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			objects(value, change)
		}
		change(v)
	case []any:
		for _, value := range v {
			objects(value, change)
		}
	}
	return v
}

// cursors are left alone by the kinds that change types.
var cursors = []string{"startAfter", "startAfterId", "searchAfter"}

// NumbersAsStrings writes numbers as text.
func NumbersAsStrings() Kind {
	return odd("NumbersAsStrings", func(name string, value any) (any, bool) {
		if number, ok := value.(json.Number); ok && !slices.Contains(cursors, name) {
			return number.String(), true
		}
		return value, true
	})
}

// BooleansAsStrings writes true and false as text.
func BooleansAsStrings() Kind {
	return odd("BooleansAsStrings", func(_ string, value any) (any, bool) {
		if b, ok := value.(bool); ok {
			return strconv.FormatBool(b), true
		}
		return value, true
	})
}

// StringsAsNumbers writes texts of digits as numbers, such as a postal code.
func StringsAsNumbers() Kind {
	return odd("StringsAsNumbers", func(name string, value any) (any, bool) {
		if text, ok := value.(string); ok && !slices.Contains(cursors, name) {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
				return n, true
			}
		}
		return value, true
	})
}

// NullLists writes null for the lists under these names; without any, for all lists that are empty.
func NullLists(names ...string) Kind {
	return odd("NullLists", func(name string, value any) (any, bool) {
		if list, ok := value.([]any); ok && (slices.Contains(names, name) || len(names) == 0 && len(list) == 0) {
			return nil, true
		}
		return value, true
	})
}

// ObjectsForStrings writes an object {"name": text} for the texts under these names; companyName and source without any.
func ObjectsForStrings(names ...string) Kind {
	if len(names) == 0 {
		names = []string{"companyName", "source"}
	}
	return odd("ObjectsForStrings", func(name string, value any) (any, bool) {
		if text, ok := value.(string); ok && slices.Contains(names, name) {
			return map[string]any{"name": text}, true
		}
		return value, true
	})
}

// StringsForLists writes the first element for the lists under these names, null for an empty one; attachments and followers
// without any, which are texts in the vendor's document.
func StringsForLists(names ...string) Kind {
	if len(names) == 0 {
		names = []string{"attachments", "followers"}
	}
	return odd("StringsForLists", func(name string, value any) (any, bool) {
		if list, ok := value.([]any); ok && slices.Contains(names, name) {
			if len(list) == 0 {
				return nil, true
			}
			return list[0], true
		}
		return value, true
	})
}

var additional = map[string]string{"additionalEmails": "email", "additionalPhones": "phone"}

// AdditionalEmailsAsObjects writes additionalEmails as [{"email": …}] and additionalPhones likewise, the form that is seen most.
func AdditionalEmailsAsObjects() Kind {
	return odd("AdditionalEmailsAsObjects", eachAdditional(func(key string, value any) any {
		if text, ok := value.(string); ok {
			return map[string]any{key: text}
		}
		return value
	}))
}

// AdditionalEmailsAsStrings writes additionalEmails as ["…"] and additionalPhones likewise.
func AdditionalEmailsAsStrings() Kind {
	return odd("AdditionalEmailsAsStrings", eachAdditional(func(key string, value any) any {
		if object, ok := value.(map[string]any); ok {
			return object[key]
		}
		return value
	}))
}

func eachAdditional(change func(key string, value any) any) func(string, any) (any, bool) {
	return func(name string, value any) (any, bool) {
		list, ok := value.([]any)
		if key := additional[name]; ok && key != "" {
			for i := range list {
				list[i] = change(key, list[i])
			}
		}
		return value, true
	}
}

// DateForm is how a date is written, see [DatesAs].
type DateForm uint8

const (
	// DateISO is 2026-03-02T13:00:00.000Z.
	DateISO DateForm = iota
	// DateOffset is 2026-03-02T18:30:00+05:30.
	DateOffset
	// DateLocal is 2026-03-02 13:00:00, without a zone.
	DateLocal
	// DateDay is 2026-03-02.
	DateDay
	// DateMillis is the number of milliseconds since 1970.
	DateMillis
	// DateMillisText is DateMillis as text.
	DateMillisText
	// DateNull is null.
	DateNull
	// DateEmpty is "".
	DateEmpty
	// DateSeconds is the object {"_seconds": 1772456400, "_nanoseconds": 0}, as a database keeps it.
	DateSeconds
	// DateMongo is the object {"$date": "2026-03-02T13:00:00.000Z"}, as another database does.
	DateMongo

	dateForms // how many there are
)

var dateFormNames = [dateForms]string{
	"DateISO", "DateOffset", "DateLocal", "DateDay", "DateMillis", "DateMillisText", "DateNull", "DateEmpty", "DateSeconds", "DateMongo",
}

// String returns the name of the form.
func (f DateForm) String() string {
	if f >= dateForms {
		return "DateForm(" + strconv.Itoa(int(f)) + ")"
	}
	return dateFormNames[f]
}

var dateProperties = []string{
	"dateAdded", "dateUpdated", "dateOfBirth", "lastActivity", "lastSessionActivityAt", "dueDate", "startTime", "endTime", "createdAt", "updatedAt",
}

// DatesAs writes dates in another form: those under these names, without any all of them.
func DatesAs(form DateForm, names ...string) Kind {
	if len(names) == 0 {
		names = dateProperties
	}
	k := odd("DatesAs("+form.String()+")", func(name string, value any) (any, bool) {
		if !slices.Contains(names, name) {
			return value, true
		}
		var at time.Time
		switch v := value.(type) {
		case string:
			at = ghl.ParseTime(v).In(time.UTC)
		case json.Number:
			if n, err := v.Int64(); err == nil {
				at = time.UnixMilli(n).UTC()
			}
		}
		if at.IsZero() {
			return value, true
		}
		return form.write(at), true
	})
	if form >= dateForms {
		k.err = errors.New("DatesAs: unknown form")
	}
	return k
}

func (f DateForm) write(at time.Time) any {
	switch f {
	case DateOffset:
		return at.In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339)
	case DateLocal:
		return at.Format(time.DateTime)
	case DateDay:
		return at.Format(time.DateOnly)
	case DateMillis:
		return at.UnixMilli()
	case DateMillisText:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case DateNull:
		return nil
	case DateEmpty:
		return ""
	case DateSeconds:
		return map[string]any{"_seconds": at.Unix(), "_nanoseconds": at.Nanosecond()}
	case DateMongo:
		return map[string]any{"$date": DateISO.write(at)}
	default:
		return at.Format("2006-01-02T15:04:05.000Z")
	}
}

// CustomFieldValues puts these values into the custom fields of each record, one after the other and over again: anything that
// JSON can hold. Without any they are a text, a number, milliseconds of a date, a list of texts, an object of files by id, and
// null.
func CustomFieldValues(values ...any) Kind {
	if len(values) == 0 {
		values = []any{
			"text", 4.5, int64(1_772_456_400_000), []string{"a", "b"},
			map[string]any{"0f0e0d0c-0b0a-4908-8706-050403020100": map[string]any{
				"meta": map[string]any{"fieldname": "file", "originalname": "a.pdf", "mimetype": "application/pdf", "size": 3}, "url": "https://example.com/a.pdf",
			}}, nil,
		}
	}
	k := odd("CustomFieldValues", func(name string, value any) (any, bool) {
		if list, ok := value.([]any); ok && name == "customFields" {
			for i := range list {
				if field, ok := list[i].(map[string]any); ok {
					field["value"] = values[i%len(values)]
				}
			}
		}
		return value, true
	})
	if _, err := json.Marshal(values); err != nil {
		k.err = errors.New("CustomFieldValues: a value cannot be written as JSON")
	}
	return k
}

// UnderscoreIDs writes _id for id, as the search for tasks does, here and at HighLevel. Of other records it was not seen.
func UnderscoreIDs() Kind { return RenamedProperty("id", "_id").named("UnderscoreIDs") }

// RenamedProperty writes a property under another name wherever it occurs: "event" as "appointment", "succeded" as "success".
func RenamedProperty(from, to string) Kind {
	return EditedAnswer(func(answer any) any {
		return objects(answer, func(object map[string]any) {
			if value, ok := object[from]; ok {
				delete(object, from)
				object[to] = value
			}
		})
	}).named("RenamedProperty(" + from + ", " + to + ")")
}

// MissingProperties leaves out properties wherever they occur.
func MissingProperties(names ...string) Kind {
	return odd("MissingProperties", func(name string, value any) (any, bool) { return value, !slices.Contains(names, name) })
}

// UnknownProperties adds properties that no document knows to every object: a text, a list and an object.
func UnknownProperties() Kind {
	return EditedAnswer(func(answer any) any {
		return objects(answer, func(object map[string]any) {
			object["newText"], object["newList"], object["newObject"] = "x", []any{1, nil}, map[string]any{"a": true}
		})
	}).named("UnknownProperties")
}

// IgnoredPaging drops startAfter, startAfterId, searchAfter, page, skip and pageToken from the request, so that the answer is
// page one for ever. HighLevel ignores paging parameters that it does not know in silence.
func IgnoredPaging() Kind {
	return Kind{name: "IgnoredPaging", request: func(query url.Values, body map[string]any) {
		for _, name := range []string{"startAfter", "startAfterId", "searchAfter", "page", "skip", "pageToken"} {
			query.Del(name)
			delete(body, name)
		}
	}}
}

// RepeatedCursor answers each page with the cursor that asked for it, so that whoever follows it reads the same page again.
func RepeatedCursor() Kind {
	return Kind{name: "RepeatedCursor", edit: func(answer any, in *struckRequest) any {
		object, ok := answer.(map[string]any)
		if !ok {
			return answer
		}
		query, body := in.r.URL.Query(), map[string]any{}
		_ = decode(in.body, &body)
		if meta, ok := object["meta"].(map[string]any); ok && query.Get("startAfterId") != "" {
			meta["startAfter"], meta["startAfterId"] = json.Number(digits(query.Get("startAfter"))), query.Get("startAfterId")
		}
		if token := query.Get("pageToken"); token != "" {
			if p, ok := object["pagination"].(map[string]any); ok {
				p["nextPageToken"], p["hasNextPage"] = token, true
			}
		}
		if after, ok := body["searchAfter"].([]any); ok {
			if list, ok := object["contacts"].([]any); ok && len(list) > 0 {
				if last, ok := list[len(list)-1].(map[string]any); ok {
					last["searchAfter"] = after
				}
			}
		}
		return answer
	}}
}

// digits makes sure that a text can stand as a number.
func digits(text string) string {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return "0"
	}
	return text
}

// NullCursors writes null for the cursor, the next page and its URL on a last page, where they are "" otherwise.
func NullCursors() Kind {
	return odd("NullCursors", func(name string, value any) (any, bool) {
		switch name {
		case "startAfter", "startAfterId", "nextPage", "nextPageUrl":
			if value == "" {
				return nil, true
			}
		}
		return value, true
	})
}
