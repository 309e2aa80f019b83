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

-- name: alone (sqlite)
SELECT 1

-- name: alone (postgresql)
-- (until the transaction ends; for what no row stands for, as the founding of a vault)
SELECT pg_advisory_xact_lock(1213420625)

-- name: any_sealed
SELECT 1 WHERE EXISTS (SELECT 1 FROM parts) OR EXISTS (SELECT 1 FROM secrets)

-- name: add_vault
INSERT INTO vault ("only", vault_id, index_key_sealed, created_at) VALUES (1, :vault_id, :index_key_sealed, :now)

-- name: keys
SELECT key_id, source, facts, current, wrapped, retired_at FROM keys ORDER BY current DESC, created_at DESC

-- name: standing
SELECT v.vault_id, k.key_id FROM vault v JOIN keys k ON k.current = 1

-- name: standing (postgresql, writing)
SELECT v.vault_id, k.key_id FROM vault v JOIN keys k ON k.current = 1 FOR SHARE OF k

-- name: add_key
INSERT INTO keys (key_id, source, facts, current, created_at, wrapped, retired_at) VALUES (:key_id, :source, :facts, 1, :now, :wrapped, NULL)
ON CONFLICT (key_id) DO UPDATE SET
    source = excluded.source, facts = excluded.facts, current = 1, created_at = excluded.created_at, wrapped = excluded.wrapped, retired_at = NULL

-- name: leave_key
UPDATE keys SET current = 0, wrapped = :wrapped WHERE key_id = :key_id AND current = 1

-- name: retire_keys
UPDATE keys SET retired_at = CASE WHEN current = 0 AND retired_at IS NULL THEN :now ELSE retired_at END, wrapped = NULL

-- name: reseal_index
UPDATE vault SET index_key_sealed = :sealed

-- name: profile_names
SELECT name FROM profiles WHERE listed = 1 ORDER BY name

-- name: all_profiles
SELECT profile_id, name FROM profiles ORDER BY name

-- name: profile
SELECT profile_id, epoch, listed FROM profiles WHERE name = :profile

-- name: profile (postgresql, writing)
SELECT profile_id, epoch, listed FROM profiles WHERE name = :profile FOR NO KEY UPDATE

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
INSERT INTO parts (profile_id, row_key, bucket, kind, name_sealed, generation, due_at)
VALUES (:profile_id, :row_key, :bucket, :kind, :name_sealed, :generation, :due_at)
ON CONFLICT (profile_id, row_key) DO NOTHING
RETURNING part_id

-- name: advance_part
UPDATE parts SET generation = :generation WHERE part_id = :part_id AND generation = :read_generation

-- name: due_part
-- (apart from the above: an index is written whenever its column is set, be it to the same)
UPDATE parts SET due_at = :due_at WHERE part_id = :part_id AND due_at IS NULL

-- name: delete_part
DELETE FROM parts WHERE part_id = :part_id

-- name: add_version
INSERT INTO versions (part_id, generation, written_at, pinned, sealed) VALUES (:part_id, :generation, :now, NULL, :sealed)

-- name: reuse_version
-- (the row of the version that is due to go takes the new one: half the pages of removing one and adding another)
UPDATE versions SET generation = :generation, written_at = :now, sealed = :sealed
WHERE part_id = :part_id AND generation = (
    SELECT MIN(v.generation) FROM versions v WHERE v.part_id = :part_id AND v.generation < :oldest AND v.pinned IS NULL
)

-- name: add_unless_reused
-- (a version of this generation that is not ours must be an error, not a reason to add nothing)
INSERT INTO versions (part_id, generation, written_at, pinned, sealed)
SELECT :part_id, :generation, :now, NULL, :sealed
WHERE NOT EXISTS (SELECT 1 FROM versions WHERE part_id = :part_id AND generation = :generation AND sealed = :sealed)

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
UPDATE versions SET pinned = :pinned WHERE part_id = :part_id AND generation = :generation AND (pinned IS NULL OR pinned <> :pinned)

