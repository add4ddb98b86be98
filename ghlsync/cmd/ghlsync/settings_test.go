package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync"
)

// settingsFile writes a file and returns a program that reads it.
func settingsFile(t *testing.T, text string, env ...string) *world {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ghlsync.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	w := newWorld(t, "")
	w.env = append(env, "GHLSYNC_CONFIG="+name)
	return w
}

const good = `database: sqlite:x.db
locations:
  - id: abc
    token: pit-secret
`

// wrongSettings are files and environments with one mistake each, and a part of the message.
var wrongSettings = map[string]struct {
	file string
	env  []string
	want string
}{
	"unknown name":     {file: good + "databse: x\n", want: `ghlsync.yaml:5:1: unknown setting "databse" at the top level; did you mean database?`},
	"unknown deep":     {file: good + "    regoin: US\n", want: `ghlsync.yaml:5:5: unknown setting "regoin" in locations[0]; did you mean region?`},
	"a level too high": {file: good + "stages: {new: []}\n", want: `ghlsync.yaml:5:1: unknown setting "stages" at the top level; did you mean locations[].stages?`},
	"a level too deep": {file: good + "    listen: x\n", want: `ghlsync.yaml:5:5: unknown setting "listen" in locations[0]; did you mean listen at the top level?`},
	"unknown in app":   {file: good + "app: {id: a}\n", want: `ghlsync.yaml:5:7: unknown setting "id" in app; did you mean locations[].id?`},
	"unknown":          {file: good + "frobnicate: x\n", want: "ghlsync.yaml:5:1: unknown setting \"frobnicate\" at the top level\n"},
	"twice":            {file: good + "listen: :1\nlisten: :2\n", want: `ghlsync.yaml:6:1: "listen" is set twice, first in line 5`},
	"no YAML":          {file: "database: [\n", want: "ghlsync.yaml:1:11: the file is not valid YAML: "},
	"secret, no YAML":  {file: "database: sqlite:x.db\ntoken_keys: pit-secret: pit-secret\n", want: "ghlsync.yaml:2:"},
	"anchor":           {file: good + "listen: &a :1\n", want: "ghlsync.yaml:5:9: listen: anchors and aliases of YAML are not supported"},
	"documents":        {file: good + "---\na: b\n", want: "ghlsync.yaml:6:2: the file must have one document"},
	"list":             {file: "- a\n", want: "ghlsync.yaml:1:1: the file must have settings by name"},
	"wrong form":       {file: good + "workers: many\n", want: "ghlsync.yaml:5:10: workers: must be a whole number"},
	"wrong duration":   {file: good + "lease: soon\n", want: "ghlsync.yaml:5:8: lease: must be a time such as 30s"},
	"no unit":          {file: good + "lease: 30\n", want: "ghlsync.yaml:5:8: lease: must be a time such as 30s"},
	"wrong bool":       {file: good + "migrate_by_hand: perhaps\n", want: "ghlsync.yaml:5:18: migrate_by_hand: must be true or false"},
	"secret in list":   {file: good + "token_keys: pit-secret\n", want: "ghlsync.yaml:5:13: token_keys: must be a list"},
	"secret in object": {file: good + "app: pit-secret\n", want: "ghlsync.yaml:5:6: app: must be settings by name"},
	"object in text":   {file: good + "listen: {a: pit-secret}\n", want: "ghlsync.yaml:5:9: listen: must be a text"},
	"no database":      {file: "locations: [{id: a, token: pit-secret}]", want: "ghlsync.yaml: database: is missing"},
	"other database":   {file: strings.Replace(good, "sqlite:x.db", "mysql://pit-secret@host", 1), want: "ghlsync.yaml:1:11: database: must begin with"},
	"database address": {file: strings.Replace(good, "sqlite:x.db", "'postgres://a:pit-secret%zz@host'", 1), want: "ghlsync.yaml:1:11: database: must be an address"},
	"no location":      {file: "database: sqlite:x.db\n", want: "ghlsync.yaml: locations: is missing"},
	"no id":            {file: "database: sqlite:x.db\nlocations: [{token: pit-secret}]\n", want: "ghlsync.yaml:2:13: locations[0].id: is missing"},
	"id":               {file: strings.Replace(good, "abc", "a/b", 1), want: "ghlsync.yaml:3:9: locations[0].id: must be the id of a location"},
	"id twice":         {file: good + "    takes: all\n  - {id: abc, token: pit-secret, takes: none}\n", want: "ghlsync.yaml:6:10: locations[1].id: must differ"},
	"no token":         {file: "database: sqlite:x.db\nlocations: [{id: a}]\n", want: "ghlsync.yaml:2:13: locations[0].token: is missing"},
	"Bearer token":     {file: strings.Replace(good, "pit-secret", "Bearer pit-secret", 1), want: "ghlsync.yaml:4:12: locations[0].token: must be a token without white space: the token starts with the word Bearer; pass the token without the word Bearer"},
	"token":            {file: strings.Replace(good, "pit-secret", "pit-secret two", 1), want: "ghlsync.yaml:4:12: locations[0].token: must be a token without white space"},
	"owner":            {file: good + "    owner: me\n", want: `ghlsync.yaml:5:12: locations[0].owner: must be highlevel, pluvo or newest, got "me"`},
	"near owner":       {file: good + "    owner: pluvoo\n", want: `got "pluvoo"; did you mean pluvo?`},
	"owners":           {file: good + "    owners: {contact.firstName: me}\n", want: `ghlsync.yaml:5:33: locations[0].owners[contact.firstName]: must be highlevel`},
	"owner's field":    {file: good + "    owners: {contact.firstNam: pluvo}\n", want: `ghlsync.yaml:5:32: locations[0].owners[contact.firstNam]: must name a field that is mapped; did you mean contact.firstName?`},
	"owner's kind":     {file: good + "    owners: {person: pluvo}\n", want: `locations[0].owners[person]: must name a kind and a field`},
	"deletes":          {file: good + "    deletes: never\n", want: `ghlsync.yaml:5:14: locations[0].deletes: must be delete, update or keep, got "never"`},
	"time zone":        {file: good + "    time_zone: Mars/Base\n", want: `ghlsync.yaml:5:16: locations[0].time_zone: must be a time zone such as America/New_York, got "Mars/Base"`},
	"region":           {file: good + "    region: XX\n", want: `ghlsync.yaml:5:13: locations[0].region: must be a country such as US, got "XX"`},
	"takes":            {file: good + "    takes: some\n", want: `ghlsync.yaml:5:12: locations[0].takes: must be all, none or tag:NAME, got "some"`},
	"takes missing":    {file: good + "    takes: all\n  - id: b\n    token: pit-secret\n", want: "ghlsync.yaml:6:5: locations[1].takes: is missing"},
	"stage":            {file: good + "    stages: {new: [{due: 1h}]}\n", want: "ghlsync.yaml:5:20: locations[0].stages[new][0]: must have a title"},
	"rules":            {file: good + "    rules: nowhere.yaml\n", want: "ghlsync.yaml:5:12: locations[0].rules: can't be read"},
	"listen":           {file: good + "listen: nowhere\n", want: `ghlsync.yaml:5:9: listen: must be an address such as 127.0.0.1:8080, got "nowhere"`},
	"port":             {file: good + "listen: 127.0.0.1:99999\n", want: `ghlsync.yaml:5:9: listen: must have a port from 0 to 65535, got "99999"`},
	"admin":            {file: good + "admin: nowhere\n", want: `ghlsync.yaml:5:8: admin: must be an address such as 127.0.0.1:8080, got "nowhere"`},
	"one address":      {file: good + "listen: :8080\nadmin: 127.0.0.1:8080\n", want: "ghlsync.yaml:6:8: admin: listen and admin must not have the same address"},
	"admin's default":  {file: good + "listen: localhost:9090\n", want: "ghlsync.yaml:5:9: listen: listen and admin must not have the same address"},
	"path":             {file: good + "webhook_path: hooks\n", want: `ghlsync.yaml:5:15: webhook_path: must be a path such as /webhooks/highlevel, got "hooks"`},
	"unclean path":     {file: good + "webhook_path: /a//b\n", want: `webhook_path: must be a path such as /webhooks/highlevel, got "/a//b"`},
	"webhook url":      {file: good + "webhook_url: example.com\n", want: "ghlsync.yaml:5:14: webhook_url: must be a URL"},
	"base url":         {file: good + "highlevel: {base_url: 'http://x?y'}\n", want: "ghlsync.yaml:5:23: highlevel.base_url: the base URL takes"},
	"webhook app":      {file: good + "highlevel: {webhook_apps: ['']}\n", want: "ghlsync.yaml:5:27: highlevel.webhook_apps: "},
	"log format":       {file: good + "log: {format: xml}\n", want: `ghlsync.yaml:5:15: log.format: must be text or json, got "xml"`},
	"log level":        {file: good + "log: {level: loud}\n", want: "ghlsync.yaml:5:14: log.level: must be debug, info, warn or error"},
	"drain":            {file: good + "drain: -1s\n", want: "ghlsync.yaml:5:8: drain: must not be negative"},
	"lease":            {file: good + "lease: 1ms\n", want: "ghlsync.yaml:5:8: lease: must be at least 1s"},
	"retry":            {file: good + "retry:\n  first: -1s\n", want: "ghlsync.yaml:6:3: retry: must not be negative"},
	"keys":             {file: good + "token_keys: [abc]\n", want: "ghlsync.yaml:5:14: token_keys[0]: must be 64 hexadecimal digits"},
	"keys in env":      {file: good, env: []string{"GHLSYNC_TOKEN_KEYS=" + hexKey + ",pit-secret"}, want: "GHLSYNC_TOKEN_KEYS: token_keys[1]: must be 64"},
	"webhook key":      {file: good + "highlevel: {webhook_keys: [pit-secret]}\n", want: "ghlsync.yaml:5:28: highlevel.webhook_keys[0]: must be an Ed25519"},
	"notify":           {file: good + "notify: {url: 'pit-secret'}\n", want: "ghlsync.yaml:5:15: notify.url: must have a URL"},
	"app without key":  {file: good + "app: {client_id: a, client_secret: pit-secret, redirect_url: 'http://localhost:1/c'}\n", want: "ghlsync.yaml: token_keys: is missing"},
	"app secret":       {file: good + "token_keys: [" + hexKey + "]\napp: {client_id: a, redirect_url: 'http://localhost:1/c'}\n", want: "ghlsync.yaml:6:6: app.client_secret: is missing"},
	"redirect url":     {file: good + "token_keys: [" + hexKey + "]\napp: {client_id: a, client_secret: pit-secret, redirect_url: 'x'}\n", want: "ghlsync.yaml:6:62: app.redirect_url: "},
	"variable":         {file: strings.Replace(good, "pit-secret", "${NO_SUCH}", 1), want: "ghlsync.yaml:4:12: locations[0].token: the environment variable NO_SUCH is not set"},
	"file":             {file: strings.Replace(good, "pit-secret", "${file:/no/such}", 1), want: "ghlsync.yaml:4:12: locations[0].token: open /no/such"},
	"env number":       {file: good, env: []string{"GHLSYNC_WORKERS=many"}, want: "GHLSYNC_WORKERS: workers: must be a whole number"},
	"env value":        {file: good, env: []string{"GHLSYNC_LOCATION_OWNER=me"}, want: "GHLSYNC_LOCATION_OWNER: locations[0].owner: must be highlevel"},
	"part of a value":  {file: strings.Replace(good, "sqlite:x.db", "sqlite:${HOME}/x.db", 1), want: "ghlsync.yaml:1:11: database: ${…} must be the whole value, such as ${NAME} or ${file:PATH}"},
	"other expansion":  {file: strings.Replace(good, "pit-secret", "${GHL_TOKEN:-pit-secret}", 1), want: "ghlsync.yaml:4:12: locations[0].token: ${…} must contain the name of a variable"},
	"header":           {file: strings.Replace(good, "pit-secret", "|pit-secret", 1), want: "ghlsync.yaml:4:12: the file is not valid YAML: a value that begins with | or > must be in quotes"},
	"tab":              {file: good + "notify:\n\turl: x\n", want: "ghlsync.yaml:6:1: the file is not valid YAML: indent with spaces, not with tabs"},
	"merge key":        {file: good + "    <<: {region: US}\n", want: "ghlsync.yaml:5:5: anchors and aliases of YAML are not supported"},
	"dots":             {file: strings.Replace(good, "abc", "..", 1), want: "ghlsync.yaml:3:9: locations[0].id: must be the id of a location"},
	"no ASCII":         {file: strings.Replace(good, "abc", "äöü", 1), want: "ghlsync.yaml:3:9: locations[0].id: must be the id of a location"},
	"near region":      {file: good + "    region: us\n", want: `got "us"; did you mean US?`},
	"blank tag":        {file: good + "    takes: 'tag: '\n", want: "ghlsync.yaml:5:12: locations[0].takes: must be all, none or tag:NAME"},
	"folder of rules":  {file: good + "    rules: .\n", want: "ghlsync.yaml:5:12: locations[0].rules: can't be read"},
	"owner's side":     {file: good + "    owners: {note.body: pluvo}\n", want: "locations[0].owners[note.body]: must name a field that is mapped, such as note.content, note.createdAt"},
	"negative lag":     {file: good + "health: {lag: -1s}\n", want: "ghlsync.yaml:5:15: health.lag: must not be negative"},
	"negative silence": {file: good + "health: {silence: -1s}\n", want: "ghlsync.yaml:5:19: health.silence: must not be negative"},
	"same port":        {file: good + "listen: :8080\nadmin: :08080\n", want: "ghlsync.yaml:6:8: admin: listen and admin must not have the same address"},
	"case of a host":   {file: good + "listen: LocalHost:8080\nadmin: 127.0.0.1:8080\n", want: "ghlsync.yaml:6:8: admin: listen and admin must not have the same address"},
	"long IPv6":        {file: good + "listen: '[0:0:0:0:0:0:0:1]:8080'\nadmin: '[::1]:8080'\n", want: "ghlsync.yaml:6:8: admin: listen and admin must not have the same address"},
	"empty app":        {file: good + "highlevel: {webhook_apps: ['']}\n", want: "highlevel.webhook_apps: must not have an empty id"},
	"relative URL":     {file: good + "token_keys: [" + hexKey + "]\napp: {client_id: a, client_secret: pit-secret, redirect_url: /c}\n", want: "ghlsync.yaml:6:62: app.redirect_url: must be a URL"},
	"env location":     {file: good + "    takes: all\n  - {id: b, token: pit-secret, takes: none}\n", env: []string{"GHLSYNC_LOCATION_ID=x"}, want: "has several"},
}

