"""Credentials in the vault: passwords, TOTP seeds and the like, by site and account. Sealed; listed by account only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.store import Raced, whole

if TYPE_CHECKING:
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


def put(transaction: Transaction, unlocked: Unlocked, site: str, account: str, *, name: str, value: str) -> None:
    """Keep `value`, in place of what was there.

    Raises:
        Raced: somebody else wrote it meanwhile; try the transaction again.
    """
    row_key = unlocked.index.secret(site, account, name)
    rows = transaction.rows("secret", row_key=row_key)
    whole(*(row[0] for row in rows))
    generation = rows[0][0] + 1 if rows else 1
    data = json.dumps([site, account, name, value]).encode()
    sealed = unlocked.seals.seal(Purpose.SECRET, Identity(row_key, generation), data)
    if not transaction.run("put_secret", row_key=row_key, site_key=unlocked.index.site(site), generation=generation, sealed=sealed):
        raise Raced


def get(transaction: Transaction, unlocked: Unlocked, site: str, account: str, name: str) -> str | None:
    """What is kept, None when nothing is.

    Raises:
        SealBroken: it does not open; names site, account and name.
    """
    row_key = unlocked.index.secret(site, account, name)
    rows = transaction.rows("secret", row_key=row_key)
    if not rows:
        return None
    try:
        return _opened(unlocked, row_key, *rows[0])[3]
    except SealBroken:
        raise SealBroken(f"the {name} of account '{account}' at '{site}' does not open: it was changed, or another key sealed it. Set it again") from None


def delete(transaction: Transaction, unlocked: Unlocked, site: str, account: str, name: str | None) -> int:
    """Remove one secret of an account, or all of them for None; how many there were."""
    if name is not None:
        return transaction.run("delete_secret", row_key=unlocked.index.secret(site, account, name))
    rows = [(row_key, sealed_account) for row_key, sealed_account, _ in _of_site(transaction, unlocked, site)]
    return sum(transaction.run("delete_secret", row_key=row_key) for row_key, found in rows if found == account)


def accounts(transaction: Transaction, unlocked: Unlocked, site: str) -> list[str]:
    """Accounts of a site that have a secret; those whose records do not open are left out."""
    return sorted({account for _, account, _ in _of_site(transaction, unlocked, site)})


def damaged(transaction: Transaction, unlocked: Unlocked) -> int:
    """How many secrets do not open."""
    return sum(not _opens(unlocked, *row) for row in transaction.rows("all_secrets"))


def _of_site(transaction: Transaction, unlocked: Unlocked, site: str) -> list[tuple[bytes, str, str]]:
    rows = transaction.rows("secrets_of_site", site_key=unlocked.index.site(site))
    return [(row[0], *_opened(unlocked, *row)[1:3]) for row in rows if _opens(unlocked, *row)]


def _opens(unlocked: Unlocked, row_key: bytes, generation: int, sealed: bytes) -> bool:
    try:
        _opened(unlocked, row_key, generation, sealed)
    except SealBroken:
        return False
    return True


def _opened(unlocked: Unlocked, row_key: bytes, generation: int, sealed: bytes) -> tuple[str, str, str, str]:
    site, account, name, value = json.loads(unlocked.seals.open(Purpose.SECRET, Identity(row_key, generation), sealed))
    return site, account, name, value
