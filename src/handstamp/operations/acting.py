"""Running the code of a site's package, which may do anything: raise what ends programs, or not end when it is asked to."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pydantic import BaseModel

_log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds to end in, once the call is cut off


async def result_of(act: Awaitable[BaseModel | None], name: str) -> BaseModel | None:
    """What an operation's function gives.

    Cut off, it gets a few seconds to end. One that swallows its cancellation is left behind then, and its page closes under it.

    Args:
        act: the call of the function.
        name: of the operation, for the log.

    Raises:
        asyncio.CancelledError: this task was cancelled, or the function raised it.
        BaseException: whatever the function raised.
    """
    task = asyncio.create_task(_caught(act))
    asyncio._unregister_task(task)  # noqa: SLF001  (documented for who extends asyncio; the end of the loop would wait for it for ever)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await _ended(task, name)
        raise
    result, error = task.result()
    if error is not None:
        raise error
    return result


async def _caught(act: Awaitable[BaseModel | None]) -> tuple[BaseModel | None, BaseException | None]:
    """Raised out of a task, SystemExit and KeyboardInterrupt would end the event loop, and all other sessions with it."""
    try:
        return await act, None
    except BaseException as error:  # noqa: BLE001  (raised again by `result_of`, in the task of whoever called)
        return None, error


async def _ended(task: asyncio.Task[tuple[BaseModel | None, BaseException | None]], name: str) -> None:
    await asyncio.wait({task}, timeout=_PATIENCE)
    if not task.done():
        _log.warning("%s does not end although it was cut off, and is left behind: a fault of the site's package", name)
