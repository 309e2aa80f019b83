"""Chromium's storage keys <-> the scopes of our parts.

Chromium writes a storage key as ``https://a.example/`` or, for a frame under another site, ``https://a.example/^0https://b.example``;
``^31`` marks a frame of the top-level site under a frame of another one (content/public/…/storage_key.h). Ours is without the slash.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from handstamp.state import registrable_domain

SAME_SITE_UNDER_OTHERS = "31"


def scope_of(storage_key: str) -> str | None:
    """The scope of a storage key; None for one with a nonce, which belongs to a single document and ends with it."""
    origin, _, attributes = storage_key.partition("^")
    if not origin or any(attribute[:1] in {"1", "2", "4", "5", "6"} for attribute in attributes.split("^")):
        return None
    origin = origin.removesuffix("/")
    return f"{origin}^{attributes}" if attributes else origin


def storage_key_of(scope: str) -> str:
    """The storage key of a scope."""
    origin, caret, attributes = scope.partition("^")
    return f"{origin}/{caret}{attributes}"


def origin_of(scope: str) -> str:
    """The origin in a scope, without what partitions it."""
    return scope.partition("^")[0]


def partition_of(scope: str) -> str:
    """What partitions a scope: empty, ``0https://top.example``, or ``31``."""
    return scope.partition("^")[2]


def scope_under(parent: str, origin: str) -> str:
    """The scope of a document of `origin` in a frame of a document with the scope `parent`."""
    partition = partition_of(parent)
    top = partition[1:] if partition[:1] == "0" else site_of(origin_of(parent))[0]
    if site_of(origin)[0] != top:
        return f"{origin}^0{top}"
    return f"{origin}^{SAME_SITE_UNDER_OTHERS}" if partition else origin


def site_of(origin: str) -> tuple[str, bool]:
    """The schemeful site of an origin, and whether subdomains belong to it (not for IP addresses and bare names)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    domain = registrable_domain(host)
    return f"{parts.scheme}://{domain or host}", domain is not None


def origin_of_url(url: str) -> str:
    """The origin of a URL as browsers write it: without a default port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}".removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ":"))
