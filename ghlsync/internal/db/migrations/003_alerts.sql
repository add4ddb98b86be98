-- Alerts, sent or not. An incident has one alert until it is over. Alerts of one topic that arrive within a short time are sent
-- as a batch, which is named after its first alert when sending is first tried.
CREATE TABLE ghlsync_alert (
	id TEXT PRIMARY KEY,
	incident TEXT NOT NULL,
	topic TEXT NOT NULL,
	body TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	over_at BIGINT NOT NULL DEFAULT 0,
	batch TEXT NOT NULL DEFAULT '',
	attempts BIGINT NOT NULL DEFAULT 0,
	tried_at BIGINT NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX ghlsync_alert_incident ON ghlsync_alert (incident) WHERE over_at = 0;
CREATE INDEX ghlsync_alert_due ON ghlsync_alert (next_at) WHERE sent_at = 0;
CREATE INDEX ghlsync_alert_topic ON ghlsync_alert (topic, tried_at);

-- For health reports.
CREATE INDEX ghlsync_delivery_location ON ghlsync_delivery (location, received_at);
CREATE INDEX ghlsync_conflict_open ON ghlsync_conflict (location) WHERE resolved_at = 0;
