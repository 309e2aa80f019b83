"""Whether a request means this server: by the name that it calls, and by the page that it comes from. Pure.

A web page can make a browser send requests here. By a name of its own that leads to this address (DNS rebinding) it could also
read the answers, so only names of the server are taken; and what a page of another origin sends is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.errors import ConfigError, Forbidden
from handstamp.listening import is_loopback, is_wildcard
from handstamp.server.refusals import HostRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "*"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def allowed_names(host: str, given: Iterable[str]) -> frozenset[str]:
    """By which names the server may be called.

    Args:
        host: that it listens at.
        given: by the settings.

    Raises:
        ConfigError: it listens at every address, and nobody said what it is called.
    """
    names = {name.lower().rstrip(".") for name in given}
    if is_wildcard(host):
        if not names:
            raise ConfigError(f"at {host} the server can be called by any name: say which are its own with allowed_hosts (--allowed-hosts), or '*'")
    elif not is_loopback(host):
        names.add(host.lower())
    return frozenset(names.union(_LOCAL))


def check_host(header: str | None, names: frozenset[str]) -> None:
    """Refuse a request for another server.

    Args:
        header: its ``Host``.
        names: see `allowed_names`.

    Raises:
        HostRefused: it is for another.
    """
    name = host_of(header)
    if name is None or not _matches(name, names):
        raise HostRefused("this server is not called by that name; call it by one of its own, or add the name to allowed_hosts")


def check_origin(origin: str | None, header: str | None) -> None:
    """Refuse what a page of somebody else sends.

    Args:
        origin: its ``Origin``; programs send none.
        header: its ``Host``.

    Raises:
        Forbidden: it comes from another origin.
    """
    if origin is None:
        return
    try:
        there = urlsplit(origin).netloc.lower()
    except ValueError:
        there = ""
    if not there or there != (header or "").lower():
        raise Forbidden("web pages of other origins may not call this server")


def host_of(header: str | None) -> str | None:
    """The name in a ``Host`` header, without the port; None when there is none."""
    try:
        parts = urlsplit(f"//{header or ''}")
        _ = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


def _matches(name: str, names: frozenset[str]) -> bool:
    if ANY in names or name in names or name.endswith(".localhost"):
        return True
    return any(one.startswith("*.") and name.endswith(one[1:]) for one in names)
