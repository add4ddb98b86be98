-- The data that the unit's last successful run has read of HighLevel is not older than this.
ALTER TABLE ghlsync_unit ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0;
-- Named locks, and the process that holds each. A lock of a dead process is free.
CREATE TABLE ghlsync_hold (
	name TEXT PRIMARY KEY,
	process TEXT NOT NULL,
	token TEXT NOT NULL
);
