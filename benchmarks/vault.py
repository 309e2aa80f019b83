"""The vault beside the database under it: saving and loading a part of 20 KB, sealed and durable; listing and opening among very many sessions.

The peer of a save is one transaction that writes as many bytes into one row of a plain table, with the same durability; that
of a load is one query of that row. What is loaded has just been saved by another program, so that nothing of it is in memory.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sqlite3
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psycopg
from _measure import Row, arguments, median_of, show, stopwatch
from _postgres import NotInstalled, serving

from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PART = PartId(PartKind.LOCAL, "https://app.example")
ITEMS, ITEM = 20, 1_000  # characters; 20 KB
MANY, FEW, EXPIRED = 100_000, 10_000, 1_000
SHORT = 10  # how many times as often what takes milliseconds is measured


class Raw(Protocol):
    """A database without a vault: one row."""

    def save(self, data: bytes) -> None:
        """Write the row, durably."""

    def load(self) -> bytes:
        """Read it."""


class RawSqlite:
    """One row in SQLite, with the settings of a vault's file."""

    def __init__(self, file: Path) -> None:
        self._writer, self._reader = (sqlite3.connect(file, isolation_level=None) for _ in range(2))
        for connection in (self._writer, self._reader):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        self._writer.execute("CREATE TABLE parts (part_id INTEGER PRIMARY KEY, data BLOB)")

    def save(self, data: bytes) -> None:
        """See `Raw`."""
        self._writer.execute("BEGIN IMMEDIATE")
        self._writer.execute("INSERT INTO parts VALUES (1, ?) ON CONFLICT (part_id) DO UPDATE SET data = excluded.data", (data,))
        self._writer.execute("COMMIT")

    def load(self) -> bytes:
        """See `Raw`."""
        return bytes(self._reader.execute("SELECT data FROM parts WHERE part_id = 1").fetchone()[0])


