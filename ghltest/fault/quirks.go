package fault

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// Quirks returns the kinds that change values of a success, one for each quirk that was seen in HighLevel's answers,
// for a test that runs with each of them.
//
//	for _, quirk := range fault.Quirks() {
//		t.Run(quirk.String(), func(t *testing.T) {
//			server := ghltest.Start(t, ghltest.WithDemoData())
//			server.Fail(ghltest.Fault{Kind: quirk})
//			…
//		})
//	}
func Quirks() []Kind {
	list := []Kind{
		NumbersAsStrings(), StringsAsNumbers(), BooleansAsStrings(), NullLists(), ObjectsForStrings(),
		StringsForLists(),
		AdditionalEmailsAsObjects(), AdditionalEmailsAsStrings(), CustomFieldValues(),
		RenamedProperty("event", "appointment"),
		RenamedProperty("succeded", "success"), MissingProperties("startAfter", "searchAfter", "traceId"),
		UnknownProperties(), UnderscoreIDs(), MisspelledStatusAlone(), BookingWithoutTimes(), EditorNotes(),
		MetaWithoutCursor(), MetaWithNullCursor(), CursorOnLastPage(), ZeroCursorOnEmptyPage(), ShortPages(1),
		ZeroLimits(), ZeroDailyLimits(),
		NullCursors(), WrongContentType("text/html"), DateSkew(-time.Hour),
	}
	for form := DateISO; form < dateForms; form++ {
		list = append(list, DatesAs(form))
	}
	for form := SlotsByDay; form < slotsForms; form++ {
		list = append(list, FreeSlotsAs(form))
	}
	return list
}

// EditedAnswer calls a function with the decoded JSON of each success and sends what it returns: objects are
// map[string]any, numbers are json.Number. It is for a quirk that has no kind here. The function runs while the
// server's lock is held: it must not call the server.
func EditedAnswer(edit func(answer any) any) Kind {
	editAnswer := func(decoded any, _ url.Values, _ []byte) any { return edit(decoded) }
	return Kind{answer.Effect{Name: "EditedAnswer", EditAnswer: editAnswer}}.
		refusedIf(edit == nil, "EditedAnswer: the function is nil")
}

// changed returns a kind that changes properties of each success.
func changed(name string, change answer.Change) Kind {
	return EditedAnswer(func(decoded any) any { return answer.Properties(decoded, change) }).named(name)
}

// changedObjects returns a kind that changes each object of each success.
func changedObjects(name string, change func(object map[string]any)) Kind {
	return EditedAnswer(func(decoded any) any { return answer.Objects(decoded, change) }).named(name)
}

// cursors are not changed by the kinds that change types.
var cursors = []string{"startAfter", "startAfterId", "searchAfter"}

// NumbersAsStrings sends numbers as strings.
func NumbersAsStrings() Kind {
	return changed("NumbersAsStrings", func(property string, value any) (any, bool) {
		if number, ok := value.(json.Number); ok && !slices.Contains(cursors, property) {
			return number.String(), true
		}
		return value, true
	})
}

// BooleansAsStrings sends true and false as strings.
func BooleansAsStrings() Kind {
	return changed("BooleansAsStrings", func(_ string, value any) (any, bool) {
		if b, ok := value.(bool); ok {
			return strconv.FormatBool(b), true
		}
		return value, true
	})
}

// StringsAsNumbers sends strings of digits, such as a postal code, as numbers.
func StringsAsNumbers() Kind {
	return changed("StringsAsNumbers", func(property string, value any) (any, bool) {
		if text, ok := value.(string); ok && !slices.Contains(cursors, property) {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
				return n, true
			}
		}
		return value, true
	})
}

// NullLists sends null for the lists with these names, or for every empty list without names.
func NullLists(names ...string) Kind {
	return changed("NullLists", func(property string, value any) (any, bool) {
		list, ok := value.([]any)
		if ok && (slices.Contains(names, property) || len(names) == 0 && len(list) == 0) {
			return nil, true
		}
		return value, true
	})
}

