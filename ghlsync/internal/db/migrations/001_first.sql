-- Times are microseconds since 1970, 0 for none. JSON is TEXT, so that both databases preserve its bytes.

-- Processes that work. A process is alive until its lease expires.
CREATE TABLE ghlsync_process (
	id TEXT PRIMARY KEY,
	started_at BIGINT NOT NULL,
	lease_until BIGINT NOT NULL
);

-- Locations that are synced. No process works on a paused location; reason says why it is paused.
CREATE TABLE ghlsync_location (
	id TEXT PRIMARY KEY,
	queue TEXT NOT NULL UNIQUE,
	paused BIGINT NOT NULL DEFAULT 0,
	reason TEXT NOT NULL DEFAULT ''
);

-- Units of work: a contact with its tasks, notes and appointments.
CREATE TABLE ghlsync_unit (
	location TEXT NOT NULL,
	unit TEXT NOT NULL,
	-- The dirty number, raised by each change. The unit is synced when synced equals number.
	number BIGINT NOT NULL,
	synced BIGINT NOT NULL DEFAULT 0,
	changed_at BIGINT NOT NULL,
	-- The queue's job of the unit, which runs at due or later; 0 for none. Any other job of the unit does nothing.
	job BIGINT NOT NULL DEFAULT 0,
	priority BIGINT NOT NULL DEFAULT 1,
	due BIGINT NOT NULL DEFAULT 0,
	-- The process that runs the unit; '' for none.
	process TEXT NOT NULL DEFAULT '',
	-- Failed runs, and runs that ended with their process, since the last success.
	attempts BIGINT NOT NULL DEFAULT 0,
	kills BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (location, unit)
);
CREATE INDEX ghlsync_unit_process ON ghlsync_unit (process) WHERE process <> '';
CREATE INDEX ghlsync_unit_behind ON ghlsync_unit (location, changed_at) WHERE number > synced;

-- Recorded deliveries, so that a duplicate changes nothing.
CREATE TABLE ghlsync_delivery (
	id TEXT PRIMARY KEY,
	location TEXT NOT NULL,
	kind TEXT NOT NULL,
	received_at BIGINT NOT NULL
);
CREATE INDEX ghlsync_delivery_received ON ghlsync_delivery (received_at);

-- Links: pairs of a HighLevel record and a Pluvo record, one to one, with the last synced state of both.
CREATE TABLE ghlsync_link (
	location TEXT NOT NULL,
	kind TEXT NOT NULL,
	ghl_id TEXT NOT NULL,
	pluvo_id TEXT NOT NULL,
	contact TEXT NOT NULL,
	synced TEXT NOT NULL DEFAULT '',
	synced_at BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (location, kind, ghl_id)
);
CREATE UNIQUE INDEX ghlsync_link_pluvo ON ghlsync_link (location, kind, pluvo_id);
CREATE INDEX ghlsync_link_contact ON ghlsync_link (location, contact);

-- Intents: creates that are stored before their call. If the answer is lost, the record is looked for.
CREATE TABLE ghlsync_intent (
	location TEXT NOT NULL,
	name TEXT NOT NULL,
	unit TEXT NOT NULL,
	body TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (location, name)
);

-- Tombstones of deleted records, so that a late change does not create them again.
CREATE TABLE ghlsync_tombstone (
	location TEXT NOT NULL,
	kind TEXT NOT NULL,
	side TEXT NOT NULL,
	id TEXT NOT NULL,
	deleted_at BIGINT NOT NULL,
	PRIMARY KEY (location, kind, side, id)
);

-- Conflicts: records that both sides changed, or that a person must decide about.
CREATE TABLE ghlsync_conflict (
	id TEXT PRIMARY KEY,
	location TEXT NOT NULL,
	unit TEXT NOT NULL,
	kind TEXT NOT NULL,
	record TEXT NOT NULL,
	field TEXT NOT NULL,
	winner TEXT NOT NULL,
	body TEXT NOT NULL,
	happened_at BIGINT NOT NULL,
	resolved_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ghlsync_conflict_happened ON ghlsync_conflict (happened_at, id);

-- Failures of units. Each is an incident from the first failed attempt until it is resolved.
CREATE TABLE ghlsync_failure (
	id TEXT PRIMARY KEY,
	location TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	category TEXT NOT NULL,
	message TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	first_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	alerted_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX ghlsync_failure_open ON ghlsync_failure (location, unit) WHERE state IN ('retrying', 'stopped');
CREATE INDEX ghlsync_failure_last ON ghlsync_failure (last_at, id);

-- Every failed attempt, without secrets and personal data.
CREATE TABLE ghlsync_attempt (
	failure TEXT NOT NULL,
	number BIGINT NOT NULL,
	happened_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	operation TEXT NOT NULL,
	category TEXT NOT NULL,
	status BIGINT NOT NULL,
	message TEXT NOT NULL,
	trace_id TEXT NOT NULL,
	sent TEXT NOT NULL,
	received TEXT NOT NULL,
	PRIMARY KEY (failure, number)
);

-- Cursors: how far lists and changes have been read.
CREATE TABLE ghlsync_cursor (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL,
	moved_at BIGINT NOT NULL
);

-- Tokens. A row without a body has no token and serves as a lock. The lease is for SQLite.
CREATE TABLE ghlsync_token (
	key BYTEA PRIMARY KEY,
	body BYTEA,
	changed_at BIGINT NOT NULL DEFAULT 0,
	holder TEXT NOT NULL DEFAULT '',
	lease_until BIGINT NOT NULL DEFAULT 0
);

-- Requests of all processes for a location, and the rate limit that its server reports.
CREATE TABLE ghlsync_rate (
	location TEXT PRIMARY KEY,
	body TEXT NOT NULL
);
-- postgres:
-- The table is written every few calls and not needed after a crash.
ALTER TABLE ghlsync_rate SET UNLOGGED;
-- both:

-- Pluvo's records, if they are in this database. A row without a body is a deleted record. An origin is stored as JSON.
CREATE TABLE ghlsync_record (
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	owner TEXT NOT NULL,
	origin TEXT NOT NULL,
	body TEXT,
	sequence BIGINT NOT NULL UNIQUE,
	PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX ghlsync_record_origin ON ghlsync_record (kind, origin) WHERE origin <> '' AND body IS NOT NULL;
CREATE INDEX ghlsync_record_owner ON ghlsync_record (owner, kind, id) WHERE body IS NOT NULL;

-- The sequence of changes. It is a row because the numbers must be in the order of commits.
CREATE TABLE ghlsync_sequence (
	name TEXT PRIMARY KEY,
	last BIGINT NOT NULL
);
INSERT INTO ghlsync_sequence (name, last) VALUES ('record', 0);
