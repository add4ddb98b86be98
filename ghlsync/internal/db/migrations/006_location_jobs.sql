-- A location is worked by one process at a time, which the row names. epoch is raised when the process changes.
CREATE TABLE ghlsync_location_new (
	id TEXT PRIMARY KEY,
	paused BIGINT NOT NULL DEFAULT 0,
	reason TEXT NOT NULL DEFAULT '',
	-- The process that works the location; '' for none. epoch is raised each time that this changes.
	owner TEXT NOT NULL DEFAULT '',
	epoch BIGINT NOT NULL DEFAULT 0,
	-- The queue's job of the location; 0 for none. Any other job of the location does nothing.
	job BIGINT NOT NULL DEFAULT 0,
	-- When the location must get a job, if it has neither a job nor an owner; 0 for never.
	due BIGINT NOT NULL DEFAULT 0,
	-- The process that waits to become the owner; '' for none.
	wanted TEXT NOT NULL DEFAULT ''
);
INSERT INTO ghlsync_location_new (id, paused, reason, due) SELECT id, paused, reason, 1 FROM ghlsync_location;
DROP TABLE ghlsync_location;
ALTER TABLE ghlsync_location_new RENAME TO ghlsync_location;
CREATE INDEX ghlsync_location_due ON ghlsync_location (due) WHERE owner = '' AND job = 0 AND due > 0;
CREATE INDEX ghlsync_location_owner ON ghlsync_location (owner) WHERE owner <> '';

-- Processes that work. beat is a counter: a process with a beat that does not move is dead.
DROP TABLE ghlsync_process;
CREATE TABLE ghlsync_process (
	id TEXT PRIMARY KEY,
	started_at BIGINT NOT NULL,
	beat BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE ghlsync_unit_new (
	location TEXT NOT NULL,
	unit TEXT NOT NULL,
	-- The dirty number, raised by each change. The unit is synced when synced equals number.
	number BIGINT NOT NULL,
	synced BIGINT NOT NULL DEFAULT 0,
	changed_at BIGINT NOT NULL,
	priority BIGINT NOT NULL DEFAULT 1,
	-- When the unit runs; 0 for at once. A stopped unit does not run.
	due BIGINT NOT NULL DEFAULT 0,
	stopped BIGINT NOT NULL DEFAULT 0,
	-- The epoch of the location in which a run of the unit has begun and not ended; 0 for none.
	epoch BIGINT NOT NULL DEFAULT 0,
	-- Failed runs, and runs that ended with their process, since the last success.
	attempts BIGINT NOT NULL DEFAULT 0,
	kills BIGINT NOT NULL DEFAULT 0,
	-- The last run that has read everything did not read it earlier.
	read_at BIGINT NOT NULL DEFAULT 0,
	-- The aspects that have changed since the current or last run began, and those that this run is to sync, as bits.
	dirty BIGINT NOT NULL DEFAULT 0,
	taken BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (location, unit)
);
INSERT INTO ghlsync_unit_new (location, unit, number, synced, changed_at, priority, due, stopped, attempts, kills,
		read_at, dirty, taken)
	SELECT location, unit, number, synced, changed_at, priority, due,
		CASE WHEN number > synced AND job = 0 AND process = '' THEN 1 ELSE 0 END, attempts, kills, read_at, dirty, taken
	FROM ghlsync_unit;
DROP TABLE ghlsync_unit;
ALTER TABLE ghlsync_unit_new RENAME TO ghlsync_unit;
CREATE INDEX ghlsync_unit_waiting ON ghlsync_unit (location, priority, due, changed_at)
	WHERE number > synced AND stopped = 0;
CREATE INDEX ghlsync_unit_running ON ghlsync_unit (location, epoch) WHERE epoch > 0;
CREATE INDEX ghlsync_unit_behind ON ghlsync_unit (location, changed_at) WHERE number > synced;
