"""Names of rows that tell a reader of the file nothing: keyed hashes of what a row is about.

Which sites somebody visits is private too. A part's row is found by `Index.part`, an HMAC of profile and part id, and all
parts that `load(domains=…)` may want by `Index.bucket`, an HMAC of profile and the last two labels of the host. Two
labels, and not the registrable domain, because they need no list that changes over the years: a bucket may hold more
than was asked for (all of ``co.uk``), never less, and the exact choice is made on what was opened.

The key is the vault's own, sealed by the master key, so that rows keep their names when the master key is rotated.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from handstamp.state import PartKind, host_of, is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state import PartId

KEY_BYTES = 32
MARK_BYTES = 16
"""Of every name and mark."""


class Index:
    """Makes the names of rows. Safe across threads.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod=hashlib.sha256)

    def _name(self, *words: str) -> bytes:
        mac = self._hmac.copy()
        for word in words:
            data = word.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(4, "big") + data)
        return mac.digest()[:MARK_BYTES]

    def part(self, profile: str, part_id: PartId) -> bytes:
        """Of the row of a part."""
        return self._name("part", profile, part_id.kind, part_id.scope, part_id.name)

    def bucket(self, profile: str, part_id: PartId) -> bytes:
        """Of the bucket that the part lies in."""
        host = part_id.scope if part_id.kind is PartKind.COOKIES else host_of(part_id.scope)
        return self._name("bucket", profile, _last_labels(host))

    def buckets(self, profile: str, domains: Iterable[str]) -> list[bytes] | None:
        """Of the buckets that hold all parts of these domains; None when only all buckets do (``localhost``, ``uk``)."""
        found = set()
        for domain in domains:
            labels = _last_labels(domain)
            if "." not in labels and not is_ip_address(labels):
                return None
            found |= {labels, labels.rpartition(".")[2]}
        return [self._name("bucket", profile, labels) for labels in sorted(found)]

    def secret(self, site: str, account: str, name: str) -> bytes:
        """Of the row of a credential."""
        return self._name("secret", site, account, name)

    def attempts(self, site: str, account: str) -> bytes:
        """Of how logins of an account went."""
        return self._name("attempts", site, account)

    def password(self, site: str, account: str, password: str) -> bytes:
        """A mark of a password, by which it is known again."""
        return self._name("password", site, account, password)

    def site(self, site: str) -> bytes:
        """Of all credentials of a site."""
        return self._name("site", site)


def _last_labels(host: str) -> str:
    host = host.lower().strip(".").strip("[]")
    return host if is_ip_address(host) else ".".join(host.split(".")[-2:])
