"""Sessions of browser contexts under names of the program's own, in a directory with a vault of its own."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.browser import EagerContext, now
from handstamp.browser.playwright_errors import playwright_error
from handstamp.home import home
from handstamp.managers.caller import Caller, Waiting, checked
from handstamp.managers.keeping import Keeping
from handstamp.managers.persistent import PersistentSession, device_in, facts, with_state
from handstamp.managers.records import Records
from handstamp.state import Clock, StorageState
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.managers.recorder import BrowserSession

_log = logging.getLogger(__name__)


class SessionManager:
    """Saves and restores sessions of browser contexts.

    From the first save or restore on, a session is saved by itself: after each navigation, form and download its record, and what
    has changed in the context. What is not in the vault yet is read from memory. A session that was not used for
    `inactivity_seconds` has expired: its record goes into the archive when expired ones are cleaned up, at the first call and then
    every `cleanup_seconds`, also while nobody calls; the login's storage state stays in its profile.

    Args:
        storage_path: directory of a vault of its own, made when missing; by default ``sessions`` in handstamp's home.
        inactivity_seconds: see above.
        cleanup_seconds: see above.
    """

    _caller: Caller = Waiting()

    def __init__(self, storage_path: str | Path | None = None, *, inactivity_seconds: float = 1800, cleanup_seconds: float = 3600) -> None:
        path = Path(storage_path) if storage_path is not None else home() / "sessions"
        self.vault = Vault(f"sqlite:///{path.absolute() / 'vault.db'}", home=path.absolute())
        self._records = Records(self.vault, timedelta(seconds=inactivity_seconds), cleanup_seconds)
        self._clock = Clock(secrets.token_hex(6))

    async def save_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        """Whether everything that the context holds is saved now; False, too, when it is closed.

        Args:
            session_id: the caller's name of the session; made or replaced. What happens from now on is saved under it.
            browser_session: open.
        """
        checked(self._caller, browser_session.context)
        await self._run(self._records.tidy)
        if not await _is_open(browser_session.context):
            _log.warning("session '%s' is not saved: its context is closed", session_id)
            return False
        keeping, epoch = browser_session.keeping, await self._run(partial(self.vault.epoch, browser_session.profile_name))
        if keeping is not None and keeping.serves(self._records, epoch):
            await keeping.look()
        else:
            keeping = await self._kept(browser_session, await self._record(session_id), gives=False)
        await self._run(partial(self._records.save, await keeping.named(session_id)))
        return keeping.is_saved

    async def load_session(self, session_id: str) -> PersistentSession | None:
        """The session with its state; None when there is none, or it has expired."""
        await self._run(self._records.tidy)
        record = await self._record(session_id)
        if record is None or self._records.expired(record):
            return None
        return with_state(record, await self._run(partial(self.vault.load, record.profile_name)))

    async def restore_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        """Bring a saved session into a context; False when there is none, or it has expired.

        Args:
            session_id: the caller's name of the session. What happens from now on is saved under it.
            browser_session: open; it takes over the session's profile, and goes on with what was noted.
        """
        checked(self._caller, browser_session.context)
        await self._run(self._records.tidy)
        record = await self._record(session_id)
        if record is None or self._records.expired(record):
            return False
        browser_session.profile_name = record.profile_name
        if browser_session.keeping is None or session_id not in browser_session.keeping.names:
            browser_session.go_on(record.start_time, record.pages_visited, record.navigation_history, record.actions_performed)
        keeping = await self._kept(browser_session, record, gives=True)
        await self._run(partial(self._records.save, await keeping.named(session_id)))
        return True

    async def delete_session(self, session_id: str) -> bool:
        """Whether there was such a session. Its storage state goes, too, unless another session is in the same profile."""
        record = await self._record(session_id)
        if record is None:
            return False
        await self._run(partial(self._records.delete, session_id))
        if record.profile_name not in {one.profile_name for one in await self._run(self._records.all)}:
            await self._run(partial(self.vault.forget, record.profile_name))
        return True

    async def cleanup_expired_sessions(self) -> int:
        """How many expired sessions went into the archive; their storage state stays."""
        archived: int = await self._run(self._records.archive)
        return archived

    async def get_session_info(self, session_id: str) -> dict[str, Any] | None:
        """What is noted of a session, with `is_active` (it has not expired), without its state; None when there is none."""
        record = await self._record(session_id)
        return None if record is None else self._info(record)

    async def list_sessions(self) -> list[dict[str, Any]]:
        """The same of all sessions, by id."""
        await self._run(self._records.tidy)
        return [self._info(record) for record in await self._run(self._records.all)]

    # -- what they stand on -------------------------------------------------------------------------------------

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await now(self._caller.blocking(call))

    async def _record(self, session_id: str) -> PersistentSession | None:
        record: PersistentSession | None = await self._run(partial(self._records.get, session_id))
        return record

    def _info(self, record: PersistentSession) -> dict[str, Any]:
        return facts(record) | {"is_active": not self._records.expired(record)}

    async def _kept(self, browser_session: BrowserSession, known: PersistentSession | None, *, gives: bool) -> Keeping:
        """What keeps the session from now on; it does not change the context itself unless it `gives`."""
        if browser_session.keeping is not None:
            await browser_session.keeping.end()
        waits = self._caller.name == "async"
        context = await self._looked_at(browser_session, gives=gives, waits=waits)
        browser_session.keeping = Keeping(browser_session, context, self._records, device_in(known), waits=waits)
        return browser_session.keeping

    async def _looked_at(self, browser_session: BrowserSession, *, gives: bool, waits: bool) -> EagerContext:
        profile = browser_session.profile_name
        state: StorageState = await self._run(partial(self.vault.load, profile))
        for part in state.parts.values():  # what is in the context now is later than all that is saved
            for entry in part.entries.values():
                self._clock.observe(entry.stamp)

        def save(changes: StorageState) -> None:
            self.vault.save(profile, changes)

        given = state if gives else StorageState(epoch=state.epoch)
        context = EagerContext(browser_session.context, given, self._clock, save, self._caller.blocking, waits=waits)
        await context.restore()
        return context


async def _is_open(context: Any) -> bool:
    try:
        await now(context.cookies())
    except playwright_error():
        return False
    return True
