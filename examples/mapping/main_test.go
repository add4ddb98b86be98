package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/mapping"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	for _, line := range []string{
		`By the rules of examples/mapping/rules.yaml`,
		`  firstName +Amelia +firstName +Amelia +without spaces around`,
		`  custom\.pipeline_stage +Consultation bo… +stage +consultation +by the rule's table of options`,
		`  custom\.interests +Pastry, Travel +fields\.interests +Pastry, Travel +a list in one text`,
		`  companyName +Ortega Bakery +left out: there is no rule for it`,
		`  startTime +2026-05-06 10:0… +start +2026-05-06T14:00:00Z +a time without a zone, read in the location's`,
		`  phone +\+12025550143 +\(202\) 555-0199 +phone +written in E\.164`,
		`  tags +customer, newsletter +Customer, VIP +tags +added vip, removed newsletter`,
		`  fields\.locker +17 +left out: there is no rule for it`,
		`  phone +\(202\) 555-0199 +\+12025550199 +yes`,
		`  fields\.source +fair +unknown +no: it comes from HighLevel only`,
		`Nothing is left to send\.`,
	} {
		require.Regexp(t, `(?m)^`+line+`$`, out.String())
	}
	require.NotRegexp(t, `(?m) no$`, out.String())
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 120, line)
	}
}

func TestOwnRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	var out bytes.Buffer

	write(string(mapping.Template()))
	require.NoError(t, run(t.Context(), []string{file}, &out))
	require.Contains(t, out.String(), "Nothing is left to send.")

	write("version: 1\ncontact:\n  - {ghl: emial, pluvo: email}\n  - {ghl: custom.contact.hat_size, pluvo: fields.hat}\n")
	err := run(t.Context(), []string{file}, &out)
	require.ErrorContains(t, err, file+":3:11: a contact in HighLevel has no field \"emial\"")
	require.ErrorContains(t, err, file+":4:11: \"custom.contact.hat_size\": the location has no custom field")
	require.ErrorContains(t, run(t.Context(), []string{file + ".not"}, &out), "rules.yaml.not")
	require.ErrorContains(t, run(t.Context(), []string{file, file}, &out), "at most one rule file")
}

func TestPhones(t *testing.T) {
	for written, want := range map[string]string{
		"(202) 555-0143": "+12025550143", "202.555.0143": "+12025550143", "1-202-555-0143": "+12025550143", "+44 20 7946 0018": "+442079460018", "011 44 20 7946 0018": "+442079460018",
		"202-555-0143 ext. 5": "", "555-0143": "", "ask at the desk": "", "": "", "12345678901234567890": "",
	} {
		got, ok := phonesOf("US").NormalizePhone(written)
		require.Equal(t, want, got, written)
		require.Equal(t, want != "", ok, written)
	}
}
