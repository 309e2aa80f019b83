"""Which of a cookie's attributes a format says."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from handstamp.state import Cookie, Entry, Part, PartKind, StorageState

if TYPE_CHECKING:
    from handstamp.formats.intake import Imported

ALL = frozenset(item.name for item in fields(Cookie))
"""Every attribute of a cookie."""
BASIC = frozenset({"name", "value", "domain", "host_only", "path", "expires", "secure", "http_only"})
"""What cookies.txt says."""


def completed(imported: Imported, current: StorageState) -> StorageState:
    """The imported state, with what its format could not say taken from `current`.

    A cookies.txt knows no SameSite and no fractions of a second: without this, importing one that was exported before, or
    that a program has written back, would change every cookie in it.

    Args:
        imported: as read.
        current: what is there now; looked at only for cookies of the same key.
    """
    parts = [_completed(part, current, imported.said) if part.id.kind is PartKind.COOKIES else part for part in imported.state.parts.values()]
    return StorageState.of(parts, epoch=imported.state.epoch)


def _completed(part: Part, current: StorageState, said: frozenset[str]) -> Part:
    known = current.parts.get(part.id)
    live = known.live() if known else {}
    return Part(part.id, {key: Entry(_filled(entry.value, live[key], said), entry.stamp) if key in live else entry for key, entry in part.entries.items()})


def _filled(cookie: Cookie, known: Cookie, said: frozenset[str]) -> Cookie:
    unsaid = {name: getattr(known, name) for name in ALL - said}
    if cookie.expires is not None and known.expires is not None and cookie.expires == int(known.expires):
        unsaid["expires"] = known.expires
    return replace(cookie, **unsaid)
