"""Connections for checks: one pool for each proxy, shared by as many checks as the caller likes."""

from __future__ import annotations

import threading
import urllib.request
from functools import cache
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from handstamp.state.cookie_match import is_loopback

if TYPE_CHECKING:
    import ssl

    import httpx2


class Transports:
    """Pools of connections by proxy. Safe across threads; close it, or use it in a `with` block.

    A library client is not used on purpose: it would keep a cookie jar of its own, which sends what a browser would not,
    and read passwords from a netrc file.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_proxy: dict[str | None, httpx2.HTTPTransport] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transport(self, proxy: str | None) -> httpx2.HTTPTransport:
        """The pool that goes through `proxy` (a URL), or straight out for None.

        Raises:
            ValueError: the proxy's URL is of a scheme that is not known.
            ImportError: it is a SOCKS proxy and the library for it is not installed.
        """
        import httpx2  # noqa: PLC0415  (a sixth of a second, and most commands make no request)

        with self._lock:
            if proxy not in self._by_proxy:
                self._by_proxy[proxy] = httpx2.HTTPTransport(verify=_tls(), proxy=proxy)
            return self._by_proxy[proxy]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for transport in self._by_proxy.values():
                transport.close()
            self._by_proxy.clear()


@cache
def _tls() -> ssl.SSLContext:
    """The trusted certificates: once for all, since reading them takes twenty times as long as a check."""
    import httpx2  # noqa: PLC0415  (see above)

    return httpx2.create_ssl_context()


def proxy_for(url: str, *, saved: str | None) -> str | None:
    """The proxy to reach `url` by: the session's own, else the environment's (``HTTPS_PROXY``, ``NO_PROXY``), never for loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if saved:
        return saved
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if found is None or "://" in found else f"http://{found}"
