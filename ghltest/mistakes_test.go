package ghltest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// mistakes are the invalid calls of a server, each on a line of its own, with their messages.
var mistakes = []struct {
	words string
	make  func(s *ghltest.Server)
}{
	{`AddLocation: location here already exists`, func(s *ghltest.Server) { s.AddLocation(ghl.Location{ID: "here"}) }},
	{`AddLocation: the time zone of location x: unknown time zone Mars`, func(s *ghltest.Server) { s.AddLocation(ghl.Location{ID: "x", Timezone: "Mars"}) }},
	{`AddToken: unknown location "x"`, func(s *ghltest.Server) { s.AddToken(ghl.Token{LocationID: "x"}) }},
	{`AddToken: the token already exists`, func(s *ghltest.Server) { s.AddToken(ghl.Token{AccessToken: s.Token()}) }},
	{`AddToken: the token has white space`, func(s *ghltest.Server) { s.AddToken(ghl.Token{AccessToken: "a b"}) }},
	{`AddToken: unknown user type "company"`, func(s *ghltest.Server) { s.AddToken(ghl.Token{UserType: "company"}) }},
	{`AddToken: only Install and InstallCompany return tokens that can be refreshed`, func(s *ghltest.Server) { s.AddToken(ghl.Token{RefreshToken: "r"}) }},
	{`AddContact: unknown location "x"`, func(s *ghltest.Server) { s.AddContact(ghl.Contact{LocationID: "x"}) }},
	{`AddContact: invalid id "a/b"`, func(s *ghltest.Server) { s.AddContact(ghl.Contact{ID: "a/b"}) }},
	{`AddLocation: invalid id "my home"`, func(s *ghltest.Server) { s.AddLocation(ghl.Location{ID: "my home"}) }},
	{`AddTask: invalid id ".."`, func(s *ghltest.Server) { s.AddTask(ghl.Task{ContactID: "ada", Title: "T", ID: ".."}) }},
	{`AddContact: contact ada already exists`, func(s *ghltest.Server) { s.AddContact(ghl.Contact{ID: "ada"}) }},
	{`AddContact: the location has no custom field "x"`, func(s *ghltest.Server) { s.AddContact(ghl.Contact{CustomFields: []ghl.CustomField{{Key: "x"}}}) }},
	{`AddTask: unknown contact "x"`, func(s *ghltest.Server) { s.AddTask(ghl.Task{ContactID: "x", Title: "T"}) }},
	{`AddTask: a task needs a title`, func(s *ghltest.Server) { s.AddTask(ghl.Task{ContactID: "ada"}) }},
	{`AddTask: the contact already has a task first`, func(s *ghltest.Server) { s.AddTask(ghl.Task{ContactID: "ada", ID: "first", Title: "T"}) }},
	{`AddNote: the contact already has a note first`, func(s *ghltest.Server) { s.AddNote(ghl.Note{ContactID: "ada", ID: "first"}) }},
	{`AddOpportunity: the contact already has an opportunity first`, func(s *ghltest.Server) { s.AddOpportunity(ghltest.Opportunity{ContactID: "ada", ID: "first"}) }},
	{`AddNote: unknown contact ""`, func(s *ghltest.Server) { s.AddNote(ghl.Note{Body: "x"}) }},
	{`AddCalendar: a number of the calendar is negative or too large`, func(s *ghltest.Server) { s.AddCalendar(ghl.Calendar{SlotDuration: -1}) }},
	{`AddCalendar: the calendar's slots are shorter than a minute`, func(s *ghltest.Server) { s.AddCalendar(ghl.Calendar{SlotInterval: 0.1, SlotIntervalUnit: "mins"}) }},
	{`AddCalendar: the calendar's hours are not within a day`, func(s *ghltest.Server) { s.AddCalendar(openOn(1, 0, 25)) }},
	{`AddCalendar: unknown unit "hour"; use mins, hours, days, weeks or months`, func(s *ghltest.Server) { s.AddCalendar(ghl.Calendar{SlotDuration: 1, SlotDurationUnit: "hour"}) }},
	{`AddCalendar: a day of the calendar is not between 0 (Sunday) and 6`, func(s *ghltest.Server) { s.AddCalendar(openOn(7, 9, 17)) }},
	{`AddCalendar: the calendar's hours are not within a day`, func(s *ghltest.Server) { s.AddCalendar(openOn(1, 17, 9)) }},
	{`AddCalendar: an availability of the calendar has no date`, func(s *ghltest.Server) { s.AddCalendar(calendarOf(`{"availabilities":[{}]}`)) }},
	{`SetCalendarActive: unknown calendar "x"`, func(s *ghltest.Server) { s.SetCalendarActive("x", true) }},
	{`AddAppointment: the StartTime is missing`, func(s *ghltest.Server) { s.AddAppointment(ghl.Appointment{ContactID: "ada"}) }},
	{`AddBlockedSlot: unknown calendar "x"`, func(s *ghltest.Server) { s.AddBlockedSlot(ghl.Appointment{CalendarID: "x"}) }},
	{`AddCustomField: a custom field needs a name`, func(s *ghltest.Server) { s.AddCustomField(ghl.CustomFieldDefinition{}) }},
	{`AddOpportunity: unknown contact "x"`, func(s *ghltest.Server) { s.AddOpportunity(ghltest.Opportunity{ContactID: "x"}) }},
	{`AddApp: unknown user type "Agency"`, func(s *ghltest.Server) { s.AddApp(ghltest.App{UserTypes: []ghl.UserType{"Agency"}}) }},
	{`Install: unknown app "x"; register it with AddApp`, func(s *ghltest.Server) { s.Install(ghltest.App{ClientID: "x"}, "") }},
	{`InstallCompany: unknown company "x"`, func(s *ghltest.Server) { s.InstallCompany(ghltest.App{}, ghltest.CompanyInstall{CompanyID: "x"}) }},
	{`Uninstall: unknown app "x"; register it with AddApp`, func(s *ghltest.Server) { s.Uninstall(ghltest.App{ClientID: "x"}, "") }},
	{`UninstallCompany: unknown app "x"; register it with AddApp`, func(s *ghltest.Server) { s.UninstallCompany(ghltest.App{ClientID: "x"}, "") }},
	{`SetLocationActive: unknown location "x"`, func(s *ghltest.Server) { s.SetLocationActive("x", false) }},
	{`SetConsent: unknown location "x"`, func(s *ghltest.Server) { s.SetConsent(ghltest.Consent{LocationID: "x"}) }},
	{`SetConsent: only one of Ask, Deny, LocationID and Company can be chosen`, func(s *ghltest.Server) { s.SetConsent(ghltest.Consent{Ask: true, Deny: true}) }},
	{`SetConsent: only one of Ask, Deny, LocationID and Company can be chosen`, func(s *ghltest.Server) { s.SetConsent(ghltest.Consent{Deny: true, LocationID: "here"}) }},
	{`SetLimits: {Requests:0 Interval:0s Daily:0} has a limit that is not positive`, func(s *ghltest.Server) { s.SetLimits(ghltest.Limits{}) }},
	{`Advance: -1ns is negative`, func(s *ghltest.Server) { s.Advance(-1) }},
	{`LoadJSON: contacts[0].tasks[1]: a task needs a title`, func(s *ghltest.Server) { s.LoadJSON(strings.NewReader(`{"contacts":[{"tasks":[{"title":"T"},{}]}]}`)) }},
	{`LoadJSON: line 1, column 1: invalid character`, func(s *ghltest.Server) { s.LoadJSON(strings.NewReader(`x`)) }},
	{`Fail: unknown operation "x"`, func(s *ghltest.Server) { s.Fail(ghltest.Fault{Operation: "x", Kind: fault.NotFound()}) }},
	{`Fail: Delay: the delay must be positive, got 0s`, func(s *ghltest.Server) { s.Fail(ghltest.Fault{Kind: fault.Delay(0)}) }},
	{`Subscribe: "x" is not a URL on this machine`, func(s *ghltest.Server) { s.Subscribe("x") }},
	{`SubscribeHandler: the handler is nil`, func(s *ghltest.Server) { s.SubscribeHandler(nil) }},
}

