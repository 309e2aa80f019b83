"""Getting an answer out of a page that is about to be closed: what keeps it from answering is ended, since it is ours to end.

A page does not answer while it shows a dialog (`alert`), while its script goes on and on, or while it waits for a document that
a server or a driver's route holds back: Chromium keeps commands for a renderer until the navigation is over.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from handstamp.errors import BrowserError, BrowserTimeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.browser.cdp import Connection

ANSWERS_WITHIN = 3.0  # seconds in all
_AT_FIRST = 0.3  # seconds; a page that is well answers in some milliseconds
_Commands = tuple[tuple[str, dict[str, Any]], ...]
_LOADING_AND_DIALOG: _Commands = (("Page.stopLoading", {}), ("Page.handleJavaScriptDialog", {"accept": False}))  # taken by the browser, not the page
_ALSO_SCRIPT: _Commands = (("Runtime.terminateExecution", {}), *_LOADING_AND_DIALOG)  # in this order: it ends when its dialog does


async def silent(connection: Connection, sessions: Iterable[str], *, may_end: bool) -> frozenset[str]:
    """Those of these pages and frames that do not answer, whatever is done.

    Args:
        connection: to the browser.
        sessions: of pages and frames.
        may_end: whether they are about to be closed, so that loading, dialogs and scripts may be ended.
    """
    asked = list(sessions)
    answers = await asyncio.gather(*(_answers(connection, session, may_end=may_end) for session in asked))
    return frozenset(session for session, answered in zip(asked, answers, strict=True) if not answered)


async def _answers(connection: Connection, session: str, *, may_end: bool) -> bool:
    if not may_end:
        return await _says_something(connection, session, ANSWERS_WITHIN)
    rest = ANSWERS_WITHIN
    for remedy in ((), _LOADING_AND_DIALOG, _ALSO_SCRIPT):
        for method, params in remedy:
            connection.post(method, params, session=session)
        within = rest if remedy is _ALSO_SCRIPT else _AT_FIRST
        rest -= within
        if await _says_something(connection, session, within):
            return True
    return False


async def _says_something(connection: Connection, session: str, within: float) -> bool:
    """A termination may hit the very question, so the second one counts, too; a page that is gone keeps nobody waiting."""
    for _ in range(2):
        try:
            answer = await connection.send("Runtime.evaluate", {"expression": "0"}, session=session, timeout=within)
        except BrowserTimeout:
            return False
        except BrowserError:
            continue
        if "exceptionDetails" not in answer:
            break
    return True
