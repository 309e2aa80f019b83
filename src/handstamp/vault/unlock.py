"""From a store to what seals and opens its records: the vault's own row, and its master key."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import KeyMissing, VaultUnavailable
from handstamp.vault.cache import OpenedParts
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.index import KEY_BYTES, Index
from handstamp.vault.keys import KeyRecord, MasterKey, Source, find_key, new_key
from handstamp.vault.seal import Seals

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.vault.store import Store, Transaction

_INDEX_IDENTITY = Identity(b"index".ljust(16, b"\0"))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What opens a vault's records.

    Args:
        key: the master key.
        record: what the vault says of the key.
        seals: seals and opens records.
        index: names rows.
        opened: parts that this process opened lately.
    """

    key: MasterKey = field(repr=False)
    record: KeyRecord
    seals: Seals = field(repr=False)
    index: Index = field(repr=False)
    opened: OpenedParts = field(default_factory=OpenedParts, repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """What an unlocked or locked vault says of itself."""

    vault_id: bytes
    index_key_sealed: bytes
    record: KeyRecord


def unlock(store: Store, home: Path, *, given: MasterKey | None = None) -> Unlocked:
    """Find the key of the vault in `store`; an empty vault gets one first.

    Args:
        home: where a key file is.
        given: the key, from the caller; it must be the vault's.

    Raises:
        KeyMissing: the key is not to be had, or what was found is another's.
        SealBroken: the vault's own row was changed.
    """
    with store.read() as transaction:
        known = _known(transaction)
    if known is None:
        with store.write() as transaction:
            known = _known(transaction) or _found(transaction, store, home, given)
    key = find_key(home, known.record, given=given)
    seals = Seals(known.vault_id, [key])
    return Unlocked(key, known.record, seals, Index(seals.open(Purpose.INDEX, _INDEX_IDENTITY, known.index_key_sealed)))


def _known(transaction: Transaction) -> _Known | None:
    rows, keys = transaction.rows("vault"), transaction.rows("keys")
    if not rows or not keys:
        return None
    ((vault_id, index_key_sealed),), (key_id, source, facts) = rows, keys[0]
    try:
        return _Known(bytes(vault_id), index_key_sealed, KeyRecord(str(key_id), Source(source), dict(json.loads(facts))))
    except (ValueError, TypeError):
        raise VaultUnavailable("the vault's record of its key is damaged; restore a backup. Nothing was changed") from None


def _found(transaction: Transaction, store: Store, home: Path, given: MasterKey | None) -> _Known:
    """Make the vault's row and key. Never for one that holds sealed records: they would be lost behind a new key."""
    if transaction.rows("any_sealed") or transaction.rows("vault"):
        raise KeyMissing(f"the vault {store.where} holds sealed records and no longer says under which key; restore a backup. Nothing was changed")
    vault_id = secrets.token_bytes(16)
    key, record = new_key(home, vault_id, given=given)
    index_key_sealed = Seals(vault_id, [key]).seal(Purpose.INDEX, _INDEX_IDENTITY, secrets.token_bytes(KEY_BYTES))
    transaction.run("add_vault", vault_id=vault_id, index_key_sealed=index_key_sealed, now=transaction.now())
    transaction.run("add_key", key_id=record.key_id, source=record.source, facts=json.dumps(dict(record.facts)), now=transaction.now())
    return _Known(vault_id, index_key_sealed, record)
