"""Values that the vault gives: what was written, versions, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from handstamp.errors import VaultUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.state import Key, PartId

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What a save changed.

    Args:
        written: the parts that got a new version; empty when the vault knew all of it already.
        epoch: the profile's epoch at the save; changes made from now on carry it.
    """

    written: tuple[PartId, ...] = ()
    epoch: int = 0


class Listed(NamedTuple):
    """A session as a list of very many needs it; `Vault.session_by_id` has the rest.

    Args:
        session_id, profile, site, username: of the session.
        health: as `Health` writes it.
        used_at: when it was last used, milliseconds since the Unix epoch; None when never. See `last_used`.
    """

    session_id: str
    profile: str
    site: str
    username: str | None
    health: str
    used_at: int | None

    @property
    def last_used(self) -> datetime | None:
        """When it was last used, UTC."""
        return maybe_instant(self.used_at)


@dataclass(frozen=True, slots=True)
class Version:
    """One kept version of one part.

    Args:
        part: which part; None when its name is damaged.
        generation: counts the versions of the part, from 1.
        written_at: by the database's clock, UTC.
        current: whether it is what `load` gives.
        pinned: kept whatever its age: the session was valid with it, or it is damaged.
        size: sealed bytes.
    """

    part: PartId | None
    generation: int
    written_at: datetime
    current: bool
    pinned: bool
    size: int


@dataclass(frozen=True, slots=True)
class PartChange:
    """What became of one part between two times: keys, never values.

    Args:
        part: which part.
        added: keys that were not there before, sorted; for what a key is made of see `PartKind`.
        changed: keys with another value.
        removed: keys that are there no longer.
    """

    part: PartId
    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, from the append-only log.

    Args:
        event_id: grows with each event.
        at: by the database's clock, UTC.
        kind: what: ``login``, ``check``, ``part-damaged``, …
        data: facts, never secrets.
    """

    event_id: int
    at: datetime
    kind: str
    profile: str | None = None
    site: str | None = None
    data: Mapping[str, JSON] = field(default_factory=dict)


def instant(milliseconds: int) -> datetime:
    """The UTC instant of milliseconds since the Unix epoch.

    Raises:
        VaultUnavailable: it is none, as a damaged file may give it.
    """
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise VaultUnavailable("a time in the vault is damaged; run `handstamp doctor`, or restore a backup. Nothing was changed") from None


def maybe_instant(milliseconds: int | None) -> datetime | None:
    """The same, or None."""
    return None if milliseconds is None else instant(milliseconds)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the Unix epoch.

    Raises:
        ValueError: `moment` has no time zone, so that nobody knows when it is.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give an aware datetime, as datetime.now(UTC)")
    return round(moment.timestamp() * 1000)


def maybe_milliseconds(moment: datetime | None) -> int | None:
    """The same, or None."""
    return None if moment is None else milliseconds(moment)
