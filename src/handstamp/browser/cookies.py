"""Cookies in and out of a browser: CDP's `Network.Cookie` and `Network.CookieParam` <-> `Cookie`, and what changed between two looks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from handstamp.state import Cookie, PartitionKey, cookie_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handstamp.state import Key

_EVICTION_LEAVES = 150  # net/cookies/cookie_monster.h: over 180 cookies of one domain, Chromium drops down to this many


def from_cdp(cookie: Mapping[str, Any]) -> Cookie:
    """A `Network.Cookie` as a `Cookie`."""
    domain = cookie["domain"]
    partition = cookie.get("partitionKey")
    return Cookie(
        name=cookie["name"],
        value=cookie["value"],
        domain=domain.lstrip("."),
        host_only=not domain.startswith("."),
        path=cookie["path"],
        expires=None if cookie.get("session", cookie.get("expires", -1) < 0) else cookie["expires"],
        secure=cookie["secure"],
        http_only=cookie["httpOnly"],
        same_site=cookie.get("sameSite"),
        partition_key=PartitionKey(partition["topLevelSite"], partition["hasCrossSiteAncestor"]) if partition else None,
        priority=cookie.get("priority", "Medium"),
        source_scheme=cookie.get("sourceScheme", "Unset"),
        source_port=cookie.get("sourcePort", -1),
    )


def to_cdp(cookie: Cookie) -> dict[str, Any]:
    """A `Cookie` as a `Network.CookieParam`. A domain without a leading dot makes it host-only."""
    param: dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain if cookie.host_only else "." + cookie.domain,
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": cookie.http_only,
        "priority": cookie.priority,
    }
    if cookie.expires is not None:
        param["expires"] = cookie.expires
    if cookie.same_site is not None:
        param["sameSite"] = cookie.same_site
    if cookie.source_scheme != "Unset":
        param["sourceScheme"] = cookie.source_scheme
    if cookie.source_port >= 0:
        param["sourcePort"] = cookie.source_port
    if cookie.partition_key is not None:
        param["partitionKey"] = {"topLevelSite": cookie.partition_key.top_level_site, "hasCrossSiteAncestor": cookie.partition_key.has_cross_site_ancestor}
    return param


def by_key(cookies: Iterable[Cookie]) -> dict[Key, Cookie]:
    """Cookies by what makes them the same."""
    return {cookie.key: cookie for cookie in cookies}


def deleted(before: Mapping[Key, Cookie], after: Mapping[Key, Cookie], *, now: float) -> list[Key]:
    """Keys of cookies that somebody deleted between two looks: gone, not by their own expiry, and not by Chromium's eviction.

    Args:
        before: the earlier look.
        after: the later look.
        now: seconds since the epoch, of the later look.
    """
    gone = [key for key, cookie in before.items() if key not in after and not cookie.expired(now)]
    if not gone:
        return []
    left = Counter(cookie_scope(cookie.domain) for cookie in after.values())
    return [key for key in gone if left[cookie_scope(before[key].domain)] < _EVICTION_LEAVES]
