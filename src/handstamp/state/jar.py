"""What storing a cookie changes in a jar, what goes when it is full, and what is sent with a request (RFC 6265bis §5.7, §5.8).

A jar is a mapping `Cookie.key` -> `Cookie` in the order of creation. Nothing here changes one: decisions come back as values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from handstamp.state.cookie_match import Target, domain_match, path_match, target
from handstamp.state.cookies import Cookie, PartitionKey
from handstamp.state.domains import cookie_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handstamp.state.parts import Key

MAX_PER_DOMAIN = 180
"""Cookies of one registrable domain (and partition) that Chromium keeps."""

Relation = Literal["strict", "lax", "cross"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_PRIORITY_RANK = {"Low": 0, "Medium": 1, "High": 2}


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing one cookie changes.

    Args:
        cookie: to put under its key; None when it deletes or is refused.
        removed: keys to delete: its own when it has ended, and those evicted to make room.
        refused: why nothing changes; empty when it was taken.
    """

    cookie: Cookie | None = None
    removed: tuple[Key, ...] = ()
    refused: str = ""

    def applied(self, jar: Mapping[Key, Cookie]) -> dict[Key, Cookie]:
        """A copy of `jar` with the changes; a replaced cookie keeps its place, which is its time of creation."""
        changed = dict(jar)
        if self.cookie:
            changed[self.cookie.key] = self.cookie
        for key in self.removed:
            changed.pop(key, None)
        return changed


def store(jar: Mapping[Key, Cookie], cookie: Cookie, url: str, *, now: float, http_api: bool = True, limit: int = MAX_PER_DOMAIN) -> Stored:
    """Decides what storing `cookie`, which came from `url`, changes in `jar` (§5.7 steps 16 and 23).

    Args:
        jar: what is stored, in the order of creation.
        cookie: as `set_cookie` made it.
        url: of the response that set it.
        now: seconds since the Unix epoch.
        http_api: False when a script set it, which cannot touch HttpOnly cookies.
        limit: cookies of one registrable domain that may stay.

    Raises:
        ValueError: `url` cannot be read.
    """
    old = jar.get(cookie.key)
    if not cookie.secure and not target(url).trustworthy and any(_shadows(cookie, other) for other in jar.values()):
        return Stored(refused="a Secure cookie of this name is there, and this one came over an open connection")
    if old and old.http_only and not http_api:
        return Stored(refused="the stored one is HttpOnly and a script wants to replace it")
    if cookie.expired(now):
        return Stored(removed=(cookie.key,) if old else ())
    return Stored(cookie, _evicted_for(jar, cookie, now=now, limit=limit))


def _shadows(cookie: Cookie, other: Cookie) -> bool:
    """Whether `cookie` would stand before or over the Secure cookie `other` ("leave secure cookies alone")."""
    if not other.secure or other.name != cookie.name or other.partition_key != cookie.partition_key:
        return False
    related = domain_match(other.domain, cookie.domain) or domain_match(cookie.domain, other.domain)
    return related and path_match(cookie.path, other.path)


def _evicted_for(jar: Mapping[Key, Cookie], cookie: Cookie, *, now: float, limit: int) -> tuple[Key, ...]:
    if len(jar) < limit:
        return ()
    others = {key: other for key, other in jar.items() if key != cookie.key and _bucket(other) == _bucket(cookie)}
    return evicted(others, now=now, limit=limit - 1)


def _bucket(cookie: Cookie) -> tuple[str, PartitionKey | None]:
    return (cookie_scope(cookie.domain), cookie.partition_key)


def evicted(jar: Mapping[Key, Cookie], *, now: float, limit: int = MAX_PER_DOMAIN, last_used: Mapping[Key, float] | None = None) -> tuple[Key, ...]:
    """Keys that must go so that no registrable domain has more than `limit` cookies.

    In a domain with too many: first all that have ended, then those without Secure, of these the lower priority, of these
    the least recently used. Domains that fit lose nothing.

    Args:
        jar: in the order of creation, which counts where the last use is unknown.
        now: seconds since the Unix epoch.
        limit: cookies of one registrable domain (and partition) that may stay.
        last_used: seconds since the epoch by key.
    """
    buckets: dict[tuple[str, PartitionKey | None], list[Cookie]] = {}
    for cookie in jar.values():
        buckets.setdefault(_bucket(cookie), []).append(cookie)
    gone: list[Key] = []
    for cookies in buckets.values():
        if len(cookies) > limit:
            gone += _surplus(cookies, now=now, limit=limit, last_used=last_used or {})
    return tuple(gone)


def _surplus(cookies: list[Cookie], *, now: float, limit: int, last_used: Mapping[Key, float]) -> list[Key]:
    ended = [cookie.key for cookie in cookies if cookie.expired(now)]
    alive = [cookie for cookie in cookies if not cookie.expired(now)]
    alive.sort(key=lambda cookie: (cookie.secure, _PRIORITY_RANK[cookie.priority], last_used.get(cookie.key, 0.0)))
    return ended + [cookie.key for cookie in alive[: max(0, len(alive) - limit)]]


def cookies_to_send(
    cookies: Iterable[Cookie],
    url: str,
    *,
    now: float,
    http_api: bool = True,
    same_site: Relation = "strict",
    method: str = "GET",
    top_level_site: str | None = None,
) -> list[Cookie]:
    """The cookies that go with a request, longest path first, then as they come in (§5.8.3).

    Args:
        cookies: in the order of creation.
        url: of the request.
        now: seconds since the Unix epoch.
        http_api: False for what a script may read.
        same_site: ``strict`` for a request that the site itself or nobody's page started, ``lax`` for a navigation that
            another site started, ``cross`` for what another site embeds or fetches.
        method: of the request; with an unsafe one a ``lax`` request is as ``cross``.
        top_level_site: the site in the address bar (``https://example.com``) when it is not the request's own; partitioned
            cookies go only with the site under which they were set.

    Raises:
        ValueError: `url` cannot be read.
    """
    where = target(url)
    relation = "cross" if same_site == "lax" and method.upper() not in _SAFE_METHODS else same_site
    fitting = [
        cookie
        for cookie in cookies
        if _reaches(cookie, where)
        and not cookie.expired(now)
        and (http_api or not cookie.http_only)
        and _crosses(cookie, relation)
        and (cookie.partition_key is None or cookie.partition_key == _partition(where, top_level_site))
    ]
    return sorted(fitting, key=lambda cookie: -len(cookie.path))


def _reaches(cookie: Cookie, where: Target) -> bool:
    if not (where.host == cookie.domain if cookie.host_only else domain_match(where.host, cookie.domain)):
        return False
    return path_match(where.path, cookie.path) and (where.trustworthy or not cookie.secure)


def _crosses(cookie: Cookie, relation: Relation) -> bool:
    """Whether SameSite lets it go; a cookie that does not say is Lax."""
    if relation == "strict":
        return True
    return cookie.same_site == "None" or (relation == "lax" and cookie.same_site != "Strict")


def _partition(where: Target, top_level_site: str | None) -> PartitionKey:
    top = where.site if top_level_site is None else top_level_site
    return PartitionKey(top, has_cross_site_ancestor=top != where.site)


def cookie_header(cookies: Iterable[Cookie]) -> str:
    """The value of the Cookie header with these, in their order; empty when there are none. A nameless one is its value."""
    return "; ".join(f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in cookies)
