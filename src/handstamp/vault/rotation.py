"""Rotating the master key while others read and write.

1. The new key is put where it is to come from. Nobody knows of it yet: a process that dies here has changed nothing.
2. One transaction makes it the current key. From then on everything is sealed under it; each of the two keys stands in the
   vault, sealed under the other, so that who has one opens records of both.
3. What is sealed under the old key is sealed anew, some records in a transaction. A process that dies here is followed by
   whoever rotates next: what is done stays done.
4. One transaction retires the old key: nothing is sealed under it, and the vault no longer leads from it to the new one. (Remains
   of that may stay in free pages; whom that concerns does not hand over in step 2.)

Readers and writers compare their key with the vault's in each transaction (`unlock.is_current`), so a process that has the
old key in memory fetches the new one before it reads a record of it, and none seals under the old one after step 2.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from handstamp.errors import Conflict, SealBroken
from handstamp.vault import events
from handstamp.vault.challenges import answer_identity, question_identity
from handstamp.vault.identity import RECORD_HEAD, Identity, Purpose
from handstamp.vault.save import forget_identity_of
from handstamp.vault.sessions import identity as session_identity
from handstamp.vault.unlock import INDEX_IDENTITY, add_key, read_known, wrap
from handstamp.vault.workflows import identity as workflow_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault.keys import KeyRecord
    from handstamp.vault.master_key import MasterKey
    from handstamp.vault.store import Row, Transaction, Value
    from handstamp.vault.unlock import Unlocked

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_AT_ONCE = 50  # records in a transaction: others wait for no longer than these take
_VERSIONS_AT_ONCE = 8  # the same; each may be a megabyte of a browser's files


class Write(Protocol):
    """Runs something in a transaction of its own, with the key that the vault has then."""

    def __call__(self, work: Callable[[Transaction, Unlocked], _T], /) -> _T:
        """What `work` gives."""
        ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Args:
        old: the keys that nothing is sealed under any more, and where they still lie.
        new: the vault's key now.
        resealed: records that were sealed anew, by this call.
        damaged: records that did not open and were left as they are.
        resumed: whether one that was interrupted was brought to its end, and no new key made.
    """

    old: tuple[KeyRecord, ...]
    new: KeyRecord
    resealed: int
    damaged: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """Sealed records of one kind: the rows after a place, what each is sealed as, and how it is written.

    Args:
        after: the query; its rows begin with the columns of `place` and end with what is sealed.
        place: names and first values of the columns that order the rows.
        write: the statement; takes the place, the new record and the head of the one that was read.
        identity: what a row is sealed as.
        at_once: how many are sealed anew in a transaction.
    """

    purpose: Purpose
    after: str
    place: tuple[tuple[str, Value], ...]
    write: str
    identity: Callable[[Row], Identity]
    at_once: int = _AT_ONCE


_TABLES = (
    _Table(Purpose.NAME, "parts_after", (("part_id", -1),), "rotate_part", lambda row: Identity(row[1], 0, row[2])),
    _Table(
        Purpose.PART, "versions_after", (("part_id", -1), ("generation", -1)), "rotate_version", lambda row: Identity(row[2], row[1], row[3]), _VERSIONS_AT_ONCE
    ),
    _Table(Purpose.FORGET, "forgets_after", (("profile_id", -1), ("epoch", -1)), "rotate_forget", lambda row: forget_identity_of(row[2], row[1])),
    _Table(Purpose.SESSION, "sessions_after", (("session_id", ""),), "rotate_session", lambda row: session_identity(*row[:4])),
    _Table(Purpose.CHALLENGE, "questions_after", (("challenge_id", ""),), "rotate_question", lambda row: question_identity(row[0])),
    _Table(Purpose.CHALLENGE, "answers_after", (("challenge_id", ""),), "rotate_answer", lambda row: answer_identity(row[0])),
    _Table(Purpose.WORKFLOW, "workflows_after", (("workflow_id", ""),), "rotate_workflow", lambda row: workflow_identity(row[0], row[1])),
    _Table(Purpose.SECRET, "secrets_after", (("row_key", b""),), "rotate_secret", lambda row: Identity(row[0], row[1])),
)


