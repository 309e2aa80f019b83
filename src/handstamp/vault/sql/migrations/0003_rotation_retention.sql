-- While a key is being rotated, `wrapped` holds it sealed under the other one of the two; `retired_at` is when nothing used it any more.
ALTER TABLE keys ADD COLUMN wrapped BLOB;
ALTER TABLE keys ADD COLUMN retired_at INTEGER;

-- When cleaning up may first have something to remove of a part (an earlier version, a deletion): not before that time; NULL: nothing.
ALTER TABLE parts ADD COLUMN due_at INTEGER;
UPDATE parts SET due_at = (SELECT MIN(v.written_at) FROM versions v WHERE v.part_id = parts.part_id) WHERE kind <> 'files';
CREATE INDEX parts_by_due ON parts (due_at);

CREATE INDEX sessions_by_use ON sessions (COALESCE(last_used, logged_in_at, created_at, 0));
CREATE INDEX events_by_time ON events (at);

-- Sessions that nobody used for long: what could be listed of them, without what was sealed. Their storage state stays where it is.
CREATE TABLE archived_sessions (
    session_id TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    site TEXT NOT NULL,
    username TEXT,
    health TEXT NOT NULL,
    created_at INTEGER,
    logged_in_at INTEGER,
    last_used INTEGER,
    logins INTEGER NOT NULL,
    archived_at INTEGER NOT NULL
);
CREATE INDEX archived_sessions_by_time ON archived_sessions (archived_at);
CREATE INDEX archived_sessions_by_profile ON archived_sessions (profile, archived_at);