const hexKey = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"

// TestWrongSettings: one mistake is one line with the setting and its place, and shows no secret.
func TestWrongSettings(t *testing.T) {
	for name, c := range wrongSettings {
		t.Run(name, func(t *testing.T) {
			w := settingsFile(t, c.file, c.env...)
			code, out, errs := w.do("config", "check")
			require.Equal(t, exitWrong, code, out+errs)
			require.Contains(t, errs, c.want)
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
			require.NotContains(t, out+errs, "pit-secret")
		})
	}
	w := newWorld(t, "")
	w.env = nil
	t.Chdir(t.TempDir())
	code, _, errs := w.do("run")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs, "ghlsync config init")
	code, _, errs = w.do("run", "--config", "nowhere.yaml")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs, "nowhere.yaml")
}

// TestOneVerdict: config check, doctor and run refuse the same settings with the same text.
func TestOneVerdict(t *testing.T) {
	for name, c := range wrongSettings {
		t.Run(name, func(t *testing.T) {
			w := settingsFile(t, c.file, c.env...)
			_, _, want := w.do("config", "check")
			code, out, errs := w.do("run")
			require.Equal(t, exitWrong, code)
			require.Empty(t, out)
			require.Equal(t, want, errs)
			code, out, errs = w.do("doctor")
			require.NotZero(t, code)
			for line := range strings.Lines(want) {
				require.Contains(t, out+errs, strings.TrimPrefix(line, "ghlsync: "))
			}
		})
	}
}

