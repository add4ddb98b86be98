package ghlsync

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// Config configures a [Syncer]. Zero values select the defaults that the fields name. A Config prints the kind of its
// database and the ids of its locations with every verb of fmt, in slog and in the encodings of JSON, XML, YAML and
// text. A printer that reads fields by reflection and calls no methods prints Database and TokenKeys, and so does fmt
// for a Config in a private field.
type Config struct {
	// Database is the address of the database that stores the whole state of the sync: "sqlite:" and the path of a
	// file, or "postgres://…". One process at a time can use a SQLite file; any number can use PostgreSQL.
	Database string
	// MigrateByHand leaves the migrations of the database to [Migrate]; [New] fails while one is missing.
	MigrateByHand bool
	// TokenKeys encrypt the tokens in the database. Each key has 32 bytes. The first key encrypts and decrypts, the
	// others only decrypt. App requires at least one key.
	TokenKeys [][]byte

	// Locations are the locations to sync; at least one.
	Locations []Location
	// App renews the tokens of locations without a TokenSource. The database stores these tokens, and one process
	// at a time renews a token.
	App *oauth.App
	// Pluvo stores Pluvo's records; nil stores them in the database, see [Syncer.Pluvo].
	Pluvo pluvo.Store

	// Webhooks verifies the signatures of deliveries; nil accepts HighLevel's keys.
	Webhooks *webhook.Verifier
	// WebhookOptions are added to the options of the webhook handler, such as [webhook.WithReplayWindow].
	WebhookOptions []webhook.Option

	// Workers is the number of contacts of one location that this process syncs at once, at most 1000; 0 is 4.
	Workers int
	// PluvoInterval is how often to poll Pluvo for changes that [Syncer.PluvoChanged] did not announce; 0 is 30 s.
	PluvoInterval time.Duration
	// ReconcileInterval is how often to poll each location for changes missed by webhooks: contacts by the time of
	// their last change, all tasks (HighLevel has no webhook for task edits), and the appointments of the next two
	// months. A poll costs one call for each 100 tasks and two for each calendar. 0 is 10 minutes; a negative value
	// turns the polls off.
	ReconcileInterval time.Duration
	// CompareInterval is how often to compare each location in full, which finds deletions and notes. A comparison
	// costs as many calls as a backfill with notes. 0 is one day; a negative value turns comparisons off.
	CompareInterval time.Duration
	// Lease is how long after its last sign of life a process is treated as dead; at least 1 s, 0 is 10 s.
	Lease time.Duration
	// IndexLag is the longest time by which HighLevel's searches lag behind the records; 0 is 6 minutes, negative is
	// none. When many contacts of a location wait, searches read them, and a contact that a search does not show as its
	// delivery does waits this long until it is read by itself.
	IndexLag time.Duration
	// Settle is how long to wait for a record to appear after its create request got no answer; 0 is 10 s. The
	// record is not created again before.
	Settle time.Duration
	// Retry sets when failed work is retried.
	Retry RetryPolicy

	// OnConflict is called for each new conflict.
	OnConflict func(Conflict)
	// OnIncident is called for each failure that requires a person: a stopped contact or a paused location. A crash
	// can make it be called twice for a failure.
	OnIncident func(Failure)
	// Notifier sends one alert for each incident, from one of the processes; nil sends none. See [NewWebhookNotifier].
	Notifier Notifier
	// HealthLimits set when [Syncer.Health] reports a problem.
	HealthLimits HealthLimits
	// Logger receives the logs, which contain no personal data; nil is slog.Default.
	Logger *slog.Logger
}

// String returns the kind of the database and the ids of the locations, without secrets.
func (c Config) String() string {
	kind, _, _ := strings.Cut(c.Database, ":")
	if kind != "sqlite" && kind != "postgres" && kind != "postgresql" {
		kind = "" // not an address: it may be anything, such as a password
	}
	ids := make([]string, len(c.Locations))
	for i, l := range c.Locations {
		ids[i] = l.ID
	}
	return fmt.Sprintf("ghlsync.Config{database: %q, locations: %q}", kind, ids)
}

// GoString returns the same as String.
func (c Config) GoString() string { return c.String() }

// Format prints the same as String with every verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue returns the same as String for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns the same as String, which JSON, XML, YAML and other text formats use.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalBinary returns the same as String, for binary formats.
func (c Config) MarshalBinary() ([]byte, error) { return c.MarshalText() }

// RetryPolicy sets when a contact is retried after a failure.
type RetryPolicy struct {
	// First is the pause before the first retry; 0 is 10 s. The pause doubles with each retry, with jitter.
	First time.Duration
	// Max is the longest pause; 0 is 1 h.
	Max time.Duration
	// Attempts is the number of consecutive failures after which a contact stops until it changes or a person
	// retries it; 0 is 15.
	Attempts int
}

