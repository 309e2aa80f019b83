"""One at a time: a login of a session is made once, whoever asks for it, in this process, in others, on other machines.

Within a process those who ask take turns here, and only the first waits for the lease in the vault; that keeps a hundred
waiting workers from a hundred threads that look at the vault.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable

    from handstamp.vault import Lease


@dataclass
class _Place:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


# By event loop: locks of asyncio belong to one, and a forked child or a new engine has another.
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Place]] = WeakKeyDictionary()


@asynccontextmanager
async def only_one(key: Hashable, take: Callable[[], Lease]) -> AsyncIterator[Lease]:
    """The lease that `take` gives, held within the block, after all others of this process who asked under `key` before.

    Args:
        key: what it is about.
        take: blocks until it has the lease, or raises.
    """
    places = _places.setdefault(asyncio.get_running_loop(), {})
    place = places.setdefault(key, _Place())
    place.users += 1
    try:
        async with place.lock:
            lease = await taken(take)
            try:
                yield lease
            finally:
                await asyncio.shield(asyncio.to_thread(lease.release))
    finally:
        place.users -= 1
        if not place.users:
            del places[key]


async def taken(take: Callable[[], Lease]) -> Lease:
    """The lease that `take` gives, waited for in a thread of its own: others' calls must not queue behind those who wait.

    When the waiting is cancelled and the lease comes all the same, it is released at once.
    """
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    abandoned = threading.Event()

    def settle(lease: Lease | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(lease)

    def wait() -> None:
        lease, error = None, None
        try:
            lease = take()
        except BaseException as raised:  # noqa: BLE001  (whoever waits gets it)
            error = raised
        if abandoned.is_set():
            if lease is not None:
                lease.release()
            return
        loop.call_soon_threadsafe(settle, lease, error)

    threading.Thread(target=wait, name="handstamp-lease-wait", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        abandoned.set()
        done.add_done_callback(_let_go)  # it may have come in this very moment
        raise


def _let_go(done: asyncio.Future[Lease]) -> None:
    if not done.cancelled() and done.exception() is None:
        threading.Thread(target=done.result().release, name="handstamp-lease-release", daemon=True).start()
