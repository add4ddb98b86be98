package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// settings are those of the file and the environment. The template in template.yaml explains each.
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

	file    string            // where they are from; "" for the environment alone
	sources map[string]string // the variable that gave a setting, by its name
	unknown []string          // variables that look like settings and are none
}

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

type stageTask struct {
	Title string        `yaml:"title"`
	Due   time.Duration `yaml:"due"`
}

// settingError is a wrong setting; it prints as one line that names it, and where it stands.
type settingError struct{ place, setting, problem string }

func (e *settingError) Error() string {
	text := e.problem
	if e.setting != "" {
		text = e.setting + " " + text
	}
	if e.place != "" {
		text = e.place + ": " + text
	}
	return text
}

// from is where the settings are from.
func (s *settings) from() string {
	if s.file == "" {
		return "the environment"
	}
	return s.file
}

// wrong is the mistake of a setting, which says whether it stands in the file or in a variable.
func (s *settings) wrong(setting, format string, args ...any) error {
	return usageError{s.problem(setting, format, args...)}
}

// problem is what is the matter with a setting that need be no mistake.
func (s *settings) problem(setting, format string, args ...any) error {
	place := s.file
	if variable := s.sources[setting]; variable != "" {
		place = variable
	}
	return &settingError{place, setting, fmt.Sprintf(format, args...)}
}

