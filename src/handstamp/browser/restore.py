"""What a document of a context gets back, and the scripts that give it: pure text and choices.

Two scripts stand in every document (CDP `Page.addScriptToEvaluateOnNewDocument` with a world of its own): the *data*, large and
never sent again, and the *apply* call, small, which is replaced when an origin has been served, so that what the page removes
from then on stays removed in its next document, popup or frame.

Every document reads the whole data script, about 10 ms a megabyte. So it has a bound: the largest origins stay out of it and
are handed over one by one, when a document of theirs is asked for (see `LiveContext`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import dump, library
from handstamp.browser.storage_key import origin_of, partition_of, site_of
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handstamp.state import Entry, Key, StorageState

WORLD = "handstamp"
MOST_TEXT = 2_000_000  # characters of the data script


@cache
def _script() -> str:
    return files("handstamp.browser").joinpath("restore.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Areas:
    """The Web Storage of a saved state, ready to be given back.

    Args:
        data: the data script; empty when there is nothing to give back by it.
        late: origin -> data script of its own, for those that would make `data` too large.
        local: scopes that have localStorage, which is given back once in a context.
        databases: scopes that have databases, likewise.
        once: origins of which nothing is left to give back once a document of theirs has been served.
        tabs: scope -> its tabs with sessionStorage, the latest used first.
    """

    data: str = field(repr=False)
    late: Mapping[str, str] = field(repr=False)
    local: frozenset[str]
    databases: frozenset[str]
    once: frozenset[str]
    tabs: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, state: StorageState) -> Areas:
        """Of what is live in `state`."""
        by_origin = _databases(state)
        databases = frozenset(area["scope"] for areas in by_origin.values() for area in areas)
        local: set[str] = set()
        tabs: dict[str, tuple[str, ...]] = {}
        for part in state.of_kind(PartKind.LOCAL):
            if items := [(key[0], value) for key, value in part.live().items()]:
                local.add(part.id.scope)
                by_origin.setdefault(origin_of(part.id.scope), []).append(_area(part.id.scope, None, items))
        for part in state.of_kind(PartKind.SESSION):
            order = tabs_by_use(part.entries)
            if order:
                tabs[part.id.scope] = order
            for tab in order:
                items = [(key[1], value) for key, value in part.live().items() if key[0] == tab]
                by_origin.setdefault(origin_of(part.id.scope), []).append(_area(part.id.scope, tab, items))
        small, large = _parted({origin: _record(origin, areas) for origin, areas in by_origin.items()})
        late = {origin: _data_script({origin: record}) for origin, record in large.items()}
        return cls(_data_script(small), late, frozenset(local), databases, _once(by_origin), tabs)

    def __bool__(self) -> bool:
        """Whether there is anything to give back."""
        return bool(self.data or self.late)


def tabs_by_use(entries: Mapping[Key, Entry]) -> tuple[str, ...]:
    """Tabs among the entries of a sessionStorage part that hold anything, the one that changed last first."""
    used: dict[str, tuple[int, int]] = {}
    for (tab, _), entry in entries.items():
        if not entry.deleted:
            used[tab] = max(used.get(tab, (0, 0)), (entry.stamp.time, entry.stamp.counter))
    return tuple(sorted(used, key=lambda tab: (used[tab], tab), reverse=True))


def _databases(state: StorageState) -> dict[str, list[dict[str, Any]]]:
    """By origin one area for each scope that has databases."""
    dumps: dict[str, list[dict[str, Any]]] = {}
    for part in state.of_kind(PartKind.IDB):
        if (made := dump(part.id.name, part.live())) is not None:
            dumps.setdefault(part.id.scope, []).append(made)
    areas: dict[str, list[dict[str, Any]]] = {}
    for scope, databases in dumps.items():
        areas.setdefault(origin_of(scope), []).append(_area(scope, None, ()) | {"databases": databases})
    return areas


def _area(scope: str, tab: str | None, items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    partition = partition_of(scope)
    below = site_of(partition[1:])[1] if partition[:1] == "0" else False
    return {"scope": scope, "partition": partition, "subdomains": below, "tab": tab, "items": list(items)}


def _once(by_origin: Mapping[str, list[dict[str, Any]]]) -> frozenset[str]:
    return frozenset(origin for origin, areas in by_origin.items() if all(area["tab"] is None and not area["partition"] for area in areas))


def _record(origin: str, areas: list[dict[str, Any]]) -> str:
    site, below = site_of(origin)
    return json.dumps({"site": site, "subdomains": below, "areas": areas}, separators=(",", ":"))


def _parted(records: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """As many of the smallest as fit into the data script, and the rest."""
    room = MOST_TEXT
    small: dict[str, str] = {}
    for origin, record in sorted(records.items(), key=lambda item: len(item[1])):
        room -= len(record)
        if room < 0:
            break
        small[origin] = record
    return small, {origin: record for origin, record in records.items() if origin not in small}


def _data_script(records: Mapping[str, str]) -> str:
    if not records:
        return ""
    needed = any('"databases":' in record for record in records.values())  # also true for an item that says so, which does no harm
    code = f"globalThis.handstampLibrary = () => {library()};" if needed else ""
    return f"{code}globalThis.handstampSaved = {json.dumps(records, separators=(',', ':'))};"


def apply_script(done: Iterable[str], tabs: Mapping[str, str]) -> str:
    """The call that serves a document.

    Args:
        done: scopes whose localStorage has been given back already; after ``idb:`` those whose databases have.
        tabs: scope -> the tab whose sessionStorage this page gets; a scope that is not named gets none.
    """
    return f"{_script()}({json.dumps({'done': sorted(done), 'tabs': dict(tabs)}, separators=(',', ':'))});"
