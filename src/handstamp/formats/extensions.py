"""Browser extensions that export cookies as JSON: Cookie-Editor and EditThisCookie. Both write `chrome.cookies.Cookie`.

The two differ in how they say that SameSite is not said (null and ``"unspecified"``), in `storeId`, and in EditThisCookie's
running `id`. What J2TEAM Cookies writes (``{"url": …, "cookies": […]}``) is read, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.formats.attributes import BASIC
from handstamp.formats.json_cookies import read_cookie
from handstamp.formats.outlet import leave_storage, living, sayable

if TYPE_CHECKING:
    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import Cookie, SameSite, StorageState

COOKIE_EDITOR = "cookie_editor"
EDIT_THIS_COOKIE = "editthiscookie"

HOLDS = BASIC | {"same_site", "partition_key"}
_TELLING = frozenset({"hostOnly", "storeId", "expirationDate"})
_KNOWN = _TELLING | {"name", "value", "domain", "path", "secure", "httpOnly", "sameSite", "session", "id", "partitionKey", "url", "priority"}
_SAME_SITES: dict[SameSite | None, str | None] = {"Strict": "strict", "Lax": "lax", "None": "no_restriction", None: None}


def matches(document: Node) -> bool:
    """Whether the document looks like what an extension exports."""
    cookies = _cookies(document)
    return isinstance(cookies, list) and bool(cookies) and all(isinstance(cookie, dict) and not _TELLING.isdisjoint(cookie) for cookie in cookies)


def is_edit_this_cookie(document: Node) -> bool:
    """Whether the document that `matches` is EditThisCookie's."""
    return any("id" in cookie or cookie.get("sameSite") == "unspecified" for cookie in _cookies(document))


def _cookies(document: Node) -> Any:
    value = document.value
    return value.get("cookies") if isinstance(value, dict) and "origins" not in value else value


def parse(document: Node, intake: Intake) -> None:
    """Reads what either extension writes."""
    wrapped = isinstance(document.value, dict)
    for node in (document.field("cookies") if wrapped else document).items():
        _note_isolation(node, intake)
        read_cookie(node, intake, end="expirationDate", known=_KNOWN | {"firstPartyDomain"})


def _note_isolation(node: Node, intake: Intake) -> None:
    if node.field("firstPartyDomain").text(""):
        intake.note_each("Firefox's first-party isolation is not kept, so these count for all sites", node.field("name").text(""))


def dump_cookie_editor(state: StorageState, notes: list[str], *, now: float) -> str:
    """The cookies of `state` as Cookie-Editor exports and imports them."""
    cookies = _sayable(state, COOKIE_EDITOR, notes, now=now)
    return json.dumps([_as_object(cookie) | {"storeId": None} for cookie in cookies], indent=4) + "\n"


def dump_edit_this_cookie(state: StorageState, notes: list[str], *, now: float) -> str:
    """The cookies of `state` as EditThisCookie exports and imports them."""
    found = [_as_object(cookie) | {"storeId": "0", "id": number} for number, cookie in enumerate(_sayable(state, EDIT_THIS_COOKIE, notes, now=now), 1)]
    return json.dumps([item | {"sameSite": item["sameSite"] or "unspecified"} for item in found], indent=4) + "\n"


def _sayable(state: StorageState, name: str, notes: list[str], *, now: float) -> list[Cookie]:
    leave_storage(state, name=name, notes=notes)
    return sayable(living(state.cookies(), now=now, notes=notes), holds=HOLDS, name=name, notes=notes)


def _as_object(cookie: Cookie) -> dict[str, Any]:
    item: dict[str, Any] = {
        "domain": cookie.domain if cookie.host_only else "." + cookie.domain,
        "hostOnly": cookie.host_only,
        "httpOnly": cookie.http_only,
        "name": cookie.name,
        "path": cookie.path,
        "sameSite": _SAME_SITES[cookie.same_site],
        "secure": cookie.secure,
        "session": cookie.expires is None,
        "value": cookie.value,
    }
    if cookie.expires is not None:
        item["expirationDate"] = cookie.expires
    if key := cookie.partition_key:
        item["partitionKey"] = {"topLevelSite": key.top_level_site, "hasCrossSiteAncestor": key.has_cross_site_ancestor}
    return item