// HealthLimits set when [Syncer.Health] reports a problem. A negative limit is never reached.
type HealthLimits struct {
	// Lag is how long a change may wait; 0 is 10 minutes.
	Lag time.Duration
	// Silence is how long a location may receive no webhook; 0 is 24 h.
	Silence time.Duration
	// Clock is how much two clocks may differ; 0 is 10 s.
	Clock time.Duration
	// TokenEnd is how long before its expiry a token without a refresh token is reported; 0 is 7 days.
	TokenEnd time.Duration
}

// Location configures the sync of one HighLevel location.
type Location struct {
	// ID is the location's id.
	ID string
	// TokenSource returns the tokens of the location, such as [ghl.StaticTokenSource]; nil uses those of [Config.App].
	TokenSource ghl.TokenSource
	// ClientOptions are added to the options of the location's client, such as [ghl.WithVersion] or [ghl.WithBaseURL].
	ClientOptions []ghl.Option

	// Rules is the content of a file of mapping rules in YAML or JSON (see package mapping); nil is the plain
	// mapping. A custom field that the location does not have is an error of [Syncer.Start], which reads the
	// location's custom fields.
	Rules []byte
	// RulesName is the file's name in error messages.
	RulesName string
	// TimeZone is the IANA name of the location's time zone; "" reads it from HighLevel, which requires the scope
	// locations.readonly.
	TimeZone string
	// Region is the country, such as "US", of phone numbers without a country code; "" leaves numbers that are not
	// in E.164 unchanged.
	Region string

	// Owner is the side that wins a field that both sides changed; "" is [OwnerGHL].
	Owner Owner
	// Owners overrides Owner for single fields. A key is a kind and a field of Pluvo, such as "contact.firstName".
	Owners map[string]Owner
	// Deletes sets what happens to a record when the other side deletes its counterpart; "" is [DeleteWins].
	Deletes DeletePolicy
	// Calendar is the id of the calendar in which appointments made in Pluvo are booked; "" books none and reports
	// them.
	Calendar string
	// CalendarFor returns the calendar for one appointment; "" selects Calendar.
	CalendarFor func(*pluvo.Appointment) string
	// Takes reports whether a contact made in Pluvo belongs to this location. It is required with several
	// locations; with one location nil takes every contact. Takes runs within a transaction: it must be quick and
	// must not call the Syncer.
	Takes func(*pluvo.Contact) bool
	// Stages lists the tasks to create when a contact reaches a stage in Pluvo, by the stage's name. A task is
	// created once for a contact, even if the task is deleted or the contact reaches the stage again. The first
	// sync of a contact counts as reaching its stage.
	Stages map[string][]StageTask
}

// Settings of a location.
type (
	// Owner is the side that wins when both sides changed the same field.
	Owner = engine.Owner
	// DeletePolicy sets what a deletion on one side does to the other side.
	DeletePolicy = engine.DeletePolicy
	// StageTask is a task to create when a contact reaches a stage.
	StageTask = engine.StageTask
)

// Owners and policies.
const (
	// OwnerGHL selects HighLevel's value.
	OwnerGHL = engine.OwnerGHL
	// OwnerPluvo selects Pluvo's value.
	OwnerPluvo = engine.OwnerPluvo
	// OwnerNewest selects the value that was changed last, for contacts. It selects HighLevel's value where the
	// time of the change is unknown, as for all other records, which HighLevel does not date.
	OwnerNewest = engine.OwnerNewest

	// DeleteWins deletes the record on the other side, even if that side changed it since.
	DeleteWins = engine.DeleteWins
	// UpdateWins creates the record again if the other side changed it since, and deletes it otherwise.
	UpdateWins = engine.UpdateWins
	// DeleteKeeps leaves the other side's record unchanged.
	DeleteKeeps = engine.DeleteKeeps
)

// ConfigError is a wrong setting.
type ConfigError struct {
	// Setting is the name of the setting, such as "Locations[0].Owner".
	Setting string
	// Problem says what is wrong and what to write. It contains no secret.
	Problem string
	// Err is the cause, such as a [*mapping.RulesError]; it may be nil.
	Err error
}

// Error returns the setting and the problem.
func (e *ConfigError) Error() string { return "ghlsync: " + e.Setting + ": " + e.Problem }

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// ConfigErrors lists every wrong setting of a [Config]. errors.As finds the first one as a [*ConfigError].
type ConfigErrors []*ConfigError

// Error returns the text of each error on a line of its own.
func (e ConfigErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors of the list.
func (e ConfigErrors) Unwrap() []error {
	list := make([]error, len(e))
	for i, one := range e {
		list[i] = one
	}
	return list
}
