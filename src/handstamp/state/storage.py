"""A storage state: all parts of a profile, or the changed entries of some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.state.parts import Part, PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handstamp.state.cookies import Cookie


@dataclass(frozen=True, slots=True)
class StorageState:
    """Cookies, localStorage, sessionStorage (and more kinds) of one profile.

    Args:
        parts: by id. As *changes* for `Vault.save` they hold the changed entries only.
        epoch: how often the profile had something forgotten when this was loaded. Changes made from it carry it on,
            so that a late saver cannot bring back what was forgotten meanwhile.
    """

    parts: Mapping[PartId, Part] = field(default_factory=dict, repr=False)
    epoch: int = 0

    @classmethod
    def of(cls, parts: Iterable[Part], *, epoch: int = 0) -> StorageState:
        """A state of these parts; empty ones are left out."""
        return cls({part.id: part for part in parts if part.entries}, epoch)

    def __bool__(self) -> bool:
        """Whether any part holds anything, a tombstone included."""
        return bool(self.parts)

    def of_kind(self, kind: PartKind) -> list[Part]:
        """The parts of one kind, by scope."""
        return sorted((part for part in self.parts.values() if part.id.kind is kind), key=lambda part: part.id)

    def cookies(self) -> list[Cookie]:
        """All cookies that are there, expired ones included."""
        return [cookie for part in self.of_kind(PartKind.COOKIES) for cookie in part.live().values()]

    def local_storage(self, origin: str) -> dict[str, str]:
        """localStorage of one origin (or storage key, see `PartId.scope`)."""
        part = self.parts.get(PartId(PartKind.LOCAL, origin))
        return {key[0]: value for key, value in part.live().items()} if part else {}

    def session_storage(self, origin: str) -> dict[str, dict[str, str]]:
        """sessionStorage of one origin, by tab."""
        tabs: dict[str, dict[str, str]] = {}
        part = self.parts.get(PartId(PartKind.SESSION, origin))
        for (tab, name), value in part.live().items() if part else ():
            tabs.setdefault(tab, {})[name] = value
        return tabs
