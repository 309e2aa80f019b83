"""What an operation leaves to see what happened: stamped screenshots, the page, its console, its requests, in one zip without secrets.

While it runs, little is done: console lines and requests are noted as the browser tells them. A picture is taken where the operation
asks for one, and after each phase when evidence is wanted. What goes wrong here is logged and never the operation's error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import zipfile
from collections import deque
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from handstamp.operations.blanking import Blanking
from handstamp.operations.har import Requests
from handstamp.operations.page_source import blanked_page
from handstamp.operations.stamps import stamped
from handstamp.state.masking import masked_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from playwright.async_api import ConsoleMessage, Page

    from handstamp.operations.files import Files

_log = logging.getLogger(__name__)

_MOST_LINES = 500
_MOST_HEARD = 1000  # console lines and errors; then no more are asked for, since each costs the event loop that all sessions share
_LONGEST_LINE = 2000
_MOST_SHOTS = 30
_MOST_OCTETS = 20_000_000  # of a bundle
_LONGEST_PAGE = 1_000_000  # characters of HTML
_PATIENCE = 5.0  # seconds for a picture or the page's HTML, which a page that hangs never gives
_LONGEST = 30.0  # seconds for a bundle as a whole


class Evidence:
    """What is seen of one call of an operation.

    Args:
        operation: its name.
        facts: about the call, for ``summary.json``; no secrets.
        username: for the stamps.
        files: where the bundle goes.
        wanted: leave a bundle also when nothing fails.
        secrets: asked for the values to blank when a bundle is made.
    """

    def __init__(
        self, operation: str, *, facts: dict[str, Any], username: str | None, files: Files, wanted: bool, secrets: Callable[[], Awaitable[Iterable[str]]]
    ) -> None:
        self._operation = operation
        self._facts = facts
        self._username = username or "nobody known"
        self._files = files
        self.wanted = wanted
        self._secrets = secrets
        self._lines: deque[tuple[datetime, str, str]] = deque(maxlen=_MOST_LINES)
        self._heard = 0
        self._requests = Requests()
        self._shots: list[tuple[str, bytes]] = []
        self._watched: list[Page] = []

    def watch(self, page: Page) -> None:
        """Note what a page and its popups tell from now on."""
        self._watched.append(page)
        page.on("popup", self.watch)
        if self._heard < _MOST_HEARD:
            page.on("console", self._console)
            page.on("pageerror", self._page_error)
        self._requests.watch(page)

    def others(self, than: Page | None) -> list[Page]:
        """The pages that were watched, but for the one that stays open, of which nothing more is noted. The others are to be closed."""
        pages, self._watched = self._watched, []
        for page in pages:
            if page is than:
                page.remove_listener("popup", self.watch)
                self._hear_no_more(page)
                self._requests.unwatch(page)
        return [page for page in pages if page is not than]

    def told(self, text: str) -> None:
        """Note a sentence of the operation's."""
        self._lines.append((datetime.now(UTC), "operation", text))

    async def shot(self, page: Page, label: str, *, object_id: str = "", selector: str | None = None) -> bytes:
        """A stamped picture of the page or of an element, for the operation; it is in the bundle, too.

        Raises:
            playwright.async_api.Error: there is no such element, or the page does not answer.
        """
        png = await (page.locator(selector).first.screenshot() if selector else page.screenshot())
        return await self._stamp(png, page.url, label, object_id)

    async def phase_end(self, page: Page, label: str) -> None:
        """A picture of where a phase ended, when evidence is wanted."""
        if self.wanted:
            await self._try_shot(page, label)

    async def bundle(self, page: Page | None, *, how: str, failed: bool = False, facts: dict[str, Any] | None = None) -> str:
        """Where the bundle is; empty when none is wanted and nothing failed, or it could not be made.

        Args:
            page: as the operation left it.
            how: it ended, a word.
            failed: then there is a bundle in any case.
            facts: more of them.
        """
        if not (self.wanted or failed):
            return ""
        try:
            return await asyncio.wait_for(self._bundle(page, how=how, failed=failed, facts=facts or {}), _LONGEST)
        except Exception as error:  # noqa: BLE001  (evidence is no reason for an operation to fail)
            _log.warning("no debug bundle of %s could be made (%s)", self._operation, type(error).__name__)
            return ""

    async def _bundle(self, page: Page | None, *, how: str, failed: bool, facts: dict[str, Any]) -> str:
        html = ""
        if page is not None and not page.is_closed():
            if failed:
                await self._try_shot(page, how)
            html = await _patiently(page.content()) or ""
        blanking = Blanking(await self._secrets())
        summary = self._facts | facts | {"ended": how, "at": _stamp_time(datetime.now(UTC)), "url": masked_url(page.url) if page is not None else None}
        data = await asyncio.to_thread(self._packed, summary, html, blanking)
        return (await asyncio.to_thread(self._files.put, f"{self._operation}-debug.zip", data)).url

    def _packed(self, summary: dict[str, Any], html: str, blanking: Blanking) -> bytes:
        texts = [
            ("summary.json", json.dumps(summary, indent=2)),
            ("console.txt", "".join(f"{_stamp_time(at)} {kind}: {blanking.text(text[:_LONGEST_LINE])}\n" for at, kind, text in self._lines)),
            ("requests.har", json.dumps(self._requests.archive(blanking), indent=1)),
            ("page.html", blanked_page(html[:_LONGEST_PAGE], blanking)),
        ]
        shots = [(f"shots/{number:02}-{label}.png", data) for number, (label, data) in enumerate(self._shots, 1)]
        return packed([(name, text.encode("utf-8", "replace")) for name, text in texts] + shots, most=_MOST_OCTETS)

    async def _try_shot(self, page: Page, label: str) -> None:
        try:
            png = await _patiently(page.screenshot())
            if png is not None:
                await self._stamp(png, page.url, label, "")
        except Exception as error:  # noqa: BLE001  (see `bundle`)
            _log.debug("no picture of %s, %s (%s)", self._operation, label, type(error).__name__)

    async def _stamp(self, png: bytes, url: str, label: str, object_id: str) -> bytes:
        first = "  ·  ".join(part for part in (_stamp_time(datetime.now(UTC)), self._username, object_id, label) if part)
        data = await asyncio.to_thread(stamped, png, (first, masked_url(url)))
        if len(self._shots) < _MOST_SHOTS:
            self._shots.append((_file_part(label), data))
        return data

    def _console(self, message: ConsoleMessage) -> None:
        if self._hears():
            self._lines.append((datetime.now(UTC), message.type, message.text))

    def _page_error(self, error: Exception) -> None:
        if self._hears():
            self._lines.append((datetime.now(UTC), "error", str(error)))

    def _hears(self) -> bool:
        """Whether one more line is noted. Those that are under way when the listeners go still come."""
        self._heard += 1
        if self._heard == _MOST_HEARD:
            for page in self._watched:
                self._hear_no_more(page)
            self._lines.append((datetime.now(UTC), "evidence", f"after {_MOST_HEARD} lines no more of the console is noted"))
        return self._heard < _MOST_HEARD

    def _hear_no_more(self, page: Page) -> None:
        for event, listener in (("console", self._console), ("pageerror", self._page_error)):
            with contextlib.suppress(KeyError):  # it has gone before
                page.remove_listener(event, listener)


def packed(files: Iterable[tuple[str, bytes]], *, most: int) -> bytes:
    """A zip of these files; those that would make it larger than `most` octets are left out, and ``left-out.txt`` names them."""
    out, left_out = BytesIO(), []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            # A picture shrinks no more, and a text shrinks at least a little: what is on the safe side is enough here.
            if out.tell() + len(data) > most:
                left_out.append(name)
            else:
                archive.writestr(name, data)
        if left_out:
            archive.writestr("left-out.txt", "".join(f"{name}: the bundle would be too large\n" for name in left_out))
    return out.getvalue()


async def _patiently(work: Awaitable[Any]) -> Any:
    """What comes of it; None when it does not come in time, or fails."""
    try:
        return await asyncio.wait_for(work, _PATIENCE)
    except Exception as error:  # noqa: BLE001  (a page that hangs or is gone has nothing to show)
        _log.debug("a page has nothing to show (%s)", type(error).__name__)
        return None


def _stamp_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _file_part(label: str) -> str:
    return "-".join("".join(character if character.isalnum() and character.isascii() else " " for character in label.lower()).split())[:40] or "shot"
