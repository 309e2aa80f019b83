"""A Chromium for one profile alone, on the directory that the vault keeps of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from handstamp.browser.chromium import Chromium
from handstamp.browser.find import find_browser, is_headless_shell
from handstamp.browser.foreign import default_context
from handstamp.browser.process import Launch
from handstamp.browser.profile.context import ProfileContext
from handstamp.errors import BrowserError, BrowserMissing, ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from handstamp.browser.cdp import Connection
    from handstamp.browser.engine import Engine
    from handstamp.browser.process import BrowserProcess
    from handstamp.browser.profile.keep import KeptDirectory
    from handstamp.state import Clock, PartId, StorageState

    Save = Callable[[StorageState], None]

T = TypeVar("T")
_log = logging.getLogger(__name__)
CLOSE_WITHIN = 15.0  # seconds that the browser gets to write its files
_LOOKS, _LOOK_AGAIN = 250, 0.02  # times, and seconds between them: until pages that were closed are gone
_CACHE = 64 << 20  # bytes: the HTTP cache lies in the directory, maybe in memory, and is not kept


class ProfileChromium(Chromium):
    """See `Chromium`. Drivers that ask for a context get its own, one after the other; it lives on between them.

    Attributes:
        holds: what the browser has of the mirrored state, see `holdings.py`.
        save: keeps changes for whoever brings no `save`: what a browser of this kind has seen must be in the vault, too.
        whole: whether all that was seen here has been saved, so that the directory may be stored.
    """

    def __init__(self, process: BrowserProcess, connection: Connection, clock: Clock) -> None:
        super().__init__(process, connection, clock)
        self.holds: Mapping[PartId, str] = {}
        self.save: Save | None = None
        self.version = ""
        self.whole = True
        self._stays: set[str] = set()

    async def end_in_order(self) -> bool:
        """Save what is open, and let the browser write its files and end; whether they may be stored. They stay until `remove`."""
        for context in list(self._watch.contexts):
            await self._before_dispose(context)
        await self._relay.close()
        self._connection.post("Browser.close")
        in_order = await self._process.exited(within=CLOSE_WITHIN)
        await self._connection.close()
        return in_order and self.whole

    async def remove(self) -> None:
        """Remove the directory of the browser that has ended."""
        await self._process.end()

    async def _begin(self) -> None:
        await super()._begin()
        self.version = (await self._connection.send("Browser.getVersion"))["product"].rpartition("/")[2]
        self._relay.lends = await default_context(self._connection.send)
        self._stays = {target["targetId"] for target in await self._pages()}  # a window that closes its last page takes the browser with it

    def _live(self, state: StorageState, save: Save | None) -> ProfileContext:
        return ProfileContext(self._connection, state, self._clock, save or self.save, helpers=self._helpers, holds=self.holds)

    async def _before_dispose(self, context: str) -> None:
        """The driver lets go of the context, which stays: its pages are closed, its news taken over."""
        live = self._watch.contexts.get(context)
        await super()._before_dispose(context)
        if isinstance(live, ProfileContext):
            self.holds = live.holds()
            self.whole &= live.saved
        if context == self._relay.lends:
            with contextlib.suppress(BrowserError):
                await self._close_pages()

    async def _close_pages(self) -> None:
        """Returns when they are gone, as a driver expects that it is after it has closed a context."""
        open_pages = {target["targetId"] for target in await self._pages()} - self._stays
        for target in open_pages:
            self._connection.post("Target.closeTarget", {"targetId": target})
        for _ in range(_LOOKS):
            if not open_pages & {target["targetId"] for target in await self._pages()}:
                return
            await asyncio.sleep(_LOOK_AGAIN)

    async def _pages(self) -> list[dict[str, str]]:
        targets = (await self._connection.send("Target.getTargets"))["targetInfos"]
        return [target for target in targets if target["type"] == "page" and target.get("browserContextId") == self._relay.lends]


def profile_launch(executable: str | Path | None = None, *, headless: bool = True, proxy: str | None = None) -> Launch:
    """How to start a browser for a whole profile: full Chromium rather than the headless shell, which lacks some of its parts.

    Args:
        executable: see `find_browser`.
        headless: without a window.
        proxy: server for all requests; user and password in it are left to Playwright, since everybody can read a command line.
    """
    try:
        found = find_browser(executable, headless=False)
    except BrowserMissing:
        if not headless:
            raise
        found = find_browser(executable, headless=True)
    if is_headless_shell(found):
        _log.debug("a whole profile is opened in %s: there is no other Chromium", found.name)
    arguments = (f"--disk-cache-size={_CACHE}", *((f"--proxy-server={_without_user(proxy)}",) if proxy else ()))
    return Launch(found, headless, arguments)


def _without_user(proxy: str) -> str:
    scheme, mark, rest = proxy.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


@asynccontextmanager
async def whole_profile(engine: Engine, launch: Launch, kept: KeptDirectory, save: Save) -> AsyncIterator[ProfileChromium]:
    """A browser on the kept directory, for one holder; at the end its directory is stored, if it ended well, and removed.

    Args:
        engine: on whose loop this runs.
        launch: how to start it.
        kept: the directory in the vault.
        save: keeps changes of the mirrored state.

    Raises:
        BrowserMissing, BrowserGone: it does not start.
        ConfigError: a later browser has written the directory.
        LeaseLost, Conflict, VaultFull: at the end, when the directory cannot be stored.
    """
    user_data = await _to_its_end(kept.unpack, undo=_discard)
    try:
        chromium = await ProfileChromium.start(launch, engine.clock, user_data)
    except BaseException:
        _discard(user_data)
        raise
    chromium.holds, chromium.save = kept.manifest.holds, save
    with engine.closes(chromium.close):
        try:
            _refuse_older(chromium, kept.manifest.browser)
            yield chromium
        finally:
            await _put_away(chromium, kept)


async def _put_away(chromium: ProfileChromium, kept: KeptDirectory) -> None:
    try:
        if await chromium.end_in_order():
            stored = await _to_its_end(partial(kept.store, chromium.user_data, holds=chromium.holds, browser=chromium.version))
            _log.debug("the browser's files: %s", stored)
        else:
            _log.warning("the browser did not end well, so its files of this session are not stored; cookies and storage are, as they were mirrored")
    finally:
        await chromium.remove()


async def _to_its_end(work: Callable[[], T], *, undo: Callable[[T], None] = lambda _result: None) -> T:
    """What `work` gives, done in a worker thread. A cancellation waits for it: files must not be removed while they are read.

    Args:
        work: blocking.
        undo: called with the result if nobody waits for it any more.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            undo(task.result())
        raise


def _discard(user_data: Path) -> None:
    shutil.rmtree(user_data, ignore_errors=True)


def _refuse_older(chromium: ProfileChromium, wrote: str) -> None:
    """An older browser takes databases of a newer one for broken, and clears them."""
    if _major(chromium.version) < _major(wrote):
        chromium.whole = False
        raise ConfigError(
            f"the browser's files of this profile were written by Chromium {wrote}, and this is {chromium.version}, which would damage them; "
            "name the later one in HANDSTAMP_BROWSER, or open with fidelity='state'"
        )


def _major(version: str) -> int:
    number = version.partition(".")[0]
    return int(number) if number.isdigit() else 0
