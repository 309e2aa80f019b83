"""Places of one live context: each storage key that a document had, who is there now, and what of it is to be read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from handstamp.state import Key


@dataclass
class Place:
    """One storage key of the context.

    Attributes:
        homes: frame id -> session of documents that live there now, the latest last.
        dirty: database -> its stores to read, None for all; the key None stands for all databases. Empty: nothing to read.
        known: frame id and token of the last answer, so that the next from the same document tells differences only.
        seen: database -> what this browser was seen to hold of it.
        versions: of the databases, by name, at the last reading.
        listed: whether the list of databases may have changed.
        tracker: session that hears of its databases.
        files: the same as `seen` for files.
        signs: of files, see `CapturedFiles.signs`.
        files_due: whether a page may have changed files since the last look at them.
        offered: whether a document may have been given its databases, and was left before that was seen.
        rest_until: on the monotonic clock.
    """

    scope: str
    homes: dict[str, str] = field(default_factory=dict)
    dirty: dict[str | None, set[str] | None] = field(default_factory=dict)
    known: tuple[str, str] | None = None
    seen: dict[str, Mapping[Key, Any]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    listed: bool = False
    tracker: str | None = None
    files: Mapping[Key, Any] = field(default_factory=dict)
    signs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    files_due: bool = False
    offered: bool = False
    rest_until: float = 0.0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def touch(self, database: str | None = None, store: str | None = None) -> None:
        """Something here has changed."""
        if database is None or store is None:
            self.dirty[database] = None
        elif (stores := self.dirty.setdefault(database, set())) is not None:
            stores.add(store)

    def home(self, mute: Collection[str] = ()) -> tuple[str, str] | None:
        """Frame and session of the latest document that is here now, but for sessions that are mute."""
        return next(((frame, session) for frame, session in reversed(self.homes.items()) if session not in mute), None)

    @property
    def due(self) -> bool:
        """Whether anything is to be read."""
        return bool(self.dirty) or self.listed or self.files_due

    def wanted(self) -> list[tuple[str, list[str] | None]] | None:
        """What to read, as `World.databases` takes it."""
        if None in self.dirty:
            return None
        return [(database, None if stores is None else sorted(stores)) for database, stores in self.dirty.items() if database is not None]
