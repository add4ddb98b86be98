// Package ghlsync keeps HighLevel locations and Pluvo in step, both ways: contacts with their tasks, notes, appointments and
// tags. Changes in HighLevel come by webhook, those in Pluvo are followed. It is a module of its own, so that an importer of the
// SDK never meets its database.
//
//	s, err := ghlsync.New(ctx, ghlsync.Config{
//		Database:  "sqlite:/var/lib/app/ghlsync.db", // or postgres://…
//		Locations: []ghlsync.Location{{ID: locationID, TokenSource: ghl.StaticTokenSource(token), Region: "US"}},
//	})
//	…
//	handler, err := s.WebhookHandler()
//	…
//	http.Handle("POST /webhooks/highlevel", handler)
//	err = s.Start(ctx)
//	…
//	err = s.Stop(ctx) // drains
//
// # What it promises
//
//   - A delivery is answered 200 once it is durable. One that comes twice, late or in another order leads to the same end: it is
//     a hint, and the record is read again.
//   - A process may be killed at any moment. Nothing is lost, and nothing is made twice: what is to be made is stored before
//     the call, and after a lost answer it is looked for; what is to be written is stored too, so that what did arrive is not
//     taken for an edit. One case can't be told apart: a record whose create was not answered, and which somebody deletes before
//     it could be looked for, is made again.
//   - Records are merged field by field against what both sides last had in common. Edits of different fields both survive. Where
//     both changed the same field its owner wins ([Location.Owners]), and the other value is kept as a [Conflict]. Tags merge as
//     sets. Fields that are not mapped are never touched.
//   - Echoes of own writes are known by their content. After the last edit there are no more writes, though HighLevel changes
//     what it is given (phone numbers, the case of tags and e-mails, the order of tags).
//   - A contact that is not linked yet is matched by phone and e-mail. Two candidates are a conflict of the field "match" that
//     waits for [Syncer.Link]: nobody guesses.
//   - What one side deletes is deleted on the other ([Location.Deletes]), and no late event brings it back. Deletions are taken
//     from complete lists and from an answer that the contact is not there, never from an event.
//   - An appointment made in Pluvo asks HighLevel for its slot, with the check on. If the slot is taken there is a conflict, not
//     a second booking. One that came to Pluvo from a third system (its origin says so) exists already, and is mirrored without
//     that check.
//   - Failures are kept with every attempt, without secrets and personal data ([Syncer.Failures]). What would fail the same again
//     stops and is listed; the rest is tried again with growing pauses. A location whose token is gone pauses alone.
//
// One gap is known. Between the read and the write of one field HighLevel gives no way to ask that nothing has changed: an edit
// that a person makes there in these milliseconds is overwritten when Pluvo has changed the same field.
//
// # How it works
//
// One database holds everything: a SQLite file for one process, or PostgreSQL for any number of them. The queue is River, in
// the same database, so that a change and the job that it asks for are one transaction.
//
// The unit of work is a contact with its tasks, notes, appointments and tags. Each has a dirty number. A delivery, a schedule,
// a change in Pluvo or a person raises it, and with the first raise goes a job; while a job is there, the number alone is
// raised. A worker notes the number, does its work, and in one transaction reads the number again under lock, completes the
// job, and inserts the next one if the number has risen. So no change is lost between the reading of a record and the end of
// its job, and one job at a time works on a contact.
//
// The unit's row names its job and the process that runs it. Any other job for it is void, whatever the queue does: one that
// was put again, rescued, or belongs to a process that was thought dead ends without effect. A process renews a lease; what
// one holds whose lease has run out is freed by the others, and a process that can't renew stops its work before that.
//
// Each location has a queue of its own in River, with a bound on its workers, so that a location at its rate limit, or with
// many contacts, does not hold up another. Rate limits are kept by all processes together, in the database.
//
// A contact costs four reads each time it is worked on: itself, its tasks, appointments and notes. A location's limit of 100
// requests in 10 s so allows about 2.5 contacts a second.
//
// # What deliveries do not tell
//
// [Syncer.Backfill] takes over what is there when a location is connected. It reads pages and lists: 10,000 contacts with 5,000
// tasks and three calendars cost about 150 calls, and with notes one more for each contact. A list is a moment old, so it only
// adds to what is known. A contact that was worked on after its list, or that waits for it, is left alone; one whose list looks
// older than what is known, and one of which something is to be written to HighLevel, is read first. Nothing is deleted because
// it is not in a list.
//
// HighLevel has no event for the edit of a task, and deliveries get lost. Every [Config.ReconcileInterval] each location is asked
// for the contacts that were changed since the last time and some minutes before that, for all tasks, and for the appointments to
// come. Every [Config.CompareInterval] it is compared in full, notes included. Each contact that differs from what was last in
// step, or of which something known is missing in a list that was read to its end, is read, and that decides. So a list that
// breaks off, ends early, or lags behind, deletes nothing. Where lists say the same of a contact again and again, though its own
// records say otherwise, it is read the first time, the second, the fourth, the eighth, and at each full comparison.
//
// One process at a time does this for a location; when it dies, what it held is free as soon as its lease has run out. These
// calls let others go first ([ghl.CallBackground]), and leave them a tenth of the day's quota. A schedule that fails is tried
// again, with longer and longer pauses up to its interval.
//
// # Monitoring
//
// [Syncer.Health] says in words what is wrong and what to do, [Syncer.HealthHandler] as JSON. The codes of its problems are
// "stopped", "database" and "no process works", with which it is [Failing]; "this process does not work", "alerts not sent",
// "clock"; and of a location "location paused", "location closed" (it could not be opened yet), "token", "lag", "daily quota",
// "failures stopped", "conflicts undecided", "schedule" (it has not been reconciled or compared for long) and "webhook silence".
// [Config.HealthLimits] says what is too long.
//
// [Syncer.Metrics] is for Prometheus. Counters and histograms are of one process:
//
//	ghlsync_runs_total{location,result}                    runs of the work on a contact
//	ghlsync_run_duration_seconds{result}
//	ghlsync_lag_seconds{location,priority}                 from when a change was known until both sides were in step
//	ghlsync_delivery_delay_seconds{location}               from when HighLevel sent an event until it was taken
//	ghlsync_failures_total{location,operation,category}
//	ghlsync_writes_total{location,to,kind,action}          records written to either side
//	ghlsync_conflicts_total{location,kind}
//	ghlsync_deliveries_total{location,type}                webhooks that were signed
//	ghlsync_webhook_answers_total{code}
//	ghlsync_requests_total{operation,code}                 requests to HighLevel
//	ghlsync_alerts_total{result}
//
// Gauges are of the database, so the same in each process:
//
//	ghlsync_database_up, ghlsync_processes, ghlsync_alerts_waiting
//	ghlsync_problem{location,code}                         1 for each problem of Health
//	ghlsync_contacts{location,state}                       not in step: waiting, running, retrying, delayed
//	ghlsync_oldest_wait_seconds{location}
//	ghlsync_open_failures{location,state}, ghlsync_open_conflicts{location,decision}
//	ghlsync_location_paused{location}
//	ghlsync_budget_left{location}, ghlsync_budget_daily_left{location}
//	ghlsync_token_state{location,state}, ghlsync_token_expires_timestamp_seconds{location}
//	ghlsync_last_delivery_timestamp_seconds{location}
//	ghlsync_clock_ahead_seconds{of}                        of the database, and of HighLevel
//
// A [Notifier] is told of each incident that needs a person: a contact whose work has stopped, a location that is paused because
// HighLevel refuses it, or one that can't be opened for that reason. The alert is stored in the transaction that finds the
// incident, and sent by one process, once; what could not be sent is tried again, also after a restart. Incidents of a kind,
// location and category that follow within a minute are one alert more, not many. [NewWebhookNotifier] posts to a URL.
//
// Logs go to [Config.Logger]. What is logged, also by River and the SDK, first loses what looks like an e-mail address, a phone
// number or a token.
//
// River's own UI (riverqueue.com/riverui) shows the jobs. Mount it with a River client of your own on the same database, which
// works no jobs:
//
//	pool, err := pgxpool.New(ctx, database)
//	…
//	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{})
//	…
//	ui, err := riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(client, nil), Logger: logger, Prefix: "/river"})
//	…
//	err = ui.Start(ctx)
//	…
//	http.Handle("/river/", ui)
//
// With SQLite it is river.NewClient(riversqlite.New(file), …), where file is opened by modernc.org/sqlite as
// "file:PATH?_pragma=busy_timeout(20000)&_txlock=immediate" with SetMaxOpenConns(1). The UI has no log-in of its own, and its
// jobs name contacts by their ids. A job that is cancelled or deleted there comes back within minutes if its contact is not in
// step; to stop one, use [Syncer.Skip] and [Syncer.Pause].
//
// # Figures
//
// On two cores, HighLevel being package ghltest in the same process, without limits; bash .ci/postgres starts a server:
//
//	bash .ci/postgres go test -run xxx -bench WebhookToPluvo -benchtime 3x ./ghlsync
//	GHLSYNC_CONTACTS=100000 bash .ci/postgres go test -run xxx -bench Memory -benchtime 1x ./ghlsync
//
// From webhook to Pluvo, each change of another contact and with its four reads: 74 to 150 changes a second on SQLite, 166 to 250
// on PostgreSQL, in runs over a day on a machine whose disk was now fast, now slow. With 100,000 contacts in step a process has
// taken 18 MiB from the system on SQLite, 21 MiB on PostgreSQL; 4.5 and 5.6 MiB of it are the heap in use.
package ghlsync
