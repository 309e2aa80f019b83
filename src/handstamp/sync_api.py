"""The sync API: ordinary calls and `with` blocks. `handstamp.async_api` has the same names for `async with` and `await`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from handstamp._attach import Visit, visit
from handstamp._signed_in import Order, begun, engine
from handstamp.browser import SyncDrivers, at_once
from handstamp.errors import ConfigError
from handstamp.keeper import Given
from handstamp.managers.persistent import PersistentSession
from handstamp.managers.recorder import BrowserSession
from handstamp.managers.sync_login import BrowserManager, LoginManager
from handstamp.managers.sync_profile import ProfileManager, get_profile_manager
from handstamp.managers.sync_session import SessionManager
from handstamp.managers.values import LockInfo, Profile, ProfileManagerConfig, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext
    from selenium.webdriver.remote.webdriver import WebDriver

    from handstamp.state import Device, Loss
    from handstamp.vault import Vault

__all__ = [
    "Attached",
    "BrowserManager",
    "BrowserSession",
    "LockInfo",
    "LoginManager",
    "PersistentSession",
    "Profile",
    "ProfileManager",
    "ProfileManagerConfig",
    "SessionManager",
    "SessionState",
    "attach",
    "get_profile_manager",
    "signed_in",
]

_threads = threading.local()


@contextmanager
def signed_in(
    site: str,
    *,
    profile: str = "default",
    username: str | None = None,
    password: str | None = None,
    headless: bool = True,
    vault: Vault | str | None = None,
    browser: str | Path | Browser | None = None,
    mode: Literal["exclusive", "shared"] = "exclusive",
    wait: float = 30.0,
    fidelity: Literal["state", "profile"] = "state",
    device: Device | None = None,
    context_options: Mapping[str, Any] | None = None,
) -> Iterator[BrowserContext]:
    """The session of a site in a Playwright `BrowserContext`, already logged in.

    Restores everything that is saved in the profile. If the site's session has ended, or there is none, logs in by the site's
    recipe, once, whoever else asks at the same time. While the context is open every change of its state is mirrored, and
    saved within seconds; at the end the rest is saved and the context closed.

    Args:
        site: name of a known site, or a URL; for a URL without a recipe only a login by hand can begin a session.
        profile: the jar of state; one user per site in it.
        username: whose session it must be; by default the saved one's, or the environment's for a login.
        password: for a login; by default from ``HANDSTAMP_<SITE>_PASSWORD`` or the vault.
        headless: False opens a window.
        vault: a `Vault` or its URL; by default that of the settings.
        browser: path of the Chromium, by default see `handstamp.browser.find_browser`; or one that runs: the URL of its debugging
            port, or a Playwright `Browser` of this API, in which the context is made (docs/how-to/attach.md).
        mode: ``exclusive``: nobody else opens this profile exclusively meanwhile. ``shared``: any number at once, changes merged.
        wait: seconds to wait for another exclusive holder.
        fidelity: ``state`` restores what can be read of a session, into any context. ``profile`` starts a browser of its own on the
            files that it left the last time, so that keys which no script can export, caches and service workers are there, too
            (docs/decisions/whole-profile.md). Exclusive only; a login is then made in that browser.
        device: to appear as; by default the device of the login. A change is logged as a warning.
        context_options: further options of Playwright's `Browser.new_context`; `base_url` is the site's, so that ``page.goto("/path")`` works.

    Raises:
        LoginRequired: nobody but a person can log in; the message says by which command.
        LoginFailed: the site refused the login; it was tried once.
        LeaseHeld: another holds the profile; the message names it.
        SiteUnknown, ConfigError: names the argument.
        BrowserMissing: says how to get one.
    """
    order = Order(site, profile, Given(username, password), headless, vault, browser, mode, wait, fidelity, device, context_options)
    if order.foreign:
        with _visited(visit(_Caller(), order.browser, order), Visit.sign_in) as there:
            yield there.context
        return
    drivers = _drivers()
    running = engine()  # in a forked child another one, which has none of this open
    opening = running.run(begun(order))
    try:
        running.run(opening.open())
        with drivers.context(opening.chromium, opening.state, opening.save, opening.options) as (context, opening.live):
            yield context
    finally:
        running.run(opening.close())


@contextmanager
def attach(target: str | Browser | BrowserContext | WebDriver, *, profile: str, site: str | None = None) -> Iterator[Attached]:
    """A session in a browser that somebody else started: restored into it, mirrored and saved while you are there.

    Restores everything that is saved in the profile into the browser's own context, and saves what the browser knows better.
    Leaving saves, and lets go: browser, context and pages stay open. One program at a time holds the profile this way.

    Args:
        target: the URL of a Chromium's debugging port (``http://127.0.0.1:9222``, ``ws://…``), a Playwright `Browser` or
            `BrowserContext` of this API, or a Selenium driver. What each of them allows is in docs/how-to/attach.md.
        profile: the jar of state.
        site: name or URL of a site whose session is to be alive before it is brought in: checked, and logged in if need be, as
            `signed_in` does. None brings in the profile as it is.

    Yields:
        An object with `.context` (a Playwright `BrowserContext`) or `.driver`, `.losses`, and `.save()`.

    Raises:
        ConfigError: `target` is no browser; says what to give instead.
        BrowserGone: nothing listens at the URL, or the browser has ended.
        LeaseHeld: another holds the profile, and did not let go within 30 seconds.
        LoginRequired, LoginFailed, SiteUnknown: see `signed_in`.
    """
    with _visited(visit(_Caller(), target, Order(site, profile)), Visit.attach) as there:
        yield Attached(there)


class Attached:
    """A browser of yours that holds a session now.

    Attributes:
        context: the Playwright context; None with a Selenium driver.
        driver: the Selenium driver; None with Playwright.
    """

    def __init__(self, there: Visit) -> None:
        self._there = there
        self.context: BrowserContext = there.context
        self.driver: WebDriver = there.driver

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be brought into the browser."""
        return self._there.losses

    def save(self) -> None:
        """Look at the browser now and save what has changed; with a Firefox of Selenium, give the open page what it lacks, too."""
        at_once(self._there.save())


@contextmanager
def _visited(there: Visit, come: Callable[[Visit], Coroutine[Any, Any, None]]) -> Iterator[Visit]:
    at_once(come(there))
    try:
        yield there
    finally:
        at_once(there.leave())


class _Caller:
    """See `handstamp._attach.Caller`."""

    waits = False

    def on_engine(self, work: Coroutine[Any, Any, Any]) -> Any:
        return engine().run(work)

    def blocking(self, call: Callable[[], None]) -> None:
        call()

    def playwright_at(self, url: str) -> tuple[Browser, Callable[[], Any]]:
        manager = _drivers().connected(url)
        return manager.__enter__(), lambda: manager.__exit__(None, None, None)


def _drivers() -> SyncDrivers:
    """This thread's Playwright.

    Raises:
        ConfigError: an event loop runs in this thread, so that the sync API cannot be used in it.
    """
    drivers: SyncDrivers | None = getattr(_threads, "drivers", None)
    if drivers is not None and drivers.running and drivers.belongs_to(engine()):
        return drivers
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _threads.drivers = drivers = SyncDrivers(engine())
        return drivers
    message = (
        "an event loop runs in this thread (Jupyter, asyncio, or a sync_playwright() of your own), so the sync API cannot run in it; "
        "use handstamp.async_api, or within your own sync_playwright() give its browser: signed_in(…, browser=browser), attach(browser, …)"
    )
    raise ConfigError(message)
