"""A login that a person makes in a window: we open it, watch, and save when the site says that they are in."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from handstamp.errors import BrowserMissing, LoginFailed
from handstamp.state import Device, Health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from handstamp.keeper.keeper import Keeper
    from handstamp.sites import Site
    from handstamp.state import Session


def needs_display() -> None:
    """Say clearly that a window needs a display, before a browser fails to open one.

    Raises:
        BrowserMissing: there is none.
    """
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        message = (
            "logging in by hand needs a window, and this machine has no display; log in on one that has and bring the session over "
            "with `handstamp export` and `handstamp import`, or give the site a recipe and credentials"
        )
        raise BrowserMissing(message)


async def log_in_by_hand(
    keeper: Keeper, site: Site, profile: str, *, ready: Callable[[], Awaitable[None]], username: str | None = None, timeout: float = 600.0
) -> Session:
    """Open a window at the site's login page and keep the session when the person is done.

    Args:
        keeper: opens the window.
        site: where; without a check the person's word is taken.
        profile: whose.
        ready: returns when the person says that they are in.
        username: to note with the session.
        timeout: seconds to wait for the person.

    Raises:
        BrowserMissing: no display, or no browser that can show a window.
        LoginFailed: the site's check says that they are not in.
    """
    needs_display()
    saved = await keeper.session(site, profile)
    state = await asyncio.to_thread(keeper.vault.load, profile)
    async with keeper.context(state, saved.device if saved else Device(), headless=False) as (page, live):
        await page.goto(site.url(site.recipe.login.url if site.recipe.login else "/"))
        await asyncio.wait_for(ready(), timeout)
        if site.can_check:
            verdict = await site.check(page)
            if verdict.health is not Health.VALID:
                message = f"{site.name} does not take you for signed in ({verdict.text}); nothing was saved, try again"
                raise LoginFailed(message)
        return await keeper.keep_login(site, profile, live, page, username=username)
