"""``selenium``: the list that a WebDriver's `get_cookies()` gives, saved as JSON. Ends are whole seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.formats.attributes import BASIC
from handstamp.formats.json_cookies import read_cookie
from handstamp.formats.outlet import leave_storage, living, sayable

if TYPE_CHECKING:
    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import Cookie, StorageState

NAME = "selenium"
HOLDS = BASIC | {"same_site"}
_KNOWN = frozenset({"name", "value", "domain", "path", "secure", "httpOnly", "sameSite", "expiry"})


def matches(document: Node) -> bool:
    """Whether the document looks like a WebDriver's list: no fields but its own."""
    items = document.value
    return isinstance(items, list) and bool(items) and all(isinstance(item, dict) and item.keys() <= _KNOWN for item in items)


def parse(document: Node, intake: Intake) -> None:
    """Reads a WebDriver's list of cookies."""
    for node in document.items():
        read_cookie(node, intake, end="expiry", known=_KNOWN)


def dump(state: StorageState, notes: list[str], *, now: float) -> str:
    """The cookies of `state` as `add_cookie` takes them, one by one on a page of their domain."""
    leave_storage(state, name=NAME, notes=notes)
    cookies = sayable(living(state.cookies(), now=now, notes=notes), holds=HOLDS, name=NAME, notes=notes)
    return json.dumps([_as_object(cookie) for cookie in cookies], indent=1) + "\n"


def _as_object(cookie: Cookie) -> dict[str, Any]:
    item: dict[str, Any] = {
        "domain": cookie.domain if cookie.host_only else "." + cookie.domain,
        "httpOnly": cookie.http_only,
        "name": cookie.name,
        "path": cookie.path,
        "secure": cookie.secure,
        "value": cookie.value,
    }
    if cookie.expires is not None:
        item["expiry"] = int(cookie.expires)
    if cookie.same_site is not None:
        item["sameSite"] = cookie.same_site
    return item
