// Package ghlsync keeps a HighLevel location and Pluvo in step. It is a module of its own, so that an importer of the SDK
// never meets its database. There is nothing to import here yet: the parts under internal/ are being put together.
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
package ghlsync
