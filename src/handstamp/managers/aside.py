"""Flows that nobody waits for: what an event of Playwright's sets off."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from handstamp.browser import at_once

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Aside:
    """Runs flows over the objects of one Playwright context, beside what the program does.

    With the async API as tasks of the running loop, which ends them when it ends. With the sync API they run within the event, in
    Playwright's own greenlet for it: the program's call goes on meanwhile, and the end of Playwright cuts them off.

    Args:
        context: of Playwright, of either API.
    """

    def __init__(self, context: Any) -> None:
        self._waits = not any(cls.__module__.startswith("playwright.sync_api") for cls in type(context).__mro__)
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, flow: Coroutine[Any, Any, None]) -> None:
        """Begin a flow; with the sync API it may be over when this returns."""
        if not self._waits:
            with contextlib.suppress(asyncio.CancelledError):  # Playwright was stopped meanwhile
                at_once(flow)
            return
        task = asyncio.get_running_loop().create_task(flow)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
