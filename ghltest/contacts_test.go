package ghltest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func TestContactLife(t *testing.T) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		t.Run(string(version), func(t *testing.T) {
			s, _ := start(t)
			c := clientOf(t, s, ghl.WithVersion(version))
			shoe := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"})
			since := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Since", DataType: "DATE"})

			made, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{
				Name: "Ada Byron Lovelace", Email: "Ada@Example.com", Phone: "(202) 555-0143", Gender: "female",
				CompanyName: "Engines",
				Address1:    "1 Main St", DateOfBirth: "1985-12-10", Tags: []string{"VIP", "vip", "News"},
				DNDSettings: &ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: ghl.DNDActive}},
				CustomFields: []ghl.CustomField{{Key: "shoe_size", Value: ghl.ValueOf("38")},
					{ID: "unknown", Value: ghl.ValueOf("x")}},
			})
			require.NoError(t, err)
			require.Regexp(t, `^[A-Za-z0-9]{20}$`, made.ID)
			got, err := c.Contacts.Get(t.Context(), made.ID)
			require.NoError(t, err)
			require.Equal(t, "Ada", got.FirstName)
			require.Equal(t, "Byron Lovelace", got.LastName)
			require.Equal(t, "Ada Byron Lovelace", got.Name)
			require.Equal(t, "Ada@Example.com", got.Email)
			require.Equal(t, "ada@example.com", got.EmailLowerCase)
			require.Equal(t, "+12025550143", got.Phone)
			require.Equal(t, "female", got.Gender)
			require.Equal(t, "Engines", got.CompanyName)
			require.Equal(t, []string{"vip", "news"}, got.Tags)
			require.Equal(t, ghl.DNDActive, got.DNDSettings.SMS.Status)
			require.Equal(t, "1985-12-10T00:00:00.000Z", got.DateOfBirth.Raw())
			require.Len(t, got.CustomFields, 1)
			require.JSONEq(t, "38", string(got.CustomFields[0].Value.Raw()))

			changed, err := c.Contacts.Update(t.Context(), made.ID, &ghl.ContactUpdate{
				FirstName: ghl.Some("Augusta"), Phone: ghl.Null[string](), Tags: ghl.Some([]string{"Only"}),
				DNDSettings: ghl.Some(&ghl.DNDSettings{Email: &ghl.DNDSetting{Status: ghl.DNDPermanent}}),
				CustomFields: ghl.Some([]ghl.CustomField{{ID: since.ID,
					Value: ghl.ValueOf(time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC))}}),
			})
			require.NoError(t, err)
			require.Equal(t, "Augusta", changed.FirstName)
			require.Empty(t, changed.Phone)
			require.Equal(t, "Ada@Example.com", changed.Email, "an absent field is unchanged")
			require.Equal(t, []string{"only"}, changed.Tags, "tags are replaced")
			require.NotNil(t, changed.DNDSettings.SMS, "channels are merged")
			require.NotNil(t, changed.DNDSettings.Email)
			require.Len(t, changed.CustomFields, 2, "custom fields are merged")
			require.Equal(t, shoe.ID, changed.CustomFields[0].ID)
			require.JSONEq(t, "1577923200000", string(changed.CustomFields[1].Value.Raw()),
				"dates are answered in milliseconds")

			_, err = c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Phone: "+12025550143"})
			require.ErrorIs(t, err, ghl.ErrNotFound, "the phone is removed")
			require.NoError(t, c.Contacts.Delete(t.Context(), made.ID))
			_, err = c.Contacts.Get(t.Context(), made.ID)
			require.ErrorIs(t, err, ghl.ErrNotFound)
			require.Empty(t, s.Contacts())
		})
	}
}

