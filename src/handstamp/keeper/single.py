"""One at a time: a login of a session is made once, whoever asks for it, in this process, in others, on other machines.

Within a process those who ask take turns here, and only the first waits for the lease in the vault; that keeps a hundred
waiting workers from a hundred threads that look at the vault.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from handstamp.vault import awaited

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Hashable

    from handstamp.vault import Lease


class Take(Protocol):
    """Waits for a lease."""

    def __call__(self, *, given_up: threading.Event) -> Lease:
        """The lease; raises when there is none to have, or `given_up` is set."""
        ...


@dataclass
class _Place:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


# By event loop: locks of asyncio belong to one, and a forked child or a new engine has another.
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Place]] = WeakKeyDictionary()


@asynccontextmanager
async def only_one(key: Hashable, take: Take) -> AsyncIterator[Lease]:
    """The lease that `take` gives, held within the block, after all others of this process who asked under `key` before.

    Args:
        key: what it is about.
        take: see `Take`.
    """
    places = _places.setdefault(asyncio.get_running_loop(), {})
    place = places.setdefault(key, _Place())
    place.users += 1
    try:
        async with place.lock:
            lease = await awaited(lambda given_up: take(given_up=given_up))
            try:
                yield lease
            finally:
                await asyncio.shield(asyncio.to_thread(lease.release))
    finally:
        place.users -= 1
        if not place.users:
            del places[key]
