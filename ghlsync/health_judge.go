package ghlsync

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

// The codes of problems, for programs.
const (
	codeStopped    = "stopped"
	codeDatabase   = "database"
	codeNobody     = "no process works"
	codeProcess    = "this process does not work"
	codeAlerts     = "alerts not sent"
	codeClock      = "clock"
	codePaused     = "location paused"
	codeClosed     = "location closed"
	codeToken      = "token"
	codeLag        = "lag"
	codeQuota      = "daily quota"
	codeFailures   = "failures stopped"
	codeUndecided  = "conflicts undecided"
	codeSchedule   = "schedule"
	codeSilence    = "webhook silence"
	defaultLag     = 10 * time.Minute
	defaultSilence = 24 * time.Hour
	defaultClock   = 10 * time.Second
)

// judge adds the problems to a health. failed is the error of reading it from the database, if any.
func (s *Syncer) judge(h Health, states []locationState, failed error) (Health, []locationState) {
	h.Problems, h.Locations = []Problem{}, []LocationHealth{}
	wrong := func(state HealthState, code, text, do string) {
		h.Problems = append(h.Problems, Problem{State: state, Code: code, Text: text, Do: do})
	}
	started := s.monitor.started.Load() != 0
	switch {
	case errors.Is(failed, errStopped):
		wrong(Failing, codeStopped, "This program has stopped.", "Start it again.")
	case failed != nil:
		wrong(Failing, codeDatabase, "The database does not answer: "+redact.Text(failed.Error())+".",
			"Check that it runs and can be reached. Until then webhooks are answered 429, "+
				"so that HighLevel delivers them again.")
	case h.Processes == 0:
		wrong(Failing, codeNobody, "No process works on this database.",
			"Start one: ghlsync run. Changes until then are stored and synced later.")
	case started && !s.queue.Alive():
		wrong(Degraded, codeProcess,
			"This process could not renew its lease in time and has stopped its work; other processes continue.",
			"It recovers automatically. If this lasts, check its log and how fast the database answers.")
	}
	if h.AlertsWaiting > 0 {
		wrong(Degraded, codeAlerts, fmt.Sprintf("%s could not be sent yet.", count(h.AlertsWaiting, "alert")),
			"Check that the receiver of alerts answers with a status of 2xx. They are sent again every few minutes.")
	}
	for _, clock := range []struct {
		name  string
		ahead time.Duration
	}{{"The database's", h.DatabaseClock}, {"HighLevel's", h.HighLevelClock}} {
		if beyond(clock.ahead.Abs(), s.config.HealthLimits.Clock, defaultClock) {
			way := "ahead of"
			if clock.ahead < 0 {
				way = "behind"
			}
			wrong(Degraded, codeClock,
				fmt.Sprintf("%s clock is %s %s this machine's.", clock.name, inWords(clock.ahead.Abs()), way),
				"Set both clocks by NTP: times decide which change is newer and when a token expires.")
		}
	}
	for i := range states {
		l := &states[i]
		problems := s.judgeLocation(l)
		l.State = worst(problems)
		h.Problems = append(h.Problems, problems...)
		h.Locations = append(h.Locations, l.LocationHealth)
	}
	slices.SortStableFunc(h.Problems, func(a, b Problem) int { // failing first
		return strings.Compare(string(b.State), string(a.State))
	})
	h.State = worst(h.Problems)
	return h, states
}

// worst returns the worst state of the problems.
func worst(problems []Problem) HealthState {
	state := Healthy
	for _, p := range problems {
		if p.State == Failing {
			return Failing
		}
		state = Degraded
	}
	return state
}

// judgeLocation returns the problems of a location.
func (s *Syncer) judgeLocation(l *locationState) []Problem {
	var list []Problem
	wrong := func(code, text, do string) {
		list = append(list, Problem{
			State: Degraded, Code: code, Location: l.ID, Text: "Location " + l.ID + " " + text, Do: do,
		})
	}
	stopped := judgePaused(l, wrong)
	judgeToken(l, stopped, wrong)
	s.judgeWork(l, stopped, wrong)
	if !stopped {
		s.judgeSchedules(l, wrong)
	}
	s.judgeSilence(l, wrong)
	return list
}

// judgePaused judges whether a location is paused or cannot be opened, and reports whether its sync has stopped.
func judgePaused(l *locationState, wrong func(code, text, do string)) (stopped bool) {
	var mistake *ConfigError
	switch {
	case errors.As(l.closing, &mistake) && !l.Paused.IsZero(): // this process found the mistake
		wrong(codePaused, fmt.Sprintf("is paused since %s: %s.", l.Paused.Format(time.RFC3339), l.Closed),
			join(adviceFor(CategoryWrongSetting), "Then resume the location."))
	case !l.Paused.IsZero():
		wrong(codePaused, fmt.Sprintf("is paused since %s: %s.", l.Paused.Format(time.RFC3339), l.Reason),
			join(adviceFor(l.pausedBy), resumeAdvice(l.ID)))
	case l.Closed != "":
		wrong(codeClosed, "cannot be opened yet: "+l.Closed+".",
			join(adviceFor(queue.Classify(l.closing).Category), "It is retried every minute."))
	default:
		return false
	}
	return true
}