// ObjectsForStrings sends an object {"name": "…"} for the strings with these names, or for companyName and source
// without names.
func ObjectsForStrings(names ...string) Kind {
	if len(names) == 0 {
		names = []string{"companyName", "source"}
	}
	return changed("ObjectsForStrings", func(property string, value any) (any, bool) {
		if text, ok := value.(string); ok && slices.Contains(names, property) {
			return map[string]any{"name": text}, true
		}
		return value, true
	})
}

// StringsForLists sends the first element of the lists with these names, and null for an empty list. Without names it
// changes attachments and followers, which are strings in the vendor's documents.
func StringsForLists(names ...string) Kind {
	if len(names) == 0 {
		names = []string{"attachments", "followers"}
	}
	return changed("StringsForLists", func(property string, value any) (any, bool) {
		list, ok := value.([]any)
		switch {
		case !ok || !slices.Contains(names, property):
			return value, true
		case len(list) == 0:
			return nil, true
		}
		return list[0], true
	})
}

// AdditionalEmailsAsObjects sends additionalEmails as [{"email": "…"}], the most common form, and additionalPhones
// likewise.
func AdditionalEmailsAsObjects() Kind {
	return changed("AdditionalEmailsAsObjects", eachAdditional(func(key string, value any) any {
		if text, ok := value.(string); ok {
			return map[string]any{key: text}
		}
		return value
	}))
}

// AdditionalEmailsAsStrings sends additionalEmails as ["…"], and additionalPhones likewise.
func AdditionalEmailsAsStrings() Kind {
	return changed("AdditionalEmailsAsStrings", eachAdditional(func(key string, value any) any {
		if object, ok := value.(map[string]any); ok {
			return object[key]
		}
		return value
	}))
}

var additional = map[string]string{"additionalEmails": "email", "additionalPhones": "phone"}

func eachAdditional(change func(key string, value any) any) answer.Change {
	return func(property string, value any) (any, bool) {
		list, ok := value.([]any)
		if key := additional[property]; ok && key != "" {
			for i := range list {
				list[i] = change(key, list[i])
			}
		}
		return value, true
	}
}

// CustomFieldValues replaces the values of each record's custom fields by these values in turn: anything that
// encoding/json can encode. Without values it sends a string, a number, a date in milliseconds, a list of strings, an
// object of files by id, and null.
func CustomFieldValues(values ...any) Kind {
	if len(values) == 0 {
		values = []any{
			"text", 4.5, int64(1_772_456_400_000), []string{"a", "b"}, map[string]any{exampleUUID: map[string]any{
				"meta": map[string]any{"fieldname": "file", "originalname": "a.pdf",
					"mimetype": "application/pdf", "size": 3},
				"url": "https://example.com/a.pdf",
			}}, nil,
		}
	}
	_, err := json.Marshal(values)
	return changed("CustomFieldValues", func(property string, value any) (any, bool) {
		if list, ok := value.([]any); ok && property == "customFields" {
			for i := range list {
				if field, ok := list[i].(map[string]any); ok {
					field["value"] = values[i%len(values)]
				}
			}
		}
		return value, true
	}).refusedIf(err != nil, "CustomFieldValues: a value cannot be encoded as JSON")
}

// UnderscoreIDs sends _id for id in every object. The search for tasks always has _id; one project reports it of other
// records.
func UnderscoreIDs() Kind { return RenamedProperty("id", "_id").named("UnderscoreIDs") }

// RenamedProperty sends a property under another name in every object: "event" as "appointment", "succeded" as
// "success".
func RenamedProperty(from, to string) Kind {
	return changedObjects("RenamedProperty("+from+", "+to+")", func(object map[string]any) {
		if value, ok := object[from]; ok {
			delete(object, from)
			object[to] = value
		}
	})
}

// MissingProperties removes properties from every object.
func MissingProperties(names ...string) Kind {
	return changed("MissingProperties", func(property string, value any) (any, bool) {
		return value, !slices.Contains(names, property)
	})
}

// UnknownProperties adds undocumented properties to every object: a string, a list and an object.
func UnknownProperties() Kind {
	return changedObjects("UnknownProperties", func(object map[string]any) {
		object["newText"], object["newList"], object["newObject"] = "x", []any{1, nil}, map[string]any{"a": true}
	})
}
