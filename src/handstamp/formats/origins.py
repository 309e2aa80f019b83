"""Storage of one origin as JSON: localStorage, sessionStorage by tab, and what Playwright says of IndexedDB and OPFS.

Playwright's `indexedDB` and `opfs` are carried as they are, so that they come out again as they went in: a database is the
entry ``("playwright",)`` of its part ``idb/<origin>/<name>``, a file or folder the entry ``("playwright", path)`` of
``opfs/<origin>``; the value is Playwright's own JSON object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.formats.notes import several
from handstamp.formats.outlet import NAMES
from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

PLAYWRIGHT = "playwright"
IMPORTED_TAB = "imported"
"""The tab of sessionStorage from a file that knows no tabs."""

_KNOWN = frozenset({"origin", "localStorage", "sessionStorage", "indexedDB", "opfs"})


def read_origin(node: Node, intake: Intake) -> None:
    """Reads one object ``{"origin": …, "localStorage": […], …}`` into `intake`."""
    origin = read_origin_name(node.field("origin"))
    for _, name, value in _items(node.field("localStorage")):
        intake.add_local(origin, name, value)
    for tab, name, value in _items(node.field("sessionStorage")):
        intake.add_session(origin, tab, name, value)
    for item in _list(node.field("indexedDB")):
        intake.add(PartId(PartKind.IDB, origin, item.field("name").text()), (PLAYWRIGHT,), _database(item))
    for item in _list(node.field("opfs")):
        intake.add(PartId(PartKind.OPFS, origin), (PLAYWRIGHT, item.field("path").text()), _file(item))
    intake.unknown_fields(node.names() - _KNOWN)


def read_origin_name(node: Node) -> str:
    """An origin or storage key; a URL's slash at the end is taken off."""
    origin = node.text()
    try:
        parts = urlsplit(origin.partition("^")[0].rstrip("/"))
        port = parts.port
    except ValueError:
        node.fail("an origin such as 'https://example.com'")
    del port
    if not parts.scheme or "://" not in origin or parts.path or parts.query or parts.fragment:
        node.fail("an origin such as 'https://example.com'")
    return origin.rstrip("/") if "^" not in origin else origin


def _items(node: Node) -> Iterator[tuple[str, str, str]]:
    """Tab, name and value of a storage's items: a list of names and values as Playwright has it, or an object as other tools write it."""
    if isinstance(node.value, dict):
        for name, item in zip(node.value, node.fields(), strict=True):
            yield IMPORTED_TAB, name, item.text()
        return
    for item in _list(node):
        yield item.field("tab").text(IMPORTED_TAB), item.field("name").text(), item.field("value").text()


def _list(node: Node) -> list[Node]:
    return [] if node.absent else node.items()


def _database(node: Node) -> dict[str, Any]:
    """Playwright's object for a database, looked at as far as Playwright itself would refuse it."""
    if node.field("version").number() is None:
        node.field("version").fail("the database's version")
    for store in node.field("stores").items():
        store.field("name").text()
        store.field("records").items()
        store.field("indexes").items()
    database: dict[str, Any] = node.value
    return database


def _file(node: Node) -> dict[str, Any]:
    if node.field("type").text() not in {"file", "directory"}:
        node.field("type").fail("'file' or 'directory'")
    node.field("base64").text("")
    file: dict[str, Any] = node.value
    return file


def scopes(state: StorageState) -> list[str]:
    """Origins and storage keys for which there is any storage."""
    return sorted({part.id.scope for part in state.parts.values() if part.id.kind is not PartKind.COOKIES and part.live()})


def local_items(state: StorageState, scope: str) -> list[dict[str, str]]:
    """localStorage of an origin as Playwright writes it."""
    return [{"name": name, "value": value} for name, value in state.local_storage(scope).items()]


def session_items(state: StorageState, scope: str) -> list[dict[str, str]]:
    """sessionStorage of an origin: Playwright's pairs with the tab."""
    return [{"tab": tab, "name": name, "value": value} for tab, items in state.session_storage(scope).items() for name, value in items.items()]


def databases(state: StorageState, scope: str) -> list[Any]:
    """The databases of an origin that Playwright wrote."""
    parts = [part for part in state.of_kind(PartKind.IDB) if part.id.scope == scope]
    return [part.live()[PLAYWRIGHT,] for part in parts if (PLAYWRIGHT,) in part.live()]


def files(state: StorageState, scope: str) -> list[Any]:
    """The OPFS entries of an origin that Playwright wrote."""
    part = state.parts.get(PartId(PartKind.OPFS, scope))
    return [value for key, value in part.live().items() if key[0] == PLAYWRIGHT] if part else []


def everything(state: StorageState, scope: str) -> dict[str, Any]:
    """All storage of an origin that can be said, as `read_origin` reads it; without what is empty."""
    found = {
        "localStorage": local_items(state, scope),
        "sessionStorage": session_items(state, scope),
        "indexedDB": databases(state, scope),
        "opfs": files(state, scope),
    }
    return {"origin": scope} | {name: items for name, items in found.items() if items}


def note_other_forms(state: StorageState, notes: list[str]) -> None:
    """Notes IndexedDB and OPFS parts that a browser gave us and that are not in Playwright's form."""
    for kind in (PartKind.IDB, PartKind.OPFS):
        left = [f"{part.id.scope} {part.id.name}".rstrip() for part in state.of_kind(kind) if any(key[0] != PLAYWRIGHT for key in part.live())]
        if left:
            notes.append(f"{NAMES[kind]} that was captured from a browser is not in this file: {several(left)}")
