"""A browser context whose navigations and actions are noted as they happen; the pages' scripts cannot see it."""

from __future__ import annotations

import contextlib
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handstamp.browser.playwright_errors import playwright_error
from handstamp.managers.aside import Aside
from handstamp.managers.gestures import listen
from handstamp.state.masking import masked_url

if TYPE_CHECKING:
    from handstamp.managers.keeping import Keeping

MOST_REMEMBERED = 1000  # navigations, and actions, of one session
_WEB = ("http://", "https://")


class BrowserSession:
    """A context in use: where its pages went, and what was done there.

    Addresses are noted without what could let in or name a person. What is typed is never noted.

    Args:
        context: a Playwright `BrowserContext` of either API.
        profile_name: the jar that its state belongs to; sessions of one profile share their state.

    Attributes:
        start_time: when it began, UTC.
        last_activity: the last thing that was done, UTC.
        pages_visited: how many documents were opened.
    """

    def __init__(self, context: Any, profile_name: str = "default") -> None:
        self.context = context
        self.profile_name = profile_name
        self.start_time = self.last_activity = datetime.now(UTC)
        self.pages_visited = 0
        self._visited: deque[str] = deque(maxlen=MOST_REMEMBERED)
        self._done: deque[str] = deque(maxlen=MOST_REMEMBERED)
        self.keeping: Keeping | None = None  # set by the manager that saves it
        self._loading: set[Any] = set()  # pages that a new document comes into
        self._aside = Aside(context)
        context.on("page", self._opened)
        context.on("close", self._ended)
        for page in context.pages:
            self._opened(page)

    @property
    def navigation_history(self) -> list[str]:
        """Addresses of documents, the oldest first."""
        return list(self._visited)

    @property
    def actions_performed(self) -> list[str]:
        """What was done, the oldest first: ``visit``, ``submit``, ``download`` and where; ``open`` and ``close`` of a page.

        In Chromium also ``click`` and ``fill``, with what: ``click button#pay``.
        """
        return list(self._done)

    def go_on(self, start_time: datetime, pages_visited: int, navigation_history: list[str], actions_performed: list[str]) -> None:
        """Take up what was noted in an earlier context of the session."""
        self.start_time = start_time
        self.pages_visited += pages_visited
        self._visited.extendleft(reversed(navigation_history[: MOST_REMEMBERED - len(self._visited)]))
        self._done.extendleft(reversed(actions_performed[: MOST_REMEMBERED - len(self._done)]))

    def _opened(self, page: Any) -> None:
        self._note("open")
        page.on("framenavigated", lambda frame: self._went(page, frame))
        page.on("request", lambda request: self._asked(page, request))
        page.on("requestfinished", self._answered)
        page.on("download", lambda download: self._note(f"download {masked_url(download.url)}"))
        page.on("close", lambda _: self._closed(page))
        self._aside.run(listen(self.context, page, self._did))

    def _did(self, what: str) -> None:
        self._note(what, looks=True)

    def _went(self, page: Any, frame: Any) -> None:
        if frame == page.main_frame and frame.url.startswith(_WEB):
            self.pages_visited += 1
            self._visited.append(masked_url(frame.url))
            at_load = page in self._loading and (self.keeping is None or self.keeping.knows_device)  # there is a look then anyway
            self._loading.discard(page)
            self._note(f"visit {masked_url(frame.url)}", looks=not at_load)

    def _asked(self, page: Any, request: Any) -> None:
        if request.method == "POST" and request.url.startswith(_WEB):
            self._note(f"submit {masked_url(request.url)}")
        with contextlib.suppress(playwright_error()):  # its frame is not there yet
            if request.is_navigation_request() and request.frame == page.main_frame:
                self._loading.add(page)

    def _answered(self, request: Any) -> None:
        if request.method == "POST" and not request.is_navigation_request() and self.keeping is not None:
            self.keeping.look_soon()

    def _closed(self, page: Any) -> None:
        self._loading.discard(page)
        self._note("close")

    def _ended(self, _context: Any) -> None:
        if self.keeping is not None:
            self.keeping.context_closed()

    def _note(self, what: str, *, looks: bool = False) -> None:
        self.last_activity = datetime.now(UTC)
        self._done.append(what)
        if self.keeping is not None:
            self.keeping.note()
            if looks:
                self.keeping.look_soon()
