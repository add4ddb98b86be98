// Package ghlsync syncs HighLevel locations and Pluvo in both directions: contacts with their tasks, notes,
// appointments and tags. HighLevel's changes arrive as webhooks; Pluvo's are polled. The package is a module of its
// own, so that importers of the SDK do not depend on its database.
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
//	err = s.Stop(ctx) // finishes running work
//
// # Guarantees
//
//   - A delivery is answered 200 once it is stored durably. Duplicate, late and reordered deliveries lead to the
//     same result: a delivery is a hint, and the sync reads the record again.
//   - A process can be killed at any time. No change is lost and no record is created twice: the intent to create
//     or write is stored before the call. After a lost answer the sync looks for the new record, and recognizes its
//     own write. There is one exception: if a create request got no answer, and the record is deleted in HighLevel
//     before the sync finds it, the record is created again; so is a note whose text was changed by then.
//   - Records are merged field by field against their last synced state. Edits of different fields both survive. If
//     both sides changed the same field, the owner of the field wins ([Location.Owners]) and the other value is
//     stored as a [Conflict]. Tags are merged as sets. The sync never changes fields that are not mapped.
//   - The sync recognizes echoes of its own writes by their content. After the last edit the writes end, although
//     HighLevel normalizes values (phone numbers, the case of tags and e-mail addresses, the order of tags).
//   - A contact without a link is matched by phone and e-mail address. If there are two candidates, the sync does
//     not guess: it reports a conflict of the field "match" that waits for [Syncer.Link].
//   - A deletion on one side deletes on the other ([Location.Deletes]), and no late event restores the record. The
//     sync concludes a deletion from complete lists and from the answer that the contact is not found, never from
//     an event.
//   - An appointment made in Pluvo is booked with HighLevel's check of the slot. If the slot is taken, the sync
//     reports a conflict and books nothing. An appointment that Pluvo received from a third system, according to
//     its origin, already exists and is copied without the check.
//   - Failures are stored with each attempt, without secrets and personal data ([Syncer.Failures]). A failure that
//     a retry can't resolve stops the contact; other failures are retried with growing pauses. A location without a
//     valid token is paused alone.
//
// One gap is known. HighLevel has no conditional write: if a person edits a field in HighLevel in the milliseconds
// between the sync's read and write of that field, and Pluvo changed the same field, the edit is overwritten.
//
// # How it works
//
// One database stores everything: a SQLite file for one process, or PostgreSQL for any number of processes. The
// queue is River in the same database, so that a change and its job are stored in one transaction.
//
// A unit is a contact with its tasks, notes, appointments and tags. Each unit has a dirty number and dirty aspects:
// contact, tasks, notes, appointments, Pluvo's side. A delivery, a schedule, a change in Pluvo or a person increments
// the number. A run reads the aspects that are dirty, and no others. When it ends, a unit whose number has grown
// meanwhile stays dirty, so no change is lost between the read of a record and the end of its run.
//
// One process at a time works on a location. A change of a location without a process inserts one job for the
// location, in the transaction that stores the change. The process that gets the job becomes the owner: it runs the
// units that are due, several at once, and leaves the location when none is left or after some seconds. Its last look
// and the end of its job are one transaction. A location that waits, such as for a retry, has no job until then.
//
// The row of a location names its owner, its job and an epoch, which is raised whenever the owner changes. Each
// transaction of a run checks the epoch, so that a process that was considered dead changes nothing, and any other job
// of the location ends without effect. A process stores a beat, a counter. Other processes that see the beat stand
// still for [Config.Lease], by their own clocks, take over its locations. A process that can't store its beat stops its
// work before that.
//
// A delivery costs one request, for the aspect that it is about, and none if its body shows nothing but the last synced
// state, as the echo of an own write does. An edit in Pluvo costs a read and a write; a record that is new in Pluvo
// costs one write. If more than 20 units of a location wait, searches read up to 500 contacts with one request. Since
// searches lag behind, a contact that a search does not show as its delivery does waits up to [Config.IndexLag] until
// it is read by itself.
//
// The rate limit of a location is kept by its owner, with the limiter of the SDK. Backfills and comparisons run in the
// process that owns the location, which is theirs for that time.
//
// # Changes without webhooks
//
// [Syncer.Backfill] syncs the existing records of a new location. It reads lists: 10,000 contacts with 5,000 tasks
// and three calendars cost about 150 calls, and notes cost one more call for each contact. A list can be stale, so
// a backfill only adds records. It skips a contact that was synced after the list was read or that waits for a
// sync. It reads a contact itself if the list looks older than the stored state, or if something is to be written
// to HighLevel. It deletes nothing that a list omits.
//
// HighLevel has no webhook for task edits, and webhooks get lost. Every [Config.ReconcileInterval] the sync polls
// each location for the contacts that changed since the last poll and some minutes before it, for all tasks, and
// for future appointments. Every [Config.CompareInterval] it compares the location in full, with notes. A contact
// is read itself if it differs from its last synced state, or if a complete list omits one of its records; only
// that read decides. So a list that breaks off, ends early or is stale deletes nothing. If lists repeatedly
// disagree with a contact's own records, the contact is read the first, second, fourth and eighth time, and at each
// full comparison.
//
// One process at a time polls a location; when the process dies, another one takes over.
// These calls yield to others ([ghl.CallBackground]) and leave them a tenth of the daily quota. A failed schedule
// is retried with growing pauses, up to its interval.
//
// # Monitoring
//
// [Syncer.Health] describes each problem and what to do about it; [Syncer.HealthHandler] serves it as JSON. The
// codes of problems are "stopped", "database" and "no process works", whose state is [Failing]; "this process does
// not work", "alerts not sent", "clock"; and for a location "location paused", "location closed" (it could not be
// opened yet), "token", "lag", "daily quota", "failures stopped", "conflicts undecided", "schedule" (the last poll
// or comparison is too old) and "webhook silence". [Config.HealthLimits] sets the limits.
//
// [Syncer.Metrics] is for Prometheus. Counters and histograms describe one process:
//
//	ghlsync_runs_total{location,result}                    syncs of a contact
//	ghlsync_run_duration_seconds{result}
//	ghlsync_lag_seconds{location,priority}                 from when a change was known until it was synced
//	ghlsync_delivery_delay_seconds{location}               from when HighLevel sent an event until it was stored
//	ghlsync_failures_total{location,operation,category}
//	ghlsync_writes_total{location,to,kind,action}          records written to either side
//	ghlsync_conflicts_total{location,kind}
//	ghlsync_deliveries_total{location,type}                webhooks with a valid signature
//	ghlsync_webhook_answers_total{code}
//	ghlsync_requests_total{operation,code}                 requests to HighLevel
//	ghlsync_alerts_total{result}
//
// Gauges describe the database, so all processes report the same values:
//
//	ghlsync_database_up, ghlsync_processes, ghlsync_alerts_waiting
//	ghlsync_problem{location,code}                         1 for each problem of Health
//	ghlsync_contacts{location,state}                       contacts to sync: waiting, running, retrying, delayed
//	ghlsync_oldest_wait_seconds{location}
//	ghlsync_open_failures{location,state}, ghlsync_open_conflicts{location,decision}
//	ghlsync_location_paused{location}
//	ghlsync_budget_left{location}, ghlsync_budget_daily_left{location}
//	ghlsync_token_state{location,state}, ghlsync_token_expires_timestamp_seconds{location}
//	ghlsync_last_delivery_timestamp_seconds{location}
//	ghlsync_clock_ahead_seconds{of}                        of the database or of HighLevel
//
// A [Notifier] sends one alert for each incident that requires a person: a stopped contact, or a location that is
// paused or can't be opened because HighLevel refuses its token. The alert is stored in the transaction that finds
// the incident, and one process sends it. An alert that could not be sent is retried, also after a restart.
// Incidents of the same kind, location and category within a minute are one further alert. [NewWebhookNotifier]
// posts alerts to a URL.
//
// Logs go to [Config.Logger]. E-mail addresses, phone numbers and tokens are removed from all logs, also those of
// River and the SDK.
//
// River's own UI (riverqueue.com/riverui) shows the jobs. Mount it with a River client on the same database that
// works no jobs:
//
//	pool, err := pgxpool.New(ctx, database)
//	…
//	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{})
//	…
//	ui, err := riverui.NewHandler(&riverui.HandlerOpts{
//		Endpoints: riverui.NewEndpoints(client, nil), Logger: logger, Prefix: "/river",
//	})
//	…
//	err = ui.Start(ctx)
//	…
//	http.Handle("/river/", ui)
//
// With SQLite use river.NewClient(riversqlite.New(file), …), and open the file with modernc.org/sqlite as
// "file:PATH?_pragma=busy_timeout(20000)&_txlock=immediate" with SetMaxOpenConns(1). The UI has no login, and its
// jobs contain the ids of contacts. A job that is cancelled or deleted there is inserted again within minutes if
// its contact still has to be synced; to stop it, use [Syncer.Skip] or [Syncer.Pause].
//
// # Benchmarks
//
// On two cores, with package ghltest as HighLevel in the same process and without rate limits; bash .ci/postgres
// starts a server:
//
//	bash .ci/postgres go test -run xxx -bench WebhookToPluvo -benchtime 3x ./ghlsync
//	GHLSYNC_CONTACTS=100000 bash .ci/postgres go test -run xxx -bench Memory -benchtime 1x ./ghlsync
//
// From webhook to Pluvo, with a change of another contact each: about 400 changes a second on SQLite and 190 on
// PostgreSQL. With 100,000 synced contacts a process uses about 20 MiB of memory, of which 5 to 6 MiB are heap in use.
package ghlsync
