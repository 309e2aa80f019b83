"""Cleaning up: what nobody needs any more is found by its time, some at once, so that it costs what it removes.

Nothing here touches what a session is made of now, nor what was pinned; a session that was not used for long is put into
the archive, and its storage state stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken, StateError
from handstamp.state import Health, Part
from handstamp.vault.model import instant, maybe_instant
from handstamp.vault.parts import Head, Parts, Profile

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.vault.store import Row, Transaction
    from handstamp.vault.unlock import Unlocked

AT_ONCE = 200  # rows in a transaction: others wait for no longer than these take
PARTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What cleaning up removed.

    Args:
        versions: earlier versions of parts.
        deletions: entries that only said that something was deleted.
        archived: sessions that were put into the archive.
        forgotten: sessions that were removed from the archive.
        events: events.
        freed: octets that the file gave back to its file system.
    """

    versions: int = 0
    deletions: int = 0
    archived: int = 0
    forgotten: int = 0
    events: int = 0
    freed: int = 0


@dataclass(frozen=True, slots=True)
class ArchivedSession:
    """A session that was not used for long; its storage state is kept in its profile."""

    session_id: str
    profile: str
    site: str
    username: str | None
    health: Health
    created_at: datetime | None
    logged_in_at: datetime | None
    last_used: datetime | None
    logins: int
    archived_at: datetime


def archived_session(row: Row) -> ArchivedSession:
    """The session of a row of the archive."""
    session_id, profile, site, username, health, created, logged_in, used, logins, archived = row
    times = (maybe_instant(created), maybe_instant(logged_in), maybe_instant(used))
    return ArchivedSession(session_id, profile, site, username, Health(health), *times, logins, instant(archived))


def clean_parts(transaction: Transaction, unlocked: Unlocked, *, before: int) -> tuple[int, int, int]:
    """Of some parts, remove versions that were replaced and deletions that were made before that time (milliseconds).

    Returns:
        How many parts were looked at, versions removed, deletions removed.
    """
    rows = transaction.rows("due_parts", before=before, limit=PARTS_AT_ONCE)
    removed = [_clean_part(transaction, unlocked, row, before) for row in rows]
    return len(rows), sum(versions for versions, _ in removed), sum(deletions for _, deletions in removed)


def _clean_part(transaction: Transaction, unlocked: Unlocked, row: Row, before: int) -> tuple[int, int]:
    *columns, profile = row
    head, parts = Head(*columns), Parts(transaction, unlocked, Profile(0, profile, 0, listed=True))
    try:
        part = parts.opened(head)
    except (SealBroken, StateError):  # its earlier versions stand in for it: they stay, until a save heals it
        transaction.run("due_again", part_id=head.part_id, current=head.generation, due_at=None)
        return 0, 0
    deleted = {key: entry.stamp.time for key, entry in part.entries.items() if entry.deleted}
    kept = {key: entry for key, entry in part.entries.items() if deleted.get(key, before) >= before}
    if len(kept) < len(part.entries):
        parts.reseal(head, Part(part.id, kept))
    versions = transaction.run("delete_old_versions", part_id=head.part_id, current=head.generation, before=before)
    ((replaced_at,),) = transaction.rows("version_due", part_id=head.part_id, current=head.generation)
    times = [time for time in (replaced_at, *(time for key, time in deleted.items() if key in kept)) if time is not None]
    transaction.run("due_again", part_id=head.part_id, current=head.generation, due_at=min(times, default=None))
    return versions, len(part.entries) - len(kept)


def archive(transaction: Transaction, *, before: int) -> int:
    """Put some sessions that were not used since that time into the archive; how many."""
    rows = transaction.rows("unused_sessions", before=before, limit=AT_ONCE)
    for (session_id,) in rows:
        transaction.run("archive_session", session_id=session_id, now=transaction.now())
        transaction.run("delete_session_by_id", session_id=session_id)
    return len(rows)
