-- The phone and e-mail by which contacts of Pluvo are matched, and the time of their last change.
CREATE TABLE ghlsync_person (
	id TEXT PRIMARY KEY,
	phone TEXT NOT NULL, -- the last digits
	email TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE INDEX ghlsync_person_phone ON ghlsync_person (phone) WHERE phone <> '';
CREATE INDEX ghlsync_person_email ON ghlsync_person (email) WHERE email <> '';
