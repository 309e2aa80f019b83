-- Times are milliseconds since the Unix epoch by the database's clock. `sealed` and `…_sealed` open only with the master key.

-- One row: which vault this is, and the key of the row names (see handstamp.vault.index).
CREATE TABLE vault (
    "only" INTEGER PRIMARY KEY CHECK ("only" = 1),
    vault_id BLOB NOT NULL,
    index_key_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

-- Master keys by id and source, never the keys. The current one seals; earlier ones stay while a record needs them.
CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    facts TEXT NOT NULL,
    current INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

-- A forgotten profile stays as a row that is not listed, so that its epoch and its leases' tokens only grow.
CREATE TABLE profiles (
    profile_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

-- What was forgotten at which epoch: a whole profile (domain_sealed is NULL) or a domain.
CREATE TABLE forgets (
    profile_id INTEGER NOT NULL REFERENCES profiles,
    epoch INTEGER NOT NULL,
    domain_sealed BLOB,
    forgotten_at INTEGER NOT NULL,
    PRIMARY KEY (profile_id, epoch)
);

-- A part points at its current version; row_key and bucket are keyed hashes.
CREATE TABLE parts (
    part_id INTEGER PRIMARY KEY,
    profile_id INTEGER NOT NULL REFERENCES profiles,
    row_key BLOB NOT NULL,
    bucket BLOB NOT NULL,
    kind TEXT NOT NULL,
    name_sealed BLOB NOT NULL,
    generation INTEGER NOT NULL,
    UNIQUE (profile_id, row_key)
);
CREATE INDEX parts_by_bucket ON parts (profile_id, bucket);

-- All versions of all parts, the current one included. pinned: 'valid' or 'damaged', kept whatever its age.
CREATE TABLE versions (
    part_id INTEGER NOT NULL REFERENCES parts,
    generation INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    pinned TEXT,
    sealed BLOB NOT NULL,
    PRIMARY KEY (part_id, generation)
);

-- Sessions as facts to query; private_sealed holds what is secret or tells visited places (proxy, losses), or is NULL.
CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    profile_id INTEGER NOT NULL REFERENCES profiles,
    site TEXT NOT NULL,
    revision INTEGER NOT NULL,
    username TEXT,
    health TEXT NOT NULL,
    needs_refresh INTEGER NOT NULL,
    health_until INTEGER,
    created_at INTEGER,
    logged_in_at INTEGER,
    last_used INTEGER,
    last_verified INTEGER,
    expires_at INTEGER,
    logins INTEGER NOT NULL,
    device TEXT,
    private_sealed BLOB,
    UNIQUE (profile_id, site)
);
CREATE INDEX sessions_by_site ON sessions (site);

CREATE VIEW session_rows AS
SELECT s.session_id, p.name AS profile, s.site, s.revision, s.username, s.health, s.needs_refresh, s.health_until, s.created_at,
       s.logged_in_at, s.last_used, s.last_verified, s.expires_at, s.logins, s.device, s.private_sealed
FROM sessions s JOIN profiles p ON p.profile_id = s.profile_id;

-- Leases; the row outlives its holder, so that the token only grows. site is '' for the lease of a whole profile.
CREATE TABLE leases (
    profile TEXT NOT NULL,
    purpose TEXT NOT NULL,
    site TEXT NOT NULL,
    token INTEGER NOT NULL,
    holder TEXT,
    taken_at INTEGER NOT NULL,
    beat_at INTEGER NOT NULL,
    life INTEGER NOT NULL,
    PRIMARY KEY (profile, purpose, site)
);

-- Append-only. It outlives what it tells of, and holds no secret.
CREATE TABLE events (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    profile TEXT,
    site TEXT,
    data TEXT NOT NULL
);
CREATE INDEX events_by_profile ON events (profile, event_id);
CREATE INDEX events_by_site ON events (site, event_id);
CREATE INDEX events_by_kind ON events (kind, event_id);

-- Credentials; account and name are within the seal.
CREATE TABLE secrets (
    row_key BLOB PRIMARY KEY,
    site_key BLOB NOT NULL,
    generation INTEGER NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX secrets_by_site ON secrets (site_key);
