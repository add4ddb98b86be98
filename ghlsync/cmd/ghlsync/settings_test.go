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

// TestWrongSettings: each is one line that names the setting, and where it stands. None shows a secret.
func TestWrongSettings(t *testing.T) {
	hexKey := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		file string
		env  []string
		want string
	}{
		"unknown name":    {file: good + "databse: x\n", want: `ghlsync.yaml:5: "databse" is no setting; is "database" meant?`},
		"unknown deep":    {file: good + "    regoin: US\n", want: `ghlsync.yaml:5: "regoin" is no setting; is "region" meant?`},
		"no YAML":         {file: "database: [\n", want: "ghlsync.yaml:"},
		"wrong form":      {file: good + "workers: many\n", want: "ghlsync.yaml:5: a value of another form is wanted here (a number)"},
		"wrong duration":  {file: good + "lease: soon\n", want: "(a time such as 30s)"},
		"secret in list":  {file: good + "token_keys: pit-secret\n", want: "(a list)"},
		"no database":     {file: "locations: [{id: a, token: pit-secret}]", want: "ghlsync.yaml: database is missing"},
		"other database":  {file: strings.Replace(good, "sqlite:x.db", "mysql://pit-secret@host", 1), want: "ghlsync.yaml: database begins neither"},
		"no location":     {file: "database: sqlite:x.db\n", want: "locations names no location"},
		"no id":           {file: "database: sqlite:x.db\nlocations: [{token: pit-secret}]\n", want: "locations[0].id is missing"},
		"no token":        {file: "database: sqlite:x.db\nlocations: [{id: a}]\n", want: "locations[0].token is missing"},
		"owner":           {file: good + "    owner: me\n", want: `locations[0].owner is "me", not`},
		"owners":          {file: good + "    owners: {contact.x: me}\n", want: `locations[0].owners[contact.x] is "me"`},
		"deletes":         {file: good + "    deletes: never\n", want: `locations[0].deletes is "never"`},
		"time zone":       {file: good + "    time_zone: Mars/Base\n", want: `locations[0].time_zone is "Mars/Base"`},
		"region":          {file: good + "    region: XX\n", want: `locations[0].region is "XX"`},
		"takes":           {file: good + "    takes: some\n", want: `locations[0].takes is "some", not all, none or tag:NAME`},
		"takes missing":   {file: good + "  - id: b\n    token: pit-secret\n", want: "locations[0].takes is missing"},
		"stage":           {file: good + "    stages: {new: [{due: 1h}]}\n", want: "locations[0].stages[new][0] has no stage"},
		"rules":           {file: good + "    rules: nowhere.yaml\n", want: "locations[0].rules can't be read"},
		"listen":          {file: good + "listen: nowhere\n", want: `listen is "nowhere"`},
		"admin":           {file: good + "admin: nowhere\n", want: `admin is "nowhere"`},
		"path":            {file: good + "webhook_path: hooks\n", want: `webhook_path is "hooks"`},
		"webhook url":     {file: good + "webhook_url: example.com\n", want: "webhook_url is no URL"},
		"log format":      {file: good + "log: {format: xml}\n", want: `log.format is "xml"`},
		"log level":       {file: good + "log: {level: loud}\n", want: "log.level is not debug, info, warn or error"},
		"drain":           {file: good + "drain: -1s\n", want: "drain is negative"},
		"lease":           {file: good + "lease: 1ms\n", want: "lease is shorter than a second"},
		"keys":            {file: good + "token_keys: [abc]\n", want: "token_keys[0] is not 64 hexadecimal digits"},
		"keys in env":     {file: good, env: []string{"GHLSYNC_TOKEN_KEYS=" + hexKey + ",pit-secret"}, want: "GHLSYNC_TOKEN_KEYS: token_keys is not 64"},
		"webhook key":     {file: good + "highlevel: {webhook_keys: [pit-secret]}\n", want: "highlevel.webhook_keys[0] is no Ed25519"},
		"notify":          {file: good + "notify: {url: 'pit-secret'}\n", want: "notify.url is no URL"},
		"app without key": {file: good + "app: {client_id: a, client_secret: pit-secret, redirect_url: 'http://localhost:1/c'}\n", want: "token_keys is missing"},
		"app secret":      {file: good + "app: {client_id: a}\n", want: "app.client_secret is missing"},
		"variable":        {file: strings.Replace(good, "pit-secret", "${NO_SUCH}", 1), want: "ghlsync.yaml:4: the variable NO_SUCH is not set"},
		"file":            {file: strings.Replace(good, "pit-secret", "${file:/no/such}", 1), want: "ghlsync.yaml:4: open /no/such"},
		"env number":      {file: good, env: []string{"GHLSYNC_WORKERS=many"}, want: "GHLSYNC_WORKERS: workers is not a number"},
		"env location":    {file: good + "  - id: b\n    token: pit-secret\n", env: []string{"GHLSYNC_LOCATION_ID=x"}, want: "names several"},
	} {
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

// TestSettings: the environment wins, values stand elsewhere, and all of it arrives.
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
	require.Equal(t, []ghlsync.StageTask{{Title: "Call", Due: s.Locations[0].Stages["new"][0].Due}}, c.Locations[0].Stages["new"])
	require.Contains(t, w.ok("config", "check"), "GHLSYNC_TYPO is no setting")
}

// TestTemplate: it is a file of settings, names each of them, and lacks what only its owner knows.
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
	require.Contains(t, errs, "is there already")
	code, _, errs = w.do("config", "check")
	require.Equal(t, exitWrong, code)
	require.Contains(t, errs, "locations[0].id is missing")
	w.env = []string{"GHLSYNC_LOCATION_ID=abc", "GHLSYNC_LOCATION_TOKEN=pit-x"}
	w.ok("config", "check")
	w.ok("config", "init", "--force")
	text, err := os.ReadFile("ghlsync.yaml")
	require.NoError(t, err)
	for _, name := range names() {
		last := name[strings.LastIndex(name, ".")+1:]
		require.Contains(t, string(text), last+":", name)
	}

	// With every example made a setting it is still one.
	exampleLine := regexp.MustCompile(`^(  )*(- )?[{a-z_]+:`)
	var all []string
	for line := range strings.SplitSeq(string(text), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		if rest, ok := strings.CutPrefix(trimmed, "# "); ok && exampleLine.MatchString(rest) && !strings.HasPrefix(rest, "database:") && !strings.Contains(rest, "${") {
			line = line[:len(line)-len(trimmed)] + rest
		}
		all = append(all, line)
	}
	require.NoError(t, os.WriteFile("all.yaml", []byte(strings.Join(all, "\n")), 0o600))
	w.env = []string{"GHLSYNC_LOCATION_ID=abc", "GHLSYNC_LOCATION_TOKEN=pit-x", "GHLSYNC_LOCATION_RULES=", "GHLSYNC_APP_CLIENT_ID=a", "GHLSYNC_APP_CLIENT_SECRET=b"}
	w.ok("config", "check", "--config", "all.yaml")
}
