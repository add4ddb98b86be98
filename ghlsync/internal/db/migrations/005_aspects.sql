-- The parts of a unit that have changed, as bits: dirty since the last run began, taken by that run and not yet synced.
-- 31 is all of them.
ALTER TABLE ghlsync_unit ADD COLUMN dirty BIGINT NOT NULL DEFAULT 31;
ALTER TABLE ghlsync_unit ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;

-- The bodies of deliveries whose unit has not been synced since. A body that shows nothing new needs no request.
CREATE TABLE ghlsync_event (
	delivery TEXT PRIMARY KEY,
	location TEXT NOT NULL,
	unit TEXT NOT NULL,
	number BIGINT NOT NULL, -- the unit's dirty number that the delivery has caused
	aspects BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX ghlsync_event_unit ON ghlsync_event (location, unit, number);
