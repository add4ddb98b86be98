package ghltest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

func TestSearchesLagBehind(t *testing.T) {
	const lag = 3 * time.Second
	clock := ghltest.NewClock(noon)
	s, c := start(t, ghltest.WithClock(clock.Now), ghltest.WithIndexLag(lag))
	seeded := s.AddContact(ghl.Contact{FirstName: "Seed", Email: "seed@example.com"})
	found := func(filters ...ghl.Filter) []string {
		t.Helper()
		page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{
			Filters: filters, Sort: []ghl.SearchField{ghl.FieldFirstName},
		})
		require.NoError(t, err)
		names := []string{}
		for _, one := range page.Contacts {
			names = append(names, one.FirstName)
		}
		require.Equal(t, len(names), page.Total)
		return names
	}
	require.Equal(t, []string{"Seed"}, found(), "seeds are searchable at once")

	ada, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{
		FirstName: "Ada", Email: "ada@example.com", Tags: []string{"one"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"Seed"}, found())
	_, err = c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
	list, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, list.Contacts, 2, "a list does not lag")
	_, err = c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "ada@example.com"})
	require.NoError(t, err, "the search for a duplicate does not lag")

	clock.Advance(lag - time.Second)
	_, err = c.Tags.Add(t.Context(), ada.ID, []string{"two"})
	require.NoError(t, err)
	_, err = c.Followers.Add(t.Context(), ada.ID, []string{"user1"})
	require.NoError(t, err)
	require.NoError(t, c.Workflows.Add(t.Context(), ada.ID, "flow", nil))
	require.Equal(t, []string{"Seed"}, found())
	clock.Advance(time.Second)
	require.Equal(t, []string{"Ada", "Seed"}, found())
	require.Empty(t, found(ghl.FieldTags.Eq("two")), "each change becomes searchable after its own lag")
	clock.Advance(lag - time.Second)
	require.Equal(t, []string{"Ada"},
		found(ghl.FieldTags.Eq("two"), ghl.FieldFollowers.Eq("user1"), ghl.FieldActiveWorkflows.Eq("flow")))

	s.AddAppointment(ghl.Appointment{ContactID: seeded.ID, StartTime: ghl.NewTime(noon)})
	require.Equal(t, []string{"Seed"}, found(ghl.FieldLastAppointment.Exists()))
	s.AddOpportunity(ghltest.Opportunity{ContactID: seeded.ID, PipelineID: "p"})
	require.Equal(t, []string{"Seed"}, found(ghl.FieldOpportunities.Exists()))

	require.NoError(t, c.Contacts.Delete(t.Context(), ada.ID))
	_, err = c.Contacts.Get(t.Context(), ada.ID)
	require.ErrorIs(t, err, ghl.ErrNotFound)
	require.Equal(t, []string{"Ada", "Seed"}, found(), "a deleted contact is still found")
	clock.Advance(lag)
	require.Equal(t, []string{"Seed"}, found())
}

func TestAdvance(t *testing.T) {
	s, c := start(t)
	s.AddToken(ghl.Token{AccessToken: "short", ExpiresAt: noon.Add(time.Hour)})
	short := clientOf(t, s, ghl.WithToken("short"))
	_, err := short.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	s.Advance(time.Hour)
	_, err = short.Contacts.List(t.Context(), nil)
	require.ErrorIs(t, err, ghl.ErrUnauthorized)
	made, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "a@example.com"})
	require.NoError(t, err)
	at, _ := made.DateAdded.Instant()
	require.Equal(t, noon.Add(time.Hour), at.UTC())
}

func TestLimitsAreOfAppAndLocation(t *testing.T) {
	clock := ghltest.NewClock(noon)
	s := ghltest.Start(t, ghltest.WithClock(clock.Now),
		ghltest.WithLimits(ghltest.Limits{Requests: 2, Interval: 10 * time.Second, Daily: 5}))
	other := s.AddLocation(ghl.Location{})
	app, second := s.AddApp(ghltest.App{}), s.AddApp(ghltest.App{})
	get := func(token, locationID string) (status int, left string) {
		status, _, header := send(t, s, "GET", "/locations/"+locationID, "", "Authorization", "Bearer "+token)
		return status, header.Get("X-RateLimit-Remaining")
	}
	use := func(want int, left, token, locationID, why string) {
		t.Helper()
		status, remaining := get(token, locationID)
		require.Equal(t, want, status, why)
		require.Equal(t, left, remaining, why)
	}
	here := s.LocationID()
	a, b := s.Install(app, ""), s.Install(app, "")
	use(200, "1", a.AccessToken, here, "")
	use(200, "0", b.AccessToken, here, "tokens of one app share a limit")
	use(429, "0", a.AccessToken, here, "")
	use(200, "1", s.Install(app, other.ID).AccessToken, other.ID, "another location")
	use(200, "1", s.Install(second, "").AccessToken, here, "another app")
	use(200, "1", s.Token(), here, "private tokens")
	private := s.AddToken(ghl.Token{AccessToken: "pit-second"})
	use(200, "0", private.AccessToken, here, "private tokens share a limit")
	use(429, "0", s.Token(), here, "")

	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	for _, want := range []int{201, 201, 429} {
		status, _, header := send(t, s, "POST", "/oauth/locationToken",
			"companyId="+agency.CompanyID+"&locationId="+other.ID, "Authorization", "Bearer "+agency.AccessToken)
		require.Equal(t, want, status)
		require.NotEmpty(t, header.Get("X-RateLimit-Daily-Remaining"))
	}
	use(200, "0", s.Install(app, other.ID).AccessToken, other.ID, "the company has its own limit")

	c := s.Install(second, other.ID)
	use(200, "1", c.AccessToken, other.ID, "")
	active := s.Fail(ghltest.Fault{Kind: fault.Forbidden()})
	use(403, "0", c.AccessToken, other.ID, "a refusal by a fault counts against the same limit")
	active.Remove()
	use(429, "0", c.AccessToken, other.ID, "")

	s.SetLimits(ghltest.Limits{Requests: 3, Interval: 10 * time.Second, Daily: 5})
	use(200, "0", a.AccessToken, here, "the limit was raised by one")
	s.SetLimits(ghltest.Limits{Requests: 1, Interval: 10 * time.Second, Daily: 5})
	use(429, "0", a.AccessToken, here, "the remaining requests are not negative")
	clock.Advance(10 * time.Second)
	status, _, header := send(t, s, "GET", "/locations/nowhere", "", "Authorization", "Bearer "+a.AccessToken)
	require.Equal(t, 403, status)
	require.Equal(t, "0", header.Get("X-RateLimit-Remaining"), "a refused request counts and has the rate headers")
	require.Equal(t, "1", header.Get("X-RateLimit-Daily-Remaining"))
	require.PanicsWithValue(t, "ghltest: SetLimits: {Requests:0 Interval:0s Daily:0} has a limit that is not positive, or an interval below a millisecond", func() {
		h, err := ghltest.NewHandler()
		require.NoError(t, err)
		h.SetLimits(ghltest.Limits{})
	})
}
