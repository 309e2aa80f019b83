"""Brings storage that a kept directory has in an earlier form up to date, in helper pages, before any page of the context sees it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import dump
from handstamp.browser.idb.parts import RECORD, SCHEMA
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from handstamp.browser.idb import World
    from handstamp.state import Key, Part

_LIBRARY = ("bytes", "keys", "clone_encode", "clone_decode", "losses", "restore_idb", "opfs")  # of browser/idb
_NAME = "handstampCatchUp"
_STAGE = 4 << 20  # characters of one message


@cache
def _script() -> str:
    folder = files("handstamp.browser")
    sources = [folder.joinpath("idb", f"{name}.js").read_text(encoding="utf-8") for name in _LIBRARY]
    body = "\n".join([*sources, folder.joinpath("profile", "catch_up.js").read_text(encoding="utf-8")])
    return f"globalThis.{_NAME} = (() => {{\n'use strict';\n{body}\n}})(), 0"


def by_scope(parts: Iterable[Part]) -> list[tuple[str, list[Part]]]:
    """Parts of one storage key together: one document serves them all."""
    ordered = sorted(parts, key=lambda part: (part.id.scope, part.id))
    return [(scope, list(same)) for scope, same in groupby(ordered, key=lambda part: part.id.scope)]


def work(parts: Iterable[Part]) -> dict[str, list[Any]]:
    """What `catch_up.js` takes: of every part all its values and all its deletions."""
    items: list[Any] = []
    databases: list[Any] = []
    entries: list[Any] = []
    for part in parts:
        if part.id.kind is PartKind.LOCAL:
            items += [[key[0], entry.value] for key, entry in part.entries.items()]
        elif part.id.kind is PartKind.IDB and SCHEMA in part.entries:
            made = dump(part.id.name, part.live())
            databases.append({"name": part.id.name, "dump": made, "gone": list(_gone_records(part, made))})
        elif part.id.kind is PartKind.OPFS:
            entries += [{"path": key[0], "type": None} for key, entry in sorted(part.entries.items(), reverse=True) if entry.deleted]
            entries += [{"path": key[0], **value} for key, value in sorted(part.live().items())]
    return {"items": items, "databases": databases, "files": entries}


def _gone_records(part: Part, made: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    stores = {store["name"] for store in made["stores"]} if made else set()
    for key, entry in part.entries.items():
        if entry.deleted and _is_record(key) and key[1] in stores:
            yield key[1], key[2]


def _is_record(key: Key) -> bool:
    return key[0] == RECORD


async def catch_up(world: World, parts: Iterable[Part]) -> list[tuple[str, str]]:
    """Do it in one document. What could not be brought in: where, and the name of the error.

    Raises:
        BrowserError: the document or the browser is gone.
    """
    text = json.dumps(work(parts), separators=(",", ":"))
    await world.evaluate(_script())
    for at in range(0, len(text), _STAGE):
        await world.evaluate(f"{_NAME}.stage({json.dumps(text[at : at + _STAGE])}), 0")
    return [(where, why) for where, why in json.loads(await world.evaluate(f"{_NAME}.run()"))]
