"""One connection to a vault's file: made with care for permissions, links and durability."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from handstamp.errors import VaultUnavailable
from handstamp.home import make_home, refuse_symlink
from handstamp.vault.sqlite.errors import translated
from handstamp.vault.store import BUSY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from handstamp.vault.store import Value

_SETTINGS = (
    "PRAGMA synchronous = FULL",  # in WAL mode: the log is on the disk when COMMIT returns
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = OFF",  # what is freed is sealed; zeroing it costs a third of a save where it is on by default
    "PRAGMA journal_size_limit = 16777216",  # bytes; after a large save the log shrinks again
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file at `path`, which is made (mode 0600, SQLite gives its -wal and -shm the same) when missing.

    Raises:
        ConfigError: the file, its directory or a file beside it is a symbolic link, or the directory cannot be made.
        VaultUnavailable: it cannot be opened.
    """
    make_home(path.parent)
    for file in (path, *beside(path)):
        refuse_symlink(file)
    _make_file(path)
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256)
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        raise translated(error, path) or error from None
    return connection


def execute(connection: sqlite3.Connection, statement: str, values: Mapping[str, Value] | tuple[()] = ()) -> sqlite3.Cursor:
    """Run a statement.

    Raises:
        sqlite3.Error: as the module does; also where its words about a damaged file are no text, which it takes badly.
    """
    try:
        return connection.execute(statement, values)
    except UnicodeDecodeError:
        raise sqlite3.DatabaseError("damaged text") from None


def beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside its own."""
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _make_file(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        return
    except OSError as error:
        remedy = "make its directory writable, or set HANDSTAMP_VAULT to another place"
        raise VaultUnavailable(f"the vault {path} cannot be made ({error.strerror}); {remedy}") from None
    with contextlib.closing(os.fdopen(descriptor, "wb")):
        path.chmod(0o600)  # a umask can only have taken too much


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        if path.stat().st_size == 0:
            execute(connection, "PRAGMA auto_vacuum = INCREMENTAL")  # takes effect in an empty file only: room can be given back bit by bit
        for setting in _SETTINGS:
            execute(connection, setting)
        _write_ahead(connection, path)
    except BaseException:
        connection.close()
        raise


def _write_ahead(connection: sqlite3.Connection, path: Path) -> None:
    """Turn on the write-ahead log. The first switch needs the file alone, and SQLite does not wait for that by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = execute(connection, "PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise VaultUnavailable(f"the vault {path} lies where SQLite cannot keep a write-ahead log (a network file system?); put it on a local disk")
        return
