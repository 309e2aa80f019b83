"""The fence around a session's pages: what they may not ask for is not asked for, and where they wanted to go is told."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.mcp.permissions import leads_out

if TYPE_CHECKING:
    from handstamp.mcp.settings import McpSettings
    from handstamp.sites import Site

_MOST = 10  # places that are told of; a page may try for ever


class Fence:
    """Keeps pages where `leads_out` lets them be.

    Args:
        settings: of the server.
        site: of the session.
    """

    def __init__(self, settings: McpSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._tried: deque[str] = deque(maxlen=_MOST)

    def refuses(self, url: str) -> bool:
        """Whether a page is kept from going there; noted, if so. On any thread."""
        out = leads_out(self._settings, self._site, url)
        if out:
            self._tried.append(_place(url))
        return out

    def tried(self) -> list[str]:
        """Where pages wanted to go since the last call, as scheme, host and port: the rest may hold anything."""
        found = [self._tried.popleft() for _ in range(len(self._tried))]
        return list(dict.fromkeys(found))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else f"{parts.scheme}:"
