"""The sync API: ordinary calls and `with` blocks. `handstamp.async_api` has the same names for `async with` and `await`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from handstamp._signed_in import Opening, Order, engine
from handstamp.browser import SyncDrivers
from handstamp.errors import ConfigError
from handstamp.keeper import Given

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from handstamp.state import Device
    from handstamp.vault import Vault

__all__ = ["signed_in"]

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
    browser: str | Path | None = None,
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
        browser: path of the Chromium; by default see `handstamp.browser.find_browser`.
        mode: ``exclusive``: nobody else opens this profile exclusively meanwhile. ``shared``: any number at once, changes merged.
        wait: seconds to wait for another exclusive holder.
        fidelity: ``state`` is what there is.
        device: to appear as; by default the device of the login. A change is logged as a warning.
        context_options: further options of Playwright's `Browser.new_context`.

    Raises:
        LoginRequired: nobody but a person can log in; the message says by which command.
        LoginFailed: the site refused the login; it was tried once.
        LeaseHeld: another holds the profile; the message names it.
        SiteUnknown, ConfigError: names the argument.
        BrowserMissing: says how to get one.
    """
    order = Order(site, profile, Given(username, password), headless, vault, browser, mode, wait, fidelity, device, context_options)
    drivers = _drivers()
    opening = engine().run(_open(order))
    live = None
    try:
        with drivers.context(opening.chromium, opening.state, opening.save, opening.options) as (context, live):
            yield context
    finally:
        engine().run(opening.close(live))


async def _open(order: Order) -> Opening:
    opening = await asyncio.to_thread(Opening, order)
    return await opening.open()


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
        "use `async with signed_in(…)` of handstamp.async_api, or open the session outside of your own sync_playwright() block"
    )
    raise ConfigError(message)
