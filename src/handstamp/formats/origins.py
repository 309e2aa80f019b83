"""Storage of one origin as JSON: Playwright's localStorage, `indexedDB` and `opfs`; ours besides, sessionStorage by tab and `databases`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.formats.idb_in import read_database, read_file, read_rest
from handstamp.formats.idb_out import files, raw_databases, said
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

IMPORTED_TAB = "imported"
"""The tab of sessionStorage from a file that knows no tabs."""

_KNOWN = frozenset({"origin", "localStorage", "sessionStorage", "indexedDB", "databases", "opfs"})


def read_origin(node: Node, intake: Intake) -> None:
    """Reads one object ``{"origin": …, "localStorage": […], …}`` into `intake`."""
    origin = read_origin_name(node.field("origin"))
    for _, name, value in _items(node.field("localStorage")):
        intake.add_local(origin, name, value)
    for tab, name, value in _items(node.field("sessionStorage")):
        intake.add_session(origin, tab, name, value)
    for item in _list(node.field("indexedDB")):
        read_database(item, origin, intake)
    for item in _list(node.field("databases")):
        read_rest(item, origin, intake)
    for item in _list(node.field("opfs")):
        read_file(item, origin, intake)
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


def scopes(state: StorageState) -> list[str]:
    """Origins and storage keys for which there is any storage."""
    return sorted({part.id.scope for part in state.parts.values() if part.id.kind is not PartKind.COOKIES and part.live()})


def local_items(state: StorageState, scope: str) -> list[dict[str, str]]:
    """localStorage of an origin as Playwright writes it."""
    return [{"name": name, "value": value} for name, value in state.local_storage(scope).items()]


def session_items(state: StorageState, scope: str) -> list[dict[str, str]]:
    """sessionStorage of an origin: Playwright's pairs with the tab."""
    return [{"tab": tab, "name": name, "value": value} for tab, items in state.session_storage(scope).items() for name, value in items.items()]


def everything(state: StorageState, scope: str) -> dict[str, Any]:
    """All storage of an origin in our own words, as `read_origin` reads it; without what is empty."""
    found = {
        "localStorage": local_items(state, scope),
        "sessionStorage": session_items(state, scope),
        "databases": raw_databases(state, scope),
        "opfs": files(state, scope),
    }
    return {"origin": scope} | _filled(found)


def in_two_parts(state: StorageState, scope: str, notes: list[str]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Storage of an origin in Playwright's words, and what these cannot say; None where that is nothing."""
    databases = said(state, scope)
    notes += databases.unsaid
    theirs = _filled({"localStorage": local_items(state, scope), "indexedDB": databases.playwright, "opfs": files(state, scope)})
    ours = _filled({"sessionStorage": session_items(state, scope), "databases": databases.rest})
    return {"origin": scope, "localStorage": []} | theirs if theirs else None, {"origin": scope} | ours if ours else None


def _filled(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: items for name, items in found.items() if items}
