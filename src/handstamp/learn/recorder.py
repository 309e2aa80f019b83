"""Watching a person log in: what they do in the page, and which headers its scripts send. What they type is not read."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from handstamp.learn.carriers import Sent
from handstamp.learn.elements import Element
from handstamp.learn.steps import Action

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, Request

_WORLD = "handstamp-learn"
_MOST = 2000  # actions, and headers, that are kept
_USUAL = frozenset(
    "accept accept-encoding accept-language cache-control connection content-length content-type cookie dnt host if-modified-since if-none-match "  # noqa: SIM905  (reads better)
    "origin pragma priority range referer te upgrade-insecure-requests user-agent".split()
)


@dataclass
class Record:
    """What was seen so far; in the order of time."""

    actions: list[Action] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list, repr=False)

    def hear(self, payload: str) -> None:
        """An action, as the page told it."""
        told: dict[str, Any] = json.loads(payload)
        if len(self.actions) < _MOST:
            self.actions.append(Action(told["did"], told["url"], Element(**told["element"])))

    def requested(self, request: Request) -> None:
        """A request of a script."""
        if request.resource_type in {"xhr", "fetch"}:
            own = [(name, value) for name, value in request.headers.items() if name not in _USUAL and not name.startswith("sec-")]
            self.sent += [Sent(request.url, request.method, name.title(), value) for name, value in own][: max(0, _MOST - len(self.sent))]


@asynccontextmanager
async def recording(page: Page) -> AsyncIterator[Record]:
    """Records what is done in `page` until the end of the block; popups and frames of other sites are not seen.

    The listeners are in an isolated world and report by a binding that only that world has (CDP `Runtime.addBinding` with
    `executionContextName`), so the site sees neither.
    """
    record = Record()
    session = await page.context.new_cdp_session(page)
    session.on("Runtime.bindingCalled", lambda event: record.hear(event["payload"]) if event["name"] == "__tell" else None)
    await session.send("Page.enable")
    await session.send("Runtime.enable")
    await session.send("Runtime.addBinding", {"name": "__tell", "executionContextName": _WORLD})
    source = (files(__package__ or "handstamp.learn") / "recorder.js").read_text("utf-8")
    await session.send("Page.addScriptToEvaluateOnNewDocument", {"source": source, "worldName": _WORLD, "runImmediately": True})
    page.on("request", record.requested)
    try:
        yield record
    finally:
        page.remove_listener("request", record.requested)
        if not page.is_closed():
            await session.detach()
