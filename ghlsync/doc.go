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
//     the call, and after a lost answer it is looked for. One case can't be told apart: a record whose create was not answered,
//     and which somebody deletes before it could be looked for, is made again.
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
// Two gaps are known. Between the read and the write of one field HighLevel gives no way to ask that nothing has changed: an edit
// that a person makes there in these milliseconds is overwritten when Pluvo has changed the same field. And when a process is
// killed after an update was sent and before that is stored, and Pluvo then changes the same field once more, the own update looks
// like an edit in HighLevel: the owner wins, and the other value is a [Conflict].
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
// # Figures
//
// On two cores, HighLevel being package ghltest in the same process, without limits; bash .ci/postgres starts a server:
//
//	bash .ci/postgres go test -run xxx -bench WebhookToPluvo -benchtime 3x ./ghlsync
//	GHLSYNC_CONTACTS=100000 bash .ci/postgres go test -run xxx -bench Memory -benchtime 1x ./ghlsync
//
// Measured so on a machine that was busy with other work besides: 110 changes a second from webhook to Pluvo on SQLite, 179 on
// PostgreSQL. Four processes on PostgreSQL took 143 changes a second (GHLSYNC_CHANGES=4000, test TestLoad).
package ghlsync
