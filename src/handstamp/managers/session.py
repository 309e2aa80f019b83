"""Sessions of browser contexts under names of the program's own, in a directory with a vault of its own."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.browser import EagerContext, now
from handstamp.home import home
from handstamp.keeper.keeper import device_of
from handstamp.managers.caller import Caller, Waiting, checked
from handstamp.state import Clock, Device, PartKind, StorageState
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.managers.recorder import BrowserSession
    from handstamp.state import Cookie

_KEPT_AT = "session-manager"  # in the vault's sealed records: alias -> record
_RECORD, _ARCHIVED = "record", "archived"
_TIDY_EVERY = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class PersistentSession:
    """A session as it is saved.

    Args:
        session_id: the caller's name of it.
        profile_name: the jar that its state is in.
        user_agent: what sites saw; as are viewport, language and time zone.
        start_time: when it began, UTC.
        last_activity: the last thing that was done, UTC.
        pages_visited: how many documents were opened.
        navigation_history: their addresses, the latest 1000, without what could let in or name a person.
        actions_performed: see `BrowserSession.actions_performed`.
        cookies: that have not ended.
        local_storage: origin -> items.
        session_storage: origin -> items of all its tabs.
        viewport_width: CSS pixels.
        viewport_height: CSS pixels.
        language: as in ``navigator.language``.
        timezone: as ``Europe/Zurich``.
    """

    session_id: str
    profile_name: str
    user_agent: str | None
    start_time: datetime
    last_activity: datetime
    pages_visited: int
    navigation_history: list[str]
    actions_performed: list[str]
    viewport_width: int | None = None
    viewport_height: int | None = None
    language: str | None = None
    timezone: str | None = None
    cookies: list[Cookie] = field(default_factory=list, repr=False)
    local_storage: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    session_storage: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)


class SessionManager:
    """Saves and restores sessions of browser contexts.

    From the first save or restore on, what changes in the context is saved whenever a document has loaded. A session that was not
    used for `inactivity_seconds` has expired: its record goes into the archive when expired ones are cleaned up, at the first call
    and then hourly; the login's storage state stays in its profile.

    Args:
        storage_path: directory of a vault of its own, made when missing; by default ``sessions`` in handstamp's home.
        inactivity_seconds: see above.
    """

    _caller: Caller = Waiting()

    def __init__(self, storage_path: str | Path | None = None, *, inactivity_seconds: float = 1800) -> None:
        path = Path(storage_path) if storage_path is not None else home() / "sessions"
        self.vault = Vault(f"sqlite:///{path.absolute() / 'vault.db'}", home=path.absolute())
        self._inactivity = timedelta(seconds=inactivity_seconds)
        self._clock = Clock(secrets.token_hex(6))
        self._tidied: float | None = None

    async def save_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        """Whether everything that the context holds is saved now.

        Args:
            session_id: the caller's name of the session; made or replaced.
            browser_session: open.
        """
        context = checked(self._caller, browser_session.context)
        await self._tidy()
        if browser_session.keeping is None:
            browser_session.keeping = await self._kept(browser_session, gives=False)
            await browser_session.keeping.restore()
        else:
            await browser_session.keeping.look(last=True)
        known = await self._record(session_id)
        device = await device_of(context.pages[-1]) if context.pages else _device_in(known)
        await self._keep(session_id, _noted(session_id, browser_session, device))
        return browser_session.keeping.failed is None and not browser_session.keeping.mirror.dirty

    async def load_session(self, session_id: str) -> PersistentSession | None:
        """The session with its state; None when there is none, or it has expired."""
        await self._tidy()
        record = await self._record(session_id)
        if record is None or self._expired(record):
            return None
        return _with_state(record, await self._run(partial(self.vault.load, record.profile_name)))

    async def restore_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        """Bring a saved session into a context; False when there is none, or it has expired.

        Args:
            session_id: the caller's name of the session.
            browser_session: open; it takes over the session's profile, and goes on with what was noted.
        """
        checked(self._caller, browser_session.context)
        await self._tidy()
        record = await self._record(session_id)
        if record is None or self._expired(record):
            return False
        browser_session.profile_name = record.profile_name
        browser_session.go_on(record.start_time, record.pages_visited, record.navigation_history, record.actions_performed)
        browser_session.keeping = await self._kept(browser_session)
        await browser_session.keeping.restore()
        return True

    async def delete_session(self, session_id: str) -> bool:
        """Whether there was such a session. Its storage state goes, too, unless another session is in the same profile."""
        record = await self._record(session_id)
        if record is None:
            return False
        await self._run(partial(self.vault.forget_secret, _KEPT_AT, session_id))
        if record.profile_name not in {one.profile_name for one in await self._records()}:
            await self._run(partial(self.vault.forget, record.profile_name))
        return True

    async def cleanup_expired_sessions(self) -> int:
        """How many expired sessions went into the archive; their storage state stays."""
        expired = [record for record in await self._records() if self._expired(record)]
        for record in expired:
            await self._run(partial(self.vault.set_secret, _KEPT_AT, record.session_id, _ARCHIVED, _text(record)))
            await self._run(partial(self.vault.forget_secret, _KEPT_AT, record.session_id, _RECORD))
        return len(expired)

    async def get_session_info(self, session_id: str) -> dict[str, Any] | None:
        """What is noted of a session, with `is_active` (it has not expired), without its state; None when there is none."""
        record = await self._record(session_id)
        return None if record is None else self._info(record)

    async def list_sessions(self) -> list[dict[str, Any]]:
        """The same of all sessions, by id."""
        await self._tidy()
        return [self._info(record) for record in await self._records()]

    # -- what they stand on -------------------------------------------------------------------------------------

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await now(self._caller.blocking(call))

    async def _kept(self, browser_session: BrowserSession, *, gives: bool = True) -> EagerContext:
        """What keeps the context's changes; it does not change the context itself unless it `gives`."""
        profile = browser_session.profile_name
        state: StorageState = await self._run(partial(self.vault.load, profile))
        for part in state.parts.values():  # what is in the context now is later than all that is saved
            for entry in part.entries.values():
                self._clock.observe(entry.stamp)

        def save(changes: StorageState) -> None:
            self.vault.save(profile, changes)

        given = state if gives else StorageState(epoch=state.epoch)
        return EagerContext(browser_session.context, given, self._clock, save, self._caller.blocking, waits=self._caller.name == "async")

    async def _keep(self, session_id: str, record: PersistentSession) -> None:
        await self._run(partial(self.vault.set_secret, _KEPT_AT, session_id, _RECORD, _text(record)))

    async def _record(self, session_id: str) -> PersistentSession | None:
        text = await self._run(partial(self.vault.secret, _KEPT_AT, session_id, _RECORD))
        return None if text is None else _parsed(text)

    async def _records(self) -> list[PersistentSession]:
        names = await self._run(partial(self.vault.accounts, _KEPT_AT))
        return [record for name in names if (record := await self._record(name)) is not None]

    def _expired(self, record: PersistentSession) -> bool:
        return record.last_activity + self._inactivity <= datetime.now(UTC)

    def _info(self, record: PersistentSession) -> dict[str, Any]:
        state = {"cookies", "local_storage", "session_storage"}
        return {name: value for name, value in asdict(record).items() if name not in state} | {"is_active": not self._expired(record)}

    async def _tidy(self) -> None:
        if self._tidied is None or time.monotonic() - self._tidied >= _TIDY_EVERY:
            self._tidied = time.monotonic()
            await self.cleanup_expired_sessions()


