"""Who may call a server: random tokens, kept as hashes, with a name and scopes.

    admin ⊃ use ⊃ read     everything · sessions and operations · lists and numbers
            use ⊃ files    what operations left

A token has 256 random bits, so that its plain SHA-256 cannot be turned back, and looking one up costs nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.vault.model import instant, maybe_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from handstamp.vault.store import Row, Transaction

PREFIX = "hs_"  # so that scanners for secrets in code know one
LONGEST = 512
"""Characters of a text that may be a token."""
IMPLIED = {
    "admin": frozenset({"admin", "use", "read", "files"}),
    "use": frozenset({"use", "read", "files"}),
    "read": frozenset({"read"}),
    "files": frozenset({"files"}),
}
"""Scopes, each with all that it implies."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; the token itself is shown once, when it is made.

    Args:
        name: for people.
        scopes: what it may do.
        created_at: UTC, the database's clock.
        ends_at: when it stops working; None for never.
    """

    name: str
    scopes: frozenset[str]
    created_at: datetime
    ends_at: datetime | None = None


def new_token() -> str:
    """A fresh one."""
    return PREFIX + secrets.token_urlsafe(32)


def implied(scopes: Iterable[str]) -> frozenset[str]:
    """Scopes with all that they imply; one that is none counts for nothing."""
    return frozenset().union(*(IMPLIED.get(scope, frozenset()) for scope in scopes))


def add(transaction: Transaction, token: str, name: str, scopes: frozenset[str], *, seconds: float | None) -> bool:
    """Let a token work; False when another has this name."""
    now = transaction.now()
    ends_at = None if seconds is None else now + round(seconds * 1000)
    return bool(transaction.run("add_token", token_hash=hash_of(token), name=name, scopes=" ".join(sorted(scopes)), now=now, ends_at=ends_at))


def find(transaction: Transaction, token: str) -> Token | None:
    """What a token is; None when it does not work, or not any more."""
    if len(token) > LONGEST:
        return None
    rows = transaction.rows("token", token_hash=hash_of(token))
    if not rows or (rows[0][3] is not None and rows[0][3] <= transaction.now()):
        return None
    return _token(rows[0])


def listed(transaction: Transaction) -> list[Token]:
    """All, by name."""
    return [_token(row) for row in transaction.rows("tokens")]


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _token(row: Row) -> Token:
    name, scopes, created_at, ends_at = row
    return Token(name, frozenset(scopes.split()), instant(created_at), maybe_instant(ends_at))
