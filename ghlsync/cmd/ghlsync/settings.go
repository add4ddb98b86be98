package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/conf"
)

// settings are the settings of the file and of the environment. template.yaml explains each of them.
type settings struct {
	Database      string   `yaml:"database"`
	MigrateByHand bool     `yaml:"migrate_by_hand"`
	TokenKeys     []string `yaml:"token_keys"`

	Listen      string        `yaml:"listen"`
	WebhookPath string        `yaml:"webhook_path"`
	WebhookURL  string        `yaml:"webhook_url"`
	Admin       string        `yaml:"admin"`
	Drain       time.Duration `yaml:"drain"`
	Log         struct {
		Level  slog.Level `yaml:"level"`
		Format string     `yaml:"format"`
	} `yaml:"log"`

	App struct {
		ClientID     string   `yaml:"client_id"`
		ClientSecret string   `yaml:"client_secret"`
		RedirectURL  string   `yaml:"redirect_url"`
		Scopes       []string `yaml:"scopes"`
	} `yaml:"app"`
	HighLevel struct {
		BaseURL     string   `yaml:"base_url"`
		AuthURL     string   `yaml:"auth_url"`
		WebhookKeys []string `yaml:"webhook_keys"`
		WebhookApps []string `yaml:"webhook_apps"`
	} `yaml:"highlevel"`

	Workers       int           `yaml:"workers"`
	PluvoInterval time.Duration `yaml:"pluvo_interval"`
	Reconcile     time.Duration `yaml:"reconcile_interval"`
	Compare       time.Duration `yaml:"compare_interval"`
	Lease         time.Duration `yaml:"lease"`
	Settle        time.Duration `yaml:"settle"`
	IndexLag      time.Duration `yaml:"index_lag"`
	Retry         struct {
		First    time.Duration `yaml:"first"`
		Max      time.Duration `yaml:"max"`
		Attempts int           `yaml:"attempts"`
	} `yaml:"retry"`

	Notify struct {
		URL string `yaml:"url"`
	} `yaml:"notify"`
	Health struct {
		Lag     time.Duration `yaml:"lag"`
		Silence time.Duration `yaml:"silence"`
	} `yaml:"health"`

	Locations []locationSettings `yaml:"locations"`

	file    string                // "" if only the environment has settings
	places  map[string]conf.Place // by path, such as "locations[0].owners[contact.firstName]"
	form    []conf.Mistake        // unknown settings and values of the wrong form
	unknown []string              // environment variables with the prefix that are not settings
}

// Format prints the name of the file alone for every verb, because the settings hold secrets.
func (s settings) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "settings{%q}", s.file) }

type locationSettings struct {
	ID       string                 `yaml:"id"`
	Token    string                 `yaml:"token"`
	Rules    string                 `yaml:"rules"`
	TimeZone string                 `yaml:"time_zone"`
	Region   string                 `yaml:"region"`
	Owner    string                 `yaml:"owner"`
	Owners   map[string]string      `yaml:"owners"`
	Deletes  string                 `yaml:"deletes"`
	Calendar string                 `yaml:"calendar"`
	Takes    string                 `yaml:"takes"`
	Stages   map[string][]stageTask `yaml:"stages"`
}

// Format prints the id alone for every verb, because the settings hold a token.
func (l locationSettings) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "locationSettings{%q}", l.ID) }

type stageTask struct {
	Title string        `yaml:"title"`
	Due   time.Duration `yaml:"due"`
}

// prefix begins the name of each environment variable that is a setting.
const prefix = "GHLSYNC_"

// allSettings are all settings, objects before what they contain.
var allSettings = conf.Describe[settings]()

// load reads the settings from the file and the environment. A file that can't be read or is not YAML is an error;
// other mistakes are errors of [settings.config] and [settings.part].
func (p *program) load() (*settings, error) {
	env := map[string]string{}
	for _, pair := range p.env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	name, data, err := readFile(p.file, env)
	if err != nil {
		return nil, usageError{fmt.Errorf("the settings file can't be read: %w", err)}
	}
	s, err := decode(name, data, env)
	if err != nil {
		return nil, usageError{err}
	}
	if s.file == "" && len(s.places) == 0 {
		return nil, usageError{errors.New("there are no settings: write a settings file with ghlsync config init, " +
			"or name one with --config")}
	}
	return s, nil
}

// decode decodes a settings file and the environment over the defaults.
func decode(name string, data []byte, env map[string]string) (*settings, error) {
	source := conf.Source{File: name, Data: data, Env: env, Prefix: prefix, Ignore: []string{prefix + "CONFIG"}}
	d, err := conf.Decode(source, settings{
		Listen: "127.0.0.1:8080", WebhookPath: "/webhooks/highlevel", Admin: "127.0.0.1:9090", Drain: 30 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	s := &d.Values
	s.file, s.places, s.form, s.unknown = name, d.Places, d.Mistakes, d.Unknown
	return s, nil
}

// readFile reads the settings file: the one that a flag or the environment names, else the first of the default
// files that exists. It returns "" if none exists.
func readFile(name string, env map[string]string) (string, []byte, error) {
	if name == "" {
		name = env[prefix+"CONFIG"]
	}
	if name != "" {
		data, err := os.ReadFile(name)
		return name, data, err
	}
	for _, name := range []string{"ghlsync.yaml", "/etc/ghlsync/ghlsync.yaml"} {
		data, err := os.ReadFile(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return name, data, err
		}
	}
	return "", nil, nil
}

// origin names the source of the settings in messages.
func (s *settings) origin() string {
	if s.file == "" {
		return "the environment"
	}
	return s.file
}
