-- Every statement that the vault runs, on SQLite and PostgreSQL. Values come as :named parameters, never by text.
-- What differs stands beside, see handstamp.vault.queries. On PostgreSQL other transactions may commit between two
-- statements of one; the variants for writing lock the rows that decisions rest on: the profile's, the lease's, the vault's.

-- name: now (sqlite)
-- (julianday, since unixepoch('subsec') is NULL before SQLite 3.42)
SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)

-- name: now (postgresql)
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)

-- name: integrity_check (sqlite)
PRAGMA integrity_check

-- name: vault
SELECT vault_id, index_key_sealed FROM vault

-- name: any_sealed
SELECT 1 WHERE EXISTS (SELECT 1 FROM parts) OR EXISTS (SELECT 1 FROM secrets)

-- name: add_vault
INSERT INTO vault (only, vault_id, index_key_sealed, created_at) VALUES (1, :vault_id, :index_key_sealed, :now)

-- name: keys
SELECT key_id, source, facts FROM keys ORDER BY current DESC, created_at DESC

-- name: add_key
INSERT INTO keys (key_id, source, facts, current, created_at) VALUES (:key_id, :source, :facts, 1, :now)

-- name: profile_names
SELECT name FROM profiles WHERE listed ORDER BY name

-- name: all_profiles
SELECT profile_id, name FROM profiles ORDER BY name

-- name: profile
SELECT profile_id, epoch, listed FROM profiles WHERE name = :profile

-- name: list_profile
INSERT INTO profiles (name, epoch, listed, created_at) VALUES (:profile, 0, 1, :now)
ON CONFLICT (name) DO UPDATE SET listed = 1
RETURNING profile_id, epoch

-- name: raise_epoch
UPDATE profiles SET epoch = epoch + 1, listed = :listed WHERE profile_id = :profile_id RETURNING epoch

-- name: forgets_since
SELECT epoch, domain_sealed FROM forgets WHERE profile_id = :profile_id AND epoch > :epoch

-- name: delete_forgets
DELETE FROM forgets WHERE profile_id = :profile_id

-- name: add_forget
INSERT INTO forgets (profile_id, epoch, domain_sealed, forgotten_at) VALUES (:profile_id, :epoch, :domain_sealed, :now)

-- name: heads
SELECT p.part_id, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, v.sealed
FROM parts p LEFT JOIN versions v ON v.part_id = p.part_id AND v.generation = p.generation
WHERE p.profile_id = :profile_id AND p.kind <> 'files'
ORDER BY p.part_id

-- name: heads_of_files
SELECT p.part_id, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, v.sealed
FROM parts p LEFT JOIN versions v ON v.part_id = p.part_id AND v.generation = p.generation
WHERE p.profile_id = :profile_id AND p.kind = 'files'
ORDER BY p.part_id

-- name: heads_of_bucket
SELECT p.part_id, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, v.sealed
FROM parts p LEFT JOIN versions v ON v.part_id = p.part_id AND v.generation = p.generation
WHERE p.profile_id = :profile_id AND p.bucket = :bucket
ORDER BY p.part_id

-- name: head
SELECT p.part_id, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, v.sealed
FROM parts p LEFT JOIN versions v ON v.part_id = p.part_id AND v.generation = p.generation
WHERE p.profile_id = :profile_id AND p.row_key = :row_key

-- name: add_part
INSERT INTO parts (profile_id, row_key, bucket, kind, name_sealed, generation)
VALUES (:profile_id, :row_key, :bucket, :kind, :name_sealed, :generation)
ON CONFLICT (profile_id, row_key) DO NOTHING
RETURNING part_id

-- name: advance_part
UPDATE parts SET generation = :generation WHERE part_id = :part_id AND generation = :read_generation

-- name: delete_part
DELETE FROM parts WHERE part_id = :part_id

-- name: add_version
INSERT INTO versions (part_id, generation, written_at, pinned, sealed) VALUES (:part_id, :generation, :now, NULL, :sealed)

-- name: versions
SELECT generation, written_at, sealed FROM versions WHERE part_id = :part_id ORDER BY generation DESC

-- name: versions_of_profile
SELECT p.part_id, p.row_key, p.kind, p.name_sealed, p.generation, v.generation, v.written_at, v.pinned, LENGTH(v.sealed)
FROM parts p JOIN versions v ON v.part_id = p.part_id
WHERE p.profile_id = :profile_id AND p.kind <> 'files'
ORDER BY v.written_at DESC, p.part_id, v.generation DESC

-- name: prune_versions
DELETE FROM versions WHERE part_id = :part_id AND generation < :oldest AND pinned IS NULL

-- name: pin_version
UPDATE versions SET pinned = :pinned WHERE part_id = :part_id AND generation = :generation AND pinned IS NOT :pinned

-- name: unpin_versions
UPDATE versions SET pinned = NULL WHERE part_id = :part_id AND generation <> :generation AND pinned = 'valid'

