package ghlsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/internal/nearest"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// Check returns every wrong setting as [ConfigErrors]: those that [New] refuses, and those that [Syncer.Start] and
// [Syncer.WebhookHandler] refuse as far as they can be found without HighLevel. It opens nothing. It returns nil if
// it finds no mistake.
func (c *Config) Check() error {
	var f findings
	f.config(c)
	f.webhooks(c)
	for i := range c.Locations {
		f.opening(&c.Locations[i], fmt.Sprintf("Locations[%d].", i))
	}
	return f.err()
}

// checkNew returns the wrong settings that [New] refuses.
func (c *Config) checkNew() error {
	var f findings
	f.config(c)
	return f.err()
}

// missing is the start of the problem of each setting that is required and not set.
const missing = "is missing"

// notAnID is the problem of a text that cannot be the id of a location.
const notAnID = "must be the id of a location, such as RoWfufIEbJwSSaNKvvY6"

// findings collects wrong settings.
type findings struct{ list ConfigErrors }

// add adds a wrong setting.
func (f *findings) add(setting, format string, args ...any) {
	f.list = append(f.list, &ConfigError{Setting: setting, Problem: fmt.Sprintf(format, args...)})
}

// err returns the wrong settings as an error, or nil if there are none.
func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}

// config finds what [New] refuses.
func (f *findings) config(c *Config) {
	f.database(c)
	f.work(c)
	if len(c.Locations) == 0 {
		f.add("Locations", missing+": at least one location")
	}
	seen := map[string]int{}
	for i := range c.Locations {
		l := &c.Locations[i]
		name := fmt.Sprintf("Locations[%d].", i)
		if first, twice := seen[l.ID]; twice && l.ID != "" {
			f.add(name+"ID", "must differ from the id of the location at index %d", first)
		} else {
			seen[l.ID] = i
		}
		if len(c.Locations) > 1 && l.Takes == nil {
			f.add(name+"Takes", missing+": with several locations it selects the contacts of Pluvo that belong to each")
		}
		if l.TokenSource == nil && c.App == nil {
			f.add(name+"TokenSource", missing+", and App is not set")
		}
		f.location(l, name)
	}
}

// database checks the database and the keys of its tokens.
func (f *findings) database(c *Config) {
	if c.Database == "" {
		f.add("Database", missing+": sqlite: and the path of a file, or the address of PostgreSQL")
	} else if err := db.CheckAddress(c.Database); err != nil {
		f.add("Database", "%v", err)
	}
	for i, key := range c.TokenKeys {
		if len(key) != 32 {
			f.add(fmt.Sprintf("TokenKeys[%d]", i), "must be 32 bytes long, got %d", len(key))
		}
	}
	if c.App != nil && len(c.TokenKeys) == 0 {
		f.add("TokenKeys", missing+": App stores tokens, and they are stored encrypted")
	}
}

// work checks the limits and intervals of the work.
func (f *findings) work(c *Config) {
	if c.Workers < 0 || c.Workers > 1000 {
		f.add("Workers", "must be between 0 and 1000, got %d", c.Workers)
	}
	if c.PluvoInterval < 0 {
		f.add("PluvoInterval", "must not be negative")
	}
	if c.Lease < 0 || c.Lease > 0 && c.Lease < time.Second {
		f.add("Lease", "must be at least 1s, got %s", c.Lease)
	}
	if c.Settle < 0 {
		f.add("Settle", "must not be negative")
	}
	if c.Retry.First < 0 || c.Retry.Max < 0 || c.Retry.Attempts < 0 {
		f.add("Retry", "must not be negative")
	}
	if c.HealthLimits.Lag < 0 {
		f.add("HealthLimits.Lag", "must not be negative")
	}
	if c.HealthLimits.Silence < 0 {
		f.add("HealthLimits.Silence", "must not be negative")
	}
}

// location checks the settings of a location.
func (f *findings) location(l *Location, name string) {
	switch {
	case l.ID == "":
		f.add(name+"ID", missing)
	case len(l.ID) > 200 || !db.Storable(l.ID) || strings.ContainsAny(l.ID, "/?#% \t\r\n"):
		f.add(name+"ID", notAnID)
	}
	oneOf(f, name+"Owner", l.Owner, OwnerGHL, OwnerPluvo, OwnerNewest)
	for _, field := range slices.Sorted(maps.Keys(l.Owners)) {
		setting := name + "Owners[" + field + "]"
		kind, _, _ := strings.Cut(field, ".")
		if !strings.Contains(field, ".") || !slices.Contains(kinds, pluvo.Kind(kind)) {
			f.add(setting, "must name a kind and a field, such as contact.firstName")
		}
		oneOf(f, setting, l.Owners[field], OwnerGHL, OwnerPluvo, OwnerNewest)
	}
	oneOf(f, name+"Deletes", l.Deletes, DeleteWins, UpdateWins, DeleteKeeps)
	for _, stage := range slices.Sorted(maps.Keys(l.Stages)) {
		f.stage(fmt.Sprintf("%sStages[%s]", name, stage), stage, l.Stages[stage])
	}
	if l.TimeZone != "" {
		if _, err := time.LoadLocation(l.TimeZone); err != nil {
			f.add(name+"TimeZone", "must be a time zone such as America/New_York, got %q", l.TimeZone)
		}
	}
	if l.Region != "" && !knownRegion(l.Region) {
		upper := strings.ToUpper(l.Region)
		suggestion := ""
		if knownRegion(upper) {
			suggestion = "; did you mean " + upper + "?"
		}
		f.add(name+"Region", "must be a country such as US, got %q%s", l.Region, suggestion)
	}
}

