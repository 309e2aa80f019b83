"""A cookie with everything that a browser knows of it (RFC 6265bis §5.7, CHIPS, CDP `Network.Cookie`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SameSite = Literal["Strict", "Lax", "None"]
Priority = Literal["Low", "Medium", "High"]
SourceScheme = Literal["Unset", "NonSecure", "Secure"]


@dataclass(frozen=True, slots=True, order=True)
class PartitionKey:
    """The top-level site that a partitioned cookie belongs to (CHIPS).

    Args:
        top_level_site: scheme and registrable domain, ``https://example.com``.
        has_cross_site_ancestor: whether a frame between the top and the cookie's own is of another site.
    """

    top_level_site: str
    has_cross_site_ancestor: bool = False


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie.

    Args:
        name: may be empty (RFC 6265bis allows nameless cookies).
        value: the secret.
        domain: lower case, without a leading dot, whatever `host_only` says.
        host_only: sent to exactly `domain`, not to its subdomains.
        path: begins with ``/``.
        expires: seconds since the Unix epoch; None for a session cookie, which ends with the browser (ours are kept).
        same_site: None when the site did not say, which browsers treat as Lax with exceptions.
        source_scheme: scheme of the origin that set it.
        source_port: port of that origin, -1 when unknown.
    """

    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool = True
    path: str = "/"
    expires: float | None = None
    secure: bool = False
    http_only: bool = False
    same_site: SameSite | None = None
    partition_key: PartitionKey | None = None
    priority: Priority = "Medium"
    source_scheme: SourceScheme = "Unset"
    source_port: int = -1

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same cookie (RFC 6265bis §5.7, step 22): a later one with this key replaces it."""
        partition = self.partition_key
        where = ("", "") if partition is None else (partition.top_level_site, "1" if partition.has_cross_site_ancestor else "0")
        return (self.domain if self.host_only else "." + self.domain, self.path, self.name, *where)

    def expired(self, now: float) -> bool:
        """Whether it has ended at `now` (seconds since the epoch)."""
        return self.expires is not None and self.expires <= now
