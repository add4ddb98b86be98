package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// tokenJSON is a token without its secrets, as JSON prints it.
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
		Short: "List the tokens: whose, until when, which scopes they lack",
		Long: `Lists the tokens, without themselves. Those of an app are renewed by
themselves; that one has ended means that nobody has worked. The exit code is 3
if one has a problem.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			s, err := p.load()
			if err != nil {
				return err
			}
			data := []tokenJSON{}
			for _, l := range s.Locations {
				if l.Token != "" {
					data = append(data, tokenJSON{Location: l.ID, Kind: "private integration, of the settings"})
				}
			}
			if s.App.ClientID != "" || s.App.ClientSecret != "" {
				a, err := p.accounts(ctx, s, true)
				if err != nil {
					return err
				}
				defer a.db.Close()
				refused, err := a.refused(ctx)
				if err != nil {
					return err
				}
				for key, err := range a.store.Keys(ctx) {
					if err != nil {
						return err
					}
					one := tokenJSON{Kind: "app"}
					token, err := a.store.Load(ctx, key)
					if err != nil { // such as by another key: told, and the others are listed
						one.Location, one.Problem = key, "can't be read: "+err.Error()
					} else {
						one.Location, one.Company, one.Issued, one.Expires, one.Scopes = token.LocationID, token.CompanyID, token.IssuedAt, token.ExpiresAt, token.Scopes
						if token.UserType == ghl.UserTypeCompany {
							one.Kind, one.Location = "app, of an agency", ""
						} else if one.Missing = missing(token.Scopes); len(one.Missing) > 0 {
							one.Problem = "lacks scopes: ghlsync connect"
						}
						if at := refused[token.LocationID]; one.Problem == "" && at.After(token.IssuedAt) {
							one.Problem = "HighLevel refuses it: ghlsync connect"
						}
					}
					data = append(data, one)
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
				p.table("There are no tokens: ghlsync connect", "LOCATION | COMPANY | KIND | ISSUED | ENDS | SCOPES | PROBLEM", rows)
			}); err != nil {
				return err
			}
			return trouble(slices.ContainsFunc(data, func(t tokenJSON) bool { return t.Problem != "" }))
		},
	}
	var dry bool
	remove := &cobra.Command{
		Use: "remove LOCATION", Short: "Forget the token of a location", Args: cobra.ExactArgs(1),
		Long: `Forgets the token of a location. The app stays installed there: remove it in
HighLevel.`,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			s, err := p.load()
			if err != nil {
				return err
			}
			a, err := p.accounts(ctx, s, dry)
			if err != nil {
				return err
			}
			defer a.db.Close()
			if _, err := a.store.Load(ctx, oauth.LocationKey(args[0])); errors.Is(err, oauth.ErrNoToken) {
				return fmt.Errorf("there is no token of %s; ghlsync tokens lists them", args[0])
			}
			if dry {
				return p.would("forget the token of " + args[0])
			}
			if err := a.Remove(ctx, args[0]); err != nil {
				return err
			}
			return p.show(map[string]any{"removed": args[0]}, func() { fmt.Fprintf(p.out, "The token of %s is forgotten.\n", args[0]) })
		},
	}
	dryRun(remove, &dry)
	c.AddCommand(remove)
	return c
}

// missing are the scopes that keeping in step needs and a token lacks. Nothing is known of a token without a list.
func missing(granted []ghl.Scope) []ghl.Scope {
	if granted == nil {
		return nil
	}
	return slices.DeleteFunc(scopesOf(used...), func(s ghl.Scope) bool { return slices.Contains(granted, s) })
}