// TestAllMistakes: all mistakes of the file, the environment and a file of rules are listed at once, each with its
// place.
func TestAllMistakes(t *testing.T) {
	w := settingsFile(t, good+`    rules: rules.yaml
    owners: {contact.firstNam: pluvo}
    time_zone: Mars
lisen: :1
workers: pit-secret
listen: 127.0.0.1:99999
app: {client_id: a}
`, "GHLSYNC_LEASE=soon", "GHLSYNC_LOCATION_REGION=XX")
	dir := filepath.Dir(strings.TrimPrefix(w.env[len(w.env)-1], "GHLSYNC_CONFIG="))
	rules := "version: 1\ncontact:\n  - {ghl: firstNam, pluvo: firstName}\n  - {ghl: lastName, pluvo: lastNam}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rules), 0o600))
	check := func() []string {
		code, out, errs := w.do("config", "check")
		require.Equal(t, exitWrong, code, out)
		_, _, run := w.do("run")
		require.Equal(t, errs, run)
		return strings.Split(strings.TrimSuffix(strings.ReplaceAll(errs, dir+"/", ""), "\n"), "\n")
	}
	for i, line := range check() {
		require.Regexp(t, []string{
			`^ghlsync: 11 mistakes in the settings:$`,
			`^ghlsync.yaml: token_keys: is missing; `,
			`^ghlsync.yaml:7:16: locations\[0\].time_zone: must be a time zone`,
			`^ghlsync.yaml:8:1: unknown setting "lisen" at the top level; did you mean listen\?$`,
			`^ghlsync.yaml:9:10: workers: must be a whole number$`,
			`^ghlsync.yaml:10:9: listen: must have a port from 0 to 65535, got "99999"$`,
			`^ghlsync.yaml:11:6: app.client_secret: is missing; `,
			`^ghlsync.yaml:11:6: app.redirect_url: is missing; `,
			`^GHLSYNC_LEASE: lease: must be a time such as 30s, 5m or 24h$`,
			`^GHLSYNC_LOCATION_REGION: locations\[0\].region: must be a country such as US, got "XX"$`,
			`^rules.yaml:3:\d+: .*firstNam`,
			`^rules.yaml:4:\d+: .*lastNam`,
		}[i], line)
	}
}

