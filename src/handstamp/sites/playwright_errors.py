"""What Playwright raises, told apart. Its own words are not handed on: its call log repeats what was typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handstamp.errors import BrowserGone
from handstamp.http.observation import Failure

if TYPE_CHECKING:
    from playwright.async_api import Page

_NET = re.compile(r"net::(ERR_[A-Z0-9_]+)|NS_ERROR_([A-Z_]+)")
_CLOSED = ("has been closed", "crashed", "Connection closed", "Browser closed", "the browser is gone")


def page_error() -> type[Exception]:
    """The class that all errors of a page have."""
    from playwright.async_api import Error  # noqa: PLC0415  (the page came from there, so it is loaded already)

    return Error


def raise_if_gone(error: BaseException, page: Page) -> None:
    """Raise when the browser or the page is no more.

    Raises:
        BrowserGone: it is.
    """
    if page.is_closed() or any(words in str(error) for words in _CLOSED):
        message = "the browser or its page was closed while it was in use; what was saved is still there, try again"
        raise BrowserGone(message) from None


def is_timeout(error: BaseException) -> bool:
    """Whether Playwright waited in vain."""
    return type(error).__name__ == "TimeoutError"


def failure_of(error: Exception) -> tuple[Failure, str]:
    """Class of a navigation that failed, and the browser's name for it."""
    if is_timeout(error):
        return Failure.TIMEOUT, "no answer in time"
    found = _NET.search(str(error))
    name = (found[1] or found[2]) if found else ""
    for words, failure in (
        ("NAME_NOT_RESOLVED", Failure.DNS),
        ("UNKNOWN_HOST", Failure.DNS),
        ("CONNECTION_REFUSED", Failure.REFUSED),
        ("TIMED_OUT", Failure.TIMEOUT),
        ("CERT_", Failure.TLS),
        ("SSL_", Failure.TLS),
        ("PROXY", Failure.PROXY),
        ("TUNNEL", Failure.PROXY),
        ("TOO_MANY_REDIRECTS", Failure.LOOP),
    ):
        if words in name:
            return failure, name
    return Failure.NETWORK, name or "the page did not open"
