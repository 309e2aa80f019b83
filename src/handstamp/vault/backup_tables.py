"""What a backup keeps of each table, and how it is put back: by names, since the numbers of rows are the database's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import UnreadableState
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.save import forget_identity_of
from handstamp.vault.sessions import identity as session_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault.store import Value

Columns = dict[str, "Value"]


def octets(row: Columns, column: str) -> bytes:
    """A column that holds octets.

    Raises:
        UnreadableState: it does not; so do the next two.
    """
    value = row[column]
    if not isinstance(value, bytes):
        raise _damaged()
    return value


def text(row: Columns, column: str) -> str:
    """A column that holds text."""
    value = row[column]
    if not isinstance(value, str):
        raise _damaged()
    return value


def number(row: Columns, column: str) -> int:
    """A column that holds a whole number."""
    value = row[column]
    if not isinstance(value, int):
        raise _damaged()
    return value


def _damaged() -> UnreadableState:
    return UnreadableState("a row of the backup is damaged; use another one. Nothing was changed")


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a table are read, put back, and what of them is sealed.

    Args:
        place: names and first values of the columns that order the rows, which come first; unnamed ones are not kept.
        columns: of the query, in order; those called None are the database's own numbers.
        put: the statement that puts a row back.
        sealed: the column that is sealed, for what, and as what.
    """

    name: str
    place: tuple[tuple[str, Value], ...]
    columns: tuple[str | None, ...]
    put: str
    sealed: tuple[str, Purpose, Callable[[Columns], Identity]] | None = None


_SESSION = (
    "session_id profile site revision username health needs_refresh health_until created_at logged_in_at last_used last_verified expires_at logins device"
    " private_sealed"
)
_ARCHIVED = "session_id profile site username health created_at logged_in_at last_used logins archived_at"
_ATTEMPTS = "row_key revision failures troubles failed_at not_before reason refused"


def part_identity(row: Columns) -> Identity:
    """What a version is sealed as."""
    return Identity(octets(row, "row_key"), number(row, "generation"), text(row, "name"))


# In the order in which they are put back: what others refer to comes first.
TABLES = (
    Table("vault", (("created_at", -1),), ("created_at", "vault_id", "index_key_sealed"), "restore_vault"),
    Table("keys", (("key_id", ""),), ("key_id", "source", "facts", "current", "created_at", "wrapped", "retired_at"), "restore_keys"),
    Table("profiles", (("profile_id", -1),), (None, "name", "epoch", "listed", "created_at"), "restore_profiles"),
    Table(
        "forgets",
        (("profile_id", -1), ("epoch", -1)),
        (None, "epoch", "name", "domain_sealed", "forgotten_at"),
        "restore_forgets",
        ("domain_sealed", Purpose.FORGET, lambda row: forget_identity_of(text(row, "name"), number(row, "epoch"))),
    ),
    Table(
        "parts",
        (("part_id", -1),),
        (None, "name", "row_key", "bucket", "kind", "name_sealed", "generation", "due_at"),
        "restore_parts",
        ("name_sealed", Purpose.NAME, lambda row: Identity(octets(row, "row_key"), 0, text(row, "name"))),
    ),
    Table(
        "versions",
        (("part_id", -1), ("generation", -1)),
        (None, "generation", "name", "row_key", "written_at", "pinned", "sealed"),
        "restore_versions",
        ("sealed", Purpose.PART, part_identity),
    ),
    Table(
        "sessions",
        (("session_id", ""),),
        tuple(_SESSION.split()),
        "put_session",
        (
            "private_sealed",
            Purpose.SESSION,
            lambda row: session_identity(text(row, "session_id"), number(row, "revision"), text(row, "profile"), text(row, "site")),
        ),
    ),
    Table("served", (("session_id", ""),), ("session_id", "keep_alive", "served_at", "used_at", "ended_at"), "restore_served"),
    Table("archived", (("session_id", ""),), tuple(_ARCHIVED.split()), "restore_archived"),
    Table(
        "secrets",
        (("row_key", b""),),
        ("row_key", "site_key", "generation", "sealed"),
        "restore_secrets",
        ("sealed", Purpose.SECRET, lambda row: Identity(octets(row, "row_key"), number(row, "generation"))),
    ),
    Table("attempts", (("row_key", b""),), tuple(_ATTEMPTS.split()), "restore_attempts"),
    Table("tokens", (("token_hash", b""),), ("token_hash", "name", "scopes", "created_at", "ends_at"), "restore_tokens"),
    Table("events", (("event_id", -1),), (None, "at", "kind", "profile", "site", "data"), "restore_events"),
)
BY_NAME = {table.name: table for table in TABLES}