// TestRulesAndOwners: the fields that a file of rules maps may have owners; custom fields can be checked only by
// HighLevel.
func TestRulesAndOwners(t *testing.T) {
	w := settingsFile(t, good+"    rules: rules.yaml\n    owners: {contact.fields.shoe: pluvo, task.title: newest}\n")
	rules := filepath.Join(filepath.Dir(strings.TrimPrefix(w.env[0], "GHLSYNC_CONFIG=")), "rules.yaml")
	require.NoError(t, os.WriteFile(rules,
		[]byte("version: 1\ncontact:\n  - {ghl: custom.contact.shoe, pluvo: fields.shoe}\n"), 0o600))
	w.ok("config", "check")
	require.NoError(t, os.WriteFile(rules,
		[]byte("version: 1\ncontact:\n  - {ghl: firstName, pluvo: firstName}\n"), 0o600))
	code, _, errs := w.do("config", "check")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs,
		"ghlsync.yaml:6:35: locations[0].owners[contact.fields.shoe]: must name a field that is mapped")
}

// TestSettings: the environment overrides the file, references are expanded, and all settings reach the configuration.
func TestSettings(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("from-file\n"), 0o600))
	w := settingsFile(t, `
database: ${DATABASE}
workers: ${WORKERS}
token_keys: ["`+strings.Repeat("0f", 32)+`"]
app: {client_id: id, client_secret: "${file:`+secret+`}", redirect_url: "http://localhost:1/c"}
locations:
  - id: a
    takes: tag:Vip
    owners: {contact.firstName: pluvo}
    stages: {new: [{title: Call, due: 48h}]}
`, "DATABASE=sqlite:y.db", "WORKERS=7", "GHLSYNC_LEASE=20s", "GHLSYNC_LOCATION_REGION=DE", "GHLSYNC_TYPO=1")
	p := &program{env: w.env, err: &output{}}
	s, err := p.load()
	require.NoError(t, err)
	require.Equal(t, "from-file", s.App.ClientSecret)
	require.Equal(t, []string{"GHLSYNC_TYPO"}, s.unknown)
	c, err := s.config(p.logger(s, slog.LevelDebug))
	require.NoError(t, err)
	require.NoError(t, c.Check())
	require.Equal(t, "sqlite:y.db", c.Database)
	require.Equal(t, 7, c.Workers)
	require.Equal(t, "20s", c.Lease.String())
	require.NotNil(t, c.App)
	require.Equal(t, "DE", c.Locations[0].Region)
	require.Equal(t, ghlsync.OwnerPluvo, c.Locations[0].Owners["contact.firstName"])
	require.Equal(t, []ghlsync.StageTask{{Title: "Call", Due: s.Locations[0].Stages["new"][0].Due}},
		c.Locations[0].Stages["new"])
	require.Contains(t, w.ok("config", "check"), "GHLSYNC_TYPO is not a setting")
}

