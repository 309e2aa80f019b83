"""A Chromium of ours: its process, the relay for its drivers, and the watch over its pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any, Self

from handstamp.browser.cdp import Connection, PipeTransport
from handstamp.browser.helper import HelperPages
from handstamp.browser.live import LiveContext
from handstamp.browser.process import BrowserProcess
from handstamp.browser.relay import Relay
from handstamp.browser.watch import Watch
from handstamp.errors import BrowserError, BrowserGone
from handstamp.state import Device

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from handstamp.browser.cdp import Message
    from handstamp.browser.process import Launch
    from handstamp.browser.relay import Driver, Expected
    from handstamp.state import Clock, StorageState

_KNOWS_TIMEZONE = "(() => { try { new Intl.DateTimeFormat('en', {timeZone: %s}); return 'yes'; } catch { return 'no'; } })()"
_NATURE = "JSON.stringify([navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone])"


class Chromium:
    """One running browser of ours. All calls belong on the engine's loop.

    Attributes:
        nature: the device that it is by itself: user agent, language, time zone.
    """

    def __init__(self, process: BrowserProcess, connection: Connection, clock: Clock) -> None:
        self.nature = Device()
        self._process = process
        self._connection = connection
        self._clock = clock
        self._watch = Watch(connection)
        self._helpers = HelperPages(connection, self._pass_on)
        self._relay = Relay(
            connection,
            before_dispose=self._before_dispose,
            hides=self._helpers.hides,
            navigates=self._watch.driven,
            before_jar=self._before_jar,
            makes=self._helpers.made_by_driver,
        )
        connection.on_lost = self._relay.take_pages

    @classmethod
    async def start(cls, launch: Launch, clock: Clock, user_data: Path | None = None) -> Self:
        """Start a browser, and wait until it answers.

        Args:
            launch: how.
            clock: stamps changes.
            user_data: see `BrowserProcess.start`.

        Raises:
            BrowserMissing: the program does not start.
            BrowserGone: it ended at once (often: no sandbox for this user, or no display for a window).
        """
        process = BrowserProcess.start(launch, user_data)
        connection = Connection(PipeTransport(process.reads, process.writes))
        browser = cls(process, connection, clock)
        connection.on_event = browser._hear
        await connection.start()
        try:
            await browser._begin()
        except BrowserGone as error:
            await browser.close()
            raise BrowserGone(_did_not_start(launch)) from error
        except BaseException:  # Ctrl-C while it starts: neither process nor directory stays behind
            await browser.close()
            raise
        return browser

    @property
    def alive(self) -> bool:
        """Whether the browser still answers."""
        return not self._connection.closed.is_set()

    async def answers(self, seconds: float) -> bool:
        """Whether it answers within so many seconds; one that hangs does not, and is alive all the same. On the engine's loop."""
        try:
            await self._connection.send("Browser.getVersion", timeout=seconds)
        except BrowserError:
            return False
        return True

    def kill(self) -> None:
        """End it and its helpers as a crash does; whoever uses it hears that it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Process id of the browser; its helpers are in the process group of the same number."""
        return self._process.pid

    @property
    def user_data(self) -> Path:
        """Its user-data directory."""
        return self._process.user_data

    def driver(self) -> tuple[Driver, str]:
        """A way in for one driver, and its secret URL."""
        return self._relay.driver()

    def retire(self, driver: Driver) -> None:
        """Let nobody in by this way any more."""
        self._relay.retire(driver)

    def expect(self, driver: Driver, expected: Expected, state: StorageState, save: Callable[[StorageState], None] | None) -> LiveContext:
        """The next context that this driver makes is to hold `state`.

        Args:
            driver: who will call `Target.createBrowserContext`; it must not make two at once.
            expected: a new one; by it the context can be withdrawn.
            state: what to restore.
            save: see `LiveContext`.
        """
        live = self._live(state, save)

        async def made(context: str) -> None:
            self._watch.contexts[context] = live
            await live.fill(context)

        expected.made = made
        if not expected.withdrawn:
            driver.expected = expected
        return live

    def withdraw(self, driver: Driver, expected: Expected) -> None:
        """See `Relay.withdraw`."""
        self._relay.withdraw(driver, expected)

    def _live(self, state: StorageState, save: Callable[[StorageState], None] | None) -> LiveContext:
        return LiveContext(self._connection, state, self._clock, save, helpers=self._helpers)

    async def close(self) -> None:
        """Save what is open, end the browser and remove its directory."""
        await asyncio.gather(*(live.end() for live in self._watch.contexts.values()))
        await self._relay.close()
        await self._connection.close()
        await self._process.end()

    # -- targets ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._relay.start()
        version = await self._connection.send("Browser.getVersion")
        await self._watch.start()
        language, timezone = await self._ask_nature()
        self.nature = Device(user_agent=version["userAgent"], language=language, timezone=timezone)

    async def _ask_nature(self) -> tuple[str | None, str | None]:
        """What the browser is by itself, asked of the empty page that it opened with."""
        told = await self._ask_empty_page(_NATURE)
        if told is None:
            return None, None
        language, timezone = json.loads(told)
        return language, timezone

    async def knows_timezone(self, name: str) -> bool:
        """Whether the browser can show its pages this time zone. Playwright finds out with the first page only."""
        return await self._ask_empty_page(_KNOWS_TIMEZONE % json.dumps(name)) != "no"

    async def _ask_empty_page(self, expression: str) -> str | None:
        targets = (await self._connection.send("Target.getTargets"))["targetInfos"]
        page = next((target for target in targets if target["type"] == "page" and target["url"] == "about:blank"), None)
        if page is None:
            return None
        self._watch.looked_at.add(page["targetId"])
        session = (await self._connection.send("Target.attachToTarget", {"targetId": page["targetId"], "flatten": True}))["sessionId"]
        answer = await self._connection.send("Runtime.evaluate", {"expression": expression, "returnByValue": True}, session=session)
        self._watch.looked_at.discard(page["targetId"])
        self._connection.post("Target.detachFromTarget", {"sessionId": session})
        return str(answer["result"]["value"])

    def _hear(self, message: Message) -> None:
        if not self._helpers.screen(message):
            self._pass_on(message)

    def _pass_on(self, message: Message) -> None:
        if not self._relay.take(message):
            self._watch.hear(message)

    def _before_jar(self, context: str) -> Awaitable[Any] | None:
        live = self._watch.contexts.get(context)
        return live.when_filled() if live else None

    async def _before_dispose(self, context: str) -> None:
        live = self._watch.contexts.pop(context, None)
        if live is not None:
            await live.end()


def _did_not_start(launch: Launch) -> str:
    window = "" if launch.headless else " (a window needs a display: is DISPLAY set?)"
    return (
        f"{launch.executable} ended before it answered{window}; start it once by hand to see why. A user other than root needs Chromium's sandbox: "
        "enable unprivileged user namespaces, or install Debian's chromium-sandbox"
    )