-- name: unpin_versions
UPDATE versions SET pinned = NULL WHERE part_id = :part_id AND generation <> :generation AND pinned = 'valid'

-- name: reseal_version
UPDATE versions SET sealed = :sealed WHERE part_id = :part_id AND generation = :generation

-- Rotation walks through each table in the order of its key, some rows at a time, and writes only what is as it was read.

-- name: versions_after
SELECT v.part_id, v.generation, p.row_key, r.name, v.sealed
FROM versions v JOIN parts p ON p.part_id = v.part_id JOIN profiles r ON r.profile_id = p.profile_id
WHERE v.part_id > :part_id OR (v.part_id = :part_id AND v.generation > :generation)
ORDER BY v.part_id, v.generation LIMIT :limit

-- name: rotate_version
UPDATE versions SET sealed = :sealed WHERE part_id = :part_id AND generation = :generation AND SUBSTR(sealed, 1, 21) = :seen

-- name: parts_after
SELECT p.part_id, p.row_key, r.name, p.name_sealed FROM parts p JOIN profiles r ON r.profile_id = p.profile_id
WHERE p.part_id > :part_id ORDER BY p.part_id LIMIT :limit

-- name: rotate_part
UPDATE parts SET name_sealed = :sealed WHERE part_id = :part_id AND SUBSTR(name_sealed, 1, 21) = :seen

-- name: forgets_after
SELECT f.profile_id, f.epoch, r.name, f.domain_sealed FROM forgets f JOIN profiles r ON r.profile_id = f.profile_id
WHERE f.profile_id > :profile_id OR (f.profile_id = :profile_id AND f.epoch > :epoch)
ORDER BY f.profile_id, f.epoch LIMIT :limit

-- name: rotate_forget
UPDATE forgets SET domain_sealed = :sealed WHERE profile_id = :profile_id AND epoch = :epoch AND SUBSTR(domain_sealed, 1, 21) = :seen

-- name: sessions_after
SELECT s.session_id, s.revision, r.name, s.site, s.private_sealed FROM sessions s JOIN profiles r ON r.profile_id = s.profile_id
WHERE s.session_id > :session_id ORDER BY s.session_id LIMIT :limit

-- name: rotate_session
UPDATE sessions SET private_sealed = :sealed WHERE session_id = :session_id AND SUBSTR(private_sealed, 1, 21) = :seen

-- name: questions_after
SELECT challenge_id, question_sealed FROM challenges WHERE challenge_id > :challenge_id ORDER BY challenge_id LIMIT :limit

-- name: rotate_question
UPDATE challenges SET question_sealed = :sealed WHERE challenge_id = :challenge_id AND SUBSTR(question_sealed, 1, 21) = :seen

-- name: answers_after
SELECT challenge_id, answer_sealed FROM challenges WHERE challenge_id > :challenge_id ORDER BY challenge_id LIMIT :limit

-- name: rotate_answer
UPDATE challenges SET answer_sealed = :sealed WHERE challenge_id = :challenge_id AND SUBSTR(answer_sealed, 1, 21) = :seen

-- name: secrets_after
SELECT row_key, generation, sealed FROM secrets WHERE row_key > :row_key ORDER BY row_key LIMIT :limit

-- name: rotate_secret
UPDATE secrets SET sealed = :sealed WHERE row_key = :row_key AND SUBSTR(sealed, 1, 21) = :seen

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

-- name: listing
-- (unordered: the caller sorts what it reads in one go faster than an index brings it in order)
SELECT s.session_id, p.name, s.site, s.username, s.health, s.last_used FROM sessions s JOIN profiles p ON p.profile_id = s.profile_id

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