// TestTemplate: the template is a settings file that names every setting, and lacks only the location and its token.
func TestTemplate(t *testing.T) {
	t.Chdir(t.TempDir())
	w := newWorld(t, "")
	w.env = nil
	require.Contains(t, w.ok("config", "init", "--dry-run"), "database:")
	require.NoFileExists(t, "ghlsync.yaml")
	w.ok("config", "init")
	info, err := os.Stat("ghlsync.yaml")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, errs := w.do("config", "init")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs, "already exists")
	code, _, errs = w.do("config", "check")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs, "locations[0].id: is missing")
	w.env = []string{"GHLSYNC_LOCATION_ID=abc", "GHLSYNC_LOCATION_TOKEN=pit-x"}
	w.ok("config", "check")
	w.ok("config", "init", "--force")
	text, err := os.ReadFile("ghlsync.yaml")
	require.NoError(t, err)
	for _, setting := range allSettings {
		last := setting.Path[strings.LastIndex(setting.Path, ".")+1:]
		require.Contains(t, string(text), last+":", setting.Path)
	}

	// With every example line enabled it is still a correct settings file.
	exampleLine := regexp.MustCompile(`^(  )*(- )?[{a-z_]+:`)
	var all []string
	for line := range strings.SplitSeq(string(text), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		if rest, ok := strings.CutPrefix(trimmed, "# "); ok && exampleLine.MatchString(rest) &&
			!strings.HasPrefix(rest, "database:") && !strings.Contains(rest, "${") {
			line = line[:len(line)-len(trimmed)] + rest
		}
		all = append(all, line)
	}
	require.NoError(t, os.WriteFile("all.yaml", []byte(strings.Join(all, "\n")), 0o600))
	w.env = []string{"GHLSYNC_LOCATION_ID=abc", "GHLSYNC_LOCATION_TOKEN=pit-x", "GHLSYNC_LOCATION_RULES=",
		"GHLSYNC_APP_CLIENT_ID=a", "GHLSYNC_APP_CLIENT_SECRET=b"}
	w.ok("config", "check", "--config", "all.yaml")
}

