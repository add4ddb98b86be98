package mapping

import (
	"strings"
	"unicode"
)

// PhoneNormalizer writes phone numbers in E.164, such as "+18005550100". It is asked only about numbers that are not written
// so already. False means that it cannot place the number, which is then kept as written.
//
// What it answers is taken only if it is E.164 and ends in the same digits, more than half of the number: an extension, or a
// part of a number, is not cut.
type PhoneNormalizer interface {
	NormalizePhone(phone string) (e164 string, ok bool)
}

// PhoneNormalizerFunc is a function that is a [PhoneNormalizer].
type PhoneNormalizerFunc func(phone string) (e164 string, ok bool)

// NormalizePhone calls f.
func (f PhoneNormalizerFunc) NormalizePhone(phone string) (string, bool) { return f(phone) }

const (
	whyPlaced  = "written in E.164"
	whyWritten = "kept as written, for it is not in E.164"
	whyDropped = "kept as written, for the normaliser would have dropped a part"
)

// phone returns the number in E.164 where it is or can be, else as written; and what to note of it.
func (m *Mapper) phone(written string) (phone, note string) {
	switch {
	case written == "" || isE164(written):
		return written, ""
	case m.o.Phone == nil:
		return written, whyWritten
	}
	placed, ok := m.o.Phone.NormalizePhone(written)
	switch {
	case !ok:
		return written, whyWritten
	case !isE164(placed) || !keepsEnd(written, placed):
		return written, whyDropped
	}
	return placed, whyPlaced
}

// refusesPhone reports whether a phone is nothing that GHL could make E.164 of: it would lose the letters and signs that
// announce an extension, and make another number of what is left.
func refusesPhone(phone string) bool {
	return phone != "" && (strings.ContainsFunc(phone, unicode.IsLetter) || strings.ContainsAny(phone, "#*,;") || !strings.ContainsFunc(phone, unicode.IsDigit))
}

// isE164 reports whether s is a plus sign and 2 to 15 digits, the first not 0.
func isE164(s string) bool {
	if len(s) < 3 || len(s) > 16 || s[0] != '+' || s[1] < '1' || s[1] > '9' {
		return false
	}
	return strings.Trim(s[2:], "0123456789") == ""
}

// keepsEnd reports whether placed ends in the last digits of what was written. Letters stand for digits or announce an
// extension, so nobody can tell.
func keepsEnd(written, placed string) bool {
	if strings.ContainsFunc(written, unicode.IsLetter) {
		return false
	}
	digits := make([]byte, 0, 16)
	for _, r := range written {
		if unicode.IsDigit(r) {
			digits = append(digits, digitOf(r))
		}
	}
	end := max(4, len(digits)/2+1)
	return len(digits) > 0 && strings.HasSuffix(placed, string(digits[max(0, len(digits)-end):]))
}

// digitOf returns the ASCII form of a decimal digit of any script: Unicode keeps them in runs of ten, 0 first.
func digitOf(r rune) byte {
	for _, run := range unicode.Nd.R16 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return '0' + byte((r-rune(run.Lo))%10)
		}
	}
	for _, run := range unicode.Nd.R32 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return '0' + byte((r-rune(run.Lo))%10)
		}
	}
	return '?'
}
