"""Going to pages of portside and sending its forms; what came back is looked at before anything is read from it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.errors import OperationFailed
from handstamp.sites.playwright_errors import failure_of, page_error, raise_if_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Response

    from handstamp.sites.operation import Run

ANSWER_MS = 30_000.0
"""How long an answer of the site is waited for."""

_INTERRUPTED = "interrupted by another navigation"
_PAUSES = (0.3, 1.0)  # seconds
_LOGIN = "/login"
_WHO = "[data-username]"


@contextlib.contextmanager
def driving(run: Run, doing: str, *, repeatable: bool = True) -> Iterator[None]:
    """What the browser says went wrong in this block, in a sentence.

    Args:
        run: of the operation.
        doing: what was being done, for people: ``opening /appointments``.
        repeatable: whether it may be done again.

    Raises:
        BrowserGone: the browser or the page is no more.
        OperationFailed: anything else that the browser could not do.
    """
    try:
        yield
    except page_error() as error:
        raise_if_gone(error, run.page)
        raise OperationFailed(f"{doing} did not work: {failure_of(error)[1]}", repeatable=repeatable) from None


async def visit(run: Run, path: str, *, wants: str) -> bool:
    """Open a page of the site, as the account whose session it is.

    Args:
        run: of the operation.
        path: at the site.
        wants: a selector of what the page must have.

    Returns:
        False when the site has nothing at this address (404).

    Raises:
        OperationFailed: it did not come, or is another page than expected; says what is missing.
    """
    with driving(run, f"opening {path}"):
        response = await _go(run, path)
        if response is not None and response.status == 404:
            return False
        _see(run, response, path, repeatable=True)
        await expect(run, wants, path)
    await account_of(run)
    return True


async def send(run: Run, form: str, *, repeatable: bool) -> None:
    """Press a form's button, once, and wait for the site's answer.

    Raises:
        OperationFailed: no answer came, or one that is an error; `repeatable` as given.
    """
    with driving(run, f"sending {form}", repeatable=repeatable):
        async with run.page.expect_navigation(wait_until="domcontentloaded", timeout=ANSWER_MS) as coming:
            await run.page.click(f"{form} button[type=submit]", timeout=ANSWER_MS)
        _see(run, await coming.value, f"the form {form}", repeatable=repeatable)


async def has(run: Run, selector: str) -> bool:
    """Whether the page has such an element now."""
    return await run.page.query_selector(selector) is not None


async def expect(run: Run, selector: str, where: str) -> None:
    """See that the page has such an element.

    Raises:
        OperationFailed: it has none, so it is not the page that this operation knows.
    """
    if not await has(run, selector):
        raise OperationFailed(f"{where} of portside has no {selector}: the page is at {_path(run)} and not as it used to be", repeatable=True)


async def account_of(run: Run) -> str:
    """The user name that the page says is signed in.

    Raises:
        OperationFailed: it says none, or another than the session's. Nothing is read from the page of another account.
    """
    found = await run.page.query_selector(_WHO)
    name = await found.get_attribute("data-username") if found else None
    if not name:
        raise OperationFailed(f"portside's page at {_path(run)} does not say who is signed in ({_WHO} is missing)", repeatable=True)
    if run.username is not None and name != run.username:
        raise OperationFailed(f"portside shows the account '{name}' in the session of '{run.username}'; nothing was read or sent")
    return name


async def _go(run: Run, path: str) -> Response | None:
    """The answer at this address.

    Chromium's own page about a form that found no server comes late and pushes away what was asked for meanwhile; whoever asks
    again at once is pushed away by the first try. So there is a pause, and another try.
    """
    for pause in _PAUSES:
        try:
            return await run.page.goto(run.site.url(path), wait_until="domcontentloaded", timeout=ANSWER_MS)
        except page_error() as error:
            if _INTERRUPTED not in str(error):
                raise
        await asyncio.sleep(pause)
    return await run.page.goto(run.site.url(path), wait_until="domcontentloaded", timeout=ANSWER_MS)


def _see(run: Run, response: Response | None, what: str, *, repeatable: bool) -> None:
    if _path(run) == _LOGIN:
        raise OperationFailed(f"portside shows its login page instead of {what}: the session has ended", repeatable=repeatable)
    if response is not None and response.status >= 400:
        raise OperationFailed(f"portside answered {what} with {response.status}", repeatable=repeatable)


def _path(run: Run) -> str:
    return urlsplit(run.page.url).path or run.page.url
