"""What was seen at a URL: the facts that a verdict rests on, whoever looked (plain HTTP or a browser)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Failure(StrEnum):
    """Why there was no answer."""

    DNS = "dns"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TLS = "tls"
    PROXY = "proxy"
    NETWORK = "network"
    LOOP = "redirect loop"


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a site.

    Args:
        url: what was asked for.
        at: when, UTC.
        final_url: what answered in the end.
        status: of that answer; None when there was none.
        headers: of that answer, names in lower case.
        body: its text, at most `MAX_BODY` octets of it; in a browser the document as its scripts left it.
        redirects: every URL that an answer (or a script) sent us on to, in order, followed or not.
        cookies: names of the cookies that go to `final_url` now.
        selectors: whether each selector that a condition asks about is in the document; None where there is no document.
        failure: why there was no answer.
        detail: the failure in a few words, for people.
    """

    url: str
    at: datetime
    final_url: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    redirects: tuple[str, ...] = field(default=(), repr=False)
    cookies: frozenset[str] = frozenset()
    selectors: Mapping[str, bool] | None = None
    failure: Failure | None = None
    detail: str = ""

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def bare_url(url: str) -> str:
    """`url` without user, query and fragment, where secrets travel: what may be shown and kept."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
