package ghltest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

const seedDocument = `{
  "locations": [
    {"id": "lisbon", "name": "Lisbon", "timezone": "Europe/Lisbon", "country": "PT"},
    {"id": "porto", "name": "Porto", "timezone": "Europe/Lisbon"}
  ],
  "customFields": [{"id": "shoe", "name": "Shoe size", "dataType": "NUMERICAL"}],
  "tags": ["VIP", {"id": "t2", "name": "lead"}, {"name": "vip", "locationId": "porto"}],
  "calendars": [{"id": "talk", "name": "Consultation", "slotDuration": 15, "slotDurationUnit": "mins"}],
  "contacts": [
    {
      "id": "ada", "firstName": "Ada", "email": "ada@example.com", "tags": ["vip"], "odd": {"kept": true},
      "customFields": [{"id": "shoe", "value": 38}],
      "tasks": [{"id": "call", "title": "Call Ada"}],
      "notes": [{"body": "Prefers mornings"}],
      "appointments": [{"id": "visit", "calendarId": "talk", "startTime": "2026-03-03 10:00:00"}],
      "opportunities": [{"pipelineId": "sales", "status": "won"}]
    },
    {"firstName": "Bo", "locationId": "porto", "notes": null}
  ],
  "tasks": [{"title": "Write to Ada", "contactId": "ada", "completed": true}],
  "notes": [{"body": "Flat", "contactId": "ada"}],
  "appointments": [{"id": "again", "contactId": "ada", "startTime": "2026-03-04T10:00:00Z"}],
  "blockedSlots": [{"calendarId": "talk", "startTime": "2026-03-05 10:00:00"}],
  "opportunities": [{"contactId": "ada", "pipelineId": "sales"}]
}`

func TestSeedFromJSON(t *testing.T) {
	opt := ghltest.WithSeed(strings.NewReader(seedDocument))
	for range 2 { // an option can be used for several servers
		s, c := start(t, opt)
		require.Equal(t, "lisbon", s.LocationID())
		ada, err := c.Contacts.Get(t.Context(), "ada")
		require.NoError(t, err)
		require.Equal(t, []string{"vip"}, ada.Tags)
		require.Equal(t, "38", ada.CustomFields[0].Value.Text())
		require.JSONEq(t, `{"kept":true}`, string(ada.Extra["odd"]))
		tasks := s.Tasks("ada")
		require.Len(t, tasks, 2)
		require.Equal(t, "call", tasks[0].ID)
		require.Equal(t, "ada", tasks[0].ContactID)
		require.True(t, tasks[1].Completed)
		require.Len(t, s.Notes("ada"), 2)
		visits := s.Appointments("ada")
		require.Len(t, visits, 2)
		require.Equal(t, "visit", visits[0].ID)
		require.Equal(t, "2026-03-03T10:15:00Z", visits[0].EndTime.Raw(),
			"the default is the length of a slot, in the location's zone")
		tags, err := c.Locations.Tags(t.Context(), "lisbon")
		require.NoError(t, err)
		require.Len(t, tags, 2)
		page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{Filters: []ghl.Filter{
			ghl.FieldOpportunities.Nested(ghl.SearchField("pipelineId").Eq("sales"),
				ghl.SearchField("status").Eq("won")),
		}})
		require.NoError(t, err)
		require.Equal(t, 1, page.Total)
		require.Len(t, s.Contacts(), 2)
	}

	s, _ := start(t, opt, ghltest.WithLocation(ghl.Location{ID: "first"}))
	require.Equal(t, "first", s.LocationID())
	before := len(s.Contacts())
	s.LoadJSON(strings.NewReader(`{"contacts":[{"firstName":"Cy"}]}`))
	require.Len(t, s.Contacts(), before+1)
	other, err := ghltest.NewHandler(opt)
	require.NoError(t, err)
	require.PanicsWithValue(t, "ghltest: LoadJSON: locations[0]: location lisbon already exists", func() {
		other.LoadJSON(strings.NewReader(`{"locations":[{"id":"lisbon"}]}`))
	})
}

