"""How the managers of each API run what is not Playwright's: one flow serves both (see `handstamp.browser.either`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from handstamp._signed_in import engine
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Caller(Protocol):
    """One API's way; each method gives a result, or an awaitable of it.

    Attributes:
        name: of Playwright's API whose objects it takes.
    """

    name: str

    def on_engine(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine on the engine's loop comes to."""

    def blocking(self, call: Callable[[], Any]) -> Any:
        """What a blocking call gives."""


class Waiting:
    """For `await` on any event loop."""

    name = "async"

    def on_engine(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Waits without blocking."""
        return engine().call(work)

    def blocking(self, call: Callable[[], Any]) -> Any:
        """In a worker thread."""
        return asyncio.to_thread(call)


class Blocking:
    """For ordinary calls."""

    name = "sync"

    def on_engine(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Blocks."""
        return engine().run(work)

    def blocking(self, call: Callable[[], Any]) -> Any:
        """Where the caller is."""
        return call()


def checked(caller: Caller, given: Any) -> Any:
    """A Playwright object, if it is of the API that the caller uses.

    Raises:
        ConfigError: it is of the other one.
    """
    other = {"async": "sync", "sync": "async"}[caller.name]
    if any(cls.__module__.startswith(f"playwright.{other}_api") for cls in type(given).__mro__):
        where = {"async": "handstamp.managers", "sync": "handstamp.sync_api"}[other]
        raise ConfigError(f"this {type(given).__name__} is of Playwright's {other} API; use the manager of {where} with it")
    return given