-- name: lease (postgresql)
-- (while the server was down nobody could give a sign of life, which is nobody's fault)
SELECT token, holder, taken_at, GREATEST(beat_at, CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000 AS BIGINT)), life
FROM leases WHERE profile = :profile AND purpose = :purpose AND site = :site

-- name: lease (postgresql, writing)
SELECT token, holder, taken_at, GREATEST(beat_at, CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000 AS BIGINT)), life
FROM leases WHERE profile = :profile AND purpose = :purpose AND site = :site FOR NO KEY UPDATE

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

-- name: waited_for
SELECT DISTINCT profile FROM waiters WHERE purpose = 'open' AND seen_at > :after

-- name: waiters
SELECT waiter_id, holder, seen_at FROM waiters WHERE profile = :profile AND purpose = :purpose AND site = :site ORDER BY waiter_id

-- name: add_waiter
INSERT INTO waiters (profile, purpose, site, holder, seen_at) VALUES (:profile, :purpose, :site, :holder, :now) RETURNING waiter_id

-- name: sign_waiter
UPDATE waiters SET seen_at = :now WHERE waiter_id = :waiter_id

-- name: delete_waiter
DELETE FROM waiters WHERE waiter_id = :waiter_id

-- name: add_event
INSERT INTO events (at, kind, profile, site, data) VALUES (:now, :kind, :profile, :site, :data)

-- name: events
SELECT event_id, at, kind, profile, site, data FROM events
WHERE (CAST(:since AS BIGINT) IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_kind
SELECT event_id, at, kind, profile, site, data FROM events
WHERE kind = :kind AND (CAST(:since AS BIGINT) IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_site
SELECT event_id, at, kind, profile, site, data FROM events
WHERE site = :site AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind) AND (CAST(:since AS BIGINT) IS NULL OR at >= :since)
ORDER BY event_id DESC LIMIT :limit

-- name: events_of_profile
SELECT event_id, at, kind, profile, site, data FROM events
WHERE profile = :profile AND (CAST(:site AS TEXT) IS NULL OR site = :site) AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind) AND (CAST(:since AS BIGINT) IS NULL OR at >= :since)
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

-- name: login_attempts
SELECT revision, failures, troubles, failed_at, not_before, reason, refused FROM login_attempts WHERE row_key = :row_key

-- name: login_attempts (postgresql, writing)
SELECT revision, failures, troubles, failed_at, not_before, reason, refused FROM login_attempts WHERE row_key = :row_key FOR NO KEY UPDATE

-- name: put_login_attempts
INSERT INTO login_attempts (row_key, revision, failures, troubles, failed_at, not_before, reason, refused)
VALUES (:row_key, :revision, :failures, :troubles, :failed_at, :not_before, :reason, :refused)
ON CONFLICT (row_key) DO UPDATE SET
    revision = excluded.revision, failures = excluded.failures, troubles = excluded.troubles, failed_at = excluded.failed_at,
    not_before = excluded.not_before, reason = excluded.reason, refused = excluded.refused
WHERE login_attempts.revision = excluded.revision - 1

-- name: add_challenge
INSERT INTO challenges (challenge_id, profile, site, kind, asked_at, deadline, question_sealed, answer_sealed)
VALUES (:challenge_id, :profile, :site, :kind, :now, :deadline, :question_sealed, NULL)

-- name: challenge
SELECT challenge_id, profile, site, kind, asked_at, deadline, question_sealed, answer_sealed FROM challenges WHERE challenge_id = :challenge_id

-- name: open_challenges
SELECT challenge_id, profile, site, kind, asked_at, deadline, question_sealed, answer_sealed FROM challenges
WHERE answer_sealed IS NULL AND deadline > :now ORDER BY asked_at, challenge_id

-- name: answer_challenge
UPDATE challenges SET answer_sealed = :answer_sealed WHERE challenge_id = :challenge_id AND answer_sealed IS NULL AND deadline > :now

-- name: delete_challenge
DELETE FROM challenges WHERE challenge_id = :challenge_id

