"""One flow for both of Playwright's APIs, which have the same names: one gives results, the other awaitables of them.

A flow is an `async def` that wraps each call of Playwright in `now`. On an event loop it is awaited as usual. With objects of the
sync API no call gives anything to wait for, so `at_once` runs the flow to its end in the caller's own thread.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def now(given: Any) -> Any:
    """The result of a call of Playwright's: itself with the sync API, what it comes to with the async one."""
    return await given if inspect.isawaitable(given) else given


def at_once(flow: Coroutine[Any, Any, T]) -> T:
    """The result of a flow that never has to wait.

    Raises:
        RuntimeError: it did have to wait: an object of the async API was given to a sync face.
    """
    try:
        flow.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    flow.close()
    raise RuntimeError("a flow of the sync API came to wait for an event loop")