func TestDuplicates(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", LastName: "L", Email: "ada@example.com", Phone: "+12025550101"})
	bo := s.AddContact(ghl.Contact{FirstName: "Bo", Phone: "+12025550102"})

	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "ADA@example.com"})
	require.ErrorIs(t, err, ghl.ErrDuplicateContact)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, &ghl.Duplicate{ContactID: ada.ID, ContactName: "Ada L", MatchingField: "email"}, e.Duplicate)
	require.NotEmpty(t, e.TraceID)
	_, err = c.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{Phone: ghl.Some("2025550102")})
	require.ErrorAs(t, err, &e)
	require.Equal(t, bo.ID, e.Duplicate.ContactID)
	require.Equal(t, "phone", e.Duplicate.MatchingField)
	unchanged, _ := s.Contact(ada.ID)
	require.Equal(t, "+12025550101", unchanged.Phone, "a refused update changes nothing")

	found, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Phone: "+12025550102"})
	require.NoError(t, err)
	require.Equal(t, bo.ID, found.ID)

	result, err := c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{
		Email: ghl.Some("ada@example.com"), Phone: ghl.Some("+12025550102"), City: ghl.Some("Rome"),
	})
	require.NoError(t, err)
	require.False(t, result.New)
	require.Equal(t, ada.ID, result.Contact.ID)
	require.Equal(t, "+12025550101", result.Contact.Phone, "the other identifier is ignored without an error")
	require.Equal(t, "Rome", result.Contact.City)
	result, err = c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{
		Phone: ghl.Some("+12025550102"), Email: ghl.Some("bo@example.com"), CompanyName: ghl.Some("Bo Inc"),
	})
	require.NoError(t, err)
	require.Equal(t, bo.ID, result.Contact.ID)
	require.Equal(t, "bo@example.com", result.Contact.Email)
	require.Equal(t, "Bo Inc", result.Contact.CompanyName)
	result, err = c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{Email: ghl.Some("new@example.com")})
	require.NoError(t, err)
	require.True(t, result.New)
	require.NotEmpty(t, result.TraceID)

	lax, c := start(t, ghltest.WithLocation(duplicatesAllowed()))
	first := lax.AddContact(ghl.Contact{Email: "ada@example.com"})
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "ada@example.com"})
	require.NoError(t, err)
	again, err := c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{
		Email: ghl.Some("ada@example.com"), CreateNewIfDuplicateAllowed: true,
	})
	require.NoError(t, err)
	require.True(t, again.New)
	require.NotEqual(t, first.ID, again.Contact.ID)
}

// An additional e-mail of a contact is also a duplicate, and the error has its field.
func TestDuplicatesOfAnAdditionalEmail(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{
		FirstName: "Ada", Email: "ada@example.com",
		AdditionalEmails: []ghl.AdditionalEmail{{Email: "Countess@example.com"}},
	})
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "countess@example.com"})
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, &ghl.Duplicate{ContactID: ada.ID, ContactName: "Ada", MatchingField: "additionalEmail"},
		e.Duplicate)
	found, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "countess@example.com"})
	require.NoError(t, err)
	require.Equal(t, ada.ID, found.ID)
	result, err := c.Contacts.Upsert(t.Context(), &ghl.ContactUpsert{
		Email: ghl.Some("countess@example.com"), City: ghl.Some("London"),
	})
	require.NoError(t, err)
	require.False(t, result.New)
	require.Equal(t, "countess@example.com", result.Contact.Email, "it became the primary one")
	require.Equal(t, "London", result.Contact.City)
	require.NoError(t, c.Contacts.Delete(t.Context(), ada.ID))
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "countess@example.com"})
	require.NoError(t, err)
}

func addMany(s *ghltest.Server, n int) {
	for i := range n {
		s.AddContact(ghl.Contact{
			FirstName: fmt.Sprintf("First%02d", i), LastName: "McLast", Email: fmt.Sprintf("c%02d@example.com", i),
			BusinessID: fmt.Sprintf("business%d", i%2),
			DateAdded:  ghl.NewTime(noon.Add(-time.Duration(i/3) * time.Minute)), // some at the same time
		})
	}
}