-- name: delete_late_challenges
DELETE FROM challenges WHERE deadline < :before

-- name: sessions_without_turn
SELECT s.session_id FROM sessions s LEFT JOIN turns t ON t.session_id = s.session_id
WHERE s.site = :site AND t.session_id IS NULL LIMIT :limit

-- name: add_turn
INSERT INTO turns (session_id, due_at, claimed_until, why) VALUES (:session_id, :due_at, 0, :why)
ON CONFLICT (session_id) DO NOTHING

-- name: claim_turns
UPDATE turns SET claimed_until = :until
WHERE session_id IN (SELECT session_id FROM turns WHERE due_at <= :now AND claimed_until <= :now ORDER BY due_at LIMIT :limit)
RETURNING session_id, due_at, why

-- name: claim_turns (postgresql)
UPDATE turns SET claimed_until = :until
WHERE session_id IN (
    SELECT session_id FROM turns WHERE due_at <= :now AND claimed_until <= :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING session_id, due_at, why

-- name: next_turn
SELECT due_at FROM turns WHERE claimed_until <= :now ORDER BY due_at LIMIT 1

-- name: turn
SELECT due_at, why FROM turns WHERE session_id = :session_id

-- name: end_turn
UPDATE turns SET due_at = :due_at, claimed_until = 0, why = :why WHERE session_id = :session_id

-- name: note_valid
UPDATE sessions SET last_verified = :verified WHERE session_id = :session_id AND health = 'valid' AND needs_refresh = 0

-- Cleaning up: each query finds by an index what is due, some rows at a time, so that it costs what it removes.

-- name: due_parts
SELECT p.part_id, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, v.sealed, r.name
FROM parts p JOIN profiles r ON r.profile_id = p.profile_id LEFT JOIN versions v ON v.part_id = p.part_id AND v.generation = p.generation
WHERE p.due_at < :before
ORDER BY p.due_at, p.part_id LIMIT :limit

-- name: delete_old_versions
-- (those that a later one had taken the place of before that time: what was current at any time since stays)
DELETE FROM versions WHERE part_id = :part_id AND generation < :current AND pinned IS NULL AND EXISTS (
    SELECT 1 FROM versions n WHERE n.part_id = versions.part_id AND n.generation > versions.generation AND n.written_at < :before
)

-- name: version_due
SELECT MIN(n.written_at) FROM versions n WHERE n.part_id = :part_id AND n.generation > (
    SELECT MIN(v.generation) FROM versions v WHERE v.part_id = :part_id AND v.generation < :current AND v.pinned IS NULL
)

-- name: due_again
UPDATE parts SET due_at = CAST(:due_at AS BIGINT) WHERE part_id = :part_id AND generation = :current

-- name: unused_sessions
SELECT session_id FROM sessions WHERE COALESCE(last_used, logged_in_at, created_at, 0) < :before
ORDER BY COALESCE(last_used, logged_in_at, created_at, 0) LIMIT :limit

-- name: unused_sessions (postgresql, writing)
-- (one that somebody is writing to now is not unused)
SELECT session_id FROM sessions WHERE COALESCE(last_used, logged_in_at, created_at, 0) < :before
ORDER BY COALESCE(last_used, logged_in_at, created_at, 0) LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: archive_session
INSERT INTO archived_sessions (session_id, profile, site, username, health, created_at, logged_in_at, last_used, logins, archived_at)
SELECT s.session_id, p.name, s.site, s.username, s.health, s.created_at, s.logged_in_at, s.last_used, s.logins, :now
FROM sessions s JOIN profiles p ON p.profile_id = s.profile_id WHERE s.session_id = :session_id
ON CONFLICT (session_id) DO NOTHING

-- name: delete_session_by_id
DELETE FROM sessions WHERE session_id = :session_id

-- name: archived_sessions
SELECT session_id, profile, site, username, health, created_at, logged_in_at, last_used, logins, archived_at FROM archived_sessions
ORDER BY archived_at DESC, session_id LIMIT :limit

-- name: archived_sessions_of_profile
SELECT session_id, profile, site, username, health, created_at, logged_in_at, last_used, logins, archived_at FROM archived_sessions
WHERE profile = :profile ORDER BY archived_at DESC, session_id LIMIT :limit

-- name: delete_archived_of_profile
DELETE FROM archived_sessions WHERE profile = :profile

-- name: delete_old_archived
DELETE FROM archived_sessions WHERE session_id IN (SELECT session_id FROM archived_sessions WHERE archived_at < :before ORDER BY archived_at LIMIT :limit)

-- name: delete_old_events
DELETE FROM events WHERE event_id IN (SELECT event_id FROM events WHERE at < :before ORDER BY at LIMIT :limit)

-- name: free_pages (sqlite)
PRAGMA incremental_vacuum(512)

-- name: size (sqlite)
SELECT page_count, page_size FROM pragma_page_count, pragma_page_size

-- name: free_page_count (sqlite)
PRAGMA freelist_count

-- Backups: the rows of each table, some at a time in the order of its key, by names instead of this database's own numbers;
-- and putting them back. Leases, waiters, turns and questions are of the moment and stay out.

-- name: dump_keys
SELECT key_id, source, facts, current, created_at, wrapped, retired_at FROM keys WHERE key_id > :key_id ORDER BY key_id LIMIT :limit

-- name: dump_vault
SELECT created_at, vault_id, index_key_sealed FROM vault WHERE created_at > :created_at LIMIT :limit

-- name: dump_profiles
SELECT profile_id, name, epoch, listed, created_at FROM profiles WHERE profile_id > :profile_id ORDER BY profile_id LIMIT :limit

-- name: dump_forgets
SELECT f.profile_id, f.epoch, r.name, f.domain_sealed, f.forgotten_at FROM forgets f JOIN profiles r ON r.profile_id = f.profile_id
WHERE f.profile_id > :profile_id OR (f.profile_id = :profile_id AND f.epoch > :epoch)
ORDER BY f.profile_id, f.epoch LIMIT :limit

-- name: dump_parts
SELECT p.part_id, r.name, p.row_key, p.bucket, p.kind, p.name_sealed, p.generation, p.due_at
FROM parts p JOIN profiles r ON r.profile_id = p.profile_id WHERE p.part_id > :part_id ORDER BY p.part_id LIMIT :limit

-- name: dump_versions
SELECT v.part_id, v.generation, r.name, p.row_key, v.written_at, v.pinned, v.sealed
FROM versions v JOIN parts p ON p.part_id = v.part_id JOIN profiles r ON r.profile_id = p.profile_id
WHERE v.part_id > :part_id OR (v.part_id = :part_id AND v.generation > :generation)
ORDER BY v.part_id, v.generation LIMIT :limit

-- name: dump_sessions
SELECT session_id, profile, site, revision, username, health, needs_refresh, health_until, created_at, logged_in_at, last_used,
       last_verified, expires_at, logins, device, private_sealed
FROM session_rows WHERE session_id > :session_id ORDER BY session_id LIMIT :limit

-- name: dump_archived
SELECT session_id, profile, site, username, health, created_at, logged_in_at, last_used, logins, archived_at
FROM archived_sessions WHERE session_id > :session_id ORDER BY session_id LIMIT :limit

-- name: dump_secrets
SELECT row_key, site_key, generation, sealed FROM secrets WHERE row_key > :row_key ORDER BY row_key LIMIT :limit

-- name: dump_attempts
SELECT row_key, revision, failures, troubles, failed_at, not_before, reason, refused
FROM login_attempts WHERE row_key > :row_key ORDER BY row_key LIMIT :limit

-- name: dump_events
SELECT event_id, at, kind, profile, site, data FROM events WHERE event_id > :event_id ORDER BY event_id LIMIT :limit

-- name: erase_versions
DELETE FROM versions

-- name: erase_parts
DELETE FROM parts

-- name: erase_forgets
DELETE FROM forgets

-- name: erase_sessions
DELETE FROM sessions

-- name: erase_archived
DELETE FROM archived_sessions

-- name: erase_secrets
DELETE FROM secrets

-- name: erase_attempts
DELETE FROM login_attempts

-- name: erase_challenges
DELETE FROM challenges

-- name: erase_events
DELETE FROM events

-- name: erase_keys
DELETE FROM keys

-- name: erase_vault
DELETE FROM vault

-- name: erase_profiles
-- (they stay, so that their epochs only grow)
UPDATE profiles SET listed = 0

-- name: restore_vault
INSERT INTO vault ("only", vault_id, index_key_sealed, created_at) VALUES (1, :vault_id, :index_key_sealed, :created_at)

-- name: restore_keys
INSERT INTO keys (key_id, source, facts, current, created_at, wrapped, retired_at)
VALUES (:key_id, :source, :facts, :current, :created_at, :wrapped, :retired_at)

-- name: restore_profiles
INSERT INTO profiles (name, epoch, listed, created_at) VALUES (:name, :epoch, :listed, :created_at)
ON CONFLICT (name) DO UPDATE SET listed = excluded.listed, created_at = excluded.created_at,
    epoch = CASE WHEN profiles.epoch > excluded.epoch THEN profiles.epoch ELSE excluded.epoch END

-- name: restore_forgets
INSERT INTO forgets (profile_id, epoch, domain_sealed, forgotten_at)
SELECT profile_id, :epoch, CAST(:domain_sealed AS BLOB), :forgotten_at FROM profiles WHERE name = :name

-- name: restore_forgets (postgresql)
INSERT INTO forgets (profile_id, epoch, domain_sealed, forgotten_at)
SELECT profile_id, :epoch, CAST(:domain_sealed AS BYTEA), :forgotten_at FROM profiles WHERE name = :name

-- name: restore_parts
INSERT INTO parts (profile_id, row_key, bucket, kind, name_sealed, generation, due_at)
SELECT profile_id, :row_key, :bucket, :kind, :name_sealed, :generation, CAST(:due_at AS BIGINT) FROM profiles WHERE name = :name

-- name: restore_versions
INSERT INTO versions (part_id, generation, written_at, pinned, sealed)
SELECT p.part_id, :generation, :written_at, CAST(:pinned AS TEXT), :sealed
FROM parts p JOIN profiles r ON r.profile_id = p.profile_id WHERE r.name = :name AND p.row_key = :row_key

-- name: restore_archived
INSERT INTO archived_sessions (session_id, profile, site, username, health, created_at, logged_in_at, last_used, logins, archived_at)
VALUES (:session_id, :profile, :site, :username, :health, :created_at, :logged_in_at, :last_used, :logins, :archived_at)
ON CONFLICT (session_id) DO NOTHING

-- name: restore_secrets
INSERT INTO secrets (row_key, site_key, generation, sealed) VALUES (:row_key, :site_key, :generation, :sealed)
ON CONFLICT (row_key) DO NOTHING

-- name: restore_attempts
INSERT INTO login_attempts (row_key, revision, failures, troubles, failed_at, not_before, reason, refused)
VALUES (:row_key, :revision, :failures, :troubles, :failed_at, :not_before, :reason, :refused)

-- name: restore_events
INSERT INTO events (at, kind, profile, site, data) VALUES (:at, :kind, :profile, :site, :data)

-- name: dump_served
SELECT session_id, keep_alive, served_at, used_at, ended_at FROM served WHERE session_id > :session_id ORDER BY session_id LIMIT :limit

-- name: dump_tokens
SELECT token_hash, name, scopes, created_at, ends_at FROM tokens WHERE token_hash > :token_hash ORDER BY token_hash LIMIT :limit

-- name: erase_served
DELETE FROM served

-- name: erase_tokens
DELETE FROM tokens

-- name: erase_workflows
DELETE FROM workflows

-- name: restore_served
INSERT INTO served (session_id, keep_alive, served_at, used_at, ended_at) VALUES (:session_id, :keep_alive, :served_at, :used_at, :ended_at)
ON CONFLICT (session_id) DO NOTHING

-- name: restore_tokens
INSERT INTO tokens (token_hash, name, scopes, created_at, ends_at) VALUES (:token_hash, :name, :scopes, :created_at, :ends_at)

-- name: serve
INSERT INTO served (session_id, keep_alive, served_at, used_at, ended_at) VALUES (:session_id, :keep_alive, :now, :now, NULL)
ON CONFLICT (session_id) DO UPDATE SET keep_alive = excluded.keep_alive, ended_at = NULL, used_at = excluded.used_at,
    served_at = CASE WHEN served.ended_at IS NULL THEN served.served_at ELSE excluded.served_at END

-- name: note_served
UPDATE served SET used_at = :now WHERE session_id = :session_id AND ended_at IS NULL

-- name: end_served
UPDATE served SET ended_at = :now WHERE session_id = :session_id AND ended_at IS NULL

-- name: end_idle_served
UPDATE served SET ended_at = :now WHERE keep_alive = 0 AND ended_at IS NULL AND used_at < :before
RETURNING session_id

-- name: served
SELECT session_id, keep_alive, served_at, used_at, ended_at FROM served WHERE session_id = :session_id

-- name: all_served
SELECT v.session_id, v.keep_alive, v.served_at, v.used_at, v.ended_at, s.profile, s.site, s.username, s.health, s.last_verified
FROM served v JOIN session_rows s ON s.session_id = v.session_id WHERE v.ended_at IS NULL ORDER BY v.served_at, v.session_id

-- name: count_served
SELECT COUNT(*) FROM served WHERE ended_at IS NULL

-- name: not_kept_alive
SELECT session_id FROM served WHERE keep_alive = 0 OR ended_at IS NOT NULL

-- name: put_workflow
INSERT INTO workflows (workflow_id, session_id, operation, phase, revision, ends_at, given_sealed)
VALUES (:workflow_id, :session_id, :operation, :phase, :revision, :ends_at, :given_sealed)
ON CONFLICT (workflow_id) DO UPDATE SET phase = excluded.phase, revision = excluded.revision, ends_at = excluded.ends_at,
    given_sealed = excluded.given_sealed
WHERE workflows.revision = excluded.revision - 1

-- name: workflow
SELECT workflow_id, session_id, operation, phase, revision, ends_at, given_sealed FROM workflows WHERE workflow_id = :workflow_id

-- name: delete_workflow
DELETE FROM workflows WHERE workflow_id = :workflow_id

-- name: delete_late_workflows
DELETE FROM workflows WHERE ends_at < :before

-- name: workflows_after
SELECT workflow_id, revision, given_sealed FROM workflows WHERE workflow_id > :workflow_id ORDER BY workflow_id LIMIT :limit

-- name: rotate_workflow
UPDATE workflows SET given_sealed = :sealed WHERE workflow_id = :workflow_id AND SUBSTR(given_sealed, 1, 21) = :seen

-- name: add_token
INSERT INTO tokens (token_hash, name, scopes, created_at, ends_at) VALUES (:token_hash, :name, :scopes, :now, :ends_at)
ON CONFLICT (name) DO NOTHING

-- name: token
SELECT name, scopes, created_at, ends_at FROM tokens WHERE token_hash = :token_hash

-- name: tokens
SELECT name, scopes, created_at, ends_at FROM tokens ORDER BY name

-- name: delete_token
DELETE FROM tokens WHERE name = :name
