"""``json``: a plain list of cookies with every attribute, for programs. Storage has no place in it.

    [{"name": "sid", "value": "…", "domain": "example.com", "host_only": true, "path": "/", "expires": 1800000000.5,
      "secure": true, "http_only": true, "same_site": null, "partition_key": null, "priority": "Medium",
      "source_scheme": "Secure", "source_port": 443}]

`expires` is seconds since the Unix epoch, null for a session cookie. Ended cookies are in the list, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.formats.attributes import ALL
from handstamp.formats.json_cookies import PRIORITIES, SAME_SITES, SCHEMES, port
from handstamp.formats.outlet import leave_storage
from handstamp.state import Cookie, PartitionKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import StorageState

NAME = "json"


def matches(document: Node) -> bool:
    """Whether the document looks like ours."""
    items = document.value
    return isinstance(items, list) and all(isinstance(item, dict) and "host_only" in item for item in items)


def parse(document: Node, intake: Intake) -> None:
    """Reads a list of cookies."""
    for node in document.items():
        _read(node, intake)


def _read(node: Node, intake: Intake) -> None:
    cookie = Cookie(
        node.field("name").text(),
        node.field("value").text(),
        node.field("domain").text(),
        host_only=node.field("host_only").flag(default=True),
        path=node.field("path").text("/"),
        expires=intake.end(node.field("expires").number()),
        secure=node.field("secure").flag(default=False),
        http_only=node.field("http_only").flag(default=False),
        same_site=node.field("same_site").choice(SAME_SITES, None),
        partition_key=_partition_key(node.field("partition_key")),
        priority=node.field("priority").choice(PRIORITIES, "Medium"),
        source_scheme=node.field("source_scheme").choice(SCHEMES, "Unset"),
        source_port=port(node.field("source_port")),
    )
    intake.unknown_fields(node.names() - ALL)
    intake.add_cookie(cookie, node.refuse)


def _partition_key(node: Node) -> PartitionKey | None:
    if node.absent:
        return None
    return PartitionKey(node.field("top_level_site").text(), node.field("has_cross_site_ancestor").flag(default=False))


def dump(state: StorageState, notes: list[str], *, now: float) -> str:
    """The cookies of `state` as JSON; all of them, so `now` does not matter."""
    del now
    leave_storage(state, name=NAME, notes=notes)
    return dump_cookies(state.cookies())


def dump_cookies(cookies: Iterable[Cookie]) -> str:
    """These cookies as JSON; ASCII only, so that any text survives."""
    return json.dumps([_as_object(cookie) for cookie in cookies], indent=1) + "\n"


def _as_object(cookie: Cookie) -> dict[str, Any]:
    key = cookie.partition_key
    return {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain,
        "host_only": cookie.host_only,
        "path": cookie.path,
        "expires": cookie.expires,
        "secure": cookie.secure,
        "http_only": cookie.http_only,
        "same_site": cookie.same_site,
        "partition_key": key and {"top_level_site": key.top_level_site, "has_cross_site_ancestor": key.has_cross_site_ancestor},
        "priority": cookie.priority,
        "source_scheme": cookie.source_scheme,
        "source_port": cookie.source_port,
    }
