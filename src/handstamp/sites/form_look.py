"""Looking at a login page: what of the recipe can be seen there now."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.sites.conditions import Seen, any_holds, url_fits
from handstamp.sites.form_moves import View, Waiting
from handstamp.sites.page_watch import PageWatch, is_present
from handstamp.sites.playwright_errors import page_error, raise_if_gone
from handstamp.sites.recipe import Condition, Login

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.site import Site

_LOOK_AGAIN = 0.2


class FormLook:
    """Reads one page during a login.

    Args:
        site: whose recipe says what to look for.
        login: of it.
        page: Playwright's, async.
        watch: on that page.
    """

    def __init__(self, site: Site, login: Login, page: Page, watch: PageWatch) -> None:
        self._site = site
        self._login = login
        self._page = page
        self._watch = watch
        self._url = site.url(login.url)

    async def look(self, waiting: Waiting, *, stepped_at: float) -> View:
        """What is seen now.

        Args:
            waiting: what is waited for.
            stepped_at: when the last step was done, on the monotonic clock.
        """
        # Read before the rest: what is seen after it is of this document or of a later one, never of an earlier.
        document, status = self._watch.documents, self._watch.status
        # The last step first: in a page that is just being drawn, whoever sees a later element then sees the earlier ones too.
        steps = [step.selector for _, step in reversed(waiting.steps) if step.selector]
        asked = dict.fromkeys([*steps, *waiting.filled, *(marker.selector for marker in self._login.challenge)])
        visible = frozenset([selector for selector in asked if await is_present(self._page, selector, visible=True)])
        form_gone = ((waiting.sent and waiting.may_end) or bool(waiting.answered)) and not visible & waiting.filled
        return View(
            document,
            status=status,
            visible=visible,
            failed=waiting.sent and await self._has_failed(),
            at_login=self.at_login(),
            inside=form_gone and await self.looks_inside(),
            quiet=self._watch.quiet_for(),
            waited=time.monotonic() - stepped_at,
        )

    async def until_gone(self, selector: str) -> str:
        """An empty text as soon as the page has not shown `selector` for a moment."""
        missed = 0
        while missed < 3:  # a page that is being drawn anew shows nothing for an instant
            await asyncio.sleep(_LOOK_AGAIN)
            missed = 0 if await is_present(self._page, selector, visible=True) else missed + 1
        return ""

    def at_login(self) -> bool:
        """Whether the page is still the login's, or below it."""
        return url_fits(urlsplit(self._url).path or "/", self._page.url, self._site.domains)

    async def looks_inside(self) -> bool:
        """Whether this page, which need not be the check's, has what the check looks for in a document."""
        check = self._site.recipe.check
        wanted = [Condition(text=one.text, selector=one.selector) for one in check.logged_in if one.text or one.selector] if check else []
        if not wanted or self.at_login():
            return False
        selectors = {selector for one in wanted for selector in one.selector}
        return any_holds(wanted, Seen(await self._watch.observe(self._url, selectors), self._site.domains)) is True

    async def _has_failed(self) -> bool:
        """Whether the recipe knows this as a refusal. Only what can be seen counts: many pages carry the words hidden."""
        if not self._login.failed:
            return False
        selectors = {selector for condition in self._login.failed for selector in condition.selector}
        shown = {selector: await is_present(self._page, selector, visible=True) for selector in selectors}
        seen = await self._watch.observe(self._url, (), with_body=False)
        seen = replace(seen, body=await self._visible_text(), headers={**seen.headers, "content-type": "text/plain"}, selectors=shown)
        return any_holds(self._login.failed, Seen(seen, self._site.domains)) is True

    async def _visible_text(self) -> str:
        try:
            return await self._page.inner_text("body", timeout=1000)
        except page_error() as error:
            raise_if_gone(error, self._page)
            return ""
