"""PostgreSQL's errors as ours, by SQLSTATE (PostgreSQL, appendix A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from handstamp.errors import VaultError, VaultFull, VaultUnavailable
from handstamp.vault.store import Interrupted, Raced

if TYPE_CHECKING:
    from handstamp.vault.postgres.address import Address

_DAMAGED = "is damaged, says PostgreSQL; restore a backup. Nothing was changed"
_LATER = frozenset({"53300", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
"""Too many connections; the server stops, has crashed, or is starting; we were silent for too long."""

_RACED = frozenset({"40001", "40P01", "23503", "23505"})
"""Serialization failure, deadlock, and a row that somebody else has just removed, or made."""

_UNAVAILABLE = {
    "25006": "is read-only, as a standby is; name the primary in the vault's URL",
    "28000": "does not let this user in; check user and password in the vault's URL, or in PGPASSWORD or .pgpass",
    "28P01": "does not let this user in; check user and password in the vault's URL, or in PGPASSWORD or .pgpass",
    "3D000": "has no such database; make it with `createdb`, or correct the vault's URL",
    "42501": "does not permit this user to do that; it must own the schema 'handstamp', or may create it",
    "55P03": "was busy for too long; another process is writing to the same profile without pause, try again",
    "57014": "was busy for too long, and PostgreSQL ended what was asked; try again",
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


def lost(error: psycopg.Error, connection: psycopg.Connection | None = None) -> bool:
    """Whether the connection, or the server, is gone or going."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError) or (connection is not None and connection.closed)
    return state in _LATER or state.startswith("08")


def translated(error: psycopg.Error, address: Address) -> Exception | None:
    """Our error for one of PostgreSQL's, of a transaction that was not committed; None for what only a mistake in handstamp can cause."""
    state = error.sqlstate or ""
    if state in _RACED:
        return Raced()
    if lost(error):
        return Interrupted(f"the connection to the vault {address.where} was lost; nothing of this change was saved, try again")
    if state in {"53100", "53400", "54000"}:
        return VaultFull(
            f"there is no room for the vault {address.where}; nothing of this change was saved, what was saved before is still there. Free some space"
        )
    if state in _UNAVAILABLE:
        return VaultUnavailable(f"the vault {address.where} {_UNAVAILABLE[state]}")
    if state[:2] in {"53", "58", "XX"}:
        return VaultUnavailable(f"the vault {address.where} could not be read or written ({address.blanked(_said(error))}); look at the server's log")
    return None


def unreachable(error: psycopg.Error, address: Address) -> VaultError:
    """Why there is no connection."""
    said = address.blanked(_said(error))
    for state, sentence in _UNAVAILABLE.items():
        if error.sqlstate == state:
            return VaultUnavailable(f"the vault {address.where} {sentence}")
    return VaultUnavailable(f"the vault {address.where} cannot be reached ({said}); see that the server runs, and what HANDSTAMP_VAULT says")


def _said(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
