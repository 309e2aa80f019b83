"""Which hosts belong together, by the Public Suffix List (an offline copy, in `publicsuffixlist`)."""

from __future__ import annotations

import ipaddress
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  (35 ms, only where a name is looked up)

    return PublicSuffixList()


@lru_cache(maxsize=4096)  # asked for each cookie of each request; saying no costs an exception
def is_ip_address(host: str) -> bool:
    """Whether `host` is an IP address, IPv6 with or without brackets."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str | None:
    """The public suffix of `host` and one label more; None for a public suffix itself, an IP address, or no name."""
    if not host or host.startswith(".") or is_ip_address(host):
        return None
    return _list().privatesuffix(host.lower())


def cookie_scope(domain: str) -> str:
    """The scope under which cookies of `domain` are kept: its registrable domain, else the host itself (`localhost`, IPs)."""
    host = domain.lower().lstrip(".")
    return registrable_domain(host) or host


def host_of(origin: str) -> str:
    """Host of an origin, URL or storage key, lower case, without port and brackets; empty when there is none."""
    try:
        return (urlsplit(origin.partition("^")[0]).hostname or "").lower()
    except ValueError:  # brackets that hold no address
        return ""


def within(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or below it; never by substring (``notgmail.com`` is not within ``gmail.com``)."""
    host, domain = host.lower().lstrip("."), domain.lower().lstrip(".")
    return host == domain or (host.endswith("." + domain) and not is_ip_address(host) and not is_ip_address(domain))
