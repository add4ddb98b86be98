-- What the unit's last run that succeeded has read of HighLevel was no older than this.
ALTER TABLE ghlsync_unit ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0;
-- What one process at a time does, and which one does it. It is free when the process is dead.
CREATE TABLE ghlsync_hold (
	name TEXT PRIMARY KEY,
	process TEXT NOT NULL,
	token TEXT NOT NULL
);