def _noted(session_id: str, session: BrowserSession, device: Device) -> PersistentSession:
    return PersistentSession(
        session_id,
        session.profile_name,
        device.user_agent,
        session.start_time,
        session.last_activity,
        session.pages_visited,
        session.navigation_history,
        session.actions_performed,
        device.viewport_width,
        device.viewport_height,
        device.language,
        device.timezone,
    )


def _device_in(record: PersistentSession | None) -> Device:
    if record is None:
        return Device()
    return Device(
        user_agent=record.user_agent,
        viewport_width=record.viewport_width,
        viewport_height=record.viewport_height,
        language=record.language,
        timezone=record.timezone,
    )


def _with_state(record: PersistentSession, state: StorageState) -> PersistentSession:
    at = time.time()
    tabs = {part.id.scope: state.session_storage(part.id.scope) for part in state.of_kind(PartKind.SESSION)}
    return replace(
        record,
        cookies=[cookie for cookie in state.cookies() if not cookie.expired(at)],
        local_storage={part.id.scope: state.local_storage(part.id.scope) for part in state.of_kind(PartKind.LOCAL) if part.live()},
        session_storage={origin: {name: value for items in by_tab.values() for name, value in items.items()} for origin, by_tab in tabs.items() if by_tab},
    )


def _text(record: PersistentSession) -> str:
    return json.dumps(asdict(record), default=datetime.isoformat)


def _parsed(text: str) -> PersistentSession:
    facts = json.loads(text)
    return PersistentSession(**facts | {name: datetime.fromisoformat(facts[name]) for name in ("start_time", "last_activity")})
