"""The eager way for a Selenium driver that no engine can reach (Firefox, Safari): by WebDriver's own calls, one page at a time.

WebDriver reads and sets cookies and storage of the page that is open now, and tells of nothing. So what is given back, and what
is seen, is what belongs to that page: at the start, whenever the caller asks, and at the end (see docs/how-to/attach.md).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.cookies import by_key
from handstamp.browser.driver_cookies import from_webdriver, to_webdriver
from handstamp.browser.eager import FATAL
from handstamp.browser.guest import cookies_to_give
from handstamp.browser.mirror import Mirror
from handstamp.browser.restore import tabs_by_use
from handstamp.browser.storage_key import origin_of_url
from handstamp.errors import BrowserGone, HandstampError
from handstamp.state import Cookie, Loss, PartId, PartKind, cookie_scope, cookies_to_send

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.state import Clock, Key, StorageState

_log = logging.getLogger(__name__)
_TAB = "webdriver"
_READ = """
return origin !== arguments[0] ? [null, null] : [() => localStorage, () => sessionStorage].map((open) => {
  try {
    const area = open();
    const keys = Array.from({length: Reflect.get(Storage.prototype, 'length', area)}, (_, i) => area.key(i));
    return keys.map((key) => [key, area.getItem(key)]);
  } catch { return null; }
});"""
_PUT = """
const [here, local, session] = arguments;
let put = 0;
if (origin !== here) return null;
for (const [open, items] of [[() => localStorage, local], [() => sessionStorage, session]])
  for (const [key, value] of items) try { if (open().getItem(key) === null) { open().setItem(key, value); put++; } } catch { }
return put;"""


class EagerDriver:
    """One driver, served the eager way. Its calls block; they belong where the caller uses the driver.

    Args:
        driver: a Selenium `WebDriver`.
        state: what to restore.
        clock: stamps changes.
        save: keeps changes; blocking.

    Attributes:
        losses: what could not be restored.
        failed: see `LiveContext`.
    """

    def __init__(self, driver: Any, state: StorageState, clock: Clock, save: Callable[[StorageState], None]) -> None:
        self.losses: list[Loss] = []
        self.failed: HandstampError | None = None
        self.mirror = Mirror(state, clock)
        self._driver = driver
        self._state = state
        self._save = save
        self._held: dict[PartId, set[Key]] = {}
        self._cookies: dict[Key, Cookie] = {}
        self._given: set[str] = set()

    def restore(self, url: str | None = None) -> None:
        """Give the open page what it lacks, and load it again if it lacked anything.

        Args:
            url: open this first; None for the page that is open.

        Raises:
            BrowserGone: the driver has ended.
        """
        try:
            if url is not None:
                self._driver.get(url)
            if self._give():
                self._driver.get(url) if url is not None else self._driver.refresh()
        except _webdriver_errors() as error:
            raise BrowserGone(f"the driver does not answer any more: {_first_line(error)}") from error
        self.look()

    def _give(self) -> bool:
        url = str(self._driver.current_url)
        origin = origin_of_url(url)
        if not origin.startswith(("http://", "https://")) or origin in self._given:
            return False
        given = [cookie for cookie in self._missing(url) if self._add(cookie)]
        tab = self._tab(origin)
        local = {key[0]: value for key, value in self.mirror.values(PartId(PartKind.LOCAL, origin)).items()}
        session = self.mirror.values(PartId(PartKind.SESSION, origin))
        in_tab = [(key[1], value) for key, value in session.items() if key[0] == tab]
        put = self._driver.execute_script(_PUT, origin, list(local.items()), in_tab)
        if put is not None:  # else the page has gone elsewhere by itself
            self._given.add(origin)
        return bool(given or put)

    def _tab(self, origin: str) -> str:
        """The saved tab that this window goes on with."""
        part = self._state.parts.get(PartId(PartKind.SESSION, origin))
        return next(iter(tabs_by_use(part.entries)), _TAB) if part else _TAB

    def _missing(self, url: str) -> list[Cookie]:
        """Saved cookies that a request for this page would carry, and the browser has not."""
        return cookies_to_send(cookies_to_give(self._state, self._jar(), since=None, now=time.time()), url, now=time.time())

    def _add(self, cookie: Cookie) -> bool:
        try:
            self._driver.add_cookie(to_webdriver(cookie))
        except _webdriver_errors():
            self.losses.append(Loss("cookie", f"{cookie.name} of {cookie.domain}", "the browser does not accept it"))
            _log.warning("not given back: the cookie %s of %s", cookie.name, cookie.domain)
            return False
        return True

    def look(self) -> None:
        """Look at what belongs to the page that is open, and save what has changed."""
        try:
            self._look()
        except _webdriver_errors() as error:
            _log.warning("the page that is open now was not looked at: %s", _first_line(error))
        self.save()

    def _look(self) -> None:
        url = str(self._driver.current_url)
        origin = origin_of_url(url)
        if not origin.startswith(("http://", "https://")):
            return
        jar = by_key(self._jar())
        local, session = self._driver.execute_script(_READ, origin)
        if origin_of_url(str(self._driver.current_url)) != origin:  # the page has gone elsewhere by itself, and its cookies are others
            return
        self._take_cookies(url, jar)
        if local is not None:
            self._take(PartId(PartKind.LOCAL, origin), {(key,): value for key, value in local})
        if session is not None:
            self._take(PartId(PartKind.SESSION, origin), {(self._tab(origin), key): value for key, value in session})

    def _take_cookies(self, url: str, seen: dict[Key, Cookie]) -> None:
        """Of cookies that were seen before and are not now, those are gone that this page would see."""
        now = time.time()
        for cookie in cookies_to_send(self._cookies.values(), url, now=now):
            if cookie.key not in seen:
                self.mirror.set(part_of(cookie), cookie.key, None)
                del self._cookies[cookie.key]
        for cookie in seen.values():
            self.mirror.set(part_of(cookie), cookie.key, cookie)
        self._cookies.update(seen)

    def _take(self, part_id: PartId, items: dict[Key, str]) -> None:
        """Only what was seen here before can be seen to be gone."""
        for key in self._held.get(part_id, set()) - items.keys():
            self.mirror.set(part_id, key, None)
        for key, value in items.items():
            self.mirror.set(part_id, key, value)
        self._held[part_id] = set(items)

    def _jar(self) -> list[Cookie]:
        known = by_key(self.mirror.state().cookies())
        return [from_webdriver(item, known) for item in self._driver.get_cookies()]

    def save(self) -> None:
        """See `LiveContext.save`."""
        if self.failed is not None or not self.mirror.dirty:
            return
        changes = self.mirror.take()
        try:
            self._save(changes)
        except HandstampError as error:
            self.mirror.give_back(changes)
            if error.code in FATAL:
                self.failed = error
            _log.warning("a change of the session is not saved: %s", error)


def part_of(cookie: Cookie) -> PartId:
    """The part that a cookie is in."""
    return PartId(PartKind.COOKIES, cookie_scope(cookie.domain))


def _webdriver_errors() -> tuple[type[Exception], ...]:
    from selenium.common.exceptions import WebDriverException  # noqa: PLC0415  (who has a driver has selenium)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    return (WebDriverException, HTTPError)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
