"""What both APIs' `signed_in` and `attach` do: the part on the engine's loop. The faces bring only Playwright, each in its own way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from handstamp._target import Kind, target_of
from handstamp.browser import Engine, LiveContext, find_browser, is_endpoint
from handstamp.browser.activity import with_activity
from handstamp.browser.profile import KeptDirectory, profile_launch, whole_profile
from handstamp.errors import ConfigError
from handstamp.home import home, settings
from handstamp.keeper import Given, Keeper, Saver, launch_for
from handstamp.keeper.device import options_for
from handstamp.keeper.follow import Follower
from handstamp.sites import find_site
from handstamp.state import Device
from handstamp.vault import Lease, Vault, awaited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from handstamp.browser import Chromium, EagerContext, EagerDriver, Launch
    from handstamp.sites import Site
    from handstamp.state import Activity, Loss, Session, StorageState

_log = logging.getLogger(__name__)
_DEVICE_OPTIONS = {"user_agent": "user_agent", "locale": "language", "timezone_id": "timezone"}

_MOST_LOSSES = 100  # that a session remembers
_NOTE_EVERY = 30.0  # seconds between two notes of what was done in a session that is open

_engine_lock = threading.Lock()
_engine: Engine | None = None


def engine() -> Engine:
    """This process's engine, started with the first call; a new one in a forked child."""
    global _engine  # noqa: PLW0603  (one thread and one set of browsers for a process, whoever opens sessions in it)
    with _engine_lock:
        if _engine is None or not _engine.usable:
            _engine = Engine()
        return _engine


@dataclass(frozen=True, slots=True)
class Order:
    """What `signed_in` was asked for; its docstring says what each means. Without a site (`attach`) nobody checks or logs in.

    Args:
        apart: see `Launch`; a pool that keeps its sessions apart says it.
        checked: whoever orders has just made sure of the login.
    """

    site: str | None
    profile: str = "default"
    given: Given = Given()
    headless: bool = True
    vault: Vault | str | None = None
    browser: Any = None
    mode: Literal["exclusive", "shared"] = "exclusive"
    wait: float = 30.0
    fidelity: Literal["state", "profile"] = "state"
    device: Device | None = None
    context_options: Mapping[str, Any] | None = field(default=None, repr=False)
    apart: str = ""
    checked: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: names the argument and what it may be.
        """
        if self.mode not in {"exclusive", "shared"}:
            message = f"mode must be 'exclusive' or 'shared', not {self.mode!r}"
            raise ConfigError(message)
        if self.fidelity not in {"state", "profile"}:
            message = f"fidelity must be 'state' or 'profile', not {self.fidelity!r}"
            raise ConfigError(message)
        if self.fidelity == "profile" and self.mode == "shared":
            message = (
                "fidelity='profile' goes with mode='exclusive' only: the files of two browsers cannot be merged, so one at a time has them; "
                "use fidelity='state' beside others"
            )
            raise ConfigError(message)
        if self.fidelity == "profile" and self.foreign:
            message = "fidelity='profile' starts a browser on files of its own, and this one runs already; give browser= a program, or use fidelity='state'"
            raise ConfigError(message)
        if self.foreign and target_of(self.browser).kind not in {Kind.BROWSER, Kind.ENDPOINT}:
            message = (
                f"browser must be the path or URL of a Chromium or a Playwright Browser; {target_of(self.browser).kind.value} is for handstamp's attach(…)"
            )
            raise ConfigError(message)

    @property
    def foreign(self) -> bool:
        """Whether the browser is one that somebody else started, not a program for us to start."""
        if isinstance(self.browser, str):
            return is_endpoint(self.browser)
        return self.browser is not None and not hasattr(self.browser, "__fspath__")


async def begun(order: Order) -> Opening:
    """The opening of an order; nothing is held by it yet. On the engine's loop."""
    return await asyncio.to_thread(Opening, order)


