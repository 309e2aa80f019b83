"""One Set-Cookie line becomes a cookie, or is ignored for a reason (RFC 6265bis §5.6 and §5.7, CHIPS)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, cast

from handstamp.state.cookie_date import cookie_date
from handstamp.state.cookie_match import Target, default_path, domain_match, target
from handstamp.state.cookies import Cookie, PartitionKey
from handstamp.state.domains import registrable_domain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.state.cookies import Priority, SameSite

log = logging.getLogger(__name__)

MAX_NAME_AND_VALUE = 4096
"""Octets of name and value together."""
MAX_ATTRIBUTE = 1024
"""Octets of one attribute's value; a longer one is as if it were not there."""
MAX_AGE = 400 * 86_400.0
"""Seconds that a cookie may live from now; a later end is brought forward to it."""
EARLIEST = 0.0
"""The end of a cookie that ended before time began for us."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DELTA = re.compile(r"-?[0-9]+")
_BLANK = " \t"
_SAME_SITE = {"strict": "Strict", "lax": "Lax", "none": "None"}
_PRIORITY = {"low": "Low", "medium": "Medium", "high": "High"}


class _Ignored(Exception):
    """Why a cookie is ignored ("ignore the cookie entirely" in the standard); holds no value of it."""


def set_cookie(line: str, url: str, *, now: float, http_api: bool = True, partition_site: str | None = None) -> Cookie | None:
    """The cookie that one Set-Cookie line sets, or None when a browser would ignore it.

    Args:
        line: value of one Set-Cookie field, decoded as UTF-8.
        url: of the response that carried it, or of the document whose script set it.
        now: seconds since the Unix epoch.
        http_api: False when a script sets it (``document.cookie``), which cannot set HttpOnly cookies.
        partition_site: the site in the address bar (``https://example.com``) for a request from inside another
            site's page; None when the request's own site is on top. Only ``Partitioned`` cookies ask.

    Returns:
        The cookie, also when it has ended already, which deletes what has its key (`store` does that). Its end is at
        most 400 days away. The reason of an ignored one is logged at DEBUG, without its value.
    """
    try:
        where = target(url)
    except ValueError:
        log.debug("ignored a cookie: the URL of its response cannot be read")
        return None
    try:
        return _cookie(line, where, now=now, http_api=http_api, partition_site=partition_site)
    except _Ignored as reason:
        log.debug("ignored a cookie of %s: %s", where.host or "a URL without a host", reason)
        return None


def _cookie(line: str, where: Target, *, now: float, http_api: bool, partition_site: str | None) -> Cookie:
    if not where.host:
        raise _Ignored("the URL has no host")
    if _CONTROL.search(line):
        raise _Ignored("it holds a control character")
    pair, _, rest = line.partition(";")
    name, value = _name_and_value(pair)
    attributes = _attributes(rest)
    domain, host_only = _domain(attributes.get("domain", ""), where.host)
    path = attributes.get("path", "")
    secure = "secure" in attributes
    cookie = Cookie(
        name,
        value,
        domain,
        host_only=host_only,
        path=path if path.startswith("/") else default_path(where.path),
        expires=_expires(attributes, now),
        secure=secure,
        http_only="httponly" in attributes,
        same_site=cast("SameSite | None", _SAME_SITE.get(attributes.get("samesite", "").lower())),
        partition_key=_partition_key(where, partition_site) if "partitioned" in attributes else None,
        priority=cast("Priority", _PRIORITY.get(attributes.get("priority", "").lower(), "Medium")),
        # As Chromium has it: a Secure cookie of http://localhost counts as set by a secure origin.
        source_scheme="Secure" if where.cryptographic or (secure and where.trustworthy) else "NonSecure",
        source_port=where.port,
    )
    _check_flags(cookie, where, http_api=http_api)
    _check_prefix(cookie, root_path=path == "/", http_api=http_api)
    return cookie


def _name_and_value(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    name, value = (name.strip(_BLANK), value.strip(_BLANK)) if equals else ("", pair.strip(_BLANK))
    if not name and not value:
        raise _Ignored("it has neither name nor value")
    if not name and "=" in value:
        raise _Ignored("it has no name and an equals sign in its value, so it would read back as another cookie")
    if _octets(name) + _octets(value) > MAX_NAME_AND_VALUE:
        raise _Ignored(f"its name and value are longer than {MAX_NAME_AND_VALUE} octets")
    return name, value


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _attributes(rest: str) -> dict[str, str]:
    """Attributes by lower-case name, the last of each; those whose value means nothing are left out."""
    found: dict[str, str] = {}
    for item in rest.split(";"):
        name, _, value = item.partition("=")
        name, value = name.strip(_BLANK).lower(), value.strip(_BLANK)
        if _octets(value) <= MAX_ATTRIBUTE and _means_something(name, value):
            found[name] = value
    return found


def _means_something(name: str, value: str) -> bool:
    """An Expires or Max-Age that cannot be read is as if it were not there, so an earlier good one counts (§5.6.1, §5.6.2)."""
    if name == "expires":
        return cookie_date(value) is not None
    return name != "max-age" or _DELTA.fullmatch(value) is not None


def _expires(attributes: Mapping[str, str], now: float) -> float | None:
    if "max-age" in attributes:
        seconds = float(attributes["max-age"])
        return now + min(seconds, MAX_AGE) if seconds > 0 else EARLIEST
    if "expires" in attributes:
        end = cookie_date(attributes["expires"])
        return None if end is None else min(max(end, EARLIEST), now + MAX_AGE)
    return None


def _domain(attribute: str, host: str) -> tuple[str, bool]:
    """Domain and host-only flag (§5.7 steps 7 to 10)."""
    domain = attribute.removeprefix(".").lower()
    if not domain:
        return host, True
    if not domain.isascii():
        raise _Ignored("its Domain is not ASCII")
    if domain == host and registrable_domain(domain) is None:
        return host, True  # a public suffix or an IP address may set cookies for itself alone
    if not domain_match(host, domain):
        raise _Ignored("its Domain is not the host's")
    if registrable_domain(domain) is None:
        raise _Ignored("its Domain is a public suffix")
    return domain, False


def _partition_key(where: Target, partition_site: str | None) -> PartitionKey:
    top = where.site if partition_site is None else partition_site
    return PartitionKey(top, has_cross_site_ancestor=top != where.site)


def _check_flags(cookie: Cookie, where: Target, *, http_api: bool) -> None:
    if cookie.secure and not where.trustworthy:
        raise _Ignored("it is Secure and came over an open connection")
    if cookie.http_only and not http_api:
        raise _Ignored("it is HttpOnly and a script set it")
    if cookie.same_site == "None" and not cookie.secure:
        raise _Ignored("it is SameSite=None without Secure")
    if cookie.partition_key and not cookie.secure:
        raise _Ignored("it is Partitioned without Secure")


def _check_prefix(cookie: Cookie, *, root_path: bool, http_api: bool) -> None:
    """What a name's prefix promises must hold (§5.7 steps 20 to 22)."""
    name = cookie.name.lower()
    if not name and cookie.value.lower().startswith(("__secure-", "__host-", "__http-", "__host-http-")):
        raise _Ignored("it has no name and its value looks like a name with a prefix")
    if name.startswith(("__secure-", "__host-", "__http-")) and not cookie.secure:
        raise _Ignored("its name's prefix wants Secure")
    if name.startswith("__host-") and not (cookie.host_only and root_path):
        raise _Ignored("its name's prefix __Host- wants Path=/ and no Domain")
    if name.startswith(("__http-", "__host-http-")) and not (cookie.http_only and http_api):
        raise _Ignored("its name's prefix wants HttpOnly")