def introduce(transaction: Transaction, unlocked: Unlocked, key: MasterKey, record: KeyRecord, *, hand_over: bool) -> bool:
    """Step 2; False when a rotation is under way already, which then has to be brought to its end first.

    Args:
        transaction: one that writes.
        unlocked: the present key.
        key: the new one.
        record: what to record of it.
        hand_over: let who has the old key find the new one in the vault while the rotation lasts.
    """
    known = read_known(transaction)
    if known is None or known.outgoing:
        return False
    index_key = unlocked.seals.open(Purpose.INDEX, INDEX_IDENTITY, known.index_key_sealed)
    transaction.run("leave_key", key_id=unlocked.record.key_id, wrapped=wrap(unlocked.vault_id, unlocked.key, key))
    add_key(transaction, record, wrapped=wrap(unlocked.vault_id, key, unlocked.key) if hand_over else None)
    transaction.run("reseal_index", sealed=unlocked.seals.under(key).seal(Purpose.INDEX, INDEX_IDENTITY, index_key))
    events.record(transaction, "key-rotation-begun", data={"from": unlocked.record.key_id, "to": record.key_id, "source": record.source})
    return True


def under_way(transaction: Transaction) -> list[KeyRecord]:
    """The keys that are being rotated out."""
    known = read_known(transaction)
    return [row.record for row in known.outgoing] if known else []


def finish(write: Write) -> tuple[list[KeyRecord], int, int]:
    """Steps 3 and 4, under the key that is the vault's now.

    Args:
        write: runs something in a transaction of its own.

    Returns:
        The keys that are no longer the vault's, how many records were sealed anew, and how many do not open.

    Raises:
        Conflict: somebody brought this rotation to its end and began another. What was sealed anew is then sealed under a
            key on its way out itself, so that nothing may be retired on the strength of it.
    """
    key_id = write(lambda _, unlocked: unlocked.record.key_id)
    done = damaged = 0
    for table in _TABLES:
        place: dict[str, Value] | None = dict(table.place)
        while place is not None:
            resealed, broken, place = write(_batch(table, place, key_id))
            done, damaged = done + resealed, damaged + broken
    return write(lambda transaction, unlocked: _retire(transaction, unlocked, key_id)), done, damaged


def _batch(table: _Table, place: dict[str, Value], key_id: str) -> Callable[[Transaction, Unlocked], tuple[int, int, dict[str, Value] | None]]:
    def work(transaction: Transaction, unlocked: Unlocked) -> tuple[int, int, dict[str, Value] | None]:
        _see_that_it_is_still(key_id, unlocked)
        rows = transaction.rows(table.after, **place, limit=table.at_once)
        done = [_resealed(transaction, unlocked, table, row) for row in rows]
        last = None if len(rows) < table.at_once else dict(zip(place, rows[-1], strict=False))
        return done.count(True), done.count(None), last

    return work


def _see_that_it_is_still(key_id: str, unlocked: Unlocked) -> None:
    if unlocked.record.key_id != key_id:
        raise Conflict(f"while records were sealed under key {key_id}, somebody else gave the vault another one; nothing is lost, see `handstamp key show`")


def _resealed(transaction: Transaction, unlocked: Unlocked, table: _Table, row: Row) -> bool | None:
    """Whether a record was sealed anew; None when it does not open."""
    if (sealed := row[-1]) is None:
        return False
    try:
        anew = unlocked.seals.resealed(table.purpose, table.identity(row), sealed)
    except (SealBroken, TypeError, ValueError):  # the last two: a damaged row gives no identity
        _log.error("a record ('%s') does not open and was left as it is; `handstamp doctor --deep` names it", table.purpose)
        return None
    if anew is sealed:
        return False
    place = {name: value for (name, _), value in zip(table.place, row, strict=False)}
    return bool(transaction.run(table.write, **place, sealed=anew, seen=sealed[:RECORD_HEAD]))


def _retire(transaction: Transaction, unlocked: Unlocked, key_id: str) -> list[KeyRecord]:
    """Step 4; the keys that are no longer the vault's."""
    _see_that_it_is_still(key_id, unlocked)
    old = under_way(transaction)
    transaction.run("retire_keys", now=transaction.now())
    for record in old:
        events.record(transaction, "key-rotated", data={"from": record.key_id, "to": unlocked.record.key_id, "source": unlocked.record.source})
    return old
