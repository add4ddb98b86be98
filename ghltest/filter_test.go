package ghltest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// searchStatus sends a search that the client would refuse.
func searchStatus(t *testing.T, s *ghltest.Server, rest string) (int, map[string]any) {
	t.Helper()
	status, answer, _ := send(t, s, http.MethodPost, "/contacts/search",
		fmt.Sprintf(`{"locationId":%q,%s}`, s.LocationID(), rest))
	return status, answer
}

func TestOperatorsOfFields(t *testing.T) {
	s := ghltest.Start(t)
	fields := map[string]string{}
	for _, dataType := range []string{"TEXT", "NUMERICAL", "MONETORY", "DATE", "CHECKBOX", "MULTIPLE_OPTIONS"} {
		fields[dataType] = "customFields." +
			s.AddCustomField(ghl.CustomFieldDefinition{Name: dataType, DataType: dataType}).ID
	}
	texts, whole := "eq not_eq contains not_contains exists not_exists", "eq not_eq exists not_exists"
	dates, numbers := "range exists not_exists", "eq not_eq range exists not_exists"
	values := map[string]string{
		"eq": `,"value":"1"`, "not_eq": `,"value":"1"`, "contains": `,"value":"1"`, "not_contains": `,"value":"1"`,
		"range":  `,"value":{"gt":1}`,
		"nested": `,"value":[{"field":"status","operator":"eq","value":"open"}]`, "gte": `,"value":1`, "exists": "",
		"not_exists": "",
	}
	for field, takes := range map[string]string{
		"id": "eq not_eq", "contactName": whole, "address": texts, "assignedTo": whole, "businessName": texts,
		"city": texts, "country": whole,
		"companyName": texts, "dateAdded": dates, "dateUpdated": dates, "dateOfBirth": dates, "dnd": whole,
		"email": whole, "followers": whole,
		"firstNameLowerCase": texts, "lastNameLowerCase": texts, "isValidWhatsapp": whole, "phone": texts,
		"postalCode": texts, "source": texts,
		"state": texts, "tags": texts, "timezone": whole, "type": whole, "validEmail": whole, "website": whole,
		"lastEmailClickedDate": dates,
		"lastEmailOpenedDate":  dates, "lastAppointment": dates, "activeWorkflows": whole,
		"finishedWorkflows": whole, "opportunities": "nested exists not_exists",
		fields["TEXT"]: texts, fields["NUMERICAL"]: numbers, fields["MONETORY"]: numbers, fields["DATE"]: dates,
		fields["CHECKBOX"]:         whole,
		fields["MULTIPLE_OPTIONS"]: whole,
	} {
		for operator, value := range values {
			status, answer := searchStatus(t, s,
				fmt.Sprintf(`"pageLimit":1,"filters":[{"field":%q,"operator":%q%s}]`, field, operator, value))
			if strings.Contains(" "+takes+" ", " "+operator+" ") {
				require.Equal(t, 200, status, "%s %s", field, operator)
				continue
			}
			require.Equal(t, 422, status, "%s %s", field, operator)
			require.Equal(t, map[string]any{
				"message": "Invalid Operator (" + operator + ") passed for field " + field,
				"error":   "Unprocessable Entity", "statusCode": 422.0,
			}, answer)
		}
	}
}

func TestSearchBounds(t *testing.T) {
	s := ghltest.Start(t)
	long := strings.Repeat("ä", 76)
	for rest, want := range map[string]any{
		`"pageLimit":500,"page":20`:                nil,
		`"pageLimit":500,"page":21`:                "Only the first 10000 records can be read with page; use searchAfter",
		`"pageLimit":8,"page":4611686018427387904`: "Only the first 10000 records can be read with page; use searchAfter",
		`"pageLimit":1,"query":"` + long[2:] + `"`: nil,
		`"pageLimit":1,"query":"` + long + `"`:     []any{"query must be shorter than or equal to 75 characters"},
		`"pageLimit":1,"filters":[{"field":"city","operator":"eq","value":"` + long[2:] + `"}]`:                                                  nil,
		`"pageLimit":1,"filters":[{"field":"city","operator":"eq","value":["x","` + long + `"]}]`:                                                "The value passed for field city is longer than 75 characters",
		`"pageLimit":1,"filters":[{"field":"dateAdded","operator":"range","value":{"gte":"2026"}}]`:                                              nil,
		`"pageLimit":1,"filters":[{"field":"dateAdded","operator":"range","value":{"gte":"` + long + `"}}]`:                                      "Invalid value passed for field dateAdded",
		`"pageLimit":1,"filters":[{"group":"XOR","filters":[]}]`:                                                                                 "Invalid group (XOR) passed in filters",
		`"pageLimit":1,"filters":[{"field":"opportunities","operator":"nested"}]`:                                                                "Invalid value passed for field opportunities",
		`"pageLimit":1,"filters":[{"field":"opportunities","operator":"nested","value":[{"field":"shoe","operator":"eq","value":1}]}]`:           "Invalid field (opportunities.shoe) passed in filters",
		`"pageLimit":1,"filters":[{"field":"opportunities","operator":"nested","value":[{"field":"status","operator":"contains","value":"o"}]}]`: "Invalid Operator (contains) passed for field status",
		`"pageLimit":1,"sort":[{"field":"email","direction":"asc"},{"field":"dnd","direction":"asc"},{"field":"source","direction":"asc"}]`:      []any{"sort must contain no more than 2 elements"},
	} {
		status, answer := searchStatus(t, s, rest)
		if want == nil {
			require.Equal(t, 200, status, "%s: %v", rest, answer)
			continue
		}
		require.Equal(t, 422, status, rest)
		require.Equal(t, want, answer["message"], rest)
	}
}

