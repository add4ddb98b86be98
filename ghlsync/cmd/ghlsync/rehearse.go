package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
)

// rehearse runs a backfill on a copy of the database, and answers writing requests to HighLevel itself.
func (p *program) rehearse(ctx context.Context, args []string, o ghlsync.BackfillOptions) (err error) {
	screen := p.screen()
	s, err := p.load()
	if err != nil {
		return err
	}
	config, err := s.config(p.logger(s, slog.LevelWarn))
	if err != nil {
		return err
	}
	locations, err := chosen(s, args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ghlsync-dry-run-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	config.Database = "sqlite:" + filepath.Join(dir, "copy.db")
	scratch, err := db.Open(ctx, config.Database, db.Options{Logger: config.Logger})
	if err != nil {
		return err
	}
	defer scratch.Close()
	waiting, err := copyOf(ctx, s, scratch)
	if err != nil {
		return fmt.Errorf("the database can't be copied: %w", err)
	}

	r := &rehearsal{p: p, screen: screen}
	end, err := r.redirect(ctx, s, &config, scratch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	sync, err := ghlsync.New(ctx, config)
	if err != nil {
		return s.translate(err)
	}
	defer func() { err = errors.Join(err, stop(ctx, sync, 10*time.Second)) }()
	if err := sync.Start(ctx); err != nil {
		return s.translate(err)
	}
	if err := r.sync(ctx, sync, waiting, locations, o); err != nil {
		return err
	}
	return p.show(r.lines, func() {
		fmt.Fprintf(p.out, "\nIt would change %s of Pluvo and send %s to HighLevel.\nNothing was changed.\n",
			plural(r.pluvo, "record"), plural(r.ghl, "request"))
	})
}

// sync runs the backfill, with the work that waited in the copied database.
func (r *rehearsal) sync(
	ctx context.Context, sync *ghlsync.Syncer, waiting [][2]string, locations []string, o ghlsync.BackfillOptions,
) error {
	for _, unit := range waiting {
		if err := sync.Touch(ctx, unit[0], unit[1]); err != nil {
			return err
		}
	}
	for _, location := range locations {
		if _, err := r.p.backfillOne(ctx, sync, r.screen, location, o); err != nil {
			return fmt.Errorf("%s: %w", location, err)
		}
	}
	return untilQuiet(ctx, sync, locations, 15*time.Second, func(context.Context) error { return nil })
}

// redirect changes a configuration so that the sync writes to a copy of the database, and HighLevel gets no request
// that writes. The caller calls end after the sync.
func (r *rehearsal) redirect(ctx context.Context, s *settings, c *ghlsync.Config, copied *db.DB,
) (end func() error, err error) {
	c.Pluvo = &rehearsedStore{records.New(copied), r}
	c.ReconcileInterval, c.CompareInterval = -1, -1
	c.MigrateByHand, c.Notifier = false, nil
	c.Retry = ghlsync.RetryPolicy{First: time.Second, Max: time.Second, Attempts: 3}
	end = func() error { return nil }
	if c.App != nil {
		a, err := r.p.accounts(ctx, s, true) // the tokens stay in the database of the settings
		if err != nil {
			return nil, err
		}
		end = func() error { return a.close(ctx) }
		for i := range c.Locations {
			if l := &c.Locations[i]; l.TokenSource == nil {
				if l.TokenSource, err = a.source(ctx, l.ID); err != nil {
					return nil, errors.Join(err, end())
				}
			}
		}
		c.App = nil
	}
	for i := range c.Locations {
		l := &c.Locations[i]
		l.ClientOptions = append(l.ClientOptions, ghl.WithMiddleware(r.middleware))
	}
	return end, nil
}

// untilQuiet waits until all work is done. It calls before, and polls Pluvo, before each check. It waits for
// delayed work only for the time of patience, because the contact may never appear in HighLevel.
func untilQuiet(ctx context.Context, sync *ghlsync.Syncer, locations []string, patience time.Duration,
	before func(context.Context) error,
) error {
	idle := time.Now() // since when only delayed work is left
	for quiet := 0; quiet < 3; {
		if err := before(ctx); err != nil {
			return err
		}
		sync.PluvoChanged()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond): // time to follow Pluvo
		}
		quiet++
		for _, location := range locations {
			pending, err := sync.Pending(ctx, location)
			if err != nil {
				return err
			}
			if pending.Contacts > pending.Delayed {
				idle = time.Now()
			}
			if pending.Contacts > 0 && time.Since(idle) < patience {
				quiet = 0
			}
		}
	}
	return nil
}

