package ghlsync_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// TestLocationsAreApart: an event of one location never changes another, and a location that fails does not delay
// another.
func TestLocationsAreApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		first := ghltest.Start(t)
		c := config(t, address, first)
		second := first.AddLocation(ghl.Location{Name: "Second", Timezone: "Europe/Berlin"})
		token := first.AddToken(ghl.Token{LocationID: second.ID})
		c.Locations = append(c.Locations, ghlsync.Location{
			ID: second.ID, TokenSource: ghl.StaticTokenSource(token.AccessToken), Deletes: ghlsync.DeleteKeeps,
			ClientOptions: []ghl.Option{ghl.WithBaseURL(first.URL())},
		})
		c.Locations[0].Takes = func(c *pluvo.Contact) bool { return !strings.HasPrefix(c.FirstName, "B") }
		c.Locations[1].Takes = func(c *pluvo.Contact) bool { return strings.HasPrefix(c.FirstName, "B") }
		s := start(t, c)
		subscribe(t, s, first)
		a := clientOf(t, first)
		b, err := a.With(ghl.WithLocation(second.ID), ghl.WithToken(token.AccessToken))
		require.NoError(t, err)
		ctx := t.Context()

		one, err := a.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada", Email: "same@example.com"})
		require.NoError(t, err)
		two, err := b.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bea", Email: "same@example.com"})
		require.NoError(t, err)
		_, err = s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Bob", Email: "bob@example.com"},
			pluvo.NoVersion)
		require.NoError(t, err)
		quiet(t, s, first)
		for _, id := range []string{one.ID, two.ID} {
			_, err := s.Pluvo().Full(ctx, id)
			require.NoError(t, err, "the same person in two locations is two contacts")
		}
		page, err := b.Contacts.List(ctx, nil)
		require.NoError(t, err)
		require.Len(t, page.Contacts, 2)
		page, err = a.Contacts.List(ctx, nil)
		require.NoError(t, err)
		require.Len(t, page.Contacts, 1, "Bob is of the other location")

		// A delivery of a location that is not synced is acknowledged, so that it is not redelivered.
		third := first.AddLocation(ghl.Location{Name: "Third", Timezone: "Europe/Berlin"})
		elsewhere := clientOf(t, first, ghl.WithLocation(third.ID),
			ghl.WithToken(first.AddToken(ghl.Token{LocationID: third.ID}).AccessToken))
		_, err = elsewhere.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Eve", Email: "eve@example.com"})
		require.NoError(t, err)
		quiet(t, s, first)
		text := gather(t, s)
		require.Contains(t, text, `ghlsync_deliveries_total{location="other",type="ContactCreate"} 1`)
		require.NotContains(t, text, `ghlsync_webhook_answers_total{code="429"}`)

		// The token of one location is refused, and only that location pauses.
		first.Fail(ghltest.Fault{Operation: "contacts.get", Kind: fault.MissingScope(), Times: 1})
		_, err = b.Contacts.Update(ctx, two.ID, &ghl.ContactUpdate{LastName: ghl.Some("Waits")})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			locations, err := s.Locations(ctx)
			require.NoError(t, err)
			for _, l := range locations {
				if l.ID == second.ID {
					return !l.Paused.IsZero()
				}
				require.Zero(t, l.Paused)
			}
			return false
		}, 10*time.Second, 20*time.Millisecond)
		_, err = a.Contacts.Update(ctx, one.ID, &ghl.ContactUpdate{LastName: ghl.Some("Goes")})
		require.NoError(t, err)
		eventually(t, "the first continues", func() bool {
			full, err := s.Pluvo().Full(ctx, one.ID)
			return err == nil && full.Contact.LastName == "Goes"
		})
		require.NoError(t, s.Resume(ctx, second.ID))
		eventually(t, "the second too", func() bool {
			full, err := s.Pluvo().Full(ctx, two.ID)
			return err == nil && full.Contact.LastName == "Waits"
		})
	})
}

