"""What a kept directory has of the mirrored state, and what of it is newer elsewhere. Pure.

The mirror saves what it sees within seconds, the directory is stored when its browser has ended well. So the state in the vault is
never older than the directory, and newer after a crash, a session without the directory, a check by HTTP, a rollback. The directory
remembers of each part the digest of what it has: if the part has another one now, **the saved values win**, key by key; what the
mirror cannot hold (keys that no script can export, caches, service workers) is the directory's alone and stays.

Digests and not times decide, since the clocks of two machines may differ by more than a session lasts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from handstamp.state import PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.state import Cookie, Key, Part, PartId

IN_FILES = frozenset({PartKind.COOKIES, PartKind.LOCAL, PartKind.IDB, PartKind.OPFS})
_BY_PAGES = frozenset({PartKind.LOCAL, PartKind.IDB})


def digest(part: Part) -> str:
    """Of which values a part holds: their keys and stamps, since a value never changes without its stamp."""
    stamps = sorted((key, (entry.stamp.time, entry.stamp.counter, entry.stamp.writer)) for key, entry in part.entries.items())
    return hashlib.blake2b(json.dumps(stamps).encode("ascii"), digest_size=12).hexdigest()


def not_held(state: StorageState, holds: Mapping[PartId, str]) -> StorageState:
    """What the directory knows nothing of, and a document gets as it appears: as in a session without a directory."""
    parts = (part for part in state.parts.values() if part.id.kind is PartKind.SESSION or (part.id.kind in _BY_PAGES and part.id not in holds))
    return StorageState.of(parts, epoch=state.epoch)


def behind(state: StorageState, holds: Mapping[PartId, str]) -> list[Part]:
    """Storage that must be brought up to date before any page sees it: what the directory has in an earlier form, and new files."""
    kinds = IN_FILES - {PartKind.COOKIES}
    parts = [part for part in state.parts.values() if part.id.kind in kinds and (part.id in holds or part.id.kind is PartKind.OPFS)]
    return sorted((part for part in parts if holds.get(part.id) != digest(part)), key=lambda part: part.id)


def up_to_date(state: StorageState, holds: Mapping[PartId, str]) -> list[Part]:
    """Storage of which the directory has what the vault has."""
    return [part for part in state.parts.values() if part.id.kind is not PartKind.COOKIES and holds.get(part.id) == digest(part)]


def cookies_due(state: StorageState, holds: Mapping[PartId, str], jar: Mapping[Key, Cookie], *, now: float) -> tuple[list[Cookie], list[Cookie]]:
    """Cookies to put into the jar that the directory came with, and those to remove, by an expiry that has passed.

    Session-only cookies are in no file, so all of them are due. Where the directory is up to date, what its jar has otherwise is news
    of the browser's last moment, and stays.

    Args:
        state: the saved one.
        holds: what the directory has.
        jar: the cookies as the browser has read them.
        now: seconds since the epoch.
    """
    give: list[Cookie] = []
    remove: list[Cookie] = []
    for part in state.of_kind(PartKind.COOKIES):
        current = holds.get(part.id) == digest(part)
        for key, entry in part.entries.items():
            cookie: Cookie | None = entry.value
            there = jar.get(key)
            if cookie is None:
                remove += [replace(there, expires=1.0)] if there is not None and not current else []
            elif not cookie.expired(now) and (there is None or (there != cookie and not current)):
                give.append(cookie)
    return give, remove