func TestListPages(t *testing.T) {
	s, c := start(t)
	addMany(s, 45)
	page, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, page.Contacts, 20)
	require.Equal(t, 45, page.Total)
	require.NotEmpty(t, page.Next)
	require.Equal(t, page.Next, page.Contacts[19].Cursor)
	require.Equal(t, "McLast", page.Contacts[0].LastName, "the client reads lastNameRaw")

	seen := map[string]bool{}
	for contact, err := range c.Contacts.All(t.Context(), &ghl.ListContactsOptions{Limit: 7}) {
		require.NoError(t, err)
		require.False(t, seen[contact.ID])
		seen[contact.ID] = true
	}
	require.Len(t, seen, 45)

	page, err = c.Contacts.List(t.Context(), &ghl.ListContactsOptions{Query: "FIRST1", Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Contacts, 10)
	require.Equal(t, 10, page.Total)
	require.Empty(t, page.Next)

	_, answer, _ := send(t, s, http.MethodGet, "/contacts/?limit=2&locationId="+s.LocationID(), "")
	first := answer["contacts"].([]any)[0].(map[string]any)
	require.Equal(t, "mclast", first["lastName"])
	require.Equal(t, "McLast", first["lastNameRaw"])
	require.Len(t, first["startAfter"], 2)
	require.Contains(t, answer["meta"].(map[string]any)["nextPageUrl"], "http://localhost")
	half := fmt.Sprintf("/contacts/?limit=2&locationId=%s&startAfterId=%v", s.LocationID(),
		answer["meta"].(map[string]any)["startAfterId"])
	_, again, _ := send(t, s, http.MethodGet, half, "")
	require.Equal(t, answer["contacts"], again["contacts"], "half a cursor returns the first page")
	status, _, _ := send(t, s, http.MethodGet, "/contacts/?limit=101&locationId="+s.LocationID(), "")
	require.Equal(t, 422, status)
}

func TestListByBusiness(t *testing.T) {
	s, _ := start(t)
	addMany(s, 45)
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		c, n := clientOf(t, s, ghl.WithVersion(version)), 0
		for contact, err := range c.Contacts.AllByBusiness(t.Context(), "business1",
			&ghl.ListByBusinessOptions{Limit: 5}) {
			require.NoError(t, err)
			require.Equal(t, "business1", contact.BusinessID)
			n++
		}
		require.Equal(t, 22, n)
	}
	c := clientOf(t, s)
	all := s.Contacts()
	result, err := c.Contacts.SetBusiness(t.Context(), &ghl.BusinessUpdate{
		ContactIDs: []string{all[0].ID, "nobody"}, BusinessID: "business9",
	})
	require.NoError(t, err)
	require.True(t, result.Success)
	require.Equal(t, []string{all[0].ID}, result.ContactIDs)
	page, err := c.Contacts.ListByBusiness(t.Context(), "business9", nil)
	require.NoError(t, err)
	require.Equal(t, 1, page.Total)
	_, err = c.Contacts.SetBusiness(t.Context(), &ghl.BusinessUpdate{ContactIDs: []string{all[0].ID}})
	require.NoError(t, err)
	changed, _ := s.Contact(all[0].ID)
	require.Empty(t, changed.BusinessID)
}

func TestSearchPages(t *testing.T) {
	s, c := start(t)
	addMany(s, 45)
	for name, sort := range map[string][]ghl.SearchField{
		"as it comes": nil,
		"by name":     {ghl.FieldFirstName},
		"by two":      {ghl.FieldDateAdded.Desc(), ghl.FieldFirstName.Desc()},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for contact, err := range c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 9, Sort: sort}) {
				require.NoError(t, err)
				names = append(names, contact.FirstName)
			}
			require.Len(t, names, 45)
			if name == "by name" {
				require.IsIncreasing(t, names)
			}
			if name == "by two" {
				require.Equal(t, []string{"First02", "First01", "First00", "First05"}, names[:4])
			}
		})
	}
	second, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{PageLimit: 40, Page: 2})
	require.NoError(t, err)
	require.Len(t, second.Contacts, 5)
	require.Equal(t, 45, second.Total)

	for name, body := range map[string]string{
		"no page limit":  `{"locationId":"%s"}`,
		"large page":     `{"locationId":"%s","pageLimit":501}`,
		"too deep":       `{"locationId":"%s","pageLimit":500,"page":21}`,
		"page and after": `{"locationId":"%s","pageLimit":5,"page":1,"searchAfter":[1,"a"]}`,
		"short cursor":   `{"locationId":"%s","pageLimit":5,"searchAfter":[1]}`,
		"unknown sort":   `{"locationId":"%s","pageLimit":5,"sort":[{"field":"city","direction":"asc"}]}`,
		"unknown field":  `{"locationId":"%s","pageLimit":5,"filters":[{"field":"shoe","operator":"eq","value":1}]}`,
		"date equals":    `{"locationId":"%s","pageLimit":5,"filters":[{"field":"dateAdded","operator":"eq","value":1}]}`,
		"no value":       `{"locationId":"%s","pageLimit":5,"filters":[{"field":"city","operator":"eq"}]}`,
		"wrong bound":    `{"locationId":"%s","pageLimit":5,"filters":[{"field":"dateAdded","operator":"range","value":{"from":1}}]}`,
	} {
		status, _, _ := send(t, s, http.MethodPost, "/contacts/search", fmt.Sprintf(body, s.LocationID()))
		require.Equal(t, 422, status, name)
	}
}