class Opening:
    """One session on its way into a browser: lease, login if need be, state and device. Used on the engine's loop.

    Whoever has one closes it, however far it has come: that is what releases lease, browser and vault.

    Attributes:
        vault: where the session is.
        lease: the exclusive open lease; None when the order wants none.
        chromium: the running browser of ours.
        state: to restore.
        options: for Playwright's `new_context`.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.options: dict[str, Any] = {}
        self.vault = order.vault if isinstance(order.vault, Vault) else Vault(order.vault)
        self._own_vault = not isinstance(order.vault, Vault)
        self._site: Site | None = find_site(order.site, home=home()) if order.site is not None else None
        self._session: Session | None = None
        self.lease: Lease | None = None
        self._browser: AbstractAsyncContextManager[Chromium] | None = None
        self._kept: KeptDirectory | None = None
        self.chromium: Chromium
        self.state: StorageState
        self._live: LiveContext | EagerContext | EagerDriver | None = None
        self._follower: Follower | None = None
        self._saver: Saver
        self._noted: tuple[Loss, ...] = ()
        self._noted_at = time.monotonic()
        self._done_until: datetime | None = None
        self._turn = asyncio.Lock()  # what is cancelled comes to its end before it is closed

    @property
    def live(self) -> LiveContext | EagerContext | EagerDriver | None:
        """The context that is open; once it is set it hears of what others save, and they of what it changes."""
        return self._live

    @live.setter
    def live(self, live: LiveContext | EagerContext | EagerDriver | None) -> None:
        self._live = live
        if isinstance(live, LiveContext):
            self._follower = Follower(engine(), self.vault, self.order.profile, live, domains=self._site.domains if self._site else ())

    @property
    def lost(self) -> str | None:
        """Why what changes here is not kept any more; None while it is."""
        if self.lease is not None and self.lease.lost is not None:
            return self.lease.lost
        return str(self._live.failed) if self._live is not None and self._live.failed is not None else None

    @property
    def start_url(self) -> str | None:
        """Where the site begins."""
        return self._site.base_url if self._site is not None else None

    async def open(self) -> None:
        """Get the lease, make sure of the login, load the state, start a browser of ours.

        Raises:
            LeaseHeld: another holds the profile and did not let go within `wait`.
            LoginRequired, LoginFailed, ChallengeUnsolved: see `Keeper.ensure`.
            BrowserMissing: no Chromium was found.
        """
        async with self._turn:
            if self.order.fidelity == "profile":
                launch = profile_launch(self._named(), headless=self.order.headless, proxy=await asyncio.to_thread(self._proxy))
                await self._hold()
                await self._start(self._whole_profile(launch, await asyncio.to_thread(self._sites)))
                await self._make_ready(self.chromium)
            else:
                launch = launch_for(self._site, self.order.browser, headless=self.order.headless, apart=self.order.apart)
                await self._hold()
                await self._make_ready()
                await self._start(engine().browser(launch))
            self.options = self.context_options(self.chromium.nature)
            await self._check_timezone(self.options.get("timezone_id"))

    def _named(self) -> Path | None:
        """The program that somebody has named; None to look for one."""
        setting = settings().browser
        return find_browser(self.order.browser, setting=setting) if self.order.browser or setting else None

    async def _start(self, browser: AbstractAsyncContextManager[Chromium]) -> None:
        self.chromium = await browser.__aenter__()
        self._browser = browser

    def _whole_profile(self, launch: Launch, sites: list[Site]) -> AbstractAsyncContextManager[Chromium]:
        if self.lease is None:
            raise RuntimeError("a whole profile is opened under the exclusive lease")
        self._kept = KeptDirectory(self.vault, self.order.profile, engine().clock, lease=self.lease)
        return whole_profile(engine(), launch, self._kept, Saver(self.vault, self.order.profile, *sites, lease=self.lease))

    def _proxy(self) -> str | None:
        """Through which a browser of its own must be started; a context of its own could be told later."""
        if proxy := (self.order.context_options or {}).get("proxy"):
            return str(proxy["server"])
        session = self.vault.session(self.order.profile, self._site.name) if self._site is not None else None
        return (self.order.device or Device()).filled(session.device if session else Device()).proxy

    async def _check_timezone(self, name: str | None) -> None:
        if name is not None and not await self.chromium.knows_timezone(name):
            message = f"the browser does not know the time zone {name!r} (context_options, or the device); give one as 'Europe/Zurich'"
            raise ConfigError(message)

    async def hold(self) -> None:
        """Get the lease, if the order wants one."""
        async with self._turn:
            await self._hold()

    async def _hold(self) -> None:
        if self.order.mode == "exclusive":
            self.lease = await awaited(lambda given_up: self.vault.lease(self.order.profile, wait=self.order.wait, given_up=given_up))

    async def make_ready(self) -> None:
        """Make sure of the login, and load the state."""
        async with self._turn:
            await self._make_ready()

    async def _make_ready(self, chromium: Chromium | None = None) -> None:
        """With a browser: log in there, since the session lives in a browser of its own, and a key that is made there cannot be brought in."""
        if self._site is not None and self.order.checked:
            self._session = await asyncio.to_thread(self.vault.session, self.order.profile, self._site.name)
        elif self._site is not None:
            executable = None if self.order.foreign else self.order.browser
            keeper = Keeper(engine(), self.vault, executable=str(executable) if executable else None, chromium=chromium)
            self._session = await keeper.ensure(self._site, self.order.profile, self.order.given, lease=self.lease)
        await self.load()

    async def load(self) -> None:
        """Load the state as it is saved now."""
        self.state = await asyncio.to_thread(self.vault.load, self.order.profile)
        self._saver = Saver(self.vault, self.order.profile, *await asyncio.to_thread(self._sites), lease=self.lease)

    def save(self, changes: StorageState) -> None:
        """Keep changes, and with them what was found since that cannot be kept. Blocking."""
        self._saver(changes)
        losses = self._losses()
        if losses != self._noted or time.monotonic() >= self._noted_at + _NOTE_EVERY:
            self._note_use(losses)
            self._noted = losses

    def _sites(self) -> list[Site]:
        """Whose logins the state carries, as far as we know."""
        if self._site is not None:
            return [self._site]
        sites = []
        for session in self.vault.sessions(self.order.profile):
            with contextlib.suppress(ConfigError):  # its recipe is not here, or wrong
                sites.append(find_site(session.site, home=home()))
        return sites

    def context_options(self, nature: Device) -> dict[str, Any]:
        """Options of Playwright's `new_context`, by which the site sees the device of the login.

        Args:
            nature: what the browser is by itself; what is not known of it is left as it is.
        """
        saved = self._session.device if self._session else Device()
        if self.order.foreign:
            saved = replace(saved, **{name: None for name in _DEVICE_OPTIONS.values() if getattr(nature, name) is None})
        wanted = self.order.device or Device()
        given = dict(self.order.context_options or {})
        asked = wanted.filled(Device(**{name: given[option] for option, name in _DEVICE_OPTIONS.items() if option in given}))
        for name, (before, now) in saved.changes(asked).items():
            _log.warning("%s, profile '%s': the login was made with %s %s, now it is %s; a site may end the session for that",
                         self.order.site, self.order.profile, name, before, now)  # fmt: skip
        here = {"base_url": self._site.base_url} if self._site else {}
        return {**here, **options_for(wanted.filled(saved), nature), **given}

    async def close(self) -> None:
        """Let go of browser and lease, and note the use. What was open is closed and saved by now.

        Raises:
            LeaseLost, Conflict: what changed last could not be saved, because somebody else took or forgot the profile.
        """
        async with self._turn:
            try:
                if self._follower is not None:
                    await self._follower.stop()
                await self._end_browser()
            finally:
                try:
                    if self.live is not None:
                        await asyncio.to_thread(self._note_use, self._losses())
                finally:
                    await self._release()
        if self.live is not None and self.live.failed is not None:
            raise self.live.failed

    def _losses(self) -> tuple[Loss, ...]:
        return (*(self.live.losses if self.live is not None else ()), *(self._kept.losses if self._kept is not None else ()))

    def _note_use(self, losses: Sequence[Loss]) -> None:
        """When it was used, what was done in it, and what of it could not be kept: found now, or found before and not looked at since."""
        now = datetime.now(UTC)
        done = self.live.activity.latest(self._done_until) if isinstance(self.live, LiveContext) else ()

        def change(session: Session) -> Session:
            session = with_activity(session, done, most=settings().activity)
            lost = tuple(dict.fromkeys([*losses, *session.losses]))[:_MOST_LOSSES]
            return replace(session, last_used=now, first_used=session.first_used or now, losses=lost)

        if self._site is not None and self.vault.session(self.order.profile, self._site.name) is not None:
            self.vault.update_session(self.order.profile, self._site.name, change)
        elif self._site is None:
            self._note_visits(done, now)
        self._noted_at = time.monotonic()
        self._done_until = done[-1].at if done else self._done_until

    def _note_visits(self, done: Sequence[Activity], now: datetime) -> None:
        """What was done in a browser that has no site of its own, with the sessions of the sites where it was done."""
        for site in self._sites() if done else ():
            there = [one for one in done if site.covers(one.url)]
            if there:
                self.vault.update_session(self.order.profile, site.name, partial(_visited, done=there, now=now))

    async def _release(self) -> None:
        try:
            if self.lease is not None:
                lease, self.lease = self.lease, None
                await asyncio.to_thread(lease.release)
        finally:
            if self._own_vault:
                await asyncio.to_thread(self.vault.close)

    async def _end_browser(self) -> None:
        if self._browser is not None:
            browser, self._browser = self._browser, None
            await browser.__aexit__(None, None, None)


def _visited(session: Session, *, done: Sequence[Activity], now: datetime) -> Session:
    return replace(with_activity(session, done, most=settings().activity), last_used=now, first_used=session.first_used or now)
