"""Cookies as drivers have them: Playwright's and WebDriver's <-> `Cookie`. Both know less than CDP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handstamp.state import Cookie, PartitionKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.state import Key


def to_playwright(cookie: Cookie) -> dict[str, Any]:
    """A cookie as Playwright's `add_cookies` takes it."""
    item: dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain if cookie.host_only else "." + cookie.domain,
        "path": cookie.path,
        "expires": -1 if cookie.expires is None else cookie.expires,
        "httpOnly": cookie.http_only,
        "secure": cookie.secure,
    }
    if cookie.same_site is not None:
        item["sameSite"] = cookie.same_site
    if cookie.partition_key is not None:
        item["partitionKey"] = cookie.partition_key.top_level_site
    return item


def from_playwright(item: dict[str, Any], known: Mapping[Key, Cookie]) -> Cookie:
    """A cookie of Playwright's `cookies()`; what it does not tell is taken from the saved one of that name and place."""
    domain: str = item["domain"]
    partition = item.get("partitionKey")
    seen = Cookie(
        name=item["name"],
        value=item["value"],
        domain=domain.lstrip("."),
        host_only=not domain.startswith("."),
        path=item["path"],
        expires=None if item["expires"] < 0 else item["expires"],
        secure=item["secure"],
        http_only=item["httpOnly"],
        same_site=item.get("sameSite"),
        partition_key=PartitionKey(partition, bool(item.get("_crHasCrossSiteAncestor"))) if partition else None,
    )
    return with_what_is_known(seen, known)


def with_what_is_known(seen: Cookie, known: Mapping[Key, Cookie]) -> Cookie:
    """A cookie as a driver tells of it, with what drivers do not tell taken from the saved one of that name and place."""
    saved = known.get(seen.key)
    if saved is None:
        return seen
    same_end = seen.expires is not None and saved.expires is not None and abs(seen.expires - saved.expires) <= 1
    return replace(
        saved,
        value=seen.value,
        expires=saved.expires if same_end else seen.expires,
        secure=seen.secure,
        http_only=seen.http_only,
        same_site=saved.same_site if saved.same_site is None else seen.same_site,
    )


def to_webdriver(cookie: Cookie) -> dict[str, Any]:
    """A cookie as `add_cookie` takes it; without a domain it belongs to the page's host alone."""
    item: dict[str, Any] = {"name": cookie.name, "value": cookie.value, "path": cookie.path, "secure": cookie.secure, "httpOnly": cookie.http_only}
    if not cookie.host_only:
        item["domain"] = cookie.domain
    if cookie.expires is not None:
        item["expiry"] = int(cookie.expires)
    if cookie.same_site is not None:
        item["sameSite"] = cookie.same_site
    return item


def from_webdriver(item: dict[str, Any], known: Mapping[Key, Cookie]) -> Cookie:
    """A cookie of `get_cookies()`; what it does not tell is taken from the saved one of that name and place."""
    domain: str = item["domain"]
    seen = Cookie(
        name=item["name"],
        value=item["value"],
        domain=domain.lstrip("."),
        host_only=not domain.startswith("."),
        path=item["path"],
        expires=item.get("expiry"),
        secure=item["secure"],
        http_only=item["httpOnly"],
        same_site=item.get("sameSite"),
    )
    return with_what_is_known(seen, known)
