package ghlsync

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// Config are the settings of a [Syncer].
type Config struct {
	// Database is the address of the database that everything is kept in: "sqlite:" and the path of a file, or "postgres://…".
	// With SQLite one process works at a time; with PostgreSQL any number.
	Database string
	// MigrateByHand leaves the migrations of the database to [Migrate]; [New] then fails while one is missing.
	MigrateByHand bool
	// TokenKeys encrypt the tokens in the database, 32 bytes each; the first writes, the others still read. They are needed with
	// App.
	TokenKeys [][]byte

	// Locations are those that are kept in step; at least one.
	Locations []Location
	// App gets the tokens of locations that have no TokenSource of their own. Its tokens are kept in the database, where one
	// process at a time renews them.
	App *oauth.App
	// Pluvo holds Pluvo's records; nil keeps them in the database ([Syncer.Pluvo]).
	Pluvo pluvo.Store

	// Webhooks verifies deliveries; nil accepts those that HighLevel has signed.
	Webhooks *webhook.Verifier
	// WebhookOptions are further options of the handler of deliveries, such as [webhook.WithReplayWindow].
	WebhookOptions []webhook.Option

	// Workers is how many contacts of one location this process works on at once; 0 is 4.
	Workers int
	// PluvoInterval is how often Pluvo is asked for changes beside being told ([Syncer.PluvoChanged]); 0 is 30 s.
	PluvoInterval time.Duration
	// ReconcileInterval is how often each location is asked for what no delivery told of: contacts by the time of their change,
	// and all tasks, for whose edits HighLevel has no webhook, with the appointments of the next two months. It costs a call for
	// each 100 tasks and for each calendar two. 0 is 10 minutes; below 0 never.
	ReconcileInterval time.Duration
	// CompareInterval is how often each location is compared in full, which finds the rest: deletions, and notes. It costs what a
	// backfill with notes does. 0 is a day; below 0 never.
	CompareInterval time.Duration
	// Lease is after how long a process that gives no sign of life is taken to be dead; 0 is 15 s.
	Lease time.Duration
	// Settle is how long after a create whose answer was lost its record may still appear; 0 is 10 s. It is not made again
	// before.
	Settle time.Duration
	// Retry says when what failed is tried again; the zero value has the defaults.
	Retry RetryPolicy

	// OnConflict is told of each new conflict.
	OnConflict func(Conflict)
	// OnIncident is told once of each failure that needs a person: a contact whose work has stopped, or a location that is
	// paused. After a crash it may be told again.
	OnIncident func(Failure)
	// Notifier is told of each incident once, by whichever process; nil tells nobody. See [NewWebhookNotifier].
	Notifier Notifier
	// HealthLimits say from when on [Syncer.Health] calls something a problem; the zero value has the defaults.
	HealthLimits HealthLimits
	// Logger is told what happens, without personal data; nil is slog.Default.
	Logger *slog.Logger
}

// RetryPolicy says when a contact whose work failed is tried again. Zero values have the defaults.
type RetryPolicy struct {
	// First is how long the first retry waits; 0 is 10 s. Each further one waits twice as long, with jitter.
	First time.Duration
	// Max is the longest wait; 0 is 1 h.
	Max time.Duration
	// Attempts is how many failures in a row stop a contact until it changes or a person asks for it; 0 is 15.
	Attempts int
}

// HealthLimits say what is too long. Zero values have the defaults; a negative one never is.
type HealthLimits struct {
	// Lag is for how long a change may wait; 0 is 10 minutes.
	Lag time.Duration
	// Silence is for how long no webhook may come for a location; 0 is 24 h.
	Silence time.Duration
	// Clock is by how much two clocks may differ; 0 is 10 s.
	Clock time.Duration
	// TokenEnd is how long before its end a token that can't be renewed is told of; 0 is 7 days.
	TokenEnd time.Duration
}

