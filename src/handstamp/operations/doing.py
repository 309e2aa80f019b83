"""What an operation gets besides its input: the page, and ways to tell, show and hand over. See `handstamp.sites.operation.Run`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page

    from handstamp.operations.evidence import Evidence
    from handstamp.operations.files import Files
    from handstamp.sites import Site


class Doing:
    """One call of an operation, as the operation sees it.

    Attributes:
        page: see `Run`.
        site: see `Run`.
        username: see `Run`.
    """

    def __init__(self, page: Page, site: Site, username: str | None, *, files: Files, evidence: Evidence, tell: Callable[[str], None] | None) -> None:
        self.page = page
        self.site = site
        self.username = username
        self._files = files
        self._evidence = evidence
        self._tell = tell

    async def keep(self, name: str, data: bytes) -> str:
        """Keep a file; where whoever asked gets it."""
        return (await asyncio.to_thread(self._files.put, name, data)).url

    async def shot(self, label: str, *, object_id: str = "", selector: str | None = None) -> str:
        """A stamped screenshot, kept as a file; where whoever asked gets it."""
        png = await self._evidence.shot(self.page, label, object_id=object_id, selector=selector)
        return await self.keep(f"{label}.png", png)

    def tell(self, text: str) -> None:
        """A sentence about how far it is. It may hold what the page showed, so it is in no log."""
        self._evidence.told(text)
        if self._tell is not None:
            self._tell(text)