// judgeToken judges the token of a location. A refused token is not reported again if the sync has stopped.
func judgeToken(l *locationState, stopped bool, wrong func(code, text, do string)) {
	switch t := l.Token; {
	case t.State == TokenMissing:
		wrong(codeToken, "has no token.", "Connect it: ghlsync connect.")
	case t.State == TokenRefused && !stopped:
		wrong(codeToken, "has a token that HighLevel refuses.", adviceFor(CategoryReauthRequired))
	case t.State == TokenUnreadable:
		wrong(codeToken, "has a token that none of the keys decrypts.",
			"Add the key that it was stored with (token_keys), or connect the location again: ghlsync connect.")
	case t.State == TokenEnds:
		wrong(codeToken,
			fmt.Sprintf("has a token that expires in %s and cannot be renewed.", inWords(time.Until(t.ExpiresAt))),
			"Connect it again before that: ghlsync connect.")
	case t.State == TokenExpired:
		wrong(codeToken, "has a token that has expired and cannot be renewed.", "Connect it again: ghlsync connect.")
	}
}

// judgeWork judges what waits, fails or needs a decision.
func (s *Syncer) judgeWork(l *locationState, stopped bool, wrong func(code, text, do string)) {
	waiting := count(l.Waiting, "contact waits", "contacts wait")
	if !stopped && beyond(l.Lag, s.config.HealthLimits.Lag, defaultLag) {
		wrong(codeLag, fmt.Sprintf("is behind: %s, the longest for %s.", waiting, inWords(l.Lag)),
			"If the lag does not shrink, check the budget of requests, and the log for failures.")
	}
	if l.DailyLeft == 0 {
		wrong(codeQuota, fmt.Sprintf("has used up the daily quota of requests; %s.", waiting),
			"It continues when HighLevel renews the quota. Check whether another program uses the quota.")
	}
	if l.Stopped > 0 {
		waiting := count(l.Stopped, "contact that waits", "contacts that wait")
		wrong(codeFailures, fmt.Sprintf("has %s for a person after a failure.", waiting),
			"List them: ghlsync failures. Fix the cause, then: ghlsync retry ID, or ghlsync failures skip ID.")
	}
	if l.Undecided > 0 {
		wrong(codeUndecided, fmt.Sprintf("has %s that only a person can decide.", count(l.Undecided, "conflict")),
			"List them: ghlsync conflicts. Link the right pair or correct one side, and resolve each conflict.")
	}
}

// judgeSchedules judges whether the schedules run in time. A schedule is measured from the start of this process at the
// earliest, since no process may have run before.
func (s *Syncer) judgeSchedules(l *locationState, wrong func(code, text, do string)) {
	for _, schedule := range []struct {
		done, setting string
		every         time.Duration
		last          time.Time
	}{
		{"reconciled", "reconcile", s.config.ReconcileInterval, l.Reconciled},
		{"compared in full", "compare", s.config.CompareInterval, l.Compared},
	} {
		since := schedule.last
		if started := s.monitor.started.Load(); started != 0 && since.UnixNano() < started {
			since = time.Unix(0, started)
		}
		if schedule.every > 0 && !schedule.last.IsZero() && time.Since(since) > 2*schedule.every+time.Hour {
			wrong(codeSchedule, fmt.Sprintf("was last %s %s ago.", schedule.done, inWords(time.Since(schedule.last))),
				"Check the log for why its schedule ("+schedule.setting+") is late. It is retried.")
		}
	}
}

// judgeSilence judges whether webhooks arrive.
func (s *Syncer) judgeSilence(l *locationState, wrong func(code, text, do string)) {
	started := s.monitor.started.Load()
	if started == 0 {
		return
	}
	since, text := time.Unix(0, started), "has received no webhook since this process started"
	if !l.LastDelivery.IsZero() {
		since, text = l.LastDelivery, "has received no webhook since "+l.LastDelivery.UTC().Format(time.RFC3339)
	}
	if quiet := time.Since(since); beyond(quiet, s.config.HealthLimits.Silence, defaultSilence) {
		wrong(codeSilence, text+", for "+inWords(quiet)+".",
			"If something has changed there since, check that the app's webhook URL is right and can be reached "+
				"from outside (ghlsync doctor tests it).")
	}
}

// adviceFor returns what a person can do about errors of a category.
func adviceFor(category FailureCategory) string {
	switch {
	case category.RefusesToken():
		return "Connect the location again (ghlsync connect), or give it a valid token."
	case category == CategoryMissingScope:
		return "Add the missing scope (ghlsync doctor names it) to the app or the token, " +
			"and connect the location again (ghlsync connect)."
	case category == CategoryWrongSetting:
		return "Correct the setting, and restart the program."
	}
	return "Fix the cause."
}

// resumeAdvice returns how to resume a paused location.
func resumeAdvice(location string) string {
	return "If it stays paused: ghlsync resume " + location + "."
}

// join joins two sentences, either of which may be empty.
func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

// count returns a number with the singular or plural of a word. The plural adds an s unless it is given.
func count(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return fmt.Sprintf("%d %s", n, many[0])
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// inWords returns a duration in words, rounded to its largest unit.
func inWords(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return count(int(d.Round(time.Second)/time.Second), "second")
	case d < 2*time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d/(24*time.Hour)), "day")
}