// load reads the settings: the file, then the environment over it. What they mean is not checked yet.
func (p *program) load() (*settings, error) {
	s := &settings{Listen: "127.0.0.1:8080", WebhookPath: "/webhooks/highlevel", Admin: "127.0.0.1:9090", Drain: 30 * time.Second, sources: map[string]string{}}
	env := map[string]string{}
	for _, pair := range p.env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	file := p.file
	if file == "" {
		file = env[prefix+"CONFIG"]
	}
	candidates := []string{file}
	if file == "" {
		candidates = []string{"ghlsync.yaml", "/etc/ghlsync/ghlsync.yaml"}
	}
	for _, name := range candidates {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && file == "" {
			continue
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("the file of settings can't be read: %w", err)}
		}
		s.file = name
		if err := s.decode(data, env); err != nil {
			return nil, err
		}
		break
	}
	if err := s.environment(env); err != nil {
		return nil, err
	}
	if s.file == "" && len(s.sources) == 0 {
		return nil, usageError{errors.New("there are no settings: ghlsync config init writes a file of them, --config names another")}
	}
	return s, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?line (\d+): `)
var yamlField = regexp.MustCompile(`^field (\S+) not found in type .*$`)
var yamlType = regexp.MustCompile("^cannot unmarshal !!(\\S+) (`.*` )?into (.*)$")

// decode reads the file. A value that is ${NAME} is the variable's, one that is ${file:PATH} the file's.
func (s *settings) decode(data []byte, env map[string]string) error {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return s.yamlMistake(err)
	}
	if err := s.expand(&root, env); err != nil {
		return err
	}
	if root.Kind == 0 { // nothing but comments
		return nil
	}
	expanded, err := yaml.Marshal(&root)
	if err != nil {
		return s.yamlMistake(err)
	}
	// Unknown names are looked for in the file as it was written, so that the line is right.
	known := yaml.NewDecoder(bytes.NewReader(data))
	known.KnownFields(true)
	if err := known.Decode(new(settings)); err != nil && !errors.Is(err, io.EOF) {
		if err := s.yamlMistake(err); !strings.Contains(string(data), "${") || strings.Contains(err.Error(), "is no setting") {
			return err
		}
	}
	if err := yaml.Unmarshal(expanded, s); err != nil {
		return s.yamlMistake(err)
	}
	return nil
}

// yamlMistake says a mistake of the file in one line.
func (s *settings) yamlMistake(err error) error {
	text := err.Error()
	var typed *yaml.TypeError
	if errors.As(err, &typed) && len(typed.Errors) > 0 {
		text = "yaml: " + typed.Errors[0] // one at a time
	}
	place := s.file
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		place, text = place+":"+m[1], text[len(m[0]):]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	if strings.HasPrefix(text, "slog: ") {
		return s.wrong("log.level", "is not debug, info, warn or error")
	}
	if m := yamlField.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("%q is no setting%s", m[1], alike(m[1]))
	} else if m := yamlType.FindStringSubmatch(text); m != nil { // without the value, which may be a secret
		text = fmt.Sprintf("a value of another form is wanted here (%s)", typeName(m[3]))
	}
	return usageError{&settingError{place, "", text}}
}

func typeName(of string) string {
	switch {
	case of == "time.Duration":
		return "a time such as 30s"
	case of == "int":
		return "a number"
	case of == "bool":
		return "true or false"
	case strings.HasPrefix(of, "[]"):
		return "a list"
	case of == "string":
		return "a text"
	case of == "slog.Level":
		return "debug, info, warn or error"
	}
	return "settings by name"
}

// names are those of all settings, such as "app.client_id"; those of a location begin with "location.".
func names() (list []string) {
	walk(reflect.ValueOf(new(settings)).Elem(), "", func(name string, _ reflect.Value) { list = append(list, name) })
	walk(reflect.ValueOf(new(locationSettings)).Elem(), "location.", func(name string, _ reflect.Value) { list = append(list, name) })
	return list
}

// alike proposes the setting that was meant.
func alike(wrong string) string {
	best, distance := "", 3
	for _, name := range names() {
		last := name[strings.LastIndex(name, ".")+1:]
		if d := editDistance(wrong, last); d < distance {
			best, distance = last, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := diagonal
			if a[i] != b[j] {
				next = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// expand replaces values that stand elsewhere.
func (s *settings) expand(n *yaml.Node, env map[string]string) error {
	if n.Kind == yaml.ScalarNode && strings.HasPrefix(n.Value, "${") && strings.HasSuffix(n.Value, "}") {
		name := n.Value[2 : len(n.Value)-1]
		value, ok := env[name]
		if path, isFile := strings.CutPrefix(name, "file:"); isFile {
			data, err := os.ReadFile(path)
			if err != nil {
				return usageError{&settingError{fmt.Sprintf("%s:%d", s.file, n.Line), "", err.Error()}}
			}
			value, ok = strings.TrimSpace(string(data)), true
		}
		if !ok {
			return usageError{&settingError{fmt.Sprintf("%s:%d", s.file, n.Line), "", fmt.Sprintf("the variable %s is not set", name)}}
		}
		n.SetString(value)
		if n.Style == 0 {
			n.Tag = "" // so that a number may come from there too
		}
	}
	for _, child := range n.Content {
		if err := s.expand(child, env); err != nil {
			return err
		}
	}
	return nil
}

const prefix = "GHLSYNC_"

func variable(name string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// walk visits the settings that are single values or lists of texts.
func walk(v reflect.Value, prefix string, visit func(name string, field reflect.Value)) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		field := v.Field(i)
		switch {
		case tag == "":
		case field.Kind() == reflect.Struct:
			walk(field, prefix+tag+".", visit)
		case field.Kind() == reflect.Map, field.Kind() == reflect.Slice && field.Type().Elem().Kind() != reflect.String:
		default:
			visit(prefix+tag, field)
		}
	}
}

// environment puts the variables over the file: GHLSYNC_DATABASE, GHLSYNC_APP_CLIENT_ID, and for the only location
// GHLSYNC_LOCATION_ID and so on.
func (s *settings) environment(env map[string]string) error {
	used := map[string]bool{prefix + "CONFIG": true}
	var problem error
	set := func(name, shown string, field reflect.Value) {
		v := variable(name)
		value, ok := env[v]
		used[v] = true
		if !ok || problem != nil {
			return
		}
		s.sources[shown] = v
		switch {
		case field.Kind() == reflect.Slice:
			field.Set(reflect.ValueOf(strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })))
		case field.Kind() == reflect.String:
			field.SetString(value)
		default:
			if err := yaml.Unmarshal([]byte(value), field.Addr().Interface()); err != nil {
				problem = s.wrong(shown, "is not %s", typeName(field.Type().String()))
			}
		}
	}
	walk(reflect.ValueOf(s).Elem(), "", func(name string, field reflect.Value) { set(name, name, field) })
	given := slices.ContainsFunc(names(), func(name string) bool {
		_, ok := env[variable(name)]
		return ok && strings.HasPrefix(name, "location.")
	})
	if given && len(s.Locations) == 0 {
		s.Locations = make([]locationSettings, 1)
	}
	if given && len(s.Locations) > 1 {
		return usageError{errors.New("the variables GHLSYNC_LOCATION_… are for one location, and " + s.file + " names several")}
	}
	only := new(locationSettings)
	if len(s.Locations) == 1 {
		only = &s.Locations[0]
	}
	walk(reflect.ValueOf(only).Elem(), "location.", func(name string, field reflect.Value) {
		set(name, "locations[0]."+strings.TrimPrefix(name, "location."), field)
	})
	for name := range env {
		if strings.HasPrefix(name, prefix) && !used[name] {
			s.unknown = append(s.unknown, name)
		}
	}
	slices.Sort(s.unknown)
	return problem
}

// tokenKeys are the keys that encrypt the tokens.
func (s *settings) tokenKeys() ([][]byte, error) {
	var keys [][]byte
	for i, text := range s.TokenKeys {
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 32 {
			name := "token_keys"
			if s.sources[name] == "" {
				name = fmt.Sprintf("token_keys[%d]", i)
			}
			return nil, s.wrong(name, "is not 64 hexadecimal digits, such as from: openssl rand -hex 32")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// app is the app that connects accounts; nil if none is set.
func (s *settings) app(log *slog.Logger) (*oauth.App, error) {
	a := &s.App
	if a.ClientID == "" && a.ClientSecret == "" {
		return nil, nil
	}
	config := oauth.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, RedirectURL: a.RedirectURL, BaseURL: s.HighLevel.BaseURL, AuthURL: s.HighLevel.AuthURL, Logger: log,
	}
	switch {
	case a.ClientID == "":
		return nil, s.wrong("app.client_id", "is missing; it is on the app's page in HighLevel's marketplace")
	case a.ClientSecret == "":
		return nil, s.wrong("app.client_secret", "is missing; it is on the app's page in HighLevel's marketplace")
	case a.RedirectURL == "":
		return nil, s.wrong("app.redirect_url", "is missing; it is what the app's page in HighLevel's marketplace has, such as http://localhost:8765/callback")
	case len(s.TokenKeys) == 0:
		return nil, s.wrong("token_keys", "is missing; tokens are stored encrypted, with a key such as from: openssl rand -hex 32")
	}
	for _, scope := range a.Scopes {
		config.Scopes = append(config.Scopes, ghl.Scope(scope))
	}
	if len(config.Scopes) == 0 {
		config.Scopes = neededScopes()
	}
	app, err := oauth.NewApp(config)
	if err != nil {
		var bad *ghl.Error
		if errors.As(err, &bad) && bad.Field != "" {
			name := "app." + snake(bad.Field)
			if bad.Field == "BaseURL" || bad.Field == "AuthURL" {
				name = "highlevel." + snake(bad.Field)
			}
			return nil, s.wrong(name, "is wrong: %s", bad.Message)
		}
		return nil, usageError{err}
	}
	return app, nil
}

// wantApp is the app where there must be one.
func (s *settings) wantApp(log *slog.Logger) (*oauth.App, error) {
	app, err := s.app(log)
	if err == nil && app == nil {
		err = s.wrong("app.client_id", "is missing; accounts are connected by an app of HighLevel's marketplace (a location with a token of its own needs none)")
	}
	return app, err
}

// config turns the settings into those of a Syncer.
func (s *settings) config(log *slog.Logger) (ghlsync.Config, error) {
	c := ghlsync.Config{
		Database: s.Database, MigrateByHand: s.MigrateByHand, Workers: s.Workers, PluvoInterval: s.PluvoInterval, Lease: s.Lease, Settle: s.Settle,
		Retry: ghlsync.RetryPolicy{First: s.Retry.First, Max: s.Retry.Max, Attempts: s.Retry.Attempts}, Logger: log,
		ReconcileInterval: s.Reconcile, CompareInterval: s.Compare,
		HealthLimits: ghlsync.HealthLimits{Lag: s.Health.Lag, Silence: s.Health.Silence},
	}
	if err := s.check(); err != nil {
		return c, err
	}
	var err error
	if c.TokenKeys, err = s.tokenKeys(); err != nil {
		return c, err
	}
	if c.App, err = s.app(log); err != nil {
		return c, err
	}
	if c.Webhooks, err = s.verifier(); err != nil {
		return c, err
	}
	apps := slices.Clone(s.HighLevel.WebhookApps)
	if c.App != nil && len(apps) == 0 {
		apps = []string{c.App.ID()}
	}
	if len(apps) > 0 {
		c.WebhookOptions = append(c.WebhookOptions, webhook.WithApp(apps...))
	}
	if s.Notify.URL != "" {
		notifier, err := ghlsync.NewWebhookNotifier(s.Notify.URL, nil)
		if err != nil {
			return c, s.wrong("notify.url", "is no URL that alerts can be posted to")
		}
		c.Notifier = notifier
	}
	for i := range s.Locations {
		l, err := s.location(i, c.App != nil)
		if err != nil {
			return c, err
		}
		c.Locations = append(c.Locations, l)
	}
	return c, nil
}

func (s *settings) wantDatabase() error {
	if s.Database == "" {
		return s.wrong("database", "is missing; such as sqlite:ghlsync.db, or postgres://user:password@host/name")
	}
	return nil
}

// checked are the settings of a Syncer, where no mistake is in them.
func (s *settings) checked(log *slog.Logger) (ghlsync.Config, error) {
	c, err := s.config(log)
	if err == nil {
		err = s.translate(c.Check())
	}
	return c, err
}

// check refuses what is wrong in itself and no part of the Syncer's settings.
func (s *settings) check() error {
	if err := s.wantDatabase(); err != nil {
		return err
	}
	for name, address := range map[string]string{"listen": s.Listen, "admin": s.Admin} {
		if _, _, err := net.SplitHostPort(address); err != nil && (address != "" || name == "listen") {
			return s.wrong(name, "is %q, which is no address such as 127.0.0.1:8080", address)
		}
	}
	if !strings.HasPrefix(s.WebhookPath, "/") || strings.ContainsAny(s.WebhookPath, " {}") {
		return s.wrong("webhook_path", "is %q, which is no path such as /webhooks/highlevel", s.WebhookPath)
	}
	for name, address := range map[string]string{"webhook_url": s.WebhookURL, "highlevel.base_url": s.HighLevel.BaseURL, "highlevel.auth_url": s.HighLevel.AuthURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return s.wrong(name, "is no URL such as https://sync.example.com/webhooks/highlevel")
		}
	}
	switch s.Log.Format {
	case "", "text", "json":
	default:
		return s.wrong("log.format", "is %q, not text or json", s.Log.Format)
	}
	if s.Drain < 0 {
		return s.wrong("drain", "is negative")
	}
	if len(s.Locations) == 0 {
		return s.wrong("locations", "names no location; each is a sub-account whose id is in HighLevel's address bar behind /location/")
	}
	return nil
}

// verifier checks the signatures of deliveries.
func (s *settings) verifier() (*webhook.Verifier, error) {
	var keys []ed25519.PublicKey
	for i, text := range s.HighLevel.WebhookKeys {
		der, err := base64.StdEncoding.DecodeString(text)
		if block, _ := pem.Decode([]byte(text)); block != nil {
			der, err = block.Bytes, nil
		}
		var key ed25519.PublicKey
		if err == nil && len(der) == ed25519.PublicKeySize {
			key = der
		} else if err == nil {
			var parsed any
			parsed, err = x509.ParsePKIXPublicKey(der)
			key, _ = parsed.(ed25519.PublicKey)
		}
		if err != nil || key == nil {
			return nil, s.wrong(fmt.Sprintf("highlevel.webhook_keys[%d]", i), "is no Ed25519 public key in PEM or base64")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return webhook.NewVerifier()
	}
	return webhook.NewVerifier(webhook.WithKeys(keys...))
}

func (s *settings) location(i int, app bool) (ghlsync.Location, error) {
	in := &s.Locations[i]
	name := fmt.Sprintf("locations[%d].", i)
	l := ghlsync.Location{
		ID: in.ID, TimeZone: in.TimeZone, Region: in.Region, Owner: ghlsync.Owner(in.Owner), Deletes: ghlsync.DeletePolicy(in.Deletes), Calendar: in.Calendar,
	}
	if in.ID == "" {
		return l, s.wrong(name+"id", "is missing; it is in HighLevel's address bar behind /location/")
	}
	switch {
	case in.Token != "":
		l.TokenSource = ghl.StaticTokenSource(in.Token)
	case !app:
		return l, s.wrong(name+"token", "is missing; it is a private integration token of the location, or set app and run: ghlsync connect")
	}
	if s.HighLevel.BaseURL != "" {
		l.ClientOptions = append(l.ClientOptions, ghl.WithBaseURL(s.HighLevel.BaseURL))
	}
	if in.Rules != "" {
		path := in.Rules
		if !filepath.IsAbs(path) && s.file != "" && s.sources[name+"rules"] == "" {
			path = filepath.Join(filepath.Dir(s.file), path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return l, s.wrong(name+"rules", "can't be read: %v", err)
		}
		l.Rules, l.RulesName = data, path
	}
	for field, owner := range in.Owners {
		if l.Owners == nil {
			l.Owners = map[string]ghlsync.Owner{}
		}
		l.Owners[field] = ghlsync.Owner(owner)
	}
	for stage, tasks := range in.Stages {
		if l.Stages == nil {
			l.Stages = map[string][]ghlsync.StageTask{}
		}
		for _, t := range tasks {
			l.Stages[stage] = append(l.Stages[stage], ghlsync.StageTask{Title: t.Title, Due: t.Due})
		}
	}
	tag, byTag := strings.CutPrefix(in.Takes, "tag:")
	switch {
	case in.Takes == "" && len(s.Locations) > 1:
		return l, s.wrong(name+"takes", "is missing; with several locations it says which contacts made in Pluvo belong here: all, none or tag:NAME")
	case in.Takes == "", in.Takes == "all":
		l.Takes = func(*pluvo.Contact) bool { return true }
	case in.Takes == "none":
		l.Takes = func(*pluvo.Contact) bool { return false }
	case byTag && tag != "":
		l.Takes = func(c *pluvo.Contact) bool {
			return slices.ContainsFunc(c.Tags, func(t string) bool { return strings.EqualFold(t, tag) })
		}
	default:
		return l, s.wrong(name+"takes", "is %q, not all, none or tag:NAME", in.Takes)
	}
	return l, nil
}

// translate names a wrong setting of the Syncer as the file does.
func (s *settings) translate(err error) error {
	var wrong *ghlsync.ConfigError
	if errors.As(err, &wrong) {
		parts := strings.Split(wrong.Setting, ".")
		for i, part := range parts {
			name, index, _ := strings.Cut(part, "[")
			if index != "" {
				index = "[" + index
			}
			parts[i] = snake(name) + index
		}
		return s.wrong(strings.Join(parts, "."), "%s", wrong.Problem)
	}
	return err
}

// snake writes a name of Go as the file does: TimeZone is time_zone.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && name[i-1] >= 'a' {
			b.WriteByte('_')
		}
		if upper {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
