"""A tab of any browser, and what is done in it: a kind is written, or read."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from moving.kinds import Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from moving.kinds import Kind
    from moving.moved import Fact
    from moving.site import Site

    Open = Callable[[], AbstractAsyncContextManager["Tab"]]


class Tab(Protocol):
    """One tab."""

    async def goto(self, url: str) -> None:
        """Open a page."""

    async def run(self, function: str, *, in_frame: bool) -> str:
        """What an async function returns, a text: in the page, or in its frame."""

    async def cookies(self) -> list[dict[str, Any]]:
        """All cookies of the browser, as CDP says them."""


async def write(open_tab: Open, kind: Kind, site: Site) -> Fact:
    """Make the state of a kind, and say what is to be seen of it now.

    Raises:
        RuntimeError: nothing is to be seen: the browser itself does not take it, and there is nothing to move.
    """
    seen = []
    async with _tabs(open_tab, 2 if kind.where is Where.TABS else 1) as tabs:
        for number, tab in enumerate(tabs):
            await tab.goto(site.page(kind, "/set"))
            await _evaluated(tab, f"const tab = {number}; {kind.write}", kind)
            seen.append(await _seen(tab, kind, site))
        if kind.where is Where.POPUP:
            seen.append(await _evaluated(tabs[0], f"const {{ sessionStorage }} = opened; {kind.read}", kind))
            await _evaluated(tabs[0], "opened.close()", kind)
    if _whole(seen) is None:
        message = f"the browser keeps nothing of this kind: {kind.name}"
        raise RuntimeError(message)
    return _whole(seen)


async def read(open_tab: Open, kind: Kind, site: Site) -> Fact:
    """What is to be seen of a kind now."""
    seen = []
    async with _tabs(open_tab, 2 if kind.where in {Where.TABS, Where.POPUP} else 1) as tabs:
        for tab in tabs:
            await tab.goto(site.page(kind))
            seen.append(await _seen(tab, kind, site))
    return _whole(seen)


@asynccontextmanager
async def _tabs(open_tab: Open, number: int) -> AsyncIterator[list[Tab]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_tab()) for _ in range(number)]


def _whole(seen: list[Fact]) -> Fact:
    """One fact of several tabs, whatever their order; None when none holds anything."""
    if len(seen) == 1:
        return seen[0]
    return sorted(seen, key=json.dumps) if any(fact is not None for fact in seen) else None


async def _seen(tab: Tab, kind: Kind, site: Site) -> Fact:
    if not kind.fields:
        return await _evaluated(tab, kind.read, kind)
    mine = [cookie for cookie in await tab.cookies() if cookie["domain"].lstrip(".") in site.cookie_domains(kind)]
    facts = [{name: _field(cookie, name) for name in ("name", *kind.fields)} for cookie in mine]
    return sorted(facts, key=json.dumps) or None


def _field(cookie: dict[str, Any], name: str) -> Any:
    """One of its attributes; the end to the second, as Set-Cookie can say it."""
    return int(cookie[name]) if name == "expires" else cookie.get(name)


async def _evaluated(tab: Tab, body: str, kind: Kind) -> Fact:
    text = await tab.run(f"async () => JSON.stringify(await (async () => {{ {body} }})()) ?? 'null'", in_frame=kind.where is Where.FRAME)
    return json.loads(text)