func TestMistakesInASeed(t *testing.T) {
	for document, want := range map[string]string{
		``:                           "line 1, column 1: unexpected end of JSON input",
		"{\n  \"tags\": [\"a\",]\n}": "line 2, column 16: invalid character ']'",
		`[]`:                         "the document must be a JSON object",
		`null`:                       "must be an object, got null",
		`{"contact":[]}`:             "contact: unknown list; use one of locations, customFields",
		`{"contacts":{}}`:            "contacts: must be a list",
		`{"contacts":[{},7]}`:        "contacts[1]: must be an object",
		`{"contacts":[{"tasks":7}]}`: "contacts[0].tasks: must be a list",
		`{"contacts":[{"firstName":"A"},{"firstName":"B","tasks":[{"title":"x"},{}]}]}`:          "contacts[1].tasks[1]: a task needs a title",
		`{"contacts":[{"notes":["x"]}]}`:                                                         "contacts[0].notes[0]: must be an object",
		`{"contacts":[{"locationId":"x"}]}`:                                                      `contacts[0]: unknown location "x"`,
		`{"contacts":[{"id":"a"},{"id":"a"}]}`:                                                   "contacts[1]: contact a already exists",
		`{"contacts":[{"customFields":[{"key":"shoe","value":1}]}]}`:                             "contacts[0]: the location has no custom field \"shoe\"",
		`{"contacts":[{"opportunities":[{"status":"maybe"}]}]}`:                                  "contacts[0].opportunities[0]: unknown status",
		`{"contacts":[{"opportunities":[{"pipelineStageId":"s"}]}]}`:                             "contacts[0].opportunities[0]: an opportunity with a PipelineStageID",
		`{"contacts":[{"appointments":[{"calendarId":"x","startTime":"2026-03-03 10:00:00"}]}]}`: "contacts[0].appointments[0]: location",
		`{"contacts":[{"id":"a"}],"appointments":[{"contactId":"a"}]}`:                           "appointments[0]: the StartTime is missing",
		`{"tasks":[{"title":"x","contactId":"nobody"}]}`:                                         `tasks[0]: unknown contact "nobody"`,
		`{"notes":[{"body":"x"}]}`:                                                               `notes[0]: unknown contact ""`,
		`{"blockedSlots":[{"calendarId":"x"}]}`:                                                  `blockedSlots[0]: unknown calendar "x"`,
		`{"calendars":[{"id":"a"},{"id":"a"}]}`:                                                  "calendars[1]: calendar a already exists",
		`{"customFields":[{}]}`:                                                                  "customFields[0]: a custom field needs a name",
		`{"tags":[7]}`:                                                                           "tags[0]: must be a name or an object",
		`{"tags":["a",{"name":"A"}]}`:                                                            `tags[1]: tag "a" (`,
		`{"tags":[" "]}`:                                                                         "tags[0]: a tag needs a name",
		`{"opportunities":[{"contactId":7}]}`:                                                    "opportunities[0]: json: cannot unmarshal",
	} {
		_, err := ghltest.NewHandler(ghltest.WithSeed(strings.NewReader(document)))
		require.ErrorContains(t, err, "ghltest: WithSeed: "+want, document)
		s, err := ghltest.NewHandler()
		require.NoError(t, err)
		require.Contains(t, panicOf(func() { s.LoadJSON(strings.NewReader(document)) }), "ghltest: LoadJSON: "+want,
			document)
	}
	_, err := ghltest.NewHandler(ghltest.WithSeed(strings.NewReader(`{"locations":[{"timezone":"Mars/Olympus"}]}`)))
	require.ErrorContains(t, err, "ghltest: WithSeed: locations[0]: the time zone of location")
	require.ErrorContains(t, err, "Mars/Olympus")
	_, err = ghltest.NewHandler(ghltest.WithSeed(nil))
	require.ErrorContains(t, err, "the reader is nil")
	_, err = ghltest.NewHandler(ghltest.WithSeed(iotest.ErrReader(errors.New("torn"))))
	require.ErrorContains(t, err, "torn")

	f := &failingTest{}
	require.Nil(t, ghltest.Start(f, ghltest.WithSeed(strings.NewReader(`{"tasks":[{}]}`))))
	require.Contains(t, f.failed, "WithSeed: tasks[0]")
}

// panicOf returns the value of a function's panic as a string.
func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}
