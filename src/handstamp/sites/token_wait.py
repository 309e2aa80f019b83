"""Waiting for the token that a page's scripts store after a login: leaving the page too early cuts them off, and the site may not hand it out again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from handstamp.sites.playwright_errors import page_error, raise_if_gone

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.page_watch import PageWatch
    from handstamp.sites.recipe import Recipe

_LOOK_AGAIN = 0.05
_AT_MOST = 10.0
_QUIET_SECONDS = 1.0
_STORED = "([storage, name]) => window[storage].getItem(name) !== null"
_LOADED = "() => document.readyState === 'complete'"


async def wait_for_token(recipe: Recipe, page: Page, watch: PageWatch) -> bool:
    """Whether the recipe's bearer token is in the page's storage, waiting while the page is still at work. True where no token is kept there.

    Args:
        recipe: says where the token is kept.
        page: at the site.
        watch: on that page.

    Raises:
        BrowserGone: the page is closed.
    """
    bearer = recipe.session.bearer
    if bearer is None or bearer.cookie:
        return True
    place = ["localStorage", bearer.local_storage] if bearer.local_storage else ["sessionStorage", bearer.session_storage]
    deadline = time.monotonic() + _AT_MOST
    while time.monotonic() < deadline:
        try:
            if await page.evaluate(_STORED, place):
                return True
            if watch.quiet_for() >= _QUIET_SECONDS and await page.evaluate(_LOADED):
                return False
        except page_error() as error:
            raise_if_gone(error, page)
        await asyncio.sleep(_LOOK_AGAIN)
    return False
