"""What a document of a context gets back, and the scripts that give it: pure text and choices.

An origin's *data* is handed over when a document of it is asked for, and taken back when the document is there (see
`Serving`): so a session costs what its pages use, however many origins it has. What that would miss, documents that a
service worker answers for, so that nobody sees them asked for, has its data in a script that stands in every document
(CDP `Page.addScriptToEvaluateOnNewDocument`, with a world of its own). Every document reads the whole of it, about 10 ms a
megabyte, so it has a bound. Beside it stands the *apply* call, small, which is replaced when an origin has been served, so
that what the page removes from then on stays removed in its next document, popup or frame.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import dump
from handstamp.browser.idb.parts import SCHEMA
from handstamp.browser.idb.scripts import restoring
from handstamp.browser.storage_key import origin_of, partition_of, site_of
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from handstamp.state import Entry, Key, Part, StorageState

WORLD = "handstamp"
# Characters of the standing data script. A context of ours begins without service workers, so that an origin gets one only after a
# document of it has been served; what comes later is sessionStorage for further tabs. In a browser of others there may be some.
STANDING, STANDING_FOR_GUESTS = 200_000, 2_000_000
_GIVEN = (PartKind.IDB, PartKind.LOCAL, PartKind.SESSION)


@cache
def _script() -> str:
    return files("handstamp.browser").joinpath("restore.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Areas:
    """The storage of a saved state, ready to be given back.

    Args:
        data: the standing data script; empty when there is none.
        late: origins whose data is handed over, see `handed`.
        local: scopes that have localStorage, which is given back once in a context.
        databases: scopes that have databases, likewise.
        once: origins of which nothing is left to give back once a document of theirs has been served.
        tabs: scope -> its tabs with sessionStorage, the latest used first.
    """

    data: str = field(repr=False)
    late: frozenset[str]
    local: frozenset[str]
    databases: frozenset[str]
    once: frozenset[str]
    tabs: Mapping[str, tuple[str, ...]]
    _parts: Mapping[str, Sequence[Part]] = field(repr=False)

    @classmethod
    def of(cls, state: StorageState, *, guest: bool = False) -> Areas:
        """Of what is live in `state`.

        Args:
            guest: for a browser of others, where service workers may be at work already.
        """
        parts: dict[str, list[Part]] = {}
        again: set[str] = set()  # origins that have something to give to more than one document
        scopes: dict[PartKind, set[str]] = {kind: set() for kind in _GIVEN}
        tabs: dict[str, tuple[str, ...]] = {}
        for part in state.parts.values():
            if part.id.kind not in scopes or not _gives(part):
                continue
            scope, origin = part.id.scope, origin_of(part.id.scope)
            parts.setdefault(origin, []).append(part)
            scopes[part.id.kind].add(scope)
            if part.id.kind is PartKind.SESSION:
                tabs[scope] = tabs_by_use(part.entries)
            if part.id.kind is PartKind.SESSION or scope != origin:
                again.add(origin)
        standing = _fitting({origin: _record(origin, parts[origin]) for origin in (parts if guest else again)}, STANDING_FOR_GUESTS if guest else STANDING)
        return cls(
            _data_script(standing),
            frozenset(parts.keys() - standing.keys()),
            frozenset(scopes[PartKind.LOCAL]),
            frozenset(scopes[PartKind.IDB]),
            frozenset(parts.keys() - again),
            tabs,
            parts,
        )

    def __bool__(self) -> bool:
        """Whether there is anything to give back."""
        return bool(self._parts)

    def handed(self, origin: str, apply: str) -> str:
        """The script that serves a document of one of the `late` origins. In a document of another origin that gets it, it does nothing.

        Args:
            origin: whose.
            apply: see `apply_script`.
        """
        return f"if (globalThis.origin === {json.dumps(origin)}) {{ {_data_script({origin: _record(origin, self._parts[origin])})} {apply} }}"


def _gives(part: Part) -> bool:
    """Whether there is anything in a part to give back; of a database that takes its schema."""
    if part.id.kind is PartKind.IDB:
        return (schema := part.entries.get(SCHEMA)) is not None and not schema.deleted
    return any(not entry.deleted for entry in part.entries.values())


def tabs_by_use(entries: Mapping[Key, Entry]) -> tuple[str, ...]:
    """Tabs among the entries of a sessionStorage part that hold anything, the one that changed last first."""
    used: dict[str, tuple[int, int]] = {}
    for (tab, _), entry in entries.items():
        if not entry.deleted:
            used[tab] = max(used.get(tab, (0, 0)), (entry.stamp.time, entry.stamp.counter))
    return tuple(sorted(used, key=lambda tab: (used[tab], tab), reverse=True))


def _fitting(records: Mapping[str, str], room: int) -> dict[str, str]:
    """As many of the smallest as fit."""
    small: dict[str, str] = {}
    for origin, record in sorted(records.items(), key=lambda item: len(item[1])):
        room -= len(record)
        if room < 0:
            break
        small[origin] = record
    return small


def _record(origin: str, parts: Iterable[Part]) -> str:
    site, below = site_of(origin)
    return json.dumps({"site": site, "subdomains": below, "areas": list(_areas(parts))}, separators=(",", ":"))


def _areas(parts: Iterable[Part]) -> Iterator[dict[str, Any]]:
    """One for each scope's databases, for its localStorage, and for each tab's sessionStorage."""
    databases: dict[str, list[dict[str, Any]]] = {}
    items: list[dict[str, Any]] = []
    for part in sorted(parts, key=lambda part: part.id):
        live = part.live()
        if part.id.kind is PartKind.IDB:
            databases.setdefault(part.id.scope, []).append(dump(part.id.name, live) or {})
        elif part.id.kind is PartKind.LOCAL:
            items.append(_area(part.id.scope, None, [(key[0], value) for key, value in live.items()]))
        else:
            items += [_area(part.id.scope, tab, [(key[1], value) for key, value in live.items() if key[0] == tab]) for tab in tabs_by_use(part.entries)]
    yield from (_area(scope, None, ()) | {"databases": dumps} for scope, dumps in databases.items())
    yield from items


def _area(scope: str, tab: str | None, items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    partition = partition_of(scope)
    below = site_of(partition[1:])[1] if partition[:1] == "0" else False
    return {"scope": scope, "partition": partition, "subdomains": below, "tab": tab, "items": list(items)}


def _data_script(records: Mapping[str, str]) -> str:
    if not records:
        return ""
    needed = any('"databases":' in record for record in records.values())  # also true for an item that says so, which does no harm
    code = f"globalThis.handstampLibrary = () => {restoring()};" if needed else ""
    return f"{code}globalThis.handstampSaved = {json.dumps(records, separators=(',', ':'))};"


def apply_script(done: Iterable[str], tabs: Mapping[str, str]) -> str:
    """The call that serves a document.

    Args:
        done: scopes whose localStorage has been given back already; after ``idb:`` those whose databases have.
        tabs: scope -> the tab whose sessionStorage this page gets; a scope that is not named gets none.
    """
    return f"{_script()}({json.dumps({'done': sorted(done), 'tabs': dict(tabs)}, separators=(',', ':'))});"
