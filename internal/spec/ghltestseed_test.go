package spec

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

const (
	otherLocationID = "C2QujeCh8ZnC7al2InWR"
	redirectURL     = "https://app.example.com/oauth/callback"
	tokenOperation  = "oauth.token" // not in the catalog, because it needs no token
)

// seeded is a fake with records that have the ids of the driver and a value for every property that can be seeded.
type seeded struct {
	*ghltest.Server
	app                  ghltest.App
	here, there, company ghl.Token
	code, companyCode    string // of the consent screen
}

func newSeeded(t *testing.T) *seeded {
	s, err := ghltest.NewHandler(
		ghltest.WithLocation(seedLocation(locationID)), ghltest.WithLocation(seedLocation(otherLocationID)),
		ghltest.WithClock(func() time.Time { return start.AddDate(0, 0, -3) }),
	)
	require.NoError(t, err)
	add := seeded{Server: s}
	for _, id := range []string{locationID, otherLocationID} {
		nickname := ghl.CustomFieldDefinition{
			LocationID: id, Name: "Nickname", FieldKey: "contact.nickname", DataType: "TEXT",
			Placeholder: "What friends say", Position: 50,
			PicklistOptions: []string{"Red", "Blue"}, PicklistImageOptions: []string{"https://example.com/red.png"},
			IsAllowedCustomOption: true, IsMultiFileAllowed: true, MaxFileLimit: 4,
		}
		if id == locationID {
			nickname.ID = "6dvNaf7VhkQ9snc5vnjJ"
		}
		s.AddCustomField(nickname)
		s.AddContact(ghl.Contact{LocationID: id, FirstName: "Tagged", Tags: []string{"vip", "newsletter"}})
	}
	s.AddContact(ghl.Contact{FirstName: "News", Email: "ada+news@example.com"})
	s.AddContact(seedContact())
	s.AddTask(ghl.Task{
		ID: taskID, ContactID: contactID, Title: "Call back", Body: "About the offer", AssignedTo: userID,
		DueDate: ghl.NewTime(start), Completed: true,
	})
	s.AddNote(ghl.Note{
		ID: noteID, ContactID: contactID, Body: "<p>Called back</p>", Title: "Follow-up", Color: "#FFAA00",
		Pinned: true, UserID: userID,
	})
	s.AddCalendar(ghl.Calendar{
		ID: calendarID, GroupID: groupID, Name: "Talks", IsActive: true, SlotInterval: 10, SlotIntervalUnit: "mins",
		AppointmentPerSlot: 10,
	})
	s.AddCalendar(seedCalendar())
	appointment := ghl.Appointment{
		ID: eventID, CalendarID: calendarID, ContactID: contactID, GroupID: groupID, Title: "First talk",
		AppointmentStatus: ghl.AppointmentConfirmed,
		AssignedUserID:    userID, Users: []string{userID}, AssignedResources: []string{"room"},
		Address: "3535 1st St N", Notes: "Bring the plans",
		Description: "About the offer", MeetingLocationType: "custom", MeetingLocationID: "custom_0",
		IsRecurring: true, RRule: "FREQ=WEEKLY;COUNT=4",
		MasterEventID: "master", StartTime: ghl.NewTime(start.Add(10 * time.Minute)), EndTime: ghl.NewTime(end),
	}
	appointment.CreatedBy.UserID, appointment.CreatedBy.Source = userID, "calendar_page"
	appointment.AppointmentStatus = ghl.AppointmentCancelled // a cancelled appointment occupies no slot
	s.AddAppointment(appointment)
	note := ghl.Note{ID: noteID, Body: "Called back", UserID: userID}
	note.CreatedBy.ID, note.CreatedBy.Name = userID, "Ada"
	s.AddAppointmentNote(eventID, note)
	blocked := appointment
	blocked.ID, blocked.ContactID = "blocked", ""
	s.AddBlockedSlot(blocked)
	for _, c := range []ghl.Contact{{ID: "worker1"}, {ID: "worker2"}} {
		c.FirstName, c.BusinessID = "Worker", businessID
		s.AddContact(c)
	}

	add.app = s.AddApp(ghltest.App{
		ClientID: appID + "-client", ClientSecret: "secret", AppID: appID, VersionID: "6578278e879ad2646715ba9d",
		PlanID:       "64a5c8f0a1b2c3d4e5f60718",
		RedirectURLs: []string{redirectURL},
	})
	add.company = s.InstallCompany(add.app,
		ghltest.CompanyInstall{CompanyID: companyID, AllLocations: true, FutureLocations: true})
	add.here, add.there = s.Install(add.app, locationID), s.Install(add.app, otherLocationID)
	add.code, add.companyCode = add.consent(t, ""), add.consent(t, companyID)
	return &add
}

