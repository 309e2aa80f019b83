"""Backups: every row of a vault at one moment, and putting them back, whole or not at all.

A backup is the same whichever database it comes from, and goes back into any. Before anything is changed, the file is read
to its end: its checksum is compared, and every sealed record is opened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handstamp.errors import SealBroken, StateError, UnreadableState
from handstamp.state import Part, PartKind
from handstamp.state.codec import decode
from handstamp.vault import backup_file
from handstamp.vault.backup_tables import BY_NAME, TABLES, number, octets, part_identity, text
from handstamp.vault.identity import Purpose
from handstamp.vault.keys import KeyRecord, Source
from handstamp.vault.model import instant
from handstamp.vault.parts import Parts, listed_profile
from handstamp.vault.save import save_part
from handstamp.vault.unlock import KeyRow, Known, current_key, unlocked_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from handstamp.vault.backup_tables import Columns, Table
    from handstamp.vault.master_key import MasterKey
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked

_AT_ONCE = 200  # rows that are in memory
_VERSIONS_AT_ONCE = 8  # the same; each may be a megabyte of a browser's files


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Args:
        vault_id: of which vault, as hex.
        key_id: of the key that opens it.
        made_at: by the database's clock, UTC.
        rows: how many of each table.
        damaged: records in it that do not open, by name; only known when it was verified.
    """

    vault_id: str
    key_id: str
    made_at: datetime
    rows: Mapping[str, int]
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """A backup that was read to its end, and what opens it."""

    facts: Backup
    unlocked: Unlocked = field(repr=False)


def rows_of(transaction: Transaction) -> Iterator[backup_file.Row]:
    """All rows of a vault, as they are at the moment of the transaction."""
    for table in TABLES:
        place: Columns | None = dict(table.place)
        limit = _VERSIONS_AT_ONCE if table.name == "versions" else _AT_ONCE
        while place is not None:
            found = transaction.rows(f"dump_{table.name}", **place, limit=limit)
            for row in found:
                yield table.name, {name: value for name, value in zip(table.columns, row, strict=True) if name is not None}
            place = dict(zip(place, found[-1], strict=False)) if len(found) == limit else None


def verify(path: Path, home: Path, *, given: MasterKey | None = None) -> Contents:
    """Read a backup to its end, and open every sealed record in it.

    Args:
        path: the file.
        home: where a key file is.
        given: the key, from the caller.

    Raises:
        UnreadableState: it is no backup, damaged or not whole.
        UnsupportedVersion: a newer handstamp made it.
        KeyMissing: its key is not to be had.
    """
    lines = backup_file.read(path)
    header = next(lines, None)
    if not isinstance(header, dict):
        raise UnreadableState(f"the backup {path} is damaged or was cut short; use another one. Nothing was changed")
    known: dict[str, list[Columns]] = {"vault": [], "keys": []}
    unlocked: Unlocked | None = None
    counts: dict[str, int] = {}
    damaged: list[str] = []
    for table, row in _checked(path, lines):
        counts[table.name] = counts.get(table.name, 0) + 1
        if table.name in known:
            known[table.name].append(row)
            continue
        unlocked = unlocked or _unlocked(path, known, home, given)
        damaged += _damage(unlocked, table, row)
    unlocked = unlocked or _unlocked(path, known, home, given)
    return Contents(_facts(header, counts, damaged), unlocked)


def put_back(transaction: Transaction, path: Path) -> None:
    """Put the rows of a verified backup in the place of whatever the vault holds."""
    transaction.run("erase_keys")  # first: on PostgreSQL this waits for everyone who is sealing, and lets nobody begin
    for table in reversed(TABLES):
        transaction.run(f"erase_{table.name}")
    transaction.run("erase_challenges")
    transaction.run("erase_workflows")
    profiles: dict[str, int] = {}
    for table, row in _checked(path, _rows_only(path)):
        if table.name == "sessions":
            _put_session(transaction, row, profiles)
        else:
            transaction.run(table.put, **row)


