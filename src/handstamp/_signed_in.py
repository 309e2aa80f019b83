"""What both APIs' `signed_in` do: the part on the engine's loop. The faces bring only Playwright, each in its own way."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from handstamp.browser import Engine, Launch, find_browser
from handstamp.errors import ConfigError
from handstamp.home import settings
from handstamp.keeper import Given, Keeper, Saver
from handstamp.keeper.device import options_for
from handstamp.sites import find_site
from handstamp.state import Device
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from handstamp.browser import Chromium, LiveContext
    from handstamp.sites import Site
    from handstamp.state import Session, StorageState
    from handstamp.vault import Lease

_log = logging.getLogger(__name__)
_DEVICE_OPTIONS = {"user_agent": "user_agent", "locale": "language", "timezone_id": "timezone"}

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
    """What `signed_in` was asked for; its docstring says what each means."""

    site: str
    profile: str = "default"
    given: Given = Given()
    headless: bool = True
    vault: Vault | str | None = None
    browser: str | Path | None = None
    mode: Literal["exclusive", "shared"] = "exclusive"
    wait: float = 30.0
    fidelity: Literal["state", "profile"] = "state"
    device: Device | None = None
    context_options: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: names the argument and what it may be.
        """
        if self.mode not in {"exclusive", "shared"}:
            message = f"mode must be 'exclusive' or 'shared', not {self.mode!r}"
            raise ConfigError(message)
        if self.fidelity != "state":
            message = f"fidelity must be 'state', not {self.fidelity!r}; whole browser profiles are not kept yet"
            raise ConfigError(message)
        if self.browser is not None and not isinstance(self.browser, str) and not hasattr(self.browser, "__fspath__"):
            message = f"browser must be the path of a Chromium, not {type(self.browser).__name__}"
            raise ConfigError(message)


class Opening:
    """One session on its way into a browser: lease, login if need be, state and device. Used on the engine's loop.

    Attributes:
        chromium: the running browser.
        state: to restore.
        save: keeps changes.
        options: for Playwright's `new_context`.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.options: dict[str, Any] = {}
        self._vault = order.vault if isinstance(order.vault, Vault) else Vault(order.vault)
        self._own_vault = not isinstance(order.vault, Vault)
        self._site: Site = find_site(order.site)
        self._lease: Lease | None = None
        self._browser: AbstractAsyncContextManager[Chromium] | None = None
        self.chromium: Chromium
        self.state: StorageState
        self.save: Saver

    async def open(self) -> Opening:
        """Get the lease, make sure of the login, load the state, start the browser.

        Raises:
            LeaseHeld: another holds the profile and did not let go within `wait`.
            LoginRequired, LoginFailed, ChallengeUnsolved: see `Keeper.ensure`.
            BrowserMissing: no Chromium was found.
        """
        try:
            await self._open()
        except BaseException:
            await self._release()
            raise
        return self

    async def _open(self) -> None:
        order = self.order
        executable = order.browser or settings().browser
        launch = Launch(find_browser(executable, headless=order.headless), order.headless)
        if order.mode == "exclusive":
            self._lease = await asyncio.to_thread(self._vault.lease, order.profile, wait=order.wait)
        keeper = Keeper(engine(), self._vault, executable=str(executable) if executable else None)
        session = await keeper.ensure(self._site, order.profile, order.given, lease=self._lease)
        self.state = await asyncio.to_thread(self._vault.load, order.profile)
        self.save = Saver(self._vault, order.profile, self._site, lease=self._lease)
        self._browser = keeper.engine.browser(launch)
        self.chromium = await self._browser.__aenter__()
        self.options = self._context_options(session, self.chromium.nature)

    def _context_options(self, session: Session | None, nature: Device) -> dict[str, Any]:
        saved = session.device if session else Device()
        wanted = self.order.device or Device()
        given = dict(self.order.context_options or {})
        asked = wanted.filled(Device(**{name: given[option] for option, name in _DEVICE_OPTIONS.items() if option in given}))
        for name, (before, now) in saved.changes(asked).items():
            _log.warning("%s, profile '%s': the login was made with %s %s, now it is %s; a site may end the session for that",
                         self._site.name, self.order.profile, name, before, now)  # fmt: skip
        return {**options_for(wanted.filled(saved), nature), **given}

    async def close(self, live: LiveContext | None) -> None:
        """Let go of browser and lease, and note the use.

        Args:
            live: the context that was open, closed and saved by now; None when it came to none.

        Raises:
            LeaseLost, Conflict: what changed last could not be saved, because somebody else took or forgot the profile.
        """
        try:
            if live is not None:
                await asyncio.to_thread(self._note_use)
        finally:
            await self._release()
        if live is not None and live.failed is not None:
            raise live.failed

    def _note_use(self) -> None:
        now = datetime.now(UTC)
        if self._vault.session(self.order.profile, self._site.name) is not None:
            self._vault.update_session(self.order.profile, self._site.name, lambda session: replace(session, last_used=now))

    async def _release(self) -> None:
        if self._browser is not None:
            browser, self._browser = self._browser, None
            await browser.__aexit__(None, None, None)
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await asyncio.to_thread(lease.release)
        if self._own_vault:
            await asyncio.to_thread(self._vault.close)
