"""Openings of contexts by Playwright: over which connection, and what becomes of one that is broken off."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from handstamp.browser.playwright_errors import playwright_error, refused
from handstamp.browser.relay import Expected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.browser.chromium import Chromium
    from handstamp.browser.engine import Engine
    from handstamp.browser.live import LiveContext
    from handstamp.browser.relay import Driver
    from handstamp.browser.saving import Save
    from handstamp.state import StorageState

B = TypeVar("B")
_ANSWER_SECONDS = 5.0  # in which a Playwright that has died says so
_CLOSED = "closed"  # is what such a one says to everything


@dataclass
class Connected(Generic[B]):
    """Playwright's connection to one browser, and who uses it.

    Attributes:
        playwright: that it belongs to.
        making: held by who makes a context: the relay gives the next new context of this driver to what is expected.
        spoiled: whether an opening by it was broken off, so that it serves no other.
        watch: hears of its end, where there is a loop that can.
    """

    browser: B
    driver: Driver
    playwright: Any
    users: int = 0
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    spoiled: bool = False
    watch: asyncio.Task[None] | None = None

    @property
    def serves(self) -> bool:
        """Whether it serves new openings: none was broken off, and Playwright has not hung up, as it does when its process dies."""
        line = self.driver.line
        return not self.spoiled and not (line is not None and line.gone.is_set())


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
        connected = self.connected.get(chromium)
        return connected if connected is not None and connected.serves else None

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


def way_to(playwright: Any, url: str, seconds: float, **wishes: bool) -> Callable[[], Any]:
    """Playwright's call to connect to a browser, with those options that this Playwright has learned.

    Args:
        playwright: of either API.
        url: where the browser listens.
        seconds: that it may take.
        wishes: ``no_defaults``: leave a person's browser as it is (its downloads, colours, focus). ``is_local``: the browser is on
            this machine, so that it reads files to upload by itself; else Playwright sends them to it as text, which takes half a
            minute for 20 MB.
    """
    connect = playwright.chromium.connect_over_cdp
    known = inspect.signature(connect).parameters
    return partial(connect, url, timeout=seconds * 1000, **{name: value for name, value in wishes.items() if name in known})


async def has_died(playwright: Any) -> bool:
    """Whether Playwright's process has ended, so that it does nothing any more. One that is only slow has not."""
    for _ in range(2):  # the first may tell of something else, such as an error in somebody's event handler
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await (await playwright.request.new_context()).dispose()
        except Exception as error:  # noqa: BLE001  (Playwright 1.60 has no class of its own for it)
            if _CLOSED not in str(error):
                return False
        else:
            return False
    return True


def has_died_sync(playwright: Any) -> bool:
    """The same of one of the sync API, which says so at once."""
    for _ in range(2):
        try:
            playwright.request.new_context().dispose()
        except Exception as error:  # noqa: BLE001  (see `has_died`)
            if _CLOSED not in str(error):
                return False
        else:
            return False
    return True


@contextmanager
def letting_go() -> Iterator[None]:
    """Whatever Playwright says when it is to close something, it is over."""
    try:
        yield
    except playwright_error():
        pass
    except Exception as error:  # see `has_died`
        if _CLOSED not in str(error):
            raise


def tell_of_the_end(browser: Any) -> None:
    """Close the contexts and pages of a Playwright whose process has died, as far as its users see them.

    It does so itself when a browser ends, and not when its own process does: calls fail then, but who waits for an event of a page
    waits on. There is no public way to say it; a Playwright without this one keeps them waiting until their time is over.
    """
    for context in list(browser.contexts):
        for one in (*context.pages, context):
            with suppress(Exception):  # of who listens to it, or for want of that way
                one._impl_obj._on_close()  # noqa: SLF001


async def way_in(chromium: Chromium) -> tuple[Driver, str]:
    """See `Chromium.driver`; on the engine's loop."""
    return chromium.driver()


async def expect(chromium: Chromium, driver: Driver, expected: Expected, state: StorageState, save: Save | None) -> LiveContext:
    """See `Chromium.expect`; on the engine's loop."""
    return chromium.expect(driver, expected, state, save)
