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

// The codes of problems.
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

// judge says what of all that is wrong.
func (s *Syncer) judge(h Health, stands []stand, failed error) (Health, []stand) {
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
			"See that it runs and can be reached. Webhooks are answered 429 meanwhile, so that HighLevel delivers them again.")
	case h.Processes == 0:
		wrong(Failing, codeNobody, "No process works on this database.", "Start one: ghlsync run. What comes meanwhile is kept and worked on then.")
	case started && !s.queue.Alive():
		wrong(Degraded, codeProcess, "This process could not renew its lease in time, so it has stopped its work; others go on.",
			"It begins anew by itself. If this lasts, look at its log and at how fast the database answers.")
	}
	if h.AlertsWaiting > 0 {
		wrong(Degraded, codeAlerts, fmt.Sprintf("%s could not be sent yet.", count(h.AlertsWaiting, "alert")),
			"See that the receiver of alerts answers with a status of 2xx. They are tried again every few minutes.")
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
			wrong(Degraded, codeClock, fmt.Sprintf("%s clock is %s %s this machine's.", clock.name, inWords(clock.ahead.Abs()), way),
				"Have both clocks set by NTP: times are compared to say which change is newer, and when a token ends.")
		}
	}
	for i := range stands {
		l := &stands[i]
		problems := s.judgeLocation(l)
		l.State = worst(problems)
		h.Problems = append(h.Problems, problems...)
		h.Locations = append(h.Locations, l.LocationHealth)
	}
	slices.SortStableFunc(h.Problems, func(a, b Problem) int { return strings.Compare(string(b.State), string(a.State)) }) // failing first
	h.State = worst(h.Problems)
	return h, stands
}

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

func (s *Syncer) judgeLocation(l *stand) (list []Problem) {
	wrong := func(code, text, do string) {
		list = append(list, Problem{State: Degraded, Code: code, Location: l.ID, Text: "Location " + l.ID + " " + text, Do: do})
	}
	limits := s.config.HealthLimits
	stands := false
	var mistake *ConfigError
	switch {
	case errors.As(l.closing, &mistake) && !l.Paused.IsZero(): // this process found it
		stands = true
		wrong(codePaused, fmt.Sprintf("is paused since %s: %s.", l.Paused.Format(time.RFC3339), l.Closed), join(adviceFor(CategoryWrongSetting), "Then resume the location."))
	case !l.Paused.IsZero():
		stands = true
		wrong(codePaused, fmt.Sprintf("is paused since %s: %s.", l.Paused.Format(time.RFC3339), l.Reason), join(adviceFor(l.pausedBy), resumeAdvice(l.ID)))
	case l.Closed != "":
		stands = true
		wrong(codeClosed, "can't be opened yet: "+l.Closed+".", join(adviceFor(queue.Classify(l.closing).Category), "It is tried again every minute."))
	}
	switch t := l.Token; {
	case t.State == TokenMissing:
		wrong(codeToken, "has no token.", "Connect it: ghlsync connect.")
	case t.State == TokenRefused && !stands:
		wrong(codeToken, "has a token that HighLevel refuses.", adviceFor(CategoryReauthRequired))
	case t.State == TokenUnreadable:
		wrong(codeToken, "has a token that none of the keys opens.", "Give the key with which it was stored (token_keys), or connect it anew: ghlsync connect.")
	case t.State == TokenEnds:
		wrong(codeToken, fmt.Sprintf("has a token that ends in %s and can't be renewed.", inWords(time.Until(t.ExpiresAt))), "Connect it anew before: ghlsync connect.")
	case t.State == TokenExpired:
		wrong(codeToken, "has a token that has ended and can't be renewed.", "Connect it anew: ghlsync connect.")
	}
	if !stands && beyond(l.Lag, limits.Lag, defaultLag) {
		wrong(codeLag, fmt.Sprintf("is behind: %s, the longest for %s.", count(l.Waiting, "contact waits", "contacts wait"), inWords(l.Lag)),
			"If it does not become less, look at the budget of requests, and for failures in the log.")
	}
	if l.DailyLeft == 0 {
		wrong(codeQuota, fmt.Sprintf("has used up the day's quota of requests; %s.", count(l.Waiting, "contact waits", "contacts wait")),
			"It goes on by itself when HighLevel renews the quota. Look whether another program uses it up.")
	}
	if l.Stopped > 0 {
		wrong(codeFailures, fmt.Sprintf("has %s for a person after a failure.", count(l.Stopped, "contact that waits", "contacts that wait")),
			"Look at them: ghlsync failures. Mend the cause, and: ghlsync retry ID, or ghlsync failures skip ID.")
	}
	if l.Undecided > 0 {
		wrong(codeUndecided, fmt.Sprintf("has %s that only a person can decide.", count(l.Undecided, "conflict")),
			"Look at them: ghlsync conflicts. Link the right pair, or correct one side, and resolve each.")
	}
	for _, schedule := range []struct {
		name, setting string
		every         time.Duration
		last          time.Time
	}{{"asked for what no webhook told of", "reconcile", s.config.ReconcileInterval, l.Reconciled}, {"compared in full", "compare", s.config.CompareInterval, l.Compared}} {
		since := schedule.last
		if started := s.monitor.started.Load(); started != 0 && since.UnixNano() < started { // nobody may have been there
			since = time.Unix(0, started)
		}
		if schedule.every > 0 && !stands && !schedule.last.IsZero() && time.Since(since) > 2*schedule.every+time.Hour {
			wrong(codeSchedule, fmt.Sprintf("was last %s %s ago.", schedule.name, inWords(time.Since(schedule.last))),
				"Look in the log for why its schedule ("+schedule.setting+") is not kept. It is tried again.")
		}
	}
	if started := s.monitor.started.Load(); started != 0 {
		since := time.Unix(0, started)
		text := "has had no webhook since this process was started"
		if !l.LastDelivery.IsZero() {
			since = l.LastDelivery
			text = "has had no webhook since " + since.UTC().Format(time.RFC3339)
		}
		if quiet := time.Since(since); beyond(quiet, limits.Silence, defaultSilence) {
			wrong(codeSilence, text+", for "+inWords(quiet)+".",
				"If something was changed there since, see that the app's webhook URL is right and can be reached from outside (ghlsync doctor tries it).")
		}
	}
	return list
}

// adviceFor returns what a person can do about errors of a category.
func adviceFor(category FailureCategory) string {
	switch {
	case category.RefusesToken():
		return "Connect the location again (ghlsync connect), or give it a valid token."
	case category == CategoryMissingScope:
		return "Add the missing scope (ghlsync doctor names it) to the app or the token, and connect the location again (ghlsync connect)."
	case category == CategoryWrongSetting:
		return "Correct the setting, and start the program again."
	}
	return "See to the cause."
}

func resumeAdvice(location string) string {
	return "If it stays paused: ghlsync resume " + location + "."
}

func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

// count says how many, with the right form of the word.
func count(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return fmt.Sprintf("%d %s", n, many[0])
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// inWords is a duration as a person says it.
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
