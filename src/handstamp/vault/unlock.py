"""From a store to what seals and opens its records: the vault's own row, and its master key; two keys while one is rotated."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import KeyMissing, SealBroken, VaultUnavailable
from handstamp.vault import retry
from handstamp.vault.cache import OpenedParts
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.index import KEY_BYTES, Index
from handstamp.vault.keys import KeyRecord, Source, find_key, new_key
from handstamp.vault.master_key import MasterKey
from handstamp.vault.seal import Seals

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.vault.store import Row, Store, Transaction

_log = logging.getLogger(__name__)
INDEX_IDENTITY = Identity(b"index".ljust(16, b"\0"))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What opens a vault's records.

    Args:
        vault_id: which vault.
        key: the master key that seals.
        record: what the vault says of that key.
        seals: seals and opens records.
        index: names rows.
        opened: parts that this process opened lately.
    """

    vault_id: bytes
    key: MasterKey = field(repr=False)
    record: KeyRecord
    seals: Seals = field(repr=False)
    index: Index = field(repr=False)
    opened: OpenedParts = field(default_factory=OpenedParts, repr=False)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key of a vault as it stands there.

    Args:
        record: which it is, and where it comes from.
        current: whether it seals; else it is on its way out.
        wrapped: the key, sealed under the other one of a rotation that is under way.
        retired: nothing is sealed under it any more.
    """

    record: KeyRecord
    current: bool
    wrapped: bytes | None = field(repr=False)
    retired: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What an unlocked or locked vault says of itself; `keys` holds the current one first."""

    vault_id: bytes
    index_key_sealed: bytes
    keys: tuple[KeyRow, ...]

    @property
    def current(self) -> KeyRow:
        """The key that seals."""
        return self.keys[0]

    @property
    def outgoing(self) -> list[KeyRow]:
        """Keys that are being rotated out."""
        return [row for row in self.keys[1:] if not row.retired]


def unlock(store: Store, home: Path, *, given: MasterKey | None = None) -> Unlocked:
    """Find the key of the vault in `store`; an empty vault gets one first.

    Args:
        home: where a key file is.
        given: the key, from the caller; it must be the vault's.

    Raises:
        KeyMissing: the key is not to be had, or what was found is another's.
        SealBroken: the vault's own row was changed.
    """

    def founding(transaction: Transaction) -> Known:
        transaction.rows("alone")
        return read_known(transaction) or _found(transaction, store, home, given)

    known = retry.read(store, read_known) or retry.write(store, founding)
    return unlocked_by(known, current_key(known, home, given))


def unlocked_by(known: Known, key: MasterKey) -> Unlocked:
    """What the current key of a vault opens; raises `SealBroken` when the vault's own row does not open."""
    seals = Seals(known.vault_id, [key, *_outgoing_keys(known, key)])
    return Unlocked(known.vault_id, key, known.current.record, seals, Index(seals.open(Purpose.INDEX, INDEX_IDENTITY, known.index_key_sealed)))


def is_current(transaction: Transaction, unlocked: Unlocked) -> bool:
    """Whether the vault is still that one, and its key that one: not rotated, not replaced by a backup of another.

    Checked in each transaction that opens or seals: who seals with a key that was rotated out makes a record that will not
    open. In PostgreSQL a transaction that writes holds the key's row, so that a rotation waits for its end.
    """
    return [(bytes(vault_id), key_id) for vault_id, key_id in transaction.rows("standing")] == [(unlocked.vault_id, unlocked.record.key_id)]


def read_known(transaction: Transaction) -> Known | None:
    """What the vault says of itself, None when it is empty."""
    rows, keys = transaction.rows("vault"), transaction.rows("keys")
    if not rows or not keys:
        return None
    ((vault_id, index_key_sealed),) = rows
    try:
        return Known(bytes(vault_id), index_key_sealed, tuple(_key_row(row) for row in keys))
    except (ValueError, TypeError):
        raise VaultUnavailable("the vault's record of its key is damaged; restore a backup. Nothing was changed") from None


def wrap(vault_id: bytes, key: MasterKey, under: MasterKey) -> bytes:
    """A key, sealed under another."""
    return Seals(vault_id, [under]).seal(Purpose.KEY, _identity(key.id), key.secret)


def _identity(key_id: str) -> Identity:
    return Identity(bytes.fromhex(key_id).ljust(16, b"\0"))


def _unwrap(known: Known, row: KeyRow, under: MasterKey) -> MasterKey:
    key = MasterKey(Seals(known.vault_id, [under]).open(Purpose.KEY, _identity(row.record.key_id), row.wrapped))
    if key.id != row.record.key_id:
        raise SealBroken("a key of the vault is not the one that it is recorded as; restore a backup")
    return key


def _key_row(row: Row) -> KeyRow:
    key_id, source, facts, current, wrapped, retired_at = row
    return KeyRow(KeyRecord(str(key_id), Source(source), dict(json.loads(facts))), bool(current), wrapped, retired_at is not None)


def current_key(known: Known, home: Path, given: MasterKey | None) -> MasterKey:
    """The key that seals: from its source; or, in the middle of a rotation, handed over to who has the key that is going. Raises as `unlock`."""
    former = [row.record.key_id for row in known.keys[1:]]
    try:
        return find_key(home, known.current.record, given=given, former=former)
    except KeyMissing:
        for row in known.outgoing:
            try:
                return _unwrap(known, known.current, find_key(home, row.record, given=given))
            except (KeyMissing, SealBroken):
                continue
        raise


def _outgoing_keys(known: Known, current: MasterKey) -> list[MasterKey]:
    found = []
    for row in known.outgoing:
        try:
            found.append(_unwrap(known, row, current))
        except SealBroken:
            _log.error("key %s, which is being rotated out, does not open; what is still sealed under it is lost", row.record.key_id)
    return found


def _found(transaction: Transaction, store: Store, home: Path, given: MasterKey | None) -> Known:
    """Make the vault's row and key. Never for one that holds sealed records: they would be lost behind a new key."""
    if transaction.rows("any_sealed") or transaction.rows("vault"):
        raise KeyMissing(f"the vault {store.where} holds sealed records and no longer says under which key; restore a backup. Nothing was changed")
    vault_id = secrets.token_bytes(16)
    key, record = new_key(home, vault_id, given=given)
    index_key_sealed = Seals(vault_id, [key]).seal(Purpose.INDEX, INDEX_IDENTITY, secrets.token_bytes(KEY_BYTES))
    transaction.run("add_vault", vault_id=vault_id, index_key_sealed=index_key_sealed, now=transaction.now())
    add_key(transaction, record)
    return Known(vault_id, index_key_sealed, (KeyRow(record, current=True, wrapped=None, retired=False),))


def add_key(transaction: Transaction, record: KeyRecord, *, wrapped: bytes | None = None) -> None:
    """Record a key as the current one."""
    facts = json.dumps(dict(record.facts))
    transaction.run("add_key", key_id=record.key_id, source=record.source, facts=facts, wrapped=wrapped, now=transaction.now())