func TestWrongSettingsAreNamed(t *testing.T) {
	good := func() ghlsync.Config {
		return ghlsync.Config{Database: dbtest.SQLite(t), Logger: slog.New(slog.DiscardHandler),
			Locations: []ghlsync.Location{{ID: "loc1", TokenSource: ghl.StaticTokenSource("t"), TimeZone: "UTC"}}}
	}
	for setting, change := range map[string]func(*ghlsync.Config){
		"Database":        func(c *ghlsync.Config) { c.Database = "mysql://x" },
		"Locations":       func(c *ghlsync.Config) { c.Locations = nil },
		"Locations[0].ID": func(c *ghlsync.Config) { c.Locations[0].ID = "a/b" },
		"Locations[1].ID": func(c *ghlsync.Config) {
			c.Locations = append(c.Locations, c.Locations[0])
			c.Locations[0].Takes = func(*pluvo.Contact) bool { return true }
		},
		"Locations[0].Takes":       func(c *ghlsync.Config) { c.Locations = append(c.Locations, ghlsync.Location{ID: "b"}) },
		"Locations[0].Owner":       func(c *ghlsync.Config) { c.Locations[0].Owner = "me" },
		"Locations[0].Region":      func(c *ghlsync.Config) { c.Locations[0].Region = "XX" },
		"Locations[0].TimeZone":    func(c *ghlsync.Config) { c.Locations[0].TimeZone = "Mars" },
		"Locations[0].Deletes":     func(c *ghlsync.Config) { c.Locations[0].Deletes = "maybe" },
		"Locations[0].TokenSource": func(c *ghlsync.Config) { c.Locations[0].TokenSource = nil },
		"Locations[0].Owners[x]":   func(c *ghlsync.Config) { c.Locations[0].Owners = map[string]ghlsync.Owner{"x": "pluvo"} },
		"Locations[0].Stages[lost][1]": func(c *ghlsync.Config) {
			c.Locations[0].Stages = map[string][]ghlsync.StageTask{"lost": {{Title: "Ask why"}, {Title: "Ask why"}}}
		},
		"Locations[0].Stages[won][0]": func(c *ghlsync.Config) { c.Locations[0].Stages = map[string][]ghlsync.StageTask{"won": {{}}} },
		"Workers":                     func(c *ghlsync.Config) { c.Workers = -1 },
		"PluvoInterval":               func(c *ghlsync.Config) { c.PluvoInterval = -1 },
		"Lease":                       func(c *ghlsync.Config) { c.Lease = 1 },
		"Settle":                      func(c *ghlsync.Config) { c.Settle = -1 },
		"Retry":                       func(c *ghlsync.Config) { c.Retry.Attempts = -1 },
		"TokenKeys":                   func(c *ghlsync.Config) { c.App = new(oauth.App) },
		"TokenKeys[0]":                func(c *ghlsync.Config) { c.TokenKeys = [][]byte{{1}} },
	} {
		c := good()
		change(&c)
		_, err := ghlsync.New(t.Context(), c)
		var wrong *ghlsync.ConfigError
		require.ErrorAs(t, err, &wrong, setting)
		require.Equal(t, setting, wrong.Setting)
	}
	// Check reports all of them at once, with what Start and WebhookHandler refuse.
	c := good()
	c.Workers, c.Settle = -1, -1
	c.WebhookOptions = []webhook.Option{webhook.WithApp("")}
	c.Locations[0].ClientOptions = []ghl.Option{ghl.WithBaseURL("x")}
	c.Locations[0].Owners = map[string]ghlsync.Owner{"contact.shoe": "pluvo", "contact.email": "plufo"}
	c.Locations = append(c.Locations,
		ghlsync.Location{ID: "loc2", Rules: []byte("contact: []\n"), RulesName: "rules.yaml"})
	var wrong ghlsync.ConfigErrors
	require.ErrorAs(t, c.Check(), &wrong)
	var settings []string
	for _, w := range wrong {
		settings = append(settings, w.Setting)
	}
	require.Equal(t, []string{
		"Workers", "Settle", "Locations[0].Takes", "Locations[0].Owners[contact.email]", "Locations[1].Takes", "Locations[1].TokenSource",
		"WebhookOptions", "Locations[0].ClientOptions", "Locations[0].Owners[contact.shoe]", "Locations[1].Rules",
	}, settings)
	require.Equal(t, len(wrong), strings.Count(wrong.Error(), "ghlsync: "))
	require.ErrorContains(t, wrong, `must be highlevel, pluvo or newest, got "plufo"; did you mean pluvo?`)
	var rules *mapping.RulesError
	require.ErrorAs(t, wrong, &rules)
	require.Equal(t, 1, rules.Mistakes[0].Line)
	ok := good()
	require.NoError(t, ok.Check())

	for setting, change := range map[string]func(*ghlsync.Config){
		"Locations[0].Owners[contact.shoe]": func(c *ghlsync.Config) { c.Locations[0].Owners = map[string]ghlsync.Owner{"contact.shoe": "pluvo"} },
		"Locations[0].ClientOptions":        func(c *ghlsync.Config) { c.Locations[0].ClientOptions = []ghl.Option{ghl.WithBaseURL("x")} },
	} {
		c := good()
		change(&c)
		s, err := ghlsync.New(t.Context(), c)
		require.NoError(t, err)
		err = s.Start(t.Context())
		var wrong *ghlsync.ConfigError
		require.ErrorAs(t, err, &wrong, setting)
		require.Equal(t, setting, wrong.Setting)
		require.NoError(t, s.Stop(t.Context()))
	}
}
