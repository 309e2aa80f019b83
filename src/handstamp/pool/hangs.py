"""Browsers that hang: they run and say nothing, and nobody else would notice. One that was silent twice in a row is ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from handstamp._signed_in import engine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.browser import Chromium

_log = logging.getLogger(__name__)
PROBE_EVERY = 10.0
"""Seconds between two questions to a browser, and those that it has for an answer."""
_SILENCES = 2


class Hangs:
    """What is known of the browsers of one pool."""

    def __init__(self) -> None:
        self._silent: dict[Chromium, int] = {}

    async def look(self, browsers: Iterable[Chromium]) -> None:
        """Ask them all at once, and end those that hang; their sessions are revived from the vault."""
        asked = [browser for browser in set(browsers) if browser.alive]
        answers = await asyncio.gather(*(engine().call(browser.answers(PROBE_EVERY)) for browser in asked))
        self._silent = {browser: self._silent.get(browser, 0) + 1 for browser, answered in zip(asked, answers, strict=True) if not answered}
        for browser, times in self._silent.items():
            if times >= _SILENCES and browser.alive:
                _log.warning("a browser does not answer any more and is ended; its sessions are revived from the vault")
                browser.kill()
