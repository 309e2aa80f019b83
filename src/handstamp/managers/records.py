"""The records of a `SessionManager`, in its vault: written behind by one thread at a time, archived when nobody has used the session for long."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handstamp.errors import HandstampError
from handstamp.managers.persistent import parsed, text
from handstamp.vault.forks import tell_after_fork

if TYPE_CHECKING:
    from handstamp.managers.persistent import PersistentSession
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
SAVE_AFTER = 0.4  # seconds that what happens gathers before it is saved together
_KEPT_AT = "session-manager"  # in the vault's sealed records: alias -> record
_RECORD, _ARCHIVED = "record", "archived"


class Records:
    """Records by the caller's names of the sessions. All calls block; safe across threads, and after a fork.

    What is not written yet is read from memory, all else from the vault: there other processes write, too, and who wrote last counts.

    Args:
        vault: where they are kept.
        inactivity: after which a session that nobody used has expired.
        every: seconds between two cleanups.
    """

    def __init__(self, vault: Vault, inactivity: timedelta, every: float) -> None:
        self._vault = vault
        self._inactivity = inactivity
        self._every = every
        self._known: set[str] = set()  # named here, so that what happens in them is saved
        self._alarm: list[threading.Timer] = []  # the next cleanup
        self.forked()
        tell_after_fork(self)
        weakref.finalize(self, _cancel, self._alarm)

    def forked(self) -> None:
        """In a child process nobody holds the locks, no timer runs, and what the parent has noted is the parent's to save."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # the one writer's
        self._unwritten: dict[str, PersistentSession] = {}
        self._writer: threading.Timer | None = None
        self._due = 0.0
        self._alarm.clear()

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, session_id: str) -> PersistentSession | None:
        """One of them, None when there is none."""
        with self._lock:
            waiting = self._unwritten.get(session_id)
        return waiting or self._written(session_id)

    def all(self) -> list[PersistentSession]:
        """All of them, by name."""
        return [record for name in self._vault.accounts(_KEPT_AT) if (record := self.get(name)) is not None]

    def expired(self, record: PersistentSession) -> bool:
        """Whether nobody has used it for so long."""
        return record.last_activity + self._inactivity <= datetime.now(UTC)

    def _written(self, session_id: str) -> PersistentSession | None:
        kept = self._vault.secret(_KEPT_AT, session_id, _RECORD)
        return None if kept is None else parsed(kept)

    # -- writing ------------------------------------------------------------------------------------------------

    def save(self, record: PersistentSession) -> None:
        """Keep a record, in place of what was there; on the disk at return."""
        with self._writing:
            with self._lock:
                self._known.add(record.session_id)
                self._unwritten.pop(record.session_id, None)
            self._vault.set_secret(_KEPT_AT, record.session_id, _RECORD, text(record))

    def save_soon(self, record: PersistentSession) -> None:
        """Keep a record that was saved before, within `SAVE_AFTER` seconds; the process does not end before. One that was deleted stays so."""
        with self._lock:
            if record.session_id not in self._known:
                return
            self._unwritten[record.session_id] = record
            if self._writer is not None:
                return
            self._writer = threading.Timer(SAVE_AFTER, self.write_behind)  # no daemon: the interpreter waits for it
            self._writer.name = "handstamp-records"
        self._writer.start()

    def write_behind(self) -> None:
        """Write what waits to be written, behind everybody's back; a failure is logged."""
        try:
            self._flush()
        except HandstampError as error:  # it stays in memory, and is tried again when the next thing happens
            _log.warning("what happened in a session is not saved yet: %s", error)

    def _flush(self) -> None:
        with self._writing:
            with self._lock:
                self._writer = None
                waiting = list(self._unwritten.values())
            for record in waiting:
                self._write(record)
                with self._lock:
                    if self._unwritten.get(record.session_id) is record:
                        del self._unwritten[record.session_id]

    def _write(self, record: PersistentSession) -> None:
        """Unless another process has deleted it. One that was archived is in use again."""
        if all(self._vault.secret(_KEPT_AT, record.session_id, name) is None for name in (_RECORD, _ARCHIVED)):
            with self._lock:
                self._known.discard(record.session_id)
            return
        self._vault.set_secret(_KEPT_AT, record.session_id, _RECORD, text(record))

    def delete(self, session_id: str) -> None:
        """Remove a record for good."""
        with self._writing:
            with self._lock:
                self._known.discard(session_id)
                self._unwritten.pop(session_id, None)
            self._vault.forget_secret(_KEPT_AT, session_id)

    # -- archiving ----------------------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Archive what has expired, if that is due: at the first call, and from then on by itself."""
        with self._lock:
            if time.monotonic() < self._due:
                return
            self._due = time.monotonic() + self._every
            self._wake_up(self._every)
        self.archive()

    def archive(self) -> int:
        """Move the records of expired sessions into the archive; how many they were."""
        expired = [record for record in self.all() if self.expired(record)]
        for record in expired:
            self._vault.set_secret(_KEPT_AT, record.session_id, _ARCHIVED, text(record))
            if self._written(record.session_id) == record:  # not used again meanwhile
                self._vault.forget_secret(_KEPT_AT, record.session_id, _RECORD)
        return len(expired)

    def _wake_up(self, seconds: float) -> None:
        _cancel(self._alarm)
        timer = threading.Timer(seconds, _tidy, (weakref.ref(self),))
        timer.name, timer.daemon = "handstamp-cleanup", True
        self._alarm[:] = [timer]
        timer.start()


def _tidy(reference: weakref.ref[Records]) -> None:
    """The next cleanup, unless nobody has the manager any more."""
    if (records := reference()) is None:
        return
    try:
        records.tidy()
    except HandstampError as error:
        _log.warning("expired sessions are not archived yet: %s", error)


def _cancel(alarm: list[threading.Timer]) -> None:
    for timer in alarm:
        timer.cancel()