func TestSearchByOpportunities(t *testing.T) {
	s, c := start(t)
	for _, name := range []string{"Ada", "Bo", "Cy"} {
		s.AddContact(ghl.Contact{ID: name, FirstName: name})
	}
	s.AddOpportunity(ghltest.Opportunity{ContactID: "Ada", PipelineID: "sales", PipelineStageID: "new"})
	s.AddOpportunity(ghltest.Opportunity{ContactID: "Ada", PipelineID: "support", Status: "won"})
	s.AddOpportunity(ghltest.Opportunity{ContactID: "Bo", PipelineID: "sales", Status: "won"})
	pipeline, stage, status := ghl.SearchField("pipelineId"), ghl.SearchField("pipelineStageId"), ghl.SearchField("status")
	for name, test := range map[string]struct {
		filter ghl.Filter
		want   []string
	}{
		"pipeline":          {ghl.FieldOpportunities.Nested(pipeline.Eq("sales")), []string{"Ada", "Bo"}},
		"one meets all":     {ghl.FieldOpportunities.Nested(pipeline.Eq("sales"), status.Eq("won")), []string{"Bo"}},
		"any in it":         {ghl.FieldOpportunities.Nested(ghl.AnyOf(stage.Exists(), pipeline.Eq("support"))), []string{"Ada"}},
		"not":               {ghl.FieldOpportunities.Nested(status.NotEq("won")), []string{"Ada"}},
		"without any":       {ghl.FieldOpportunities.NotExists(), []string{"Cy"}},
		"in a group":        {ghl.AnyOf(ghl.FieldOpportunities.Nested(stage.Eq("new")), ghl.FieldFirstName.Eq("cy")), []string{"Ada", "Cy"}},
		"a list of options": {ghl.FieldOpportunities.Nested(status.Eq([]string{"won", "lost"})), []string{"Ada", "Bo"}},
	} {
		page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{
			Filters: []ghl.Filter{test.filter}, Sort: []ghl.SearchField{ghl.FieldFirstName},
		})
		require.NoError(t, err, name)
		var names []string
		for _, one := range page.Contacts {
			names = append(names, one.FirstName)
		}
		require.Equal(t, test.want, names, name)
	}
	code, answer := searchStatus(t, s, `"pageLimit":5,"filters":[{"field":"opportunities","operator":"nested","filters":[{"field":"pipelineId","operator":"eq","value":"support"}]}]`)
	require.Equal(t, 200, code)
	require.Equal(t, 1.0, answer["total"], "a nested filter may have its filters as a group does")
}

func TestSearchByATextBox(t *testing.T) {
	s := ghltest.Start(t)
	boxes := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Sizes", DataType: "TEXTBOX_LIST"})
	s.AddContact(ghl.Contact{FirstName: "Ada", CustomFields: []ghl.CustomField{{ID: boxes.ID,
		Value: ghl.ValueOf(json.RawMessage(`{"hat":"55","shoe":"38"}`))}}})
	for option, want := range map[string]float64{"hat": 0, "shoe": 1, "glove": 0} {
		status, answer := searchStatus(t, s,
			fmt.Sprintf(`"pageLimit":5,"filters":[{"field":"customFields.%s.%s","operator":"eq","value":"38"}]`,
				boxes.ID, option))
		require.Equal(t, 200, status)
		require.Equal(t, want, answer["total"], option)
	}
}

func TestSearchByDatesAndFlags(t *testing.T) {
	s, c := start(t)
	s.AddContact(ghl.Contact{FirstName: "Ada", DateOfBirth: ghl.ParseTime("1815-12-10"), ValidEmail: ptr(true)})
	s.AddContact(ghl.Contact{FirstName: "Bo", DateOfBirth: ghl.ParseTime("1990-01-31"), ValidEmail: ptr(false)})
	s.AddContact(ghl.Contact{FirstName: "Cy"})
	for name, test := range map[string]struct {
		filter ghl.Filter
		want   int
	}{
		"born before":       {ghl.FieldDateOfBirth.LT("1900-01-01"), 1},
		"born on":           {ghl.FieldDateOfBirth.GTE("1990-01-31").LTE("1990-01-31"), 1},
		"no birthday":       {ghl.FieldDateOfBirth.NotExists(), 1},
		"valid":             {ghl.FieldValidEmail.Eq(true), 1},
		"not valid":         {ghl.FieldValidEmail.NotEq(true), 2},
		"unknown":           {ghl.FieldValidEmail.NotExists(), 1},
		"finished workflow": {ghl.FieldFinishedWorkflows.Exists(), 0},
	} {
		page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{Filters: []ghl.Filter{test.filter}})
		require.NoError(t, err, name)
		require.Equal(t, test.want, page.Total, name)
	}
}
