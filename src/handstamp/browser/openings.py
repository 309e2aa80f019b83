"""Openings of contexts by Playwright: over which connection, and what becomes of one that is broken off."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from handstamp.browser.playwright_errors import refused
from handstamp.browser.relay import Expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.browser.chromium import Chromium
    from handstamp.browser.engine import Engine
    from handstamp.browser.live import LiveContext
    from handstamp.browser.relay import Driver
    from handstamp.browser.saving import Save
    from handstamp.state import StorageState

B = TypeVar("B")


@dataclass
class Connected(Generic[B]):
    """Playwright's connection to one browser, and who uses it.

    Attributes:
        making: held by who makes a context: the relay gives the next new context of this driver to what is expected.
        spoiled: whether an opening by it was broken off, so that it serves no other.
    """

    browser: B
    driver: Driver
    users: int = 0
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    spoiled: bool = False


class Openings(Generic[B]):
    """The connections of one loop or thread that serve new openings.

    Args:
        engine: runs the browsers.

    Attributes:
        connected: one for each browser.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.connected: dict[Chromium, Connected[B]] = {}

    def of(self, chromium: Chromium) -> Connected[B] | None:
        """The one to this browser, if there is one."""
        return self.connected.get(chromium)

    def drop(self, chromium: Chromium, connected: Connected[B]) -> None:
        """It serves no opening any more."""
        connected.spoiled = True
        if self.connected.get(chromium) is connected:
            del self.connected[chromium]

    @contextmanager
    def one(self, chromium: Chromium, connected: Connected[B]) -> Iterator[Expected]:
        """The making of one context. If it is broken off, what was expected is withdrawn, and the connection spoiled for others.

        Playwright may have asked for the context by then, or be about to: what it gets must be nobody else's, with the state of
        whoever comes next. The contexts that the connection has go on.
        """
        expected = Expected()
        try:
            yield expected
        except BaseException as error:
            self.drop(chromium, connected)
            self._engine.soon(partial(chromium.withdraw, connected.driver, expected))
            if isinstance(error, Exception) and (refusal := refused(error)) is not error:
                raise refusal from error
            raise


async def way_in(chromium: Chromium) -> tuple[Driver, str]:
    """See `Chromium.driver`; on the engine's loop."""
    return chromium.driver()


async def expect(chromium: Chromium, driver: Driver, expected: Expected, state: StorageState, save: Save | None) -> LiveContext:
    """See `Chromium.expect`; on the engine's loop."""
    return chromium.expect(driver, expected, state, save)
