"""What an import would change: names, never values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from handstamp.formats.intake import label
from handstamp.formats.notes import shown
from handstamp.state import PartKind, merge

if TYPE_CHECKING:
    from handstamp.state import Entry, Key, PartId, StorageState

Kind = Literal["new", "changed", "removed", "same", "kept"]


@dataclass(frozen=True, slots=True)
class Change:
    """One cookie or key.

    Args:
        kind: ``new``, ``changed``, ``removed``, ``same`` (the value is there already), or ``kept`` (what is there is newer).
        part: where.
        name: of the cookie with domain and path, or of the key.
    """

    kind: Kind
    part: PartId
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What merging an imported state into the current one would do, by part and name."""

    changes: tuple[Change, ...] = ()

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.kind == kind)

    def __bool__(self) -> bool:
        """Whether anything would be different afterwards."""
        return any(change.kind in {"new", "changed", "removed"} for change in self.changes)


def preview(current: StorageState, incoming: StorageState) -> Preview:
    """What merging `incoming` into `current` would change. Neither is changed."""
    changes: list[Change] = []
    for part_id in sorted(incoming.parts):
        theirs, mine = current.parts.get(part_id), incoming.parts[part_id]
        merged = merge(theirs, mine)
        for key, entry in mine.entries.items():
            known = theirs.entries.get(key) if theirs else None
            changes.append(Change(_kind(known, entry, merged.entries[key]), part_id, _name(part_id, key)))
    return Preview(tuple(changes))


def _kind(known: Entry | None, entry: Entry, merged: Entry) -> Kind:
    before = None if known is None else known.value
    if before == entry.value:
        return "same"
    if merged.value == before:
        return "kept"
    if entry.deleted:
        return "removed"
    return "new" if before is None else "changed"


def _name(part_id: PartId, key: Key) -> str:
    return label(key) if part_id.kind is PartKind.COOKIES else shown(" ".join(key))
