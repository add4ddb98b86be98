package main

import (
	"cmp"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/conf"
	"github.com/pluvo/ghl/internal/nearest"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// config returns the configuration of the Syncer, or an error that lists every mistake in the settings. Every
// command that uses the Syncer calls it, so all commands accept and refuse the same settings.
func (s *settings) config(log *slog.Logger) (ghlsync.Config, error) {
	c, mistakes := s.validate(log)
	return c, s.failure(mistakes)
}

// part is config for commands that use only some settings, because the others may not be known yet. It ignores
// mistakes in the values of other settings.
func (s *settings) part(log *slog.Logger, settings ...string) (ghlsync.Config, error) {
	c, mistakes := s.validate(log)
	return c, s.failure(slices.DeleteFunc(mistakes, func(m conf.Mistake) bool {
		return m.Setting != "" && !slices.ContainsFunc(settings,
			func(name string) bool { return within(m.Setting, name) })
	}))
}

// accountSettings is the part that commands about accounts use: the database and the app, which must be set.
func (s *settings) accountSettings(log *slog.Logger) (ghlsync.Config, error) {
	c, err := s.part(log, "database", "token_keys", "app", "highlevel")
	if err == nil && c.App == nil {
		err = s.wrong("app.client_id", "is missing; an app of HighLevel's marketplace connects accounts "+
			"(a location with a token of its own needs none)")
	}
	return c, err
}

// translate returns an error of package ghlsync with the names and places that the settings have in the file.
func (s *settings) translate(err error) error {
	v := &validator{settings: s}
	if v.config(err); len(v.list) > 0 {
		return s.failure(v.list)
	}
	return err
}

// ignored warns of an environment variable that is not a setting.
func ignored(variable string) string {
	name := strings.TrimPrefix(variable, prefix)
	var known []string
	meant := ""
	for _, s := range allSettings {
		setting := conf.Variable("", s.Path)
		switch {
		case !s.FromEnv && setting == name:
			return variable + " is ignored; set " + s.Path + " in the settings file"
		case s.FromEnv && strings.HasSuffix(setting, "_"+name): // such as TOKEN for LOCATION_TOKEN
			meant = cmp.Or(meant, setting)
		}
		if s.FromEnv {
			known = append(known, setting)
		}
	}
	warning := variable + " is not a setting and is ignored"
	if meant = cmp.Or(meant, nearest.Word(name, known)); meant != "" {
		warning += "; did you mean " + prefix + meant + "?"
	}
	return warning
}

// validate builds the configuration as far as the settings allow, and returns every mistake.
func (s *settings) validate(log *slog.Logger) (ghlsync.Config, []conf.Mistake) {
	v := &validator{settings: s, list: slices.Clone(s.form)}
	v.server()
	c := ghlsync.Config{
		Database: s.Database, MigrateByHand: s.MigrateByHand, TokenKeys: v.tokenKeys(), App: v.app(log),
		Webhooks: v.verifier(),
		Workers:  s.Workers, Lease: s.Lease, Settle: s.Settle, IndexLag: s.IndexLag,
		PluvoInterval: s.PluvoInterval, ReconcileInterval: s.Reconcile, CompareInterval: s.Compare,
		Retry:        ghlsync.RetryPolicy{First: s.Retry.First, Max: s.Retry.Max, Attempts: s.Retry.Attempts},
		HealthLimits: ghlsync.HealthLimits{Lag: s.Health.Lag, Silence: s.Health.Silence},
		Logger:       log,
	}
	apps := slices.Clone(s.HighLevel.WebhookApps)
	if c.App != nil && len(apps) == 0 {
		apps = []string{c.App.ID()}
	}
	if slices.Contains(apps, "") {
		v.wrong("highlevel.webhook_apps", "must not have an empty id")
	} else if len(apps) > 0 {
		c.WebhookOptions = append(c.WebhookOptions, webhook.WithApp(apps...))
	}
	if s.Notify.URL != "" {
		if notifier, err := ghlsync.NewWebhookNotifier(s.Notify.URL, nil); err != nil {
			v.config(err)
		} else {
			c.Notifier = notifier
		}
	}
	for i := range s.Locations {
		c.Locations = append(c.Locations, v.location(i))
	}
	v.config(c.Check())
	return c, v.list
}

// validator collects the mistakes in the values of settings.
type validator struct {
	*settings
	list []conf.Mistake
}

// wrong adds a mistake, unless the setting, an object around it or something in it has one already: one mistake
// often leads to another.
func (v *validator) wrong(path, format string, args ...any) {
	if !v.has(path) {
		v.list = append(v.list, v.mistake(path, format, args...))
	}
}

// has reports whether a setting, an object around it or something in it has a mistake.
func (v *validator) has(path string) bool {
	return slices.ContainsFunc(v.list, func(m conf.Mistake) bool {
		return m.Setting != "" && (within(path, m.Setting) || within(m.Setting, path))
	})
}

// server checks the settings of the two HTTP servers and of the log.
func (v *validator) server() {
	v.address("listen", v.Listen)
	if v.Admin != "" {
		v.address("admin", v.Admin)
		if sameAddress(v.Listen, v.Admin) {
			later := "admin"
			if _, set := v.places[later]; !set {
				later = "listen"
			}
			v.wrong(later, "listen and admin must not have the same address, %q; write another port", v.Admin)
		}
	}
	if !isPath(v.WebhookPath) {
		v.wrong("webhook_path", "must be a path such as /webhooks/highlevel, got %q", v.WebhookPath)
	}
	v.url("webhook_url", v.WebhookURL, "https://sync.example.com/webhooks/highlevel")
	v.url("highlevel.base_url", v.HighLevel.BaseURL, apiServer)
	v.url("highlevel.auth_url", v.HighLevel.AuthURL, oauth.DefaultAuthURL)
	if formats := []string{"text", "json"}; v.Log.Format != "" && !slices.Contains(formats, v.Log.Format) {
		v.wrong("log.format", "must be text or json, got %q%s", v.Log.Format, nearest.DidYouMean(v.Log.Format, formats))
	}
	if v.Drain < 0 {
		v.wrong("drain", "must not be negative")
	}
}

// isPath reports whether http.ServeMux can serve a path.
func isPath(p string) bool {
	u, err := url.Parse(p)
	clean := path.Clean(p)
	return err == nil && u.Path == p && strings.HasPrefix(p, "/") && !strings.ContainsAny(p, " {}") &&
		(p == clean || p == clean+"/")
}

// address checks the address of a server.
func (v *validator) address(setting, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		v.wrong(setting, "must be an address such as 127.0.0.1:8080, got %q", address)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.wrong(setting, "must have a port from 0 to 65535, got %q", port)
	}
}

