"""A context that the caller drives with Playwright: looked at, and given to, only when the caller says so. Nothing stays behind in it.

For programs that own their browser and want no mirror (`eager` keeps one). All flows run where the caller is (see `either`). What is
read or put is bound to its origin in the expression that does it, since a page may go elsewhere at any moment.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handstamp.browser.cookies import by_key
from handstamp.browser.driver_cookies import from_playwright, to_playwright
from handstamp.browser.eager_databases import EagerDatabases, dumps_by_origin
from handstamp.browser.either import now
from handstamp.browser.guest import cookies_to_give
from handstamp.browser.idb import World, only_there
from handstamp.browser.idb.scripts import ELSEWHERE, only_at
from handstamp.browser.mirror import Mirror
from handstamp.browser.playwright_errors import playwright_error
from handstamp.browser.restore import tabs_by_use
from handstamp.browser.storage_key import origin_of_url
from handstamp.errors import BrowserError
from handstamp.state import PartId, PartKind, StorageState, cookie_scope, merge_states, observed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handstamp.state import Clock, Cookie, Key, Loss

_log = logging.getLogger(__name__)
_WEB = ("http://", "https://")
# Items as pairs: an object would hide a key such as __proto__. `location` is what a page cannot pretend.
_READ = """() => [location.origin, ...[() => localStorage, () => sessionStorage].map((open) => {
  try {
    const area = open();
    const keys = Array.from({length: Reflect.get(Storage.prototype, 'length', area)}, (_, i) => area.key(i));
    return keys.map((key) => [key, area.getItem(key)]);
  } catch { return null; }
})]"""
_PUT = """((area, items, keep) => {
  const refused = [];
  for (const [key, value] of items) {
    try { if (!keep || area().getItem(key) === null) area().setItem(key, value); } catch { refused.push(key); }
  }
  return refused;
})"""
_LOOKS_FOR_POPUP, _LOOK_EVERY = 100, 20  # milliseconds
_BLANK = "<!doctype html><title></title>"

Found = dict[PartId, dict["Key", Any]]


@dataclass
class Seen:
    """What one context was last seen to hold, or was given, of one profile: what has not changed there since is no change of its own."""

    values: dict[tuple[PartId, Key], Any] = field(default_factory=dict, repr=False)

    def note(self, part_id: PartId, values: Mapping[Key, Any]) -> None:
        """The context holds these."""
        self.values.update({(part_id, key): value for key, value in values.items()})

    def is_newer(self, part_id: PartId, held: Cookie, saved: Cookie) -> bool:
        """Whether the site has renewed a cookie in the context, and nobody has saved another since."""
        before = self.values.get((part_id, held.key))
        return before is not None and held.value != before.value and saved.value == before.value


def changes_in(state: StorageState, found: Found, seen: Seen, clock: Clock) -> StorageState:
    """What the context changed. What is merely absent was not deleted.

    A value that the context had before, and that somebody else has replaced in the vault since, is theirs to change.
    """
    parts = []
    for part_id, values in found.items():
        base = state.parts.get(part_id)
        live = base.live() if base else {}
        told = {key: value for key, value in values.items() if key not in live or seen.values.get((part_id, key)) != value}
        parts.append(observed(base, part_id, told, clock))
        seen.note(part_id, values)
    return StorageState.of(parts, epoch=state.epoch)


# -- looking --------------------------------------------------------------------------------------------------


async def found_cookies(context: Any, state: StorageState) -> Found:
    """The cookies of the context by part; what Playwright does not tell of them is taken from `state`."""
    known = by_key(state.cookies())
    found: Found = defaultdict(dict)
    for item in await now(context.cookies()):
        cookie = from_playwright(item, known)
        found[PartId(PartKind.COOKIES, cookie_scope(cookie.domain))][cookie.key] = cookie
    return found


async def found_local_storage(context: Any) -> Found:
    """The localStorage of the origins that the context shows or has shown."""
    found: Found = {}
    for page in list(context.pages):
        with contextlib.suppress(playwright_error()):  # a page that goes away meanwhile
            origin, local, _ = await now(page.evaluate(_READ))
            if origin.startswith(_WEB) and local is not None:
                found[PartId(PartKind.LOCAL, origin)] = {(key,): value for key, value in local}
    for one in (await now(context.storage_state()))["origins"]:
        found.setdefault(PartId(PartKind.LOCAL, one["origin"]), {(item["name"],): item["value"] for item in one["localStorage"]})
    return found


async def found_session_storage(page: Any, state: StorageState) -> Found:
    """The sessionStorage of the document that the page shows, as the tab that was last used there."""
    with contextlib.suppress(playwright_error()):
        origin, _, items = await now(page.evaluate(_READ))
        if origin.startswith(_WEB) and items:
            part_id = PartId(PartKind.SESSION, origin)
            part = state.parts.get(part_id)
            tab = next(iter(tabs_by_use(part.entries)), None) if part else None
            tab = tab or uuid.uuid4().hex[:12]
            return {part_id: {(tab, key): value for key, value in items}}
    return {}


async def database_changes(context: Any, state: StorageState, clock: Clock) -> StorageState:
    """What the databases of the open pages hold and `state` does not."""
    losses: list[Loss] = []
    mirror = Mirror(state, clock)
    reader = EagerDatabases(mirror, losses.append)
    for page in list(context.pages):
        origin = origin_of_url(page.url)
        if origin.startswith(_WEB):
            with contextlib.suppress(playwright_error()):
                await reader.read(page, origin, last=True)
    for loss in dict.fromkeys(losses):
        _log.warning("lost: %s at %s: %s", loss.what, loss.where, loss.why)
    return mirror.take()


async def storage_changes(page: Any, state: StorageState, seen: Seen, clock: Clock) -> StorageState:
    """What the storage of a page's context holds and `state` does not: localStorage, the page's own sessionStorage, databases."""
    found = await found_local_storage(page.context) | await found_session_storage(page, state)
    return merge_states(changes_in(state, found, seen, clock), await database_changes(page.context, state, clock))


# -- giving ---------------------------------------------------------------------------------------------------


async def give_cookies(context: Any, state: StorageState, seen: Seen, *, since: int | None = None) -> int:
    """Put the saved cookies that have not ended into the context; one that the site has renewed there since stays.

    Args:
        context: of Playwright.
        state: what to give.
        seen: see `Seen`.
        since: see `cookies_to_give`.

    Returns:
        How many of them the context has now.
    """
    wanted = {cookie.key: cookie for cookie in state.cookies() if not cookie.expired(time.time())}
    found = await found_cookies(context, state)
    newer = {key for part_id, held in found.items() for key, one in held.items() if key in wanted and seen.is_newer(part_id, one, wanted[key])}
    jar = [cookie for held in found.values() for cookie in held.values()]
    given = {cookie.key for cookie in cookies_to_give(state, jar, since=since, now=time.time())} - newer
    await _add(context, [cookie for key, cookie in wanted.items() if key in given])
    total = 0
    for part_id, held in (await found_cookies(context, state)).items():
        kept = {key for key, one in held.items() if key in wanted and one.value != wanted[key].value}
        seen.note(part_id, {key: one for key, one in held.items() if key not in kept})  # what was kept is a change for the next export
        total += len(held.keys() & wanted.keys()) - len(kept)
    return total


async def _add(context: Any, cookies: list[Cookie]) -> None:
    """One that the browser refuses must not keep the others out."""
    if not cookies:
        return
    try:
        await now(context.add_cookies([to_playwright(cookie) for cookie in cookies]))
    except playwright_error():
        if len(cookies) == 1:
            _log.warning("lost: the browser does not accept the cookie %s of %s", cookies[0].name, cookies[0].domain)
            return
        for cookie in cookies:
            await _add(context, [cookie])


async def give_local_storage(context: Any, state: StorageState, seen: Seen, *, keep: bool = False) -> int:
    """Put the saved items into their origins, whatever the context shows now.

    Args:
        context: of Playwright.
        state: what to give.
        seen: see `Seen`.
        keep: leave alone what an origin has already.

    Returns:
        How many were put in or were there; one for which there is no room is named in the log.
    """
    total = 0
    for part in state.of_kind(PartKind.LOCAL):
        origin = part.id.scope
        items = {key[0]: value for key, value in part.live().items()}
        if "^" in origin or not items:
            continue
        refused = await _at(context, origin, _put("localStorage", items.items(), keep=keep))
        if refused is None:
            _log.warning("%s: its localStorage could not be reached, so nothing was put there", origin)
            continue
        for name in refused:
            _log.warning("%s: the item %s of localStorage was left out: there is no room for it", origin, name)
        total += len(items) - len(refused)
        seen.note(part.id, {(name,): value for name, value in items.items() if name not in refused})
    return total


async def give_session_storage(page: Any, state: StorageState) -> None:
    """Put the items of the tab that was last used into the page, if it shows their origin."""
    part = state.parts.get(PartId(PartKind.SESSION, origin_of_url(page.url)))
    tab = next(iter(tabs_by_use(part.entries)), None) if part else None
    if part is not None and tab is not None:
        items = [(key[1], value) for key, value in part.live().items() if key[0] == tab]
        with contextlib.suppress(playwright_error()):
            await now(page.evaluate(only_at(part.id.scope, _put("sessionStorage", items, keep=True))))


async def give_databases(context: Any, state: StorageState) -> None:
    """Make the saved databases that are not there."""
    for origin, dumps in dumps_by_origin(state).items():
        async with _page_at(context, origin) as page:
            try:
                await World(only_there(lambda expression, page=page: now(page.evaluate(expression)), origin), origin).fill(dumps)  # type: ignore[misc]
            except (BrowserError, playwright_error()) as error:
                _log.warning("%s: its databases could not be given back: %s", origin, str(error).partition("\n")[0])


def _put(area: str, items: Iterable[tuple[str, str]], *, keep: bool) -> str:
    return f"{_PUT}(() => {area}, {json.dumps(list(items))}, {json.dumps(keep)})"


async def _at(context: Any, origin: str, expression: str) -> Any:
    """What an expression gives in a document of this origin: one that is open, else a blank one that is made for it; None if neither answers."""
    for page in [page for page in context.pages if origin_of_url(page.url) == origin]:
        with contextlib.suppress(playwright_error()):
            value = await now(page.evaluate(only_at(origin, expression)))
            if value != ELSEWHERE:
                return value
    async with _blank_page(context, origin) as page:
        with contextlib.suppress(playwright_error()):
            value = await now(page.evaluate(only_at(origin, expression)))
            return None if value == ELSEWHERE else value
    return None


@contextlib.asynccontextmanager
async def _page_at(context: Any, origin: str) -> Any:
    """An open page of this origin, else a blank one."""
    page = next((page for page in context.pages if origin_of_url(page.url) == origin), None)
    if page is not None:
        yield page
        return
    async with _blank_page(context, origin) as page:
        yield page


@contextlib.asynccontextmanager
async def _blank_page(context: Any, origin: str) -> Any:
    """A page with an empty document of this origin; the site is not asked for anything."""
    page = await _new_page(context)
    try:
        # A function of its own each time: Playwright remembers at the function for which of its APIs it wrapped it.
        await now(page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=_BLANK)))
        with contextlib.suppress(playwright_error()):
            await now(page.goto(f"{origin}/"))
        yield page
    finally:
        with contextlib.suppress(playwright_error()):
            await now(page.close())


async def _new_page(context: Any) -> Any:
    """A page that the caller will hardly notice. The context of a `Browser.new_page()` makes none but by a script of its own page."""
    try:
        return await now(context.new_page())
    except playwright_error():
        before = list(context.pages)
        if not before:
            raise
        await now(before[0].evaluate("void window.open('about:blank', '_blank', 'noopener')"))
        for _ in range(_LOOKS_FOR_POPUP):
            if opened := [page for page in context.pages if page not in before]:
                return opened[0]
            await now(before[0].wait_for_timeout(_LOOK_EVERY))
        raise
