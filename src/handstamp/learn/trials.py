"""Trying what carries a login, with copies of its state, and stopping before that does harm.

Whatever a site changes in a copy that it took for signed in is written back, so the newest session id is never lost. After
a copy that it did not take, the whole login is tried: a site that ended it for that is asked no more.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from handstamp.http.probe import probe
from handstamp.keeper.looks import changed_by
from handstamp.learn.carriers import only, replaced
from handstamp.learn.minimal import minimal_set
from handstamp.sites.bearer import bearer_header
from handstamp.sites.check import check_by_http
from handstamp.sites.page_watch import PageWatch
from handstamp.sites.playwright_errors import page_error
from handstamp.sites.site import Site
from handstamp.state import Health, StorageState, merge_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handstamp.http.observation import Observation
    from handstamp.keeper import Keeper
    from handstamp.learn.carriers import Item
    from handstamp.sites import Verdict
    from handstamp.sites.recipe import Check, Recipe
    from handstamp.state import Device

By = Literal["http", "browser"]
MOST = {"http": 60, "browser": 24}  # looks at a site, for one recipe
_QUIET = 1.0  # seconds without news after which a page has drawn what it draws
_LONGEST = 10.0


class Trials:
    """Looks at a site with copies of a login's state. On the engine's loop.

    Args:
        keeper: opens throw-away contexts.
        recipe: of the site, with the token that its API wants.
        state: of the login.
        items: all that could carry it.
        device: that logged in.

    Attributes:
        state: with what the site changed since.
        looks: how many there were.
        rotated: what the site replaced in the course of a look.
        stopped: why no more is tried; empty while more may be.
        ended: whether the login is over, by one of the looks.
    """

    def __init__(self, keeper: Keeper, recipe: Recipe, state: StorageState, items: Sequence[Item], device: Device) -> None:
        self.state = state
        self.looks = 0
        self.rotated: tuple[Item, ...] = ()
        self.stopped = ""
        self.ended = False
        self._keeper = keeper
        self._recipe = recipe
        self._items = tuple(items)
        self._device = device

    # -- seeing -------------------------------------------------------------------------------------------------

    async def see(self, url: str, *, by: By, form: str = "", inside: bool) -> Observation:
        """What `url` looks like with the whole login, or with nothing."""
        items = self._items if inside else ()
        seen, after = await (self._see_by_http(url, items) if by == "http" else self._see_in_page(url, items, form))
        if inside:
            self._take(after, items)
        return seen

    async def _see_by_http(self, url: str, items: Sequence[Item]) -> tuple[Observation, StorageState]:
        state, now = only(self.state, items), datetime.now(UTC)
        site = Site(self._recipe)
        asking = partial(probe, site.url(url), cookies=state.cookies(), device=self._device, now=now, follow=lambda _, there: site.covers(there))
        probed = await asyncio.to_thread(asking, bearer=bearer_header(state, self._recipe, now=now))
        return probed.observation, merge_states(state, changed_by(state, probed.changes, self._keeper.engine.clock, now=now))

    async def _see_in_page(self, url: str, items: Sequence[Item], form: str) -> tuple[Observation, StorageState]:
        url = Site(self._recipe).url(url)
        async with self._keeper.context(only(self.state, items), self._device) as (page, live):
            with PageWatch(page) as watch:
                with contextlib.suppress(page_error()):  # what a page that does not come looks like is seen below: like nothing
                    await page.goto(url, wait_until="domcontentloaded")
                for _ in range(int(_LONGEST / 0.1)):
                    if watch.quiet_for() >= _QUIET:
                        break
                    await asyncio.sleep(0.1)
                seen = await watch.observe(url, {form} if form else ())
            await live.finish()
            return seen, live.mirror.state()

    # -- trying -------------------------------------------------------------------------------------------------

    async def smallest(self, check: Check, *, by: By) -> tuple[Item, ...] | None:
        """The items without any of which `check` says that nobody is signed in; None when it was `stopped`."""
        if not await self._enough(self._items, check, by):
            self.stopped = self.stopped or "a copy of the whole login is not signed in, so it is tied to something that cannot be copied"
        search = minimal_set(self._items)
        try:
            asked = next(search)
            while not self.stopped:
                asked = search.send(await self._enough(asked, check, by))
        except StopIteration as end:
            found: tuple[Item, ...] = end.value
            return found if await self._confirmed(found, check, by) else None
        return None

    async def _confirmed(self, found: tuple[Item, ...], check: Check, by: By) -> bool:
        """Whether these are enough, and no fewer: the search believes that more never hurts, and not every site is so."""
        right = await self._enough(found, check, by)
        for item in found:
            right = right and not await self._enough(tuple(one for one in found if one != item), check, by)
        if not right and not self.stopped:
            self.stopped = "the site's answers contradict each other: what was enough is not, or more than enough"
        return right and not self.stopped

    async def _enough(self, items: Sequence[Item], check: Check, by: By) -> bool:
        """Whether a copy with these items alone is signed in; the session is looked after as the module says."""
        if self.stopped:
            return False
        verdict, after = await self._verdict(items, check, by)
        if verdict.health is Health.VALID:
            self._take(after, items)
            if self.rotated:
                self.stopped = f"the site replaces {_named(self.rotated)} with use, and whoever uses an old one may be logged out"
            return True
        if verdict.health is not Health.EXPIRED:
            self.stopped = f"the site answered in a way that does not tell ({verdict.text})"
        elif items and len(items) < len(self._items):
            await self._look_after(check, by, items)
        return False

    async def _look_after(self, check: Check, by: By, tried: Sequence[Item]) -> None:
        """See that the whole login still lives after a part of it was refused."""
        verdict, after = await self._verdict(self._items, check, by)
        if verdict.health is Health.VALID:
            self._take(after, self._items)
        elif not self.stopped:
            self.ended = verdict.health is Health.EXPIRED
            over = "ended the login" if self.ended else f"did not know the login again ({verdict.text})"
            self.stopped = f"the site {over} when it was asked with {_named(tried)} alone"

    async def _verdict(self, items: Sequence[Item], check: Check, by: By) -> tuple[Verdict, StorageState]:
        self.looks += 1
        if self.looks > MOST[by]:
            self.stopped = f"{MOST[by]} looks were not enough"
        site, state = Site(replace(self._recipe, check=check)), only(self.state, items)
        if by == "http":
            looked = await asyncio.to_thread(check_by_http, site, state, self._device)
            return looked.verdict, merge_states(state, changed_by(state, looked.changes, self._keeper.engine.clock, now=datetime.now(UTC)))
        async with self._keeper.context(state, self._device) as (page, live):
            verdict = await site.check(page)
            await live.finish()
            return verdict, live.mirror.state()

    def _take(self, after: StorageState, tried: Sequence[Item]) -> None:
        """Write back what the site changed of what was tried. What it set anew because it was left out belongs to the copy alone."""
        if len(tried) < len(self._items):
            after = only(after, [item for item in tried if item.part in after.parts and (not item.key or item.key in after.parts[item.part].entries)])
        self.rotated = tuple(dict.fromkeys([*self.rotated, *replaced(self.state, after, self._items)]))
        self.state = merge_states(self.state, after)


def _named(items: Sequence[Item]) -> str:
    names = [str(item) for item in items]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
