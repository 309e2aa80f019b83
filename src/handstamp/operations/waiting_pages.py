"""Pages of workflows that wait: taken up again, or closed when the time is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.errors import HandstampError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import Page

    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds for an answer of a page that may have crashed
_LEAST_PAUSE = 1.0
_MOST = 5  # pages of one session that wait
_behind: set[asyncio.Task[None]] = set()  # loops keep no task alive by themselves


async def taken_page(pages: dict[str, Page], workflow_id: str) -> Page | None:
    """The page that a workflow left, out of `pages`; None when there is none any more, or it does not answer."""
    page = pages.pop(workflow_id, None)
    if page is None or page.is_closed():
        return None
    try:
        await asyncio.wait_for(page.evaluate("0"), _PATIENCE)
    except Exception as error:  # noqa: BLE001  (crashed, hung: the earlier phases are done again on another)
        _log.debug("the page of workflow %s is of no use any more (%s)", workflow_id, type(error).__name__)
        await close_quietly(page)
        return None
    return page


def leave_waiting(pages: dict[str, Page], workflow_id: str, page: Page) -> None:
    """Keep a page in `pages` for a workflow that waits. Of very many the oldest are closed: their workflows go on on another."""
    pages[workflow_id] = page
    while len(pages) > _MOST:
        close_behind([pages.pop(next(iter(pages)))])


def let_go_in_time(vault: Vault, pages: dict[str, Page], workflow_id: str, seconds: float) -> None:
    """Close the page in `pages` once its workflow waits no more. Nothing is left running until then but a timer of the event loop."""
    running: set[asyncio.Task[None]] = set()

    def look() -> None:
        task = asyncio.ensure_future(_let_go(vault, pages, workflow_id))
        running.add(task)
        task.add_done_callback(running.discard)

    asyncio.get_running_loop().call_later(max(seconds, _LEAST_PAUSE), look)


async def _let_go(vault: Vault, pages: dict[str, Page], workflow_id: str) -> None:
    page = pages.get(workflow_id)
    if page is None:
        return
    if page.is_closed():  # with its context, and the vault may be closed as well
        del pages[workflow_id]
        return
    with contextlib.suppress(HandstampError):
        waiting = await asyncio.to_thread(vault.workflow, workflow_id)
        if waiting is not None and not waiting.ended:  # somebody went on with it, and it waits again
            let_go_in_time(vault, pages, workflow_id, (waiting.ends_at - datetime.now(UTC)).total_seconds())
            return
    if pages.get(workflow_id) is page:
        del pages[workflow_id]
        await close_quietly(page)


def close_behind(pages: Iterable[Page]) -> None:
    """Close pages while their user goes on. A context that ends meanwhile takes them with it."""
    for page in pages:
        task = asyncio.get_running_loop().create_task(close_quietly(page))
        _behind.add(task)
        task.add_done_callback(_behind.discard)


async def close_quietly(page: Page) -> None:
    """Close a page; one that is gone already is as good, and one whose browser hangs is left to it after a few seconds."""
    try:
        await asyncio.wait_for(page.close(), _PATIENCE)
    except Exception as error:  # noqa: BLE001  (the browser has ended, or hangs)
        _log.debug("a page was not closed (%s)", type(error).__name__)