func TestSearchForm(t *testing.T) {
	s, _ := start(t)
	s.AddContact(ghl.Contact{FirstName: "Ada", Address1: "1 Main St", DateOfBirth: ghl.ParseTime("1970-01-02")})
	_, answer, _ := send(t, s, http.MethodPost, "/contacts/search",
		fmt.Sprintf(`{"locationId":"%s","pageLimit":5}`, s.LocationID()))
	found := answer["contacts"].([]any)[0].(map[string]any)
	require.Equal(t, "Ada", found["firstName"])
	require.Equal(t, "ada", found["firstNameLowerCase"])
	require.Equal(t, "1 Main St", found["address"])
	require.NotContains(t, found, "address1")
	require.EqualValues(t, 86400000, found["dateOfBirth"])
	require.EqualValues(t, noon.UnixMilli(), found["searchAfter"].([]any)[0])
	require.NotEmpty(t, answer["traceId"])
}

func TestSearchFilters(t *testing.T) {
	s, c := start(t)
	size := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Size", DataType: "NUMERICAL"})
	hobby := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Hobby", DataType: "MULTIPLE_OPTIONS"})
	ada := s.AddContact(ghl.Contact{
		FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com", City: "London",
		Tags: []string{"vip", "very"}, DND: true, DateAdded: ghl.NewTime(noon.AddDate(0, 0, -10)),
		CustomFields: []ghl.CustomField{{ID: size.ID, Value: ghl.ValueOf(38)},
			{ID: hobby.ID, Value: ghl.ValueOf([]string{"Chess", "Go"})}},
	})
	s.AddContact(ghl.Contact{
		FirstName: "Bo", Email: "bo@example.org", City: "Londonderry", DateAdded: ghl.NewTime(noon.AddDate(0, 0, -1)),
		AssignedTo: "user1",
	})
	s.AddContact(ghl.Contact{
		FirstName: "Cy", Phone: "+12025550103", Tags: []string{"vip"}, DateAdded: ghl.NewTime(noon),
		Followers: []string{"user1"},
	})
	s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(noon.AddDate(0, 0, 3))})
	require.NoError(t, c.Workflows.Add(t.Context(), ada.ID, "flow1", nil))

	for _, test := range []struct {
		name    string
		filters []ghl.Filter
		query   string
		want    []string
	}{
		{"none", nil, "", []string{"Cy", "Bo", "Ada"}},
		{"query", nil, "LOVE", []string{"Ada"}},
		{"eq", []ghl.Filter{ghl.FieldCity.Eq("london")}, "", []string{"Ada"}},
		{"eq of a list", []ghl.Filter{ghl.FieldFirstName.Eq([]string{"ada", "bo"})}, "", []string{"Bo", "Ada"}},
		{"not eq", []ghl.Filter{ghl.FieldCity.NotEq("London")}, "", []string{"Cy", "Bo"}},
		{"contains", []ghl.Filter{ghl.FieldCity.Contains("london")}, "", []string{"Bo", "Ada"}},
		{"not contains", []ghl.Filter{ghl.FieldCity.NotContains("derry")}, "", []string{"Cy", "Ada"}},
		{"exists", []ghl.Filter{ghl.FieldEmail.Exists()}, "", []string{"Bo", "Ada"}},
		{"not exists", []ghl.Filter{ghl.FieldEmail.NotExists()}, "", []string{"Cy"}},
		{"whole tags", []ghl.Filter{ghl.FieldTags.Contains("v")}, "", nil},
		{"tags", []ghl.Filter{ghl.FieldTags.Contains("vip")}, "", []string{"Cy", "Ada"}},
		{"followers", []ghl.Filter{ghl.FieldFollowers.Eq("user1")}, "", []string{"Cy"}},
		{"flag", []ghl.Filter{ghl.FieldDND.Eq(false)}, "", []string{"Cy", "Bo"}},
		{"dates", []ghl.Filter{ghl.FieldDateAdded.GTE(noon.AddDate(0, 0, -10)).LT(noon)}, "", []string{"Bo", "Ada"}},
		{"last appointment", []ghl.Filter{ghl.FieldLastAppointment.GT(noon)}, "", []string{"Ada"}},
		{"workflows", []ghl.Filter{ghl.FieldActiveWorkflows.Eq("flow1")}, "", []string{"Ada"}},
		{"custom number", []ghl.Filter{ghl.FieldCustom(size.ID).GT(37).LTE(38)}, "", []string{"Ada"}},
		{"custom option", []ghl.Filter{ghl.FieldCustom(hobby.ID).Eq("go")}, "", []string{"Ada"}},
		{"custom none", []ghl.Filter{ghl.FieldCustom(hobby.ID).NotExists()}, "", []string{"Cy", "Bo"}},
		{"opportunities", []ghl.Filter{ghl.FieldOpportunities.Nested(ghl.SearchField("pipelineId").Eq("p"))}, "", nil},
		{"all", []ghl.Filter{ghl.FieldTags.Eq("vip"), ghl.FieldPhone.Exists()}, "", []string{"Cy"}},
		{"any of all", []ghl.Filter{ghl.AnyOf(ghl.AllOf(ghl.FieldTags.Eq("vip"), ghl.FieldDND.Eq(true)), ghl.FieldAssignedTo.Eq("user1"))}, "", []string{"Bo", "Ada"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{Query: test.query, Filters: test.filters})
			require.NoError(t, err)
			var names []string
			for _, found := range page.Contacts {
				names = append(names, found.FirstName)
			}
			require.Equal(t, test.want, names)
			require.Equal(t, len(test.want), page.Total)
		})
	}
}

