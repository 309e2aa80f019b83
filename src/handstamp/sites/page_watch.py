"""What happens in a page while we wait: documents, answers, redirects, requests on their way."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urldefrag

from handstamp.errors import RecipeInvalid
from handstamp.http.observation import Observation
from handstamp.http.probe import MAX_BODY
from handstamp.sites.conditions import is_redirect
from handstamp.sites.playwright_errors import page_error, raise_if_gone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import Frame, Page, Request, Response

_COUNTED = frozenset({"document", "xhr", "fetch"})
_BODY_SECONDS = 5.0


class PageWatch:
    """Listens to one page from `with` to its end.

    Attributes:
        documents: how many the main frame has opened since then.
        answer: to the main frame's latest request, redirects left out.
        navigations: URLs that the main frame asked for, in order, redirects included.
        changed_at: when something happened the last time, on the monotonic clock.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._on_the_way: set[Request] = set()
        self._answered_anew = False
        self.documents = 0
        self.answer: Response | None = None
        self.navigations: list[str] = []
        self.changed_at = time.monotonic()

    def __enter__(self) -> Self:
        self._page.on("request", self._requested)
        self._page.on("response", self._answered)
        self._page.on("requestfinished", self._ended)
        self._page.on("requestfailed", self._ended)
        self._page.on("framenavigated", self._navigated)
        return self

    def __exit__(self, *_: object) -> None:
        self._page.remove_listener("request", self._requested)
        self._page.remove_listener("response", self._answered)
        self._page.remove_listener("requestfinished", self._ended)
        self._page.remove_listener("requestfailed", self._ended)
        self._page.remove_listener("framenavigated", self._navigated)

    @property
    def status(self) -> int | None:
        """Of the main frame's latest answer."""
        return self.answer.status if self.answer else None

    def quiet_for(self) -> float:
        """Seconds since something happened; 0 while a request is on its way."""
        return 0.0 if self._on_the_way else time.monotonic() - self.changed_at

    def touch(self) -> None:
        """Something happened just now."""
        self.changed_at = time.monotonic()

    def _requested(self, request: Request) -> None:
        if request.resource_type in _COUNTED:
            self.touch()
            self._on_the_way.add(request)
        if self._is_main(request):
            self.navigations.append(request.url)

    def _answered(self, response: Response) -> None:
        if self._is_main(response.request) and not is_redirect(response.status):
            self.answer = response
            self._answered_anew = True

    def _ended(self, request: Request) -> None:
        if request in self._on_the_way:
            self.touch()
            self._on_the_way.discard(request)

    def _navigated(self, frame: Frame) -> None:
        """Counted as soon as it is there, before anything in it can be seen. Without an answer it is the same document under another URL."""
        if frame == self._page.main_frame:
            self.touch()
            self.documents += self._answered_anew
            self._answered_anew = False

    def _is_main(self, request: Request) -> bool:
        try:
            return request.is_navigation_request() and request.frame == self._page.main_frame
        except page_error():
            return False  # of a frame that is gone, or of a service worker

    async def observe(self, url: str, selectors: Iterable[str], *, with_body: bool = True) -> Observation:
        """What is seen now, as scripts left it.

        Args:
            url: what was asked for.
            selectors: to look for in the document.
            with_body: read the document's text, too.

        Raises:
            BrowserGone: the page is closed.
            RecipeInvalid: a selector cannot be read.
        """
        page, answer = self._page, self.answer
        present = {selector: await is_present(page, selector) for selector in selectors}
        body = await self._body(answer) if with_body else ""
        here = urldefrag(page.url).url
        moved = self.navigations[1:] + ([here] if self.navigations and here != self.navigations[-1] else [])
        return Observation(
            url,
            datetime.now(UTC),
            final_url=page.url,
            status=answer.status if answer else None,
            headers=dict(answer.headers) if answer else {},
            body=body[:MAX_BODY],
            redirects=tuple(moved),
            cookies=frozenset(str(cookie.get("name", "")) for cookie in await page.context.cookies(page.url)),
            selectors=present,
        )

    async def _body(self, answer: Response | None) -> str:
        kind = answer.headers.get("content-type", "text/html") if answer else "text/html"
        try:
            if answer is not None and "html" not in kind:
                return await asyncio.wait_for(answer.text(), _BODY_SECONDS)
            return await self._page.content()
        except (page_error(), TimeoutError) as error:
            raise_if_gone(error, self._page)
            return ""  # a document on its way out; the next look sees the one that comes


async def is_present(page: Page, selector: str, *, visible: bool = False) -> bool:
    """Whether an element of this selector is in the page, and can be seen.

    Raises:
        BrowserGone: the page is closed.
        RecipeInvalid: the selector cannot be read.
    """
    try:
        found = page.locator(selector)
        return await (found.filter(visible=True) if visible else found).count() > 0
    except page_error() as error:
        raise_if_gone(error, page)
        unreadable = any(word in str(error) for word in ("selector", "XPath")) and "context" not in str(error)
    if unreadable:
        message = f"the selector {selector!r} cannot be read by the browser; correct it in the recipe"
        raise RecipeInvalid(message)
    return False  # the document went away while we looked
