"""What a caller sets on a context and leaves there: noted when it is set, and taken back before the next caller comes.

A page goes with what was set on it. Routes, headers, permissions and the like of a *context* stay, and Playwright tells nobody
that they are there. So the context's own methods are covered by ones that note their call; a use that sets nothing costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import BrowserContext

    Listener = Callable[..., Any]
    Undo = Callable[[BrowserContext], Awaitable[Any]]

_log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds for a browser that hangs


def _no_routes(context: BrowserContext) -> Awaitable[Any]:
    return context.unroute_all(behavior="ignoreErrors")


def _no_permissions(context: BrowserContext) -> Awaitable[Any]:
    return context.clear_permissions()


def _no_place(context: BrowserContext) -> Awaitable[Any]:
    return context.set_geolocation(None)


def _no_headers(context: BrowserContext) -> Awaitable[Any]:
    return context.set_extra_http_headers({})


def _on_line(context: BrowserContext) -> Awaitable[Any]:
    return context.set_offline(offline=False)


UNDONE: dict[str, Undo] = {
    "grant_permissions": _no_permissions,
    "route": _no_routes,
    "route_from_har": _no_routes,
    "set_extra_http_headers": _no_headers,
    "set_geolocation": _no_place,
    "set_offline": _on_line,
}
"""Methods of a context, and how what they set is taken back."""
LASTING = ("add_init_script", "expose_binding", "expose_function", "route_web_socket", "set_default_navigation_timeout", "set_default_timeout")
"""Methods whose effect only the end of the context takes back."""
_LASTING_PARTS = {
    "clock": ("fast_forward", "install", "pause_at", "resume", "run_for", "set_fixed_time", "set_system_time"),
    "credentials": ("create", "install"),
    "request": ("dispose",),
    "tracing": ("start", "start_chunk", "start_har"),
}


class Leftovers:
    """Of one context, from now on: what was set on it before is its owner's and stays.

    Args:
        context: Playwright's, async. Its methods are covered, on this object alone.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._undo: set[Undo] = set()
        self._lasts = False
        self._heard: list[tuple[str, Listener]] = []
        for name, undo in UNDONE.items():
            _cover(context, name, partial(self._undo.add, undo))
        for name in LASTING:
            _cover(context, name, self._note_lasting)
        for part, names in _LASTING_PARTS.items():
            for name in names:
                _cover(getattr(context, part, None), name, self._note_lasting)
        self._cover_listeners()

    def _note_lasting(self) -> None:
        self._lasts = True

    def _cover_listeners(self) -> None:
        context: Any = self._context
        add, add_once, self._remove = context.on, context.once, context.remove_listener

        def on(event: str, f: Listener) -> None:
            add(event, f)
            self._heard.append((event, f))

        def once(event: str, f: Listener) -> None:
            add_once(event, f)
            self._heard.append((event, f))

        context.on, context.once = wraps(add)(on), wraps(add_once)(once)

    async def clear(self) -> bool:
        """Take back what was set; whether the context is as it was. It is not when something lasts, or was not taken back."""
        for event, listener in self._heard:
            with contextlib.suppress(KeyError, ValueError):  # it has been removed, or was for once and has been called
                self._remove(event, listener)
        self._heard.clear()
        undo = list(self._undo)
        self._undo.clear()
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(one(self._context) for one in undo))
        except Exception as error:  # noqa: BLE001  (Playwright's: the browser has ended, or hangs)
            _log.debug("what was set on a context was not taken back (%s)", type(error).__name__)
            self._lasts = True
        return not self._lasts


def _cover(owner: Any, name: str, note: Callable[[], None]) -> None:
    """Have `note` called before a method; one that this Playwright does not have cannot be called either."""
    real = getattr(owner, name, None)
    if real is None:
        return

    @wraps(real)
    def noted(*given: Any, **named: Any) -> Any:
        note()
        return real(*given, **named)

    setattr(owner, name, noted)