// consent submits the consent screen and returns the code. It chooses the first location unless a company is given.
func (s *seeded) consent(t *testing.T, company string) string {
	query := url.Values{"response_type": {"code"}, "client_id": {s.app.ClientID}, "redirect_uri": {redirectURL}}
	if company != "" {
		query.Set("ghltest_company", company)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/oauth/chooselocation?"+query.Encode(), nil)
	s.Handler().ServeHTTP(w, r)
	back, err := w.Result().Location()
	require.NoError(t, err)
	return back.Query().Get("code")
}

// tokenFor returns the token for the location or company of a URL.
func (s *seeded) tokenFor(operation string, u *url.URL) string {
	switch {
	case strings.HasPrefix(operation, "oauth."):
		return s.company.AccessToken
	case strings.Contains(u.Path, otherLocationID):
		return s.there.AccessToken
	}
	return s.here.AccessToken
}

func seedLocation(id string) ghl.Location {
	const social = "https://example.com/dental"
	l := ghl.Location{
		ID: id, CompanyID: companyID, Name: "Dental Care", Domain: "dental.example.com", FirstName: "Jo",
		LastName: "Doe", Email: "jo@example.com",
		Phone: "+18005550199", Address: "4th fleet street", City: "New York", State: "IL", PostalCode: "567654",
		Country: "US",
		Website: "https://example.com", LogoURL: "https://example.com/logo.png", Timezone: "America/New_York",
		Reseller: map[string]any{"plan": "basic"},
	}
	l.Settings.AllowDuplicateContact, l.Settings.AllowDuplicateOpportunity = true, true
	l.Settings.AllowFacebookNameMerge, l.Settings.DisableContactTimezone = true, true
	b := &l.Business
	b.Name, b.Address, b.City, b.State, b.Country, b.PostalCode = l.Name, l.Address, l.City, l.State, l.Country, l.PostalCode
	b.Website, b.Timezone, b.LogoURL = l.Website, l.Timezone, l.LogoURL
	for _, page := range []*string{
		&l.Social.FacebookURL, &l.Social.GooglePlus, &l.Social.LinkedIn, &l.Social.Foursquare, &l.Social.Twitter,
		&l.Social.Yelp,
		&l.Social.Instagram, &l.Social.YouTube, &l.Social.Pinterest, &l.Social.BlogRSS,
	} {
		*page = social
	}
	l.Social.GooglePlacesID = "places"
	return l
}

func seedContact() ghl.Contact {
	return ghl.Contact{
		ID: contactID, FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com", Phone: "+18005550100",
		AdditionalEmails: []ghl.AdditionalEmail{{Email: "countess@example.com"}}, Address1: "3535 1st St N",
		City: "Dolomite", State: "AL",
		PostalCode: "35061", Country: "US", Timezone: "America/Chicago", Website: "https://example.com",
		CompanyName: "Analytical Engines",
		BusinessID:  businessID, Source: "public api", AssignedTo: userID, Followers: []string{userID},
		Tags: []string{"vip"},
		CustomFields: []ghl.CustomField{{Key: "nickname",
			Value: ghl.ValueOf("Countess")}}, Attachments: []string{"https://example.com/cv.pdf"},
		DND: true, DNDSettings: dnd(), InboundDNDSettings: inboundDND(), ValidEmail: new(true),
		IsValidWhatsApp: new(true),
		DateOfBirth:     ghl.ParseTime("1990-09-25"), LastActivity: ghl.NewTime(start), SSN: "123-45-6789",
		Keyword: "engine", VisitorID: "visitor",
		AttributionSource: attribution(), LastAttributionSource: attribution(),
		Attributions: []*ghl.Attribution{attribution()},
	}
}

func attribution() *ghl.Attribution {
	return &ghl.Attribution{
		URL: "https://example.com/?utm_source=x", Campaign: "spring", UTMSource: "x", UTMMedium: "cpc",
		UTMContent: "a", Referrer: "https://example.com",
		CampaignID: "c1", FBCLID: "f", GCLID: "g", MSCLKID: "m", DCLID: "d", FBC: "fbc", FBP: "fbp", FBEventID: "e",
		UserAgent: "Mozilla/5.0",
		IP:        "192.0.2.1", Medium: "form", MediumID: "form1",
	}
}

func seedCalendar() ghl.Calendar {
	c := ghl.Calendar{
		GroupID: groupID, Name: "Everything", Description: "All that can be set", Slug: "everything",
		WidgetSlug:   "everything",
		CalendarType: "round_robin", WidgetType: "classic", EventType: "RoundRobin_OptimizeForAvailability",
		EventTitle: "{{contact.name}}",
		EventColor: "#039be5", IsActive: true, MeetingLocation: "Room 1",
		SlotDuration: 30, SlotDurationUnit: "mins", SlotInterval: 30, SlotIntervalUnit: "mins", SlotBuffer: 5,
		SlotBufferUnit: "mins", PreBuffer: 5,
		PreBufferUnit: "mins", AppointmentPerSlot: 1, AppointmentPerDay: 8, AllowBookingAfter: 2,
		AllowBookingAfterUnit: "hours", AllowBookingFor: 60,
		AllowBookingForUnit: "days", AvailabilityType: new(0),
		EnableRecurring: true, FormID: "form", FormSubmitType: "RedirectURL",
		FormSubmitRedirectURL: "https://example.com/thanks", FormSubmitThanksMessage: "Thank you",
		ConsentLabel: "I agree", GuestType: "count_only",
		StickyContact: true, IsLivePaymentMode: true, AutoConfirm: true, AllowReschedule: true,
		AllowCancellation: true, GoogleInvitationEmails: true,
		AlertEmail: "jo@example.com", Notes: "Be on time", PixelID: "pixel",
		CalendarCoverImage:                    "https://example.com/cover.png",
		ShouldSendAlertEmailsToAssignedMember: true, ShouldAssignContactToTeamMember: true,
		ShouldSkipAssigningContactForExisting: true,
	}
	const nested = `{
		"locationConfigurations":[{"kind":"custom","location":"Room 1","meetingId":"custom_0"}],
		"teamMembers":[{"userId":"` + userID + `","priority":0.5,"isPrimary":true,"meetingLocationType":"custom","meetingLocation":"Room 1",
			"locationConfigurations":[{"kind":"custom","location":"Room 1","meetingId":"custom_0"}]}],
		"notifications":[{"type":"email","shouldSendToContact":true,"shouldSendToGuest":true,"shouldSendToUser":true,
			"shouldSendToSelectedUsers":true,"selectedUsers":"jo@example.com"}],
		"openHours":[{"daysOfTheWeek":[1,2],"hours":[{"openHour":9,"openMinute":30,"closeHour":17,"closeMinute":30}]}],
		"availabilities":[{"date":"2026-03-20T00:00:00.000Z","deleted":true,
			"hours":[{"openHour":9,"openMinute":30,"closeHour":17,"closeMinute":30}]}],
		"recurring":{"freq":"WEEKLY","count":4,"bookingOption":"skip","bookingOverlapDefaultStatus":"confirmed"},
		"lookBusyConfig":{"enabled":true,"LookBusyPercentage":20}}`
	var n ghl.Calendar
	if err := json.Unmarshal([]byte(nested), &n); err != nil {
		panic(err)
	}
	c.LocationConfigurations, c.TeamMembers, c.Notifications = n.LocationConfigurations, n.TeamMembers, n.Notifications
	c.OpenHours, c.Availabilities, c.Recurring, c.LookBusyConfig = n.OpenHours, n.Availabilities, n.Recurring, n.LookBusyConfig
	return c
}

// furtherCalls are calls in addition to those of the driver, for answers with more properties.
var furtherCalls = map[string][]fakeCall{
	"oauth.installedLocations": {func(f *fake) error {
		return f.installed(&ghl.InstalledLocationsQuery{Limit: 1})
	}, func(f *fake) error {
		if f.version != ghl.VersionV3 {
			return f.installed(&ghl.InstalledLocationsQuery{Limit: 1, Skip: 1})
		}
		return f.installed(&ghl.InstalledLocationsQuery{Limit: 1, After: "eyJza2lwIjoxfQ"}) // {"skip":1}
	}},
}

func (f *fake) installed(q *ghl.InstalledLocationsQuery) error {
	q.CompanyID, q.AppID = companyID, appID
	_, err := newClient(f.t, f, f.version).OAuth.InstalledLocations(f.t.Context(), q)
	return err
}

// tokenCalls request tokens in the way of an app.
var tokenCalls = []fakeCall{
	func(f *fake) error {
		return f.askToken(map[string]string{"grant_type": "authorization_code", "code": f.seeded.code,
			"redirect_uri": redirectURL, "user_type": "Location"})
	},
	func(f *fake) error {
		return f.askToken(map[string]string{"grant_type": "authorization_code", "code": f.seeded.companyCode,
			"redirect_uri": redirectURL, "user_type": "Company"})
	},
	func(f *fake) error {
		return f.askToken(map[string]string{"grant_type": "refresh_token",
			"refresh_token": f.seeded.here.RefreshToken, "user_type": "Location"})
	},
}

// v3Names has the property names of v3 that differ.
var v3Names = map[string]string{
	"client_id": "clientId", "client_secret": "clientSecret", "grant_type": "grantType", "refresh_token": "refreshToken", "user_type": "userType",
	"redirect_uri": "redirectUri",
}

func (f *fake) askToken(values map[string]string) error {
	values["client_id"], values["client_secret"] = f.seeded.app.ClientID, f.seeded.app.ClientSecret
	form := url.Values{}
	for name, value := range values {
		if v3 := v3Names[name]; v3 != "" && f.version == ghl.VersionV3 {
			name = v3
		}
		form.Set(name, value)
	}
	const address = "https://services.leadconnectorhq.com/oauth/token"
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if f.version == ghl.VersionV3 {
		r.Header.Set("Version", string(ghl.VersionV3))
	}
	resp, err := f.RoundTrip(r)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