// sameAddress reports whether two servers can't listen on two addresses at once.
func sameAddress(a, b string) bool {
	hostA, portA, errA := splitAddress(a)
	hostB, portB, errB := splitAddress(b)
	if errA != nil || errB != nil || portA != portB || portA == 0 {
		return false
	}
	return hostA == hostB || hostA == "" || hostB == ""
}

// splitAddress returns the host and the port of an address. The host is in lower case, localhost is 127.0.0.1, and the
// host is "" if it stands for all addresses of the machine.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	if host = strings.ToLower(host); host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		if host = ip.String(); ip.IsUnspecified() {
			host = ""
		}
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// url checks a URL, which may be empty.
func (v *validator) url(setting, address, example string) {
	if u, err := url.Parse(address); address != "" &&
		(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		v.wrong(setting, "must be a URL such as %s", example)
	}
}

// tokenKeys returns the keys that encrypt the tokens.
func (v *validator) tokenKeys() (keys [][]byte) {
	for i, text := range v.TokenKeys {
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 32 {
			v.wrong(fmt.Sprintf("token_keys[%d]", i),
				"must be 64 hexadecimal digits; generate a key with openssl rand -hex 32")
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// app returns the app that connects accounts, or nil if none is set or its settings are wrong.
func (v *validator) app(log *slog.Logger) *oauth.App {
	a := &v.App
	if !v.wantsApp() {
		return nil
	}
	const page = "is missing; copy it from the page of the app in HighLevel's marketplace"
	if a.ClientID == "" {
		v.wrong("app.client_id", page)
	}
	if a.ClientSecret == "" {
		v.wrong("app.client_secret", page)
	}
	if a.RedirectURL == "" {
		v.wrong("app.redirect_url", page+", such as http://localhost:8765/callback")
	}
	if len(v.TokenKeys) == 0 {
		v.wrong("token_keys", "is missing; tokens are stored encrypted: generate a key with openssl rand -hex 32")
	}
	config := oauth.Config{
		ClientID: cmp.Or(a.ClientID, "-"), ClientSecret: cmp.Or(a.ClientSecret, "-"),
		RedirectURL: cmp.Or(a.RedirectURL, "http://localhost"), Logger: log,
		BaseURL: v.HighLevel.BaseURL, AuthURL: v.HighLevel.AuthURL, Scopes: neededScopes(),
	}
	if len(a.Scopes) > 0 {
		config.Scopes = nil
		for _, scope := range a.Scopes {
			config.Scopes = append(config.Scopes, ghl.Scope(scope))
		}
	}
	app := v.newApp(config)
	if v.has("app") {
		return nil
	}
	return app
}

// newApp returns the app of a configuration. It returns nil if settings are wrong, and adds a mistake for each:
// oauth.NewApp finds one at a time, so newApp tries again without the wrong value.
func (v *validator) newApp(config oauth.Config) *oauth.App {
	wrong := false
	for {
		app, err := oauth.NewApp(config)
		if err == nil && wrong {
			return nil
		} else if err == nil {
			return app
		}
		wrong = true
		var bad *ghl.Error
		if !errors.As(err, &bad) {
			v.wrong("app", "%v", err)
			return nil
		}
		object := "app."
		switch bad.Field {
		case "ClientID":
			config.ClientID = "-"
		case "ClientSecret":
			config.ClientSecret = "-"
		case "RedirectURL":
			config.RedirectURL = "http://localhost"
		case "Scopes":
			config.Scopes = neededScopes()
		case "BaseURL":
			object, config.BaseURL = "highlevel.", ""
		case "AuthURL":
			object, config.AuthURL = "highlevel.", ""
		default:
			v.wrong("app", "%s", bad.Message)
			return nil
		}
		v.wrong(object+snake(bad.Field), "%s", strings.TrimPrefix(bad.Message, bad.Field+" "))
	}
}

// wantsApp reports whether the settings name an app.
func (s *settings) wantsApp() bool { return s.App.ClientID != "" || s.App.ClientSecret != "" }

// verifier returns the verifier of deliveries, with the further keys of the settings.
func (v *validator) verifier() *webhook.Verifier {
	var keys []ed25519.PublicKey
	for i, text := range v.HighLevel.WebhookKeys {
		key := publicKey(text)
		if key == nil {
			v.wrong(fmt.Sprintf("highlevel.webhook_keys[%d]", i), "must be an Ed25519 public key in PEM or base64")
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil
	}
	verifier, err := webhook.NewVerifier(webhook.WithKeys(keys...))
	if err != nil {
		v.wrong("highlevel.webhook_keys", "%v", err)
	}
	return verifier
}

// publicKey parses an Ed25519 public key in PEM or base64; nil if text is neither.
func publicKey(text string) ed25519.PublicKey {
	der, err := base64.StdEncoding.DecodeString(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil
	}
	if len(der) == ed25519.PublicKeySize {
		return der
	}
	parsed, _ := x509.ParsePKIXPublicKey(der)
	key, _ := parsed.(ed25519.PublicKey)
	return key
}

// location returns the configuration of a location.
func (v *validator) location(i int) ghlsync.Location {
	in := &v.Locations[i]
	name := fmt.Sprintf("locations[%d].", i)
	l := ghlsync.Location{
		ID: in.ID, TimeZone: in.TimeZone, Region: in.Region, Owner: ghlsync.Owner(in.Owner),
		Deletes:  ghlsync.DeletePolicy(in.Deletes),
		Calendar: in.Calendar, Owners: map[string]ghlsync.Owner{}, Stages: map[string][]ghlsync.StageTask{},
	}
	if in.Token != "" {
		l.TokenSource = ghl.StaticTokenSource(in.Token)
		var refused *ghl.Error
		if _, err := ghl.New(ghl.WithToken(in.Token)); errors.As(err, &refused) {
			v.wrong(name+"token", "must be a token without white space: %s", refused.Message)
		}
	}
	if v.HighLevel.BaseURL != "" {
		l.ClientOptions = append(l.ClientOptions, ghl.WithBaseURL(v.HighLevel.BaseURL))
	}
	if in.Rules != "" {
		l.RulesName = in.Rules
		if !filepath.IsAbs(in.Rules) && v.places[name+"rules"].Variable == "" {
			l.RulesName = filepath.Join(filepath.Dir(v.file), in.Rules)
		}
		var err error
		if l.Rules, err = os.ReadFile(l.RulesName); err != nil {
			v.wrong(name+"rules", "can't be read: %v", err)
			l.Rules = nil
		}
	}
	for field, owner := range in.Owners {
		l.Owners[field] = ghlsync.Owner(owner)
	}
	for stage, tasks := range in.Stages {
		for _, t := range tasks {
			l.Stages[stage] = append(l.Stages[stage], ghlsync.StageTask{Title: t.Title, Due: t.Due})
		}
	}
	l.Takes = v.takes(name+"takes", in.Takes)
	return l
}

// takes returns the function that selects the contacts of Pluvo that belong to a location; nil if the setting is
// missing or wrong.
func (v *validator) takes(setting, text string) func(*pluvo.Contact) bool {
	tag, byTag := strings.CutPrefix(text, "tag:")
	switch {
	case text == "":
		return nil
	case text == "all":
		return func(*pluvo.Contact) bool { return true }
	case text == "none":
		return func(*pluvo.Contact) bool { return false }
	case byTag && strings.TrimSpace(tag) != "":
		return func(c *pluvo.Contact) bool {
			return slices.ContainsFunc(c.Tags, func(t string) bool { return strings.EqualFold(t, tag) })
		}
	}
	v.wrong(setting, "must be all, none or tag:NAME, got %q%s", text, nearest.DidYouMean(text, []string{"all", "none"}))
	return nil
}

// config adds the mistakes that package ghlsync finds.
func (v *validator) config(err error) {
	var single *ghlsync.ConfigError
	list, several := err.(ghlsync.ConfigErrors)
	if !several && errors.As(err, &single) {
		list = ghlsync.ConfigErrors{single}
	}
	for _, wrong := range list {
		setting := settingOf(wrong.Setting)
		var rules *mapping.RulesError
		switch {
		case strings.HasSuffix(setting, ".token") && v.wantsApp(): // the app is wrong, which has its own mistake
		case strings.Contains(setting, ".owners[") &&
			v.has(setting[:strings.Index(setting, ".owners[")]+".rules"): // nothing is mapped yet
		case errors.As(wrong.Err, &rules):
			for _, m := range rules.Mistakes {
				at := conf.Place{File: rules.Name, Line: m.Line, Column: m.Column}
				v.list = append(v.list, conf.Mistake{At: at, Setting: setting, Text: m.Text})
			}
		case strings.HasPrefix(wrong.Problem, "is missing"):
			text := "is missing"
			if how := howToSet[conf.Pattern(setting)]; how != "" {
				text += "; " + how
			}
			v.wrong(setting, "%s", text)
		default:
			v.wrong(setting, "%s", wrong.Problem)
		}
	}
}

// howToSet says what to write where a required setting is missing.
var howToSet = map[string]string{
	"database": "write sqlite: and the path of a file, such as sqlite:ghlsync.db, " +
		"or postgres://user:password@host/name",
	"locations":         "write at least one location; its id is in HighLevel's address bar behind /location/",
	"locations[].id":    "it is in HighLevel's address bar behind /location/",
	"locations[].token": "write a private integration token of the location, or set app and run: ghlsync connect",
	"locations[].takes": "with several locations it selects the contacts made in Pluvo that belong here: " +
		"all, none or tag:NAME",
	"token_keys": "tokens are stored encrypted: generate a key with openssl rand -hex 32",
}

// otherNames are settings that have another name in the file than in ghlsync.Config.
var otherNames = map[string]string{
	"Notifier": "notify.url", "WebhookOptions": "highlevel.webhook_apps", "TokenSource": "token",
	"ClientOptions": "highlevel.base_url", "HealthLimits": "health",
}

// settingOf translates the name of a setting of ghlsync.Config into its path in the file: Locations[0].TimeZone is
// locations[0].time_zone.
func settingOf(name string) string {
	path := ""
	for rest := name; rest != ""; {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		other, ok := otherNames[word]
		switch {
		case ok && strings.Contains(other, "."):
			path = other
		case ok:
			path += "." + other
		case word != "":
			path += "." + snake(word)
		}
		if rest = rest[end:]; strings.HasPrefix(rest, "[") { // the key of a map may hold dots
			end := strings.IndexByte(rest, ']') + 1
			if end == 0 {
				end = len(rest)
			}
			path, rest = path+rest[:end], rest[end:]
		}
		rest = strings.TrimPrefix(rest, ".")
	}
	return strings.TrimPrefix(path, ".")
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