-- name: reseal_version
UPDATE versions SET sealed = :sealed WHERE part_id = :part_id AND generation = :generation

-- name: delete_version
DELETE FROM versions WHERE part_id = :part_id AND generation = :generation

-- name: delete_versions
DELETE FROM versions WHERE part_id = :part_id

-- name: delete_versions_of_profile
DELETE FROM versions WHERE part_id IN (SELECT part_id FROM parts WHERE profile_id = :profile_id)

-- name: delete_parts_of_profile
DELETE FROM parts WHERE profile_id = :profile_id

-- name: delete_versions_of_files
DELETE FROM versions WHERE part_id IN (SELECT part_id FROM parts WHERE profile_id = :profile_id AND kind = 'files')

-- name: delete_files
DELETE FROM parts WHERE profile_id = :profile_id AND kind = 'files'

-- name: delete_sessions_of_profile
DELETE FROM sessions WHERE profile_id = :profile_id

-- name: sessions
SELECT * FROM session_rows ORDER BY profile, site

-- name: sessions_of_profile
SELECT * FROM session_rows
WHERE profile = :profile ORDER BY site

-- name: sessions_of_site
SELECT * FROM session_rows
WHERE site = :site ORDER BY profile

-- name: session
SELECT * FROM session_rows
WHERE profile = :profile AND site = :site

-- name: session_by_id
SELECT * FROM session_rows
WHERE session_id = :session_id

-- name: put_session
INSERT INTO sessions (session_id, profile_id, site, revision, username, health, needs_refresh, health_until, created_at,
                      logged_in_at, last_used, last_verified, expires_at, logins, device, private_sealed)
VALUES (:session_id, :profile_id, :site, :revision, :username, :health, :needs_refresh, :health_until, :created_at,
        :logged_in_at, :last_used, :last_verified, :expires_at, :logins, :device, :private_sealed)
ON CONFLICT (profile_id, site) DO UPDATE SET
    revision = excluded.revision, username = excluded.username, health = excluded.health, needs_refresh = excluded.needs_refresh,
    health_until = excluded.health_until, created_at = excluded.created_at, logged_in_at = excluded.logged_in_at,
    last_used = excluded.last_used, last_verified = excluded.last_verified, expires_at = excluded.expires_at,
    logins = excluded.logins, device = excluded.device, private_sealed = excluded.private_sealed
WHERE sessions.session_id = excluded.session_id AND sessions.revision = excluded.revision - 1

-- name: delete_session
DELETE FROM sessions WHERE profile_id = :profile_id AND site = :site

-- name: lease
SELECT token, holder, taken_at, beat_at, life FROM leases WHERE profile = :profile AND purpose = :purpose AND site = :site

-- name: held_leases
SELECT profile, purpose, site FROM leases WHERE holder IS NOT NULL ORDER BY profile, purpose, site

-- name: take_lease
INSERT INTO leases (profile, purpose, site, token, holder, taken_at, beat_at, life)
VALUES (:profile, :purpose, :site, :read_token + 1, :holder, :now, :now, :life)
ON CONFLICT (profile, purpose, site) DO UPDATE SET
    token = excluded.token, holder = excluded.holder, taken_at = excluded.taken_at, beat_at = excluded.beat_at, life = excluded.life
WHERE leases.token = :read_token
RETURNING token

-- name: beat_lease
UPDATE leases SET beat_at = :now
WHERE profile = :profile AND purpose = :purpose AND site = :site AND token = :token AND holder IS NOT NULL

-- name: free_lease
UPDATE leases SET holder = NULL
WHERE profile = :profile AND purpose = :purpose AND site = :site AND token = :token AND holder IS NOT NULL

-- name: add_event
INSERT INTO events (at, kind, profile, site, data) VALUES (:now, :kind, :profile, :site, :data)

-- name: events
SELECT event_id, at, kind, profile, site, data FROM events
WHERE (:since IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_kind
SELECT event_id, at, kind, profile, site, data FROM events
WHERE kind = :kind AND (:since IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_site
SELECT event_id, at, kind, profile, site, data FROM events
WHERE site = :site AND (:kind IS NULL OR kind = :kind) AND (:since IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_profile
SELECT event_id, at, kind, profile, site, data FROM events
WHERE profile = :profile AND (:site IS NULL OR site = :site) AND (:kind IS NULL OR kind = :kind) AND (:since IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: secret
SELECT generation, sealed FROM secrets WHERE row_key = :row_key

-- name: put_secret
INSERT INTO secrets (row_key, site_key, generation, sealed) VALUES (:row_key, :site_key, :generation, :sealed)
ON CONFLICT (row_key) DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed
WHERE secrets.generation = excluded.generation - 1

-- name: delete_secret
DELETE FROM secrets WHERE row_key = :row_key

-- name: secrets_of_site
SELECT row_key, generation, sealed FROM secrets WHERE site_key = :site_key

-- name: all_secrets
SELECT row_key, generation, sealed FROM secrets
