"""Parts: the pieces in which a storage state is saved, merged, versioned and restored."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from handstamp.state.clock import ZERO, Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[str, ...]


class PartKind(StrEnum):
    """What a part holds, and what its keys and values are.

    ``cookies``: `Cookie.key` -> `Cookie`. ``local``: ``(name,)`` -> str. ``session``: ``(tab, name)`` -> str.
    ``idb`` and ``opfs``: ``(…)`` -> JSON values, as the browser engine writes them. ``files``: a piece of a browser's own
    user-data directory, as `handstamp.browser.profile` cuts it: JSON values, or bytes.

    ``files`` parts belong to a profile as a whole, not to a domain, and have one writer, who holds the profile exclusively.
    The vault keeps no earlier versions of them, gives them only to who asks for them by name, and removes one whose entries
    are all deleted.
    """

    COOKIES = "cookies"
    LOCAL = "local"
    SESSION = "session"
    IDB = "idb"
    OPFS = "opfs"
    FILES = "files"


@dataclass(frozen=True, slots=True, order=True)
class PartId:
    """Which part: ``cookies/example.com``, ``local/https://app.example.com``, ``idb/https://app.example.com/auth``.

    Args:
        kind: what it holds.
        scope: the registrable domain of cookies, else the origin; storage that is partitioned by a top-level site has
            that after a caret, as Chromium writes storage keys: ``https://widget.example^0https://shop.example``.
        name: the database of an ``idb`` part; of a ``files`` part which piece it is; else empty.
    """

    kind: PartKind
    scope: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.scope}" + (f"/{self.name}" if self.kind is PartKind.IDB or self.name else "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key's value and when it was observed. `value` None is a tombstone: a deletion is a fact with a time."""

    value: Any = field(repr=False)
    stamp: Stamp = ZERO

    @property
    def deleted(self) -> bool:
        """Whether this says that the key is gone."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class Part:
    """A part: entries by key, tombstones included. As a *change* it holds the changed entries only."""

    id: PartId
    entries: Mapping[Key, Entry] = field(repr=False)

    def live(self) -> dict[Key, Any]:
        """Values of the keys that are there, without tombstones, in the order of the entries."""
        return {key: entry.value for key, entry in self.entries.items() if entry.value is not None}
