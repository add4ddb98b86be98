package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// tokenJSON is a token without its secrets in JSON output.
type tokenJSON struct {
	Location string      `json:"location,omitempty"`
	Company  string      `json:"company,omitempty"`
	Kind     string      `json:"kind"`
	Issued   time.Time   `json:"issued,omitzero"`
	Expires  time.Time   `json:"expires,omitzero"`
	Scopes   []ghl.Scope `json:"scopes,omitempty"`
	Missing  []ghl.Scope `json:"missingScopes,omitempty"`
	Problem  string      `json:"problem,omitempty"`
}

func (p *program) tokensCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "tokens",
		Short: "List the tokens: their owner, expiry and missing scopes",
		Long: `Lists the tokens without their secrets. A running process renews the tokens of
an app by itself: an expired token means that no process has run. The exit code
is 3 if a token has a problem.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.tokens(c.Context()) },
	}
	var dry bool
	remove := &cobra.Command{
		Use: "remove LOCATION", Short: "Delete the token of a location", Args: cobra.ExactArgs(1),
		Long: `Deletes the token of a location from the database. The app stays installed in
HighLevel: uninstall it there.`,
		RunE: func(c *cobra.Command, args []string) error { return p.removeToken(c.Context(), args[0], dry) },
	}
	dryRun(remove, &dry)
	c.AddCommand(remove)
	return c
}

// tokens lists the tokens of the settings and of the database.
func (p *program) tokens(ctx context.Context) error {
	s, err := p.load()
	if err != nil {
		return err
	}
	data := []tokenJSON{}
	for _, l := range s.Locations {
		if l.Token != "" {
			data = append(data, tokenJSON{Location: l.ID, Kind: "private integration, from the settings"})
		}
	}
	if s.wantsApp() {
		if data, err = p.appTokens(ctx, s, data); err != nil {
			return err
		}
	}
	var rows [][]string
	for _, t := range data {
		scopes := ""
		if t.Scopes != nil {
			scopes = fmt.Sprint(len(t.Scopes))
		}
		rows = append(rows, []string{t.Location, t.Company, t.Kind, ago(t.Issued), ago(t.Expires), scopes, t.Problem})
	}
	if err := p.show(data, func() {
		p.table("There are no tokens. To connect an account: ghlsync connect",
			"LOCATION | COMPANY | KIND | ISSUED | ENDS | SCOPES | PROBLEM", rows)
	}); err != nil {
		return err
	}
	return trouble(slices.ContainsFunc(data, func(t tokenJSON) bool { return t.Problem != "" }))
}

// appTokens adds the tokens in the database to a list.
func (p *program) appTokens(ctx context.Context, s *settings, list []tokenJSON) ([]tokenJSON, error) {
	a, err := p.accounts(ctx, s, true)
	if err != nil {
		return nil, err
	}
	defer a.db.Close()
	refused, err := a.refused(ctx)
	if err != nil {
		return nil, err
	}
	for key, err := range a.store.Keys(ctx) {
		if err != nil {
			return nil, err
		}
		token, err := a.store.Load(ctx, key)
		if err != nil { // a token that none of the keys decrypts is listed like the others
			list = append(list, tokenJSON{Kind: "app", Location: key, Problem: "can't be read: " + err.Error()})
			continue
		}
		list = append(list, appToken(token, refused[token.LocationID]))
	}
	return list, nil
}

// appToken describes a token of an app. Refused is when HighLevel refused it; the zero time if it did not.
func appToken(token *ghl.Token, refused time.Time) tokenJSON {
	t := tokenJSON{
		Location: token.LocationID, Company: token.CompanyID, Kind: "app",
		Issued: token.IssuedAt, Expires: token.ExpiresAt, Scopes: token.Scopes,
	}
	if token.UserType == ghl.UserTypeCompany {
		t.Kind, t.Location = "app, of an agency", ""
	} else if t.Missing = missing(token.Scopes); len(t.Missing) > 0 {
		t.Problem = "lacks scopes: ghlsync connect"
	}
	if t.Problem == "" && (token.RefusedRefresh != "" || refused.After(token.IssuedAt)) {
		t.Problem = "HighLevel refuses it: ghlsync connect"
	}
	return t
}

func (p *program) removeToken(ctx context.Context, location string, dry bool) error {
	s, err := p.load()
	if err != nil {
		return err
	}
	a, err := p.accounts(ctx, s, dry)
	if err != nil {
		return err
	}
	defer a.db.Close()
	if _, err := a.store.Load(ctx, oauth.LocationKey(location)); errors.Is(err, oauth.ErrNoToken) {
		return fmt.Errorf("%s has no token; to list the tokens: ghlsync tokens", location)
	}
	if dry {
		return p.would("delete the token of " + location)
	}
	if err := a.Remove(ctx, location); err != nil {
		return err
	}
	return p.show(map[string]any{"removed": location},
		func() { fmt.Fprintf(p.out, "The token of %s is deleted.\n", location) })
}

// missing returns the scopes that the sync uses and a token lacks; nil for a token without a list of scopes.
func missing(granted []ghl.Scope) []ghl.Scope {
	if granted == nil {
		return nil
	}
	return slices.DeleteFunc(scopesOf(used...), func(s ghl.Scope) bool { return slices.Contains(granted, s) })
}
