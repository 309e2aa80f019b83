"""``playwright``: the JSON of `context.storage_state()`; also a bare list of cookies as `context.cookies()`, CDP and Puppeteer give it.

What Playwright has no word for stands under ``_handstamp``, which Playwright ignores (checked with 1.65): on a cookie its
priority, source, and that SameSite was not said; on the whole the sessionStorage, partitioned storage, and origins that
Playwright would visit for nothing or could not visit. Playwright writes "Lax" for a SameSite that was not said; so do we.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.formats.attributes import ALL, BASIC
from handstamp.formats.json_cookies import PRIORITIES, SAME_SITES, SCHEMES, partition_key, port, read_cookie
from handstamp.formats.notes import several
from handstamp.formats.origins import everything, in_two_parts, read_origin, scopes
from handstamp.formats.outlet import living
from handstamp.state import Cookie

if TYPE_CHECKING:
    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

NAME = "playwright"
OURS = "_handstamp"
LATEST = 253_402_300_799  # the last second that Playwright takes: the end of the year 9999

_KNOWN = frozenset(
    {"name", "value", "domain", "path", "url", "expires", "httpOnly", "secure", "sameSite", "partitionKey", "_crHasCrossSiteAncestor", OURS}
    | {"size", "session", "sameParty", "priority", "sourceScheme", "sourcePort", "partitionKeyOpaque"}
)


def matches(document: Node) -> bool:
    """Whether the document looks like Playwright's, or like a list of cookies of CDP."""
    if isinstance(document.value, dict):
        return not {"cookies", "origins"}.isdisjoint(document.value)
    items = document.value
    return isinstance(items, list) and bool(items) and all(isinstance(item, dict) and {"name", "value"} <= item.keys() for item in items)


def parse(document: Node, intake: Intake) -> None:
    """Reads a storage state, or a list of cookies."""
    if isinstance(document.value, list):
        return _parse_cookies(document, intake)
    for name, read in (("cookies", _parse_cookies), ("origins", _parse_origins)):
        if not document.field(name).absent:
            read(document.field(name), intake)
    if not document.field(OURS).absent:
        _parse_origins(document.field(OURS).field("origins"), intake)
    passkeys = 0 if document.field("credentials").absent else len(document.field("credentials").items())
    if passkeys:
        intake.note(f"{passkeys} virtual passkeys were left out: handstamp keeps none")
    return intake.unknown_fields(document.names() - {"cookies", "origins", "credentials", OURS})


def said(document: Node) -> frozenset[str]:
    """The attributes that the document says of its cookies: all where CDP or we wrote them."""
    cookies = document.value if isinstance(document.value, list) else document.value.get("cookies") or ()
    return ALL if any(not {OURS, "priority"}.isdisjoint(cookie) for cookie in cookies) else BASIC | {"same_site", "partition_key"}


def _parse_cookies(document: Node, intake: Intake) -> None:
    for node in document.items():
        if node.field(OURS).absent:
            read_cookie(node, intake, end="expires", known=_KNOWN)
        else:
            _read_ours(node, intake)


def _read_ours(node: Node, intake: Intake) -> None:
    """A cookie that we wrote, with what Playwright has no word for."""
    more, domain = node.field(OURS), node.field("domain").text()
    unsaid = more.field("sameSite").value is None
    cookie = Cookie(
        node.field("name").text(),
        node.field("value").text(),
        domain,
        host_only=not domain.startswith("."),
        path=node.field("path").text("/"),
        expires=intake.end(node.field("expires").number()),
        secure=node.field("secure").flag(default=False),
        http_only=node.field("httpOnly").flag(default=False),
        same_site=None if unsaid else node.field("sameSite").choice(SAME_SITES, None),
        partition_key=partition_key(node),
        priority=more.field("priority").choice(PRIORITIES, "Medium"),
        source_scheme=more.field("sourceScheme").choice(SCHEMES, "Unset"),
        source_port=port(more.field("sourcePort")),
    )
    intake.add_cookie(cookie, node.refuse)


def _parse_origins(document: Node, intake: Intake) -> None:
    for node in [] if document.absent else document.items():
        read_origin(node, intake)


def dump(state: StorageState, notes: list[str], *, now: float) -> str:
    """`state` as Playwright's `new_context(storage_state=…)` takes it; ASCII only, so that lone surrogates survive."""
    document: dict[str, Any] = {"cookies": [_cookie(cookie) for cookie in living(state.cookies(), now=now, notes=notes)], "origins": []}
    ours: list[dict[str, Any]] = []
    for scope in scopes(state):
        theirs, rest = in_two_parts(state, scope, notes) if _can_visit(scope) else (None, everything(state, scope))
        document["origins"] += [theirs] if theirs else []
        ours += [rest] if rest else []
    if ours:
        document[OURS] = {"version": 1, "origins": ours}
        notes.append(f"only handstamp reads some storage from the file (sessionStorage, partitions, what Playwright has no word for), of {_names(ours)}")
    return json.dumps(document, indent=2) + "\n"


def _names(origins: list[dict[str, Any]]) -> str:
    return several([origin["origin"] for origin in origins])


def _can_visit(scope: str) -> bool:
    """Whether Playwright can: it goes to each origin that the file names."""
    return scope.startswith(("http://", "https://")) and "^" not in scope


def _cookie(cookie: Cookie) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain if cookie.host_only else "." + cookie.domain,
        "path": cookie.path,
        "expires": -1 if cookie.expires is None else min(cookie.expires, LATEST),
        "httpOnly": cookie.http_only,
        "secure": cookie.secure,
        "sameSite": cookie.same_site or "Lax",
    }
    if key := cookie.partition_key:
        item |= {"partitionKey": key.top_level_site, "_crHasCrossSiteAncestor": key.has_cross_site_ancestor}
    more = _more(cookie)
    return item | {OURS: more} if more else item


def _more(cookie: Cookie) -> dict[str, Any]:
    """What Playwright has no word for; nothing where it is as Playwright would have it."""
    usual = (cookie.priority, cookie.source_scheme, cookie.source_port) == ("Medium", "Unset", -1)
    if usual and cookie.same_site is not None:
        return {}
    return {"priority": cookie.priority, "sourceScheme": cookie.source_scheme, "sourcePort": cookie.source_port, "sameSite": cookie.same_site}
