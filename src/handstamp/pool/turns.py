"""One after the other: what is done with one session, in the order of asking."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import PoolFull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class _Place:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns:
    """Turns by key; who has none waits."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    @property
    def taken(self) -> bool:
        """Whether anybody has or wants any turn."""
        return bool(self._places)

    def free(self, key: str) -> bool:
        """Whether nobody has or wants this turn."""
        return key not in self._places

    @asynccontextmanager
    async def turn(self, key: str, *, until: float) -> AsyncIterator[None]:
        """Within the block nobody else has the turn of `key`.

        Args:
            key: what it is about.
            until: how long to wait, by the loop's clock.

        Raises:
            PoolFull: others have used it all the time.
        """
        place = self._places.setdefault(key, _Place())
        place.users += 1
        try:
            try:
                async with asyncio.timeout_at(until):
                    await place.lock.acquire()
            except TimeoutError:
                raise PoolFull("others use this session, one after the other, and it did not come free in time; ask again", retry_after=2.0) from None
            try:
                yield
            finally:
                place.lock.release()
        finally:
            place.users -= 1
            if not place.users:
                del self._places[key]