// National numbers get the code of the location's country.
func TestPhonesAreNormalised(t *testing.T) {
	for country, numbers := range map[string][2]string{
		"US": {"(202) 555-0143", "+12025550143"}, "DE": {"030 901820", "+4930901820"},
		"GB": {"020 7946 0958", "+442079460958"},
		"IT": {"06 6982", "+39066982"}, "FR": {"00351 213 460 000", "+351213460000"},
		"us": {"+44 20 7946 0958", "+442079460958"},
	} {
		s := ghltest.Start(t, ghltest.WithLocation(ghl.Location{Country: country}))
		made, err := clientOf(t, s).Contacts.Create(t.Context(), &ghl.ContactCreate{Phone: numbers[0]})
		require.NoError(t, err)
		require.Equal(t, numbers[1], made.Phone, country)
	}
}

// Seeds may share a phone. An update of another field is not refused.
func TestOnlyChangedFieldsCanBeDuplicates(t *testing.T) {
	s, client := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+12025550143", Email: "ada@example.com"})
	s.AddContact(ghl.Contact{FirstName: "Bo", Phone: "+12025550143", Email: "bo@example.com"})
	_, err := client.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{Email: ghl.Some("countess@example.com")})
	require.NoError(t, err)
	_, err = client.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{Email: ghl.Some("bo@example.com")})
	require.ErrorIs(t, err, ghl.ErrDuplicateContact)
	_, err = client.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{Phone: ghl.Some("2025550143")})
	require.ErrorIs(t, err, ghl.ErrDuplicateContact)
}

func TestARefusedContactLeavesNoTags(t *testing.T) {
	s := ghltest.Start(t)
	status, _, _ := send(t, s, "POST", "/contacts/", `{"locationId":"`+s.LocationID()+`","tags":["lost"]}`)
	require.Equal(t, 422, status)
	require.Empty(t, s.Tags())
}

// duplicatesAllowed returns a location that allows several contacts with the same e-mail address or phone number.
func duplicatesAllowed() (l ghl.Location) {
	l.Settings.AllowDuplicateContact = true
	return l
}
