-- Sessions that a server was asked for. keep_alive: looked at by itself. ended_at: closed by its user, or idle for too long; its id is not taken any more.
CREATE TABLE served (
    session_id TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    keep_alive INTEGER NOT NULL,
    served_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    ended_at INTEGER
);

-- Operations in phases that wait for input. given_sealed: what was given so far.
CREATE TABLE workflows (
    workflow_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    operation TEXT NOT NULL,
    phase INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    given_sealed BLOB NOT NULL
);
CREATE INDEX workflows_by_end ON workflows (ends_at);

-- Who may call a server: hashes of random tokens.
CREATE TABLE tokens (
    token_hash BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER
);