// copyOf copies the database of the settings, and returns the location and id of each contact that waits for work.
// A database that does not exist yet is empty.
func copyOf(ctx context.Context, s *settings, to *db.DB) (waiting [][2]string, err error) {
	if path, is := strings.CutPrefix(s.Database, "sqlite:"); is {
		if _, err := os.Stat(strings.TrimPrefix(path, "//")); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	from, err := db.Open(ctx, s.Database, db.Options{ByHand: true})
	if err != nil {
		return nil, err
	}
	defer from.Close()
	return from.Copy(ctx, to)
}

// source returns the tokens of a location. They are renewed in the database of the settings.
func (a *accounts) source(ctx context.Context, location string) (ghl.TokenSource, error) {
	key := oauth.LocationKey(location)
	token, err := a.store.Load(ctx, key)
	if errors.Is(err, oauth.ErrNoToken) {
		return nil, fmt.Errorf("%s is not connected; to connect it: ghlsync connect", location)
	}
	if err != nil {
		return nil, err
	}
	if token.RefreshToken == "" && token.CompanyID != "" { // derived from the token of an agency
		return a.app.LocationTokenSource(a.store, oauth.CompanyKey(token.CompanyID), token.CompanyID, location), nil
	}
	return a.app.TokenSource(a.store, key), nil
}

// rehearsed is a change that a backfill would make.
type rehearsed struct {
	Side   string   `json:"side"`
	What   string   `json:"what"`
	ID     string   `json:"id,omitempty"`
	Fields []string `json:"fields,omitempty"`
}

// rehearsal collects the changes that a backfill would make.
type rehearsal struct {
	p          *program
	screen     *screen
	mu         sync.Mutex
	seen       map[string]bool
	lines      []rehearsed
	pluvo, ghl int
}

// note adds and prints a change, once if it is repeated.
func (r *rehearsal) note(one rehearsed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := fmt.Sprint(one)
	if r.seen[key] { // a retry
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[key] = true
	r.lines = append(r.lines, one)
	if one.Side == "Pluvo" {
		r.pluvo++
	} else {
		r.ghl++
	}
	if !r.p.json {
		text := fmt.Sprintf("%-9s  would %s %s", one.Side, one.What, one.ID)
		if len(one.Fields) > 0 {
			text += ": " + strings.Join(one.Fields, ", ")
		}
		fmt.Fprintln(r.p.out, text)
	}
}

// reads are the operations that only read although their method is not GET.
var reads = []string{"contacts.search", "tasks.search"}

// middleware sends requests that read, and answers requests that write with an error.
func (r *rehearsal) middleware(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		op, _ := ghl.OperationFromContext(req.Context())
		if req.Method == http.MethodGet || slices.Contains(reads, op.Name) {
			return next.RoundTrip(req)
		}
		r.note(rehearsed{"HighLevel", op.Name, req.URL.Path, bodyFields(req)})
		return &http.Response{
			StatusCode: http.StatusUnprocessableEntity, Status: "422 Unprocessable Entity", Proto: "HTTP/1.1",
			ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
			Body: io.NopCloser(bytes.NewReader([]byte(`{"statusCode":422,"message":"this is a dry run"}`))),
		}, nil
	})
}

// bodyFields reads the body of a request and returns the names of its fields.
func bodyFields(req *http.Request) (fields []string) {
	if req.Body == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	_ = req.Body.Close()
	var sent map[string]json.RawMessage
	if err == nil && json.Unmarshal(body, &sent) == nil {
		fields = slices.Sorted(maps.Keys(sent))
	}
	return fields
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rehearsedStore is the store of the copy. It reports each change.
type rehearsedStore struct {
	pluvo.Store
	r *rehearsal
}

// Put writes to the copy.
func (s *rehearsedStore) Put(ctx context.Context, record pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
	before, _, err := s.Store.Get(ctx, record.Kind(), record.Key())
	version, failed := s.Store.Put(ctx, record, expect)
	if failed == nil {
		switch {
		case err != nil:
			s.r.note(rehearsed{"Pluvo", "create " + string(record.Kind()), record.Key(), nil})
		case !pluvo.Equal(before, record):
			s.r.note(rehearsed{"Pluvo", "change " + string(record.Kind()), record.Key(), changedFields(before, record)})
		}
	}
	return version, failed
}

// Delete deletes from the copy.
func (s *rehearsedStore) Delete(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error {
	err := s.Store.Delete(ctx, kind, id, expect)
	if err == nil {
		s.r.note(rehearsed{"Pluvo", "delete " + string(kind), id, nil})
	}
	return err
}

// changedFields returns the names of the fields that differ.
func changedFields(a, b pluvo.Record) []string {
	fields := func(r pluvo.Record) (m map[string]json.RawMessage) {
		data, err := json.Marshal(r)
		if err == nil {
			_ = json.Unmarshal(data, &m)
		}
		return m
	}
	before, after := fields(a), fields(b)
	var list []string
	for name, value := range after {
		if !bytes.Equal(before[name], value) {
			list = append(list, name)
		}
	}
	for name := range before {
		if _, is := after[name]; !is {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
