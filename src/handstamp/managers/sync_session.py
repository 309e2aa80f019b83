"""`SessionManager` for Playwright's sync API: the same flows, run to their end where the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.browser import at_once
from handstamp.managers import session
from handstamp.managers.caller import Blocking, Caller
from handstamp.managers.twin import documented_as

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.managers.persistent import PersistentSession
    from handstamp.managers.recorder import BrowserSession


class _Flows(session.SessionManager):
    _caller: Caller = Blocking()


@documented_as(session.SessionManager)
class SessionManager:
    def __init__(self, storage_path: str | Path | None = None, *, inactivity_seconds: float = 1800, cleanup_seconds: float = 3600) -> None:
        self._flows = _Flows(storage_path, inactivity_seconds=inactivity_seconds, cleanup_seconds=cleanup_seconds)
        self.vault = self._flows.vault

    def save_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        return at_once(self._flows.save_session(session_id, browser_session))

    def load_session(self, session_id: str) -> PersistentSession | None:
        return at_once(self._flows.load_session(session_id))

    def restore_session(self, session_id: str, browser_session: BrowserSession) -> bool:
        return at_once(self._flows.restore_session(session_id, browser_session))

    def delete_session(self, session_id: str) -> bool:
        return at_once(self._flows.delete_session(session_id))

    def cleanup_expired_sessions(self) -> int:
        return at_once(self._flows.cleanup_expired_sessions())

    def get_session_info(self, session_id: str) -> dict[str, Any] | None:
        return at_once(self._flows.get_session_info(session_id))

    def list_sessions(self) -> list[dict[str, Any]]:
        return at_once(self._flows.list_sessions())
