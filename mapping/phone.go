package mapping

import (
	"strings"
	"unicode"
)

// PhoneNormalizer writes phone numbers in E.164, such as "+18005550100". The mapper calls it only for numbers in
// another form. If it returns false, the number stays as it is.
//
// The mapper uses the result only if it is E.164 and ends in the same digits, more than half of the number. So no
// extension and no part of a number is lost.
type PhoneNormalizer interface {
	NormalizePhone(phone string) (e164 string, ok bool)
}

// PhoneNormalizerFunc makes a [PhoneNormalizer] of a function.
type PhoneNormalizerFunc func(phone string) (e164 string, ok bool)

// NormalizePhone calls f.
func (f PhoneNormalizerFunc) NormalizePhone(phone string) (string, bool) { return f(phone) }

const (
	whyE164    = "written in E.164"
	whyWritten = "as written, not in E.164"
	whyDropped = "as written, because the normaliser dropped a part"
)

// phone returns the number in E.164, or as it is written if it cannot be normalised. Note is for the report.
func (m *Mapper) phone(written string) (phone, note string) {
	switch {
	case written == "" || isE164(written):
		return written, ""
	case m.o.Phone == nil:
		return written, whyWritten
	}
	e164, ok := m.o.Phone.NormalizePhone(written)
	switch {
	case !ok:
		return written, whyWritten
	case !isE164(e164) || !sameEnd(written, e164):
		return written, whyDropped
	}
	return e164, whyE164
}

// refusesPhone reports whether GHL cannot store a phone. GHL drops the letters and signs before an extension, and
// makes another number of the rest.
func refusesPhone(phone string) bool {
	return phone != "" && (strings.ContainsFunc(phone, unicode.IsLetter) || strings.ContainsAny(phone, "#*,;") ||
		!strings.ContainsFunc(phone, unicode.IsDigit))
}

// isE164 reports whether s is a plus sign and 2 to 15 digits, the first not 0.
func isE164(s string) bool {
	if len(s) < 3 || len(s) > 16 || s[0] != '+' || s[1] < '1' || s[1] > '9' {
		return false
	}
	return strings.Trim(s[2:], "0123456789") == ""
}

// sameEnd reports whether a normalised number ends in the last digits of the written one. A written number with
// letters is never accepted: the letters can be digits or the start of an extension.
func sameEnd(written, e164 string) bool {
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
	return len(digits) > 0 && strings.HasSuffix(e164, string(digits[max(0, len(digits)-end):]))
}

// digitOf returns the ASCII form of a decimal digit of any script. In Unicode such digits are runs of ten that begin
// with 0.
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