// stage checks the tasks of a stage.
func (f *findings) stage(setting, stage string, tasks []StageTask) {
	for i, t := range tasks {
		setting := fmt.Sprintf("%s[%d]", setting, i)
		switch {
		case stage == "":
			f.add(setting, "must belong to a stage with a name")
		case strings.TrimSpace(t.Title) == "":
			f.add(setting, "must have a title")
		case t.Due < 0:
			f.add(setting, "must not have a negative due time")
		case slices.ContainsFunc(tasks[:i], func(before StageTask) bool { return before.Title == t.Title }):
			f.add(setting, "must not have the title of an earlier task, %q", t.Title)
		}
	}
}

// oneOf refuses a word that is none of known; "" selects the default.
func oneOf[T ~string](f *findings, setting string, word T, known ...T) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	last := len(words) - 1
	f.add(setting, "must be %s or %s, got %q%s",
		strings.Join(words[:last], ", "), words[last], string(word), nearest.DidYouMean(string(word), words))
}

// webhooks finds what [Syncer.WebhookHandler] refuses.
func (f *findings) webhooks(c *Config) {
	verifier := c.Webhooks
	if verifier == nil {
		verifier, _ = webhook.NewVerifier() // without options it can't fail
	}
	discard := webhook.KeeperFunc(func(context.Context, *webhook.Delivery) error { return nil })
	if _, err := webhook.NewHandler(verifier, append(slices.Clone(c.WebhookOptions),
		webhook.WithKeeper(discard))...); err != nil {
		f.add("WebhookOptions", "%s", messageOf(err))
	}
}

// opening finds what refuses to open a location at the start, as far as it can be found without HighLevel.
func (f *findings) opening(l *Location, name string) {
	token := l.TokenSource
	if token == nil {
		token = ghl.StaticTokenSource("none") // never sent
	}
	if _, err := ghl.New(append(slices.Clone(l.ClientOptions), ghl.WithTokenSource(token))...); err != nil {
		f.add(name+"ClientOptions", "%s", messageOf(err))
	}
	if _, err := ghl.New(ghl.WithTokenSource(token), ghl.WithLocation(l.ID)); err != nil {
		f.add(name+"ID", notAnID)
	}
	fields, err := mappedFields(l)
	if err != nil {
		f.list = append(f.list, &ConfigError{Setting: name + "Rules", Problem: err.Error(), Err: err})
		return
	}
	f.owners(l, name, fields)
}

// owners refuses owners of fields that are not mapped. Fields are the mapped ones, such as "contact.firstName".
func (f *findings) owners(l *Location, name string, fields []string) {
	for _, field := range slices.Sorted(maps.Keys(l.Owners)) {
		if slices.Contains(fields, field) {
			continue
		}
		suggestion := nearest.DidYouMean(field, fields)
		if suggestion == "" { // the fields of the kind
			kind, _, _ := strings.Cut(field, ".")
			others := slices.DeleteFunc(slices.Clone(fields),
				func(s string) bool { return !strings.HasPrefix(s, kind+".") })
			if len(others) > 0 {
				suggestion = ", such as " + strings.Join(others, ", ")
			}
		}
		f.add(name+"Owners["+field+"]", "must name a field that is mapped%s", suggestion)
	}
}

// kinds are the kinds of records that have fields.
var kinds = []pluvo.Kind{pluvo.KindContact, pluvo.KindTask, pluvo.KindNote, pluvo.KindAppointment}

// mappedFields returns the fields of Pluvo that are mapped, such as "contact.firstName".
func mappedFields(l *Location) ([]string, error) {
	options := mapping.Options{Location: cmp.Or(l.ID, "location"), TimeZone: time.UTC}
	if l.Rules != nil {
		var err error
		if options.Rules, err = mapping.CheckRules(l.RulesName, l.Rules); err != nil {
			return nil, err
		}
	}
	m, err := mapping.New(options)
	if err != nil {
		return nil, err
	}
	return fieldsOf(m), nil
}

// fieldsOf returns the fields that a mapper maps.
func fieldsOf(m *mapping.Mapper) (names []string) {
	for _, kind := range kinds {
		for _, f := range m.Fields(kind) {
			names = append(names, string(kind)+"."+f.Name())
		}
	}
	return names
}

// messageOf returns the message of an error of package ghl without the prefix that names the package.
func messageOf(err error) string {
	var bad *ghl.Error
	if errors.As(err, &bad) && bad.Message != "" {
		return bad.Message
	}
	return err.Error()
}