// wrongOptions are options that New and Start refuse.
var wrongOptions = []struct {
	words string
	opt   ghltest.Option
}{
	{`WithToken: the token is empty or has white space`, ghltest.WithToken("a b")},
	{`WithLocation: the time zone of location x: unknown time zone Mars`, ghltest.WithLocation(ghl.Location{ID: "x", Timezone: "Mars"})},
	{`WithClock: the clock is nil`, ghltest.WithClock(nil)},
	{`WithLimits: {Requests:1 Interval:1ns Daily:1} has a limit`, ghltest.WithLimits(ghltest.Limits{Requests: 1, Interval: 1, Daily: 1})},
	{`WithIndexLag: -1s is negative`, ghltest.WithIndexLag(-time.Second)},
	{`WithConsent: unknown location "x"`, ghltest.WithConsent(ghltest.Consent{LocationID: "x"})},
	{`WithSeed: tasks[0]: unknown contact ""`, ghltest.WithSeed(strings.NewReader(`{"tasks":[{"title":"T"}]}`))},
}

// openOn returns a calendar with hours on one day of the week.
func openOn(day, from, to int) ghl.Calendar {
	return calendarOf(fmt.Sprintf(`{"openHours":[{"daysOfTheWeek":[%d],"hours":[{"openHour":%d,"closeHour":%d}]}]}`,
		day, from, to))
}