def merge_in(transaction: Transaction, contents: Contents, path: Path, *, keep: int) -> int:
    """Merge what a verified backup holds into the same vault, entry by entry; how many parts, sessions and credentials were changed or added.

    What is newer in the vault stays, deletions included. History, events and a browser's own files are not brought back.
    """
    changed = 0
    generations: dict[tuple[str, bytes], int] = {}
    profiles: dict[str, int] = {}
    for table, row in _checked(path, _rows_only(path)):
        if table.name == "parts":
            generations[text(row, "name"), octets(row, "row_key")] = number(row, "generation")
        elif table.name == "versions" and generations.get((text(row, "name"), octets(row, "row_key"))) == row["generation"]:
            changed += _merge_part(transaction, contents.unlocked, row, keep=keep)
        elif table.name == "sessions" and not transaction.rows("session", profile=row["profile"], site=row["site"]):
            _put_session(transaction, row, profiles)
            changed += 1
        elif table.name == "secrets":
            changed += transaction.run(table.put, **row)
    return changed


def _merge_part(transaction: Transaction, unlocked: Unlocked, row: Columns, *, keep: int) -> int:
    try:
        part: Part = decode(unlocked.seals.open(Purpose.PART, part_identity(row), octets(row, "sealed")))
    except (SealBroken, StateError):
        return 0
    if part.id.kind is PartKind.FILES:
        return 0
    return int(save_part(Parts(transaction, unlocked, listed_profile(transaction, text(row, "name"))), part, keep=keep))


def _put_session(transaction: Transaction, row: Columns, profiles: dict[str, int]) -> None:
    name = text(row, "profile")
    if name not in profiles:
        profiles[name] = listed_profile(transaction, name).profile_id
    transaction.run("put_session", profile_id=profiles[name], **{column: value for column, value in row.items() if column != "profile"})


def _rows_only(path: Path) -> Iterator[Any]:
    lines = backup_file.read(path)
    next(lines)
    return lines


def _checked(path: Path, lines: Iterator[Any]) -> Iterator[tuple[Table, Columns]]:
    for name, row in lines:
        table = BY_NAME.get(name)
        if table is None or row.keys() != {column for column in table.columns if column is not None}:
            raise UnreadableState(f"the backup {path} holds rows of '{name}' that this handstamp does not know; upgrade it. Nothing was changed")
        yield table, row


def _unlocked(path: Path, known: dict[str, list[Columns]], home: Path, given: MasterKey | None) -> Unlocked:
    try:
        (vault,), keys = known["vault"], sorted(known["keys"], key=lambda row: not row["current"])
        rows = tuple(
            KeyRow(
                KeyRecord(text(row, "key_id"), Source(text(row, "source")), json.loads(text(row, "facts"))),
                bool(row["current"]),
                None if row["wrapped"] is None else octets(row, "wrapped"),
                row["retired_at"] is not None,
            )
            for row in keys
        )
        found = Known(octets(vault, "vault_id"), octets(vault, "index_key_sealed"), rows)
        current = found.current
    except (ValueError, TypeError, IndexError):
        raise UnreadableState(f"the backup {path} does not say which vault and key it is of; use another one. Nothing was changed") from None
    del current
    return unlocked_by(found, current_key(found, home, given))


def _damage(unlocked: Unlocked, table: Table, row: Columns) -> list[str]:
    if table.sealed is None or row[table.sealed[0]] is None:
        return []
    column, purpose, identity = table.sealed
    try:
        unlocked.seals.open(purpose, identity(row), octets(row, column))
    except (SealBroken, UnreadableState, ValueError):
        whose = row.get("name", row.get("profile"))
        return [f"a record ('{purpose}')" + (f" of profile '{whose}'" if isinstance(whose, str) else "")]
    return []


def _facts(header: dict[str, Any], counts: dict[str, int], damaged: list[str]) -> Backup:
    try:
        return Backup(str(header["vault_id"]), str(header["key_id"]), instant(header["made_at"]), counts, tuple(damaged))
    except (KeyError, TypeError):
        raise UnreadableState("the backup's header is damaged; use another one. Nothing was changed") from None
