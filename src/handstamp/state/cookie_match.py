"""Which request a cookie goes with: host, path, scheme and site of a URL as cookies see them (RFC 6265bis §5.1)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from handstamp.state.domains import is_ip_address, registrable_domain

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_CRYPTOGRAPHIC = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Target:
    """A URL as cookies see it.

    Args:
        scheme: lower case.
        host: lower case, international names in their ASCII form, IPv6 in brackets; empty when the URL has none.
        port: the scheme's own when the URL names none, -1 for schemes without one.
        path: as written, not decoded; ``/`` when empty.
        cryptographic: sent over TLS.
        trustworthy: over TLS or to this machine itself, where Chromium sets and sends Secure cookies too.
    """

    scheme: str
    host: str
    port: int
    path: str
    cryptographic: bool
    trustworthy: bool

    @property
    def site(self) -> str:
        """Scheme and registrable domain, as in `PartitionKey.top_level_site`; the host itself where it has none."""
        scheme = {"ws": "http", "wss": "https"}.get(self.scheme, self.scheme)
        return f"{scheme}://{registrable_domain(self.host) or self.host}"


@lru_cache(maxsize=1024)
def target(url: str) -> Target:
    """The parts of `url` that decide about cookies.

    Raises:
        ValueError: the URL cannot be read (its port is no number, its brackets do not match).
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme, ascii_host(parts.hostname or "")
    port = parts.port if parts.port is not None else _DEFAULT_PORTS.get(scheme, -1)
    cryptographic = scheme in _CRYPTOGRAPHIC
    return Target(scheme, host, port, parts.path or "/", cryptographic, cryptographic or is_loopback(host))


def ascii_host(host: str) -> str:
    """A host as it goes over the wire: lower case, international names encoded (UTS 46), IPv6 in brackets."""
    host = host.lower()
    if ":" in host and not host.startswith("["):
        return f"[{host}]"
    if host.isascii():
        return host
    import idna  # noqa: PLC0415  (its tables take a while to load and few hosts need them)

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine: ``localhost``, names below it, 127.0.0.0/8, ``[::1]``."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def domain_match(host: str, domain: str) -> bool:
    """Whether a cookie for `domain` and below goes to `host` (§5.1.3); both lower case."""
    return host == domain or (host.endswith("." + domain) and not is_ip_address(host))


def path_match(request_path: str, cookie_path: str) -> bool:
    """Whether a cookie of `cookie_path` goes with `request_path` (§5.1.4); compared as written, nothing is decoded."""
    if not request_path.startswith(cookie_path):
        return False
    return len(request_path) == len(cookie_path) or cookie_path.endswith("/") or request_path[len(cookie_path)] == "/"


def default_path(request_path: str) -> str:
    """The path of a cookie that names none (§5.1.4): the request's, up to its last slash."""
    if not request_path.startswith("/"):
        return "/"
    return request_path[: request_path.rindex("/")] or "/"
