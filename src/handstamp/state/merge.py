"""Merging what two writers know of one part, and finding what changed. Pure; order of arrival does not matter.

Of two entries of one key the later observed wins; at the same time the deletion, then the higher writer id. Since a
change carries only entries that its writer saw change (the three-way part: what I loaded and did not touch is no
change of mine), a rotated token is never overwritten by an older one, and absence alone deletes nothing.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from handstamp.state.cookies import Cookie
from handstamp.state.parts import Entry, Key, Part, PartId
from handstamp.state.storage import StorageState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from handstamp.state.clock import Clock


def later(one: Entry, other: Entry) -> Entry:
    """The entry that wins. Total, so merging is commutative, associative and idempotent."""
    mine, theirs = _rank(one), _rank(other)
    if mine == theirs:
        return one if _text(one.value) >= _text(other.value) else other
    return one if mine > theirs else other


def _rank(entry: Entry) -> tuple[int, int, bool, str]:
    return (entry.stamp.time, entry.stamp.counter, entry.deleted, entry.stamp.writer)


def _text(value: Any) -> str:
    """Orders different values of one stamp, which only a broken clock can make; repr hides secrets, so look inside."""
    inside = astuple(value) if isinstance(value, Cookie) else value
    return json.dumps(inside, sort_keys=True, default=str)


def merge(theirs: Part | None, mine: Part) -> Part:
    """What both know of one part. Returns `theirs` itself when `mine` brings nothing new."""
    if theirs is None:
        return mine
    merged: dict[Key, Entry] | None = None
    for key, entry in mine.entries.items():
        known = theirs.entries.get(key)
        if known is None or (known != entry and later(known, entry) is entry):
            merged = dict(theirs.entries) if merged is None else merged
            merged[key] = entry
    return theirs if merged is None else Part(theirs.id, merged)


def merge_states(theirs: StorageState, mine: StorageState) -> StorageState:
    """What both know of a whole state; the higher epoch stays."""
    parts = dict(theirs.parts)
    for part_id, part in mine.parts.items():
        parts[part_id] = merge(parts.get(part_id), part)
    return StorageState(parts, max(theirs.epoch, mine.epoch))


def observed(base: Part | None, part_id: PartId, values: Mapping[Key, Any], clock: Clock, *, gone: Collection[Key] = ()) -> Part:
    """What an observer of the live client saw change: entries of `values` that `base` does not have so, and tombstones.

    Args:
        base: what was known before; None for nothing.
        part_id: of the part.
        values: what is there now.
        clock: gives the stamps; it is first moved past the stamps of what changes.
        gone: keys whose *deletion* was observed. A key that is merely absent from `values` is left alone.

    Returns:
        A part with the changed entries only, maybe none.
    """
    known = base.entries if base else {}
    changed: dict[Key, Any] = {key: value for key, value in values.items() if key not in known or known[key].value != value}
    changed |= {key: None for key in gone if key not in values and key in known and not known[key].deleted}
    for key in changed:
        if key in known:
            clock.observe(known[key].stamp)
    return Part(part_id, {key: Entry(value, clock.stamp()) for key, value in changed.items()})