// Location is how one HighLevel location is kept in step with Pluvo.
type Location struct {
	// ID is the location's id.
	ID string
	// TokenSource gives the tokens of the location, such as [ghl.StaticTokenSource]; nil takes those of [Config.App].
	TokenSource ghl.TokenSource
	// ClientOptions are further options of the location's client, such as [ghl.WithVersion] or [ghl.WithBaseURL].
	ClientOptions []ghl.Option

	// Rules are a file of mapping rules in YAML or JSON (see package mapping); nil is the plain mapping. Mistakes in it are the
	// error of [Syncer.Start], for the location's custom fields must be known first.
	Rules []byte
	// RulesName is the file's name, for its mistakes.
	RulesName string
	// TimeZone is the IANA name of the location's time zone; "" asks HighLevel, which needs the scope locations.readonly.
	TimeZone string
	// Region is the country, such as "US", whose phone numbers may be written without a country code; "" leaves numbers that
	// are not in E.164 as they are.
	Region string

	// Owner wins a field that both sides have changed; "" is [OwnerGHL]. Owners are for single fields, by kind and name, such as
	// "contact.firstName".
	Owner  Owner
	Owners map[string]Owner
	// Deletes says what happens to the other side's record when one side deletes; "" is [DeleteWins].
	Deletes DeletePolicy
	// Calendar is the id of the calendar in which appointments are booked that were made in Pluvo; "" books none, and reports
	// them.
	Calendar string
	// CalendarFor chooses the calendar for each; it goes before Calendar.
	CalendarFor func(*pluvo.Appointment) string
	// Takes says whether a contact that was made in Pluvo belongs to this location. With several locations it is needed; with
	// one, nil takes all. It is asked within a transaction: it must be quick, and must not call the Syncer.
	Takes func(*pluvo.Contact) bool
	// Stages are the tasks to make when a contact reaches a stage in Pluvo, by the stage's name. Each is made once for a contact,
	// even if it is deleted or the stage is left and reached again. A contact that stands at the stage when it is first brought in
	// step has reached it.
	Stages map[string][]StageTask
}

// The settings of a location that are words.
type (
	// Owner is the side whose value stays when both have changed the same field.
	Owner = engine.Owner
	// DeletePolicy says what a deletion on one side means for the other.
	DeletePolicy = engine.DeletePolicy
	// StageTask is a task that is made when a contact reaches a stage.
	StageTask = engine.StageTask
)

// Owners and policies.
const (
	// OwnerGHL: HighLevel's value stays.
	OwnerGHL = engine.OwnerGHL
	// OwnerPluvo: Pluvo's value stays.
	OwnerPluvo = engine.OwnerPluvo
	// OwnerNewest: the value that was changed last stays, for contacts; HighLevel's where that is unknown, as for all other
	// records, whose changes HighLevel does not date.
	OwnerNewest = engine.OwnerNewest

	// DeleteWins deletes the record on the other side, even if it was changed there since.
	DeleteWins = engine.DeleteWins
	// UpdateWins makes the record anew if it was changed on the other side since, and deletes it otherwise.
	UpdateWins = engine.UpdateWins
	// DeleteKeeps leaves the other side's record alone.
	DeleteKeeps = engine.DeleteKeeps
)

// ConfigError names the setting that is wrong.
type ConfigError struct {
	// Setting is its name, such as "Locations[0].Owner".
	Setting string
	Problem string
}

// Error names the setting and the problem.
func (e *ConfigError) Error() string { return "ghlsync: " + e.Setting + " " + e.Problem }

