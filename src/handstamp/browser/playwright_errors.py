"""Playwright's errors at a browser's door, as ours."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from handstamp.errors import BrowserError, BrowserGone, BrowserTimeout, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_WAY_IN = re.compile(r"wss?://\S+")
_STRAY = "Cannot find command to respond"


def playwright_error() -> type[Exception]:
    """The class of all of Playwright's errors."""
    from playwright.async_api import Error  # noqa: PLC0415  (a tenth of a second; both APIs raise the same class)

    return Error


def past_a_stray_answer(call: Callable[[], T]) -> T:
    """What the call gives; made once more if it only told of the answer to another, which Ctrl-C had cut off while it was sent.

    Playwright does not know the other call then, and says so in the next one, whichever that is, before it sends it.
    """
    try:
        return call()
    except playwright_error() as error:
        if _STRAY not in str(error):
            raise
        return call()


@contextmanager
def reaching() -> Iterator[None]:
    """On the way to a browser Playwright's errors are ours; theirs are dropped, since their log repeats the URL."""
    try:
        yield
    except playwright_error() as error:
        raise broken(error) from None


def refused(error: Exception) -> Exception:
    """What Playwright says when it opens no context, with the way out where we know it."""
    if isinstance(error, TypeError):
        return ConfigError(f"Playwright does not take these context_options: {error}")
    if not isinstance(error, playwright_error()):
        return error
    if "ffmpeg" in str(error).lower():
        return ConfigError("recording video needs Playwright's ffmpeg: run `playwright install ffmpeg`, or use tracing, which needs nothing")
    if _ended(error) or type(error).__name__ == "TimeoutError":
        return broken(error)
    return ConfigError(f"Playwright does not take these context_options: {_said(error)}")


def broken(error: Exception) -> Exception:
    """What Playwright says when it cannot reach a browser or context any more."""
    if not isinstance(error, playwright_error()):
        return error
    if type(error).__name__ == "TimeoutError":
        return BrowserTimeout("the browser did not answer Playwright in time; it may hang: end it, and open the session again")
    if _ended(error):
        return BrowserGone("the browser ended while a context was opened; the session is in the vault, open it again")
    return BrowserError(f"Playwright could not open a context: {_said(error)}")


def _ended(error: Exception) -> bool:
    return any(words in str(error) for words in ("closed", "the browser is gone"))


def _said(error: Exception) -> str:
    """Its first line, without the URL that lets anybody in; what follows is a log of calls."""
    return _WAY_IN.sub("the browser's URL", str(error).partition("\n")[0])