class RawPostgres:
    """One row in PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._writer, self._reader = (psycopg.connect(url, autocommit=True) for _ in range(2))
        self._writer.execute("CREATE TABLE public.one_row (part_id INTEGER PRIMARY KEY, data BYTEA)")

    def save(self, data: bytes) -> None:
        """See `Raw`."""
        with self._writer.transaction():
            self._writer.execute("INSERT INTO public.one_row VALUES (1, %s) ON CONFLICT (part_id) DO UPDATE SET data = excluded.data", (data,))

    def load(self) -> bytes:
        """See `Raw`."""
        (data,) = self._reader.execute("SELECT data FROM public.one_row WHERE part_id = 1", binary=True).fetchone() or (b"",)
        return bytes(data)


@dataclass
class Pair:
    """A vault as two programs see it, and the database under it."""

    name: str
    saver: Vault
    loader: Vault
    raw: Raw
    size: int = 0

    def __post_init__(self) -> None:
        values = {(f"k{number}",): Entry(secrets.token_urlsafe(ITEM)[:ITEM], Stamp(1)) for number in range(ITEMS)}
        self.saver.save("work", StorageState.of([Part(PART, values)]))
        self._clock = 1

    async def save(self) -> float:
        """One item changes, the part is sealed and written as a further version."""
        self._clock += 1
        change = StorageState.of([Part(PART, {("k0",): Entry(secrets.token_urlsafe(ITEM)[:ITEM], Stamp(self._clock))})])
        seconds = stopwatch()
        self.saver.save("work", change)
        return seconds()

    async def raw_save(self) -> float:
        """As many bytes as the vault wrote."""
        self.size = self.size or next(version.size for version in self.saver.history("work"))
        data = os.urandom(self.size)
        seconds = stopwatch()
        self.raw.save(data)
        return seconds()

    async def load(self) -> float:
        """What has just been saved."""
        seconds = stopwatch()
        state = self.loader.load("work")
        took = seconds()
        assert len(state.local_storage(PART.scope)) == ITEMS
        return took

    async def raw_load(self) -> float:
        """The row."""
        seconds = stopwatch()
        data = self.raw.load()
        took = seconds()
        assert len(data) == self.size
        return took

    async def rows(self, turns: int) -> list[Row]:
        """Saves and loads of both."""
        await self.save()
        saved, raw_saved, loaded, raw_loaded = await median_of(turns, self.save, self.raw_save, self.load, self.raw_load)
        return [
            Row.less_is_better(f"{self.name} save", saved * 1e3, raw_saved * 1e3, "ms"),
            Row.less_is_better(f"{self.name} load", loaded * 1e3, raw_loaded * 1e3, "ms"),
        ]


def json_file(folder: Path) -> Callable[[bytes], None]:
    """Writes a file as a careful program does: a new one, synced, renamed, the directory synced."""
    directory = os.open(folder, os.O_RDONLY)

    def save(data: bytes) -> None:
        with (folder / "new").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        (folder / "new").rename(folder / "state.json")
        os.fsync(directory)

    return save


async def file_row(pair: Pair, folder: Path, turns: int) -> Row:
    """A save beside the same in a plain JSON file."""
    save = json_file(folder)

    async def plainly() -> float:
        data = secrets.token_urlsafe(ITEMS * ITEM)[: ITEMS * ITEM].encode()
        seconds = stopwatch()
        save(data)
        return seconds()

    ours, plain = await median_of(turns, pair.save, plainly)
    return Row.less_is_better("json file save", ours * 1e3, plain * 1e3, "ms")


@contextmanager
def crowded(folder: Path, sessions: int) -> Iterator[tuple[Vault, sqlite3.Connection]]:
    """A vault with so many sessions, of which one has storage state, and a plain connection to its file."""
    home = folder / f"crowd-{sessions}"
    with Vault(f"sqlite:///{home}/vault.db", home=home, key=MasterKey.generate()) as vault:
        vault.update_session("user-5", "portside", lambda session: session)
        vault.save("user-5", StorageState.of([Part(PART, {("token",): Entry("v" * 200, Stamp(1))})]))
        raw = sqlite3.connect(home / "vault.db", isolation_level=None)
        dice = random.Random(1)  # noqa: S311  (no secret)
        raw.execute("BEGIN")
        raw.executemany(
            "INSERT INTO profiles (profile_id, name, epoch, listed, created_at) VALUES (?, ?, 0, 1, 0)",
            ((number, f"user-{number:06}") for number in range(10, sessions + 10)),
        )
        raw.executemany(
            "INSERT INTO sessions (session_id, profile_id, site, revision, username, health, needs_refresh, created_at, last_used, logins) "
            "VALUES (?, ?, 'portside', 1, ?, 'valid', 0, ?, ?, 3)",
            ((dice.randbytes(16).hex(), number, f"user-{number}", used := _used(number - 10, sessions), used) for number in range(10, sessions + 10)),
        )
        raw.execute("COMMIT")
        yield vault, raw
        raw.close()


def _used(number: int, sessions: int) -> int:
    """The first `EXPIRED` were not used for a year."""
    now = round(time.time() * 1000)
    return now - (1 if number >= min(EXPIRED, sessions // 10) else 400) * 24 * 3_600_000


async def many_rows(folder: Path, turns: int) -> list[Row]:
    """Listing, and opening one, among very many."""
    with crowded(folder, MANY) as (many, raw), crowded(folder, 10) as (few, _):

        async def listing() -> float:
            seconds = stopwatch()
            found = many.listing()
            took = seconds()
            assert len(found) == MANY + 1
            return took

        async def raw_listing() -> float:
            seconds = stopwatch()
            found = raw.execute(
                "SELECT s.session_id, p.name, s.site, s.username, s.health, s.last_used FROM sessions s JOIN profiles p ON p.profile_id = s.profile_id"
            ).fetchall()
            took = seconds()
            assert len(found) == MANY + 1
            return took

        def opening(vault: Vault) -> Callable[[], object]:
            async def once() -> float:
                seconds = stopwatch()
                assert vault.session("user-5", "portside")
                assert vault.load("user-5").parts
                return seconds()

            return once

        listed, raw_listed = await median_of(turns, listing, raw_listing)
        among_many, among_few = await median_of(turns * SHORT, opening(many), opening(few))  # type: ignore[arg-type]  # they are what it takes
    return [
        Row.less_is_better(f"list {MANY} sessions", listed * 1e3, raw_listed * 1e3, "ms"),
        Row.less_is_better(f"open 1 of {MANY}, beside 1 of 10", among_many * 1e3, among_few * 1e3, "ms"),
    ]


async def cleanup_row(folder: Path) -> Row:
    """Archiving a thousand sessions that nobody uses, once: they are gone then."""
    took = {}
    for sessions in (FEW, MANY):
        with crowded(folder / "cleanup", sessions) as (vault, _):
            seconds = stopwatch()
            assert vault.cleanup(inactive=timedelta(days=180)).archived == EXPIRED
            took[sessions] = seconds()
    return Row.less_is_better(f"cleanup {EXPIRED} of {MANY}, beside of {FEW}", took[MANY] * 1e3, took[FEW] * 1e3, "ms")


async def measured(turns: int) -> list[Row]:
    """All rows."""
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handstamp-benchmark-")))
        pair = Pair("sqlite", *_vaults(stack, folder, f"sqlite:///{folder}/home/vault.db"), RawSqlite(folder / "raw.db"))
        rows += await pair.rows(turns * SHORT)
        with suppress(NotInstalled):
            server = stack.enter_context(serving())
            url = server.url(server.new_database())
            rows += await Pair("postgresql", *_vaults(stack, folder / "pg", url), RawPostgres(url)).rows(turns * SHORT)
        rows.append(await file_row(pair, folder, turns * SHORT))
        rows += await many_rows(folder, turns)
        rows.append(await cleanup_row(folder))
    return rows


def _vaults(stack: ExitStack, home: Path, url: str) -> tuple[Vault, Vault]:
    key = MasterKey.generate()
    one, other = (stack.enter_context(Vault(url, home=home, key=key)) for _ in range(2))
    return one, other


if __name__ == "__main__":
    asked = arguments(__doc__ or "")
    show("The vault", asyncio.run(measured(asked.turns)), as_json=asked.json)