// Check reports the first setting that is wrong, as [New] does, without opening anything.
func (c *Config) Check() error {
	wrong := func(setting, problem string) error { return &ConfigError{setting, problem} }
	switch {
	case !strings.HasPrefix(c.Database, "sqlite:") && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://"):
		return wrong("Database", "begins neither with sqlite: nor with postgres://")
	case len(c.Locations) == 0:
		return wrong("Locations", "names no location")
	case c.Workers < 0 || c.Workers > 1000:
		return wrong("Workers", "is not between 0 and 1000")
	case c.PluvoInterval < 0:
		return wrong("PluvoInterval", "is negative")
	case c.Lease < 0 || c.Lease > 0 && c.Lease < time.Second:
		return wrong("Lease", "is shorter than a second")
	case c.Settle < 0:
		return wrong("Settle", "is negative")
	case c.Retry.First < 0 || c.Retry.Max < 0 || c.Retry.Attempts < 0:
		return wrong("Retry", "is negative")
	case c.App != nil && len(c.TokenKeys) == 0:
		return wrong("TokenKeys", "are needed with App: tokens are stored encrypted")
	}
	for i, key := range c.TokenKeys {
		if len(key) != 32 {
			return wrong(fmt.Sprintf("TokenKeys[%d]", i), "is not 32 bytes long")
		}
	}
	seen := map[string]bool{}
	for i := range c.Locations {
		l := &c.Locations[i]
		name := fmt.Sprintf("Locations[%d]", i)
		if seen[l.ID] {
			return wrong(name+".ID", "is there twice")
		}
		seen[l.ID] = true
		if len(c.Locations) > 1 && l.Takes == nil {
			return wrong(name+".Takes", "is needed with several locations: it says which contacts of Pluvo belong to it")
		}
		if l.TokenSource == nil && c.App == nil {
			return wrong(name+".TokenSource", "is needed, or App")
		}
		if err := l.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (l *Location) check(name string) error {
	wrong := func(setting, problem string) error { return &ConfigError{name + "." + setting, problem} }
	if l.ID == "" || strings.ContainsAny(l.ID, "/?#% \t\r\n") {
		return wrong("ID", "is no id of a location")
	}
	owner := func(setting string, o Owner) error {
		switch o {
		case "", OwnerGHL, OwnerPluvo, OwnerNewest:
			return nil
		}
		return wrong(setting, fmt.Sprintf("is %q, not %s, %s or %s", string(o), OwnerGHL, OwnerPluvo, OwnerNewest))
	}
	if err := owner("Owner", l.Owner); err != nil {
		return err
	}
	for field, o := range l.Owners {
		kind, _, ok := strings.Cut(field, ".")
		switch pluvo.Kind(kind) {
		case pluvo.KindContact, pluvo.KindTask, pluvo.KindNote, pluvo.KindAppointment:
		default:
			ok = false
		}
		if !ok {
			return wrong("Owners["+field+"]", "is no kind, a dot and a field, such as contact.firstName")
		}
		if err := owner("Owners["+field+"]", o); err != nil {
			return err
		}
	}
	switch l.Deletes {
	case "", DeleteWins, UpdateWins, DeleteKeeps:
	default:
		return wrong("Deletes", fmt.Sprintf("is %q, not %s, %s or %s", string(l.Deletes), DeleteWins, UpdateWins, DeleteKeeps))
	}
	for stage, tasks := range l.Stages {
		for i, t := range tasks {
			if stage == "" || strings.TrimSpace(t.Title) == "" || t.Due < 0 {
				return wrong(fmt.Sprintf("Stages[%s][%d]", stage, i), "has no stage, no title, or a negative due time")
			}
			if slices.ContainsFunc(tasks[:i], func(before StageTask) bool { return before.Title == t.Title }) {
				return wrong(fmt.Sprintf("Stages[%s][%d]", stage, i), fmt.Sprintf("has the title %q, as one before it", t.Title))
			}
		}
	}
	if l.TimeZone != "" {
		if _, err := time.LoadLocation(l.TimeZone); err != nil {
			return wrong("TimeZone", fmt.Sprintf("is %q, which is no time zone", l.TimeZone))
		}
	}
	if l.Region != "" && !knownRegion(l.Region) {
		return wrong("Region", fmt.Sprintf("is %q, which is no country", l.Region))
	}
	return nil
}