// TestIgnoredVariable: a warning about a variable names the setting that was probably meant.
func TestIgnoredVariable(t *testing.T) {
	for variable, want := range map[string]string{
		"GHLSYNC_DATABSE":         "GHLSYNC_DATABSE is not a setting and is ignored; did you mean GHLSYNC_DATABASE?",
		"GHLSYNC_TOKEN":           "GHLSYNC_TOKEN is not a setting and is ignored; did you mean GHLSYNC_LOCATION_TOKEN?",
		"GHLSYNC_CLIENT_ID":       "GHLSYNC_CLIENT_ID is not a setting and is ignored; did you mean GHLSYNC_APP_CLIENT_ID?",
		"GHLSYNC_LOCATIONS_ID":    "GHLSYNC_LOCATIONS_ID is not a setting and is ignored; did you mean GHLSYNC_LOCATION_ID?",
		"GHLSYNC_LOCATION_OWNERS": "GHLSYNC_LOCATION_OWNERS is ignored; set locations[].owners in the settings file",
		"GHLSYNC_LOCATIONS":       "GHLSYNC_LOCATIONS is ignored; set locations in the settings file",
		"GHLSYNC_FROBNICATE":      "GHLSYNC_FROBNICATE is not a setting and is ignored",
	} {
		require.Equal(t, want, ignored(variable))
	}
}

// TestAppMistakes: all mistakes of an app are found at once.
func TestAppMistakes(t *testing.T) {
	w := settingsFile(t, good+`token_keys: [`+hexKey+`]
app:
  client_id: pit secret
  redirect_url: /callback
  scopes: [""]
highlevel:
  auth_url: https://example.com/#a
`)
	code, _, errs := w.do("config", "check")
	require.Equal(t, exitWrong, code)
	require.NotContains(t, errs, "pit secret")
	var lines []string
	for line := range strings.Lines(errs) {
		if _, at, ok := strings.Cut(line, "ghlsync.yaml:"); ok {
			lines = append(lines, strings.TrimSuffix(at, "\n"))
		}
	}
	require.Equal(t, []string{
		"7:3: app.client_secret: is missing; copy it from the page of the app in HighLevel's marketplace",
		"7:14: app.client_id: holds a character that is not allowed in a token (a space or line break at its end?)",
		"8:17: app.redirect_url: must be a URL with a host and the scheme http or https",
		"9:11: app.scopes: a scope is empty or has white space",
		"11:13: highlevel.auth_url: must not have a user or a fragment",
	}, lines)
}