func calendarOf(data string) (cal ghl.Calendar) {
	if err := json.Unmarshal([]byte(data), &cal); err != nil {
		panic(err)
	}
	return cal
}

func prepared(s *ghltest.Server) *ghltest.Server {
	s.AddContact(ghl.Contact{ID: "ada", FirstName: "Ada"})
	s.AddTask(ghl.Task{ContactID: "ada", ID: "first", Title: "T"})
	s.AddNote(ghl.Note{ContactID: "ada", ID: "first", Body: "N"})
	s.AddOpportunity(ghltest.Opportunity{ContactID: "ada", ID: "first"})
	s.AddCalendar(ghl.Calendar{})
	return s
}

// Without a test, a mistake panics.
func TestMistakesPanic(t *testing.T) {
	for _, mistake := range mistakes {
		s, err := ghltest.NewHandler(ghltest.WithLocation(ghl.Location{ID: "here"}))
		require.NoError(t, err)
		prepared(s)
		require.Contains(t, panicOf(func() { mistake.make(s) }), "ghltest: "+mistake.words)
		_, found := s.Contact("ada")
		require.True(t, found, "the server still works")
		require.NoError(t, s.Close())
	}
	for _, wrong := range wrongOptions {
		s, err := ghltest.New(wrong.opt)
		require.ErrorContains(t, err, "ghltest: "+wrong.words)
		require.Nil(t, s)
	}
}

const failing = "GHLTEST_FAIL"

// A mistake fails its test at the line of the call. The test runs itself in a process and reads the output.
func TestMistakesFailAtTheirLine(t *testing.T) {
	if os.Getenv(failing) != "" {
		for i, mistake := range mistakes {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				s := prepared(ghltest.Start(t, ghltest.WithLocation(ghl.Location{ID: "here"})))
				mistake.make(s)
				t.Error("the test continues")
			})
		}
		for i, wrong := range wrongOptions {
			t.Run(fmt.Sprint("option", i), func(t *testing.T) {
				ghltest.Start(t, wrong.opt) // the line of every wrong option
				t.Error("the test continues")
			})
		}
		return
	}
	run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMistakesFailAtTheirLine$")
	run.Env = append(os.Environ(), failing+"=1")
	output, err := run.CombinedOutput()
	require.Error(t, err, "the tests have failed")
	require.NotContains(t, string(output), "the test continues")

	source, err := os.ReadFile("mistakes_test.go")
	require.NoError(t, err)
	lines := strings.Split(string(source), "\n")
	failures := regexp.MustCompile(`(?m)^ *(\w+\.go):(\d+): (ghltest: .*)$`).FindAllStringSubmatch(string(output), -1)
	require.Len(t, failures, len(mistakes)+len(wrongOptions), "%s", output)
	for i, words := range failures {
		require.Equal(t, "mistakes_test.go", words[1])
		var n int
		_, err := fmt.Sscan(words[2], &n)
		require.NoError(t, err)
		if i < len(mistakes) {
			require.Contains(t, words[3], mistakes[i].words)
			require.Contains(t, lines[n-1], mistakes[i].words, "line %d made another mistake", n)
		} else {
			require.Contains(t, words[3], wrongOptions[i-len(mistakes)].words)
			require.Contains(t, lines[n-1], "the line of every wrong option")
		}
	}
}
