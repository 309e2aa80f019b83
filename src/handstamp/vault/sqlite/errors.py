"""SQLite's errors as ours, by result code (sqlite.org/rescode.html)."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

from handstamp.errors import VaultError, VaultFull, VaultUnavailable

if TYPE_CHECKING:
    from pathlib import Path

_LOW_SPACE = 1 << 20  # bytes; below it an I/O error is taken for a full disk, which SQLite does not tell for its -shm file

_DAMAGED = "is damaged; run `handstamp doctor`, or restore a backup. Nothing was changed"
_UNAVAILABLE = {
    sqlite3.SQLITE_PERM: "may not be opened by this user; check owner and permissions with `handstamp doctor`",
    sqlite3.SQLITE_BUSY: "was busy for too long; another process is writing to it without pause, try again",
    sqlite3.SQLITE_LOCKED: "was busy for too long; another process is writing to it without pause, try again",
    sqlite3.SQLITE_READONLY: "cannot be written: file, directory or file system is read-only; make it writable, or set HANDSTAMP_VAULT to another place",
    sqlite3.SQLITE_IOERR: "could not be read or written (the disk reports an error); what was saved before is still there, check the disk and try again",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; see that its directory is there, yours and writable, or set HANDSTAMP_VAULT to another place",
    sqlite3.SQLITE_PROTOCOL: "cannot be locked; put it on a local disk",
    sqlite3.SQLITE_NOTADB: "is no vault but some other file; move it away, or set HANDSTAMP_VAULT to another place",
}


def translated(error: sqlite3.DatabaseError, path: Path) -> VaultError | None:
    """Our error for one of SQLite's; None for what only a mistake in handstamp can cause."""
    if isinstance(error, sqlite3.ProgrammingError):
        return None
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _space_left(path) < _LOW_SPACE):
        return VaultFull(f"there is no room for the vault {path}; nothing of this change was saved, what was saved before is still there. Free some space")
    return VaultUnavailable(f"the vault {path} {_UNAVAILABLE.get(code, _DAMAGED)}")


def _space_left(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return _LOW_SPACE
