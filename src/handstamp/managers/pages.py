"""The page that is meant when a browser, a context or a page is given."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from handstamp._attach import only_context
from handstamp.browser import now
from handstamp.errors import ConfigError
from handstamp.managers.caller import checked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from handstamp.managers.caller import Caller


@contextlib.asynccontextmanager
async def page_of(caller: Caller, browser: Any) -> AsyncIterator[Any]:
    """A Playwright `Page` itself; of a `BrowserContext`, or of the only one of a `Browser`, the page that was opened last, else one for the moment.

    Raises:
        ConfigError: it is of the other API, none of the three, or a browser with several contexts.
        BrowserGone: the browser has ended.
    """
    checked(caller, browser)
    if hasattr(browser, "goto"):
        yield browser
        return
    if not hasattr(browser, "new_page"):
        raise ConfigError(f"this {type(browser).__name__} is no browser; give a Playwright Browser, BrowserContext or Page")
    context = browser if hasattr(browser, "add_cookies") else await only_context(browser)
    if context.pages:
        yield context.pages[-1]
        return
    page = await now(context.new_page())
    try:
        yield page
    finally:
        await now(page.close())
