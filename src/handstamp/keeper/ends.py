"""A browser that ends in the middle of something: that is what callers hear, and not how it looked from the page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from handstamp.errors import BrowserGone, LoginError
from handstamp.sites.form_errors import may_have_sent, note_unsent
from handstamp.sites.playwright_errors import page_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.browser import Chromium


@contextmanager
def end_told(chromium: Chromium) -> Iterator[None]:
    """Within the block the end of this browser is `BrowserGone`: its last page looks like a site that is down, or asks in vain.

    Raises:
        BrowserGone: the browser has ended; noted, as with what it stands for, is whether the password had surely not been sent.
    """
    try:
        yield
    except (LoginError, page_error()) as error:
        if chromium.alive:
            raise
        gone = BrowserGone("the browser ended while it was in use; what was saved is still there, try again")
        if not may_have_sent(error):
            note_unsent(gone)
        raise gone from None
