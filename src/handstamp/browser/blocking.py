"""Blocking calls that give something which somebody has to give back: a lease, a file. A cancelled caller must not lose it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

from handstamp.errors import LeaseHeld

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5  # seconds


async def taken(take: Callable[[], T], *, give_back: Callable[[T], object]) -> T:
    """What a short blocking call gives, made in a worker thread. Cancelled, it waits for the end of the call and gives that back.

    Args:
        take: blocking, for moments only: nobody can stop a thread.
        give_back: blocking; for what comes when nobody wants it any more.
    """
    work = asyncio.ensure_future(asyncio.to_thread(take))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(lambda done: _unwanted(done, give_back))
        await asyncio.wait([work])
        raise


def _unwanted(done: asyncio.Future[T], give_back: Callable[[T], object]) -> None:
    """Give back on the spot: whoever waits for the end of `taken` may close what it is given back to."""
    if not done.cancelled() and done.exception() is None:
        give_back(done.result())


async def leased(take: Callable[[], T], *, give_back: Callable[[T], object], wait: float) -> T:
    """A lease, waited for without a thread, so that a cancellation ends the waiting and leaves no lease that nobody releases.

    Args:
        take: tries once, and raises `LeaseHeld` while somebody else has it (`Vault.lease` with ``wait=0``).
        give_back: releases it.
        wait: seconds.

    Raises:
        LeaseHeld: somebody else has it still.
    """
    deadline, pause = time.monotonic() + wait, _SHORTEST_PAUSE
    while True:
        try:
            return await taken(take, give_back=give_back)
        except LeaseHeld:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
        await asyncio.sleep(min(left, pause * random.uniform(0.5, 1.0)))  # noqa: S311  (spreads the waiters, no secret)
        pause = min(2 * pause, _LONGEST_PAUSE)
