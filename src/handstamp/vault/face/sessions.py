"""Calls about sessions: facts that can be listed without the key."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from handstamp.errors import KeyMissing, SessionNotFound
from handstamp.vault import events, names, sessions
from handstamp.vault.face.access import Access, see_whose
from handstamp.vault.model import Listed
from handstamp.vault.parts import find_profile, listed_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.state import Activity, Session
    from handstamp.vault.leases import Lease
    from handstamp.vault.seal import Seals
    from handstamp.vault.store import Row, Transaction
    from handstamp.vault.unlock import Unlocked

_PROFILE_AND_SITE = itemgetter(1, 2)


class SessionCalls(Access):
    """Sessions by profile, site and id."""

    def sessions(self, profile: str | None = None, site: str | None = None) -> list[Session]:
        """Sessions by profile and site, all or some. Their proxy and losses are left out when the key is not to be had."""
        rows, seals = self._rows(lambda transaction: sessions.list_sessions(transaction, profile, site), leniently=True)
        return [session for row in rows if (session := sessions.opened_leniently(row, seals)) is not None]

    def listing(self) -> list[Listed]:
        """All sessions, by profile and site, as light rows: for lists of a hundred thousand. Needs no key."""
        rows = self._read(lambda transaction: transaction.rows("listing"))
        return list(map(Listed._make, sorted(rows, key=_PROFILE_AND_SITE)))

    def session(self, profile: str, site: str) -> Session | None:
        """The session of a profile at a site; None when there is none.

        Raises:
            SealBroken: its sealed facts (proxy, losses) do not open.
        """
        names.profile_name(profile)
        names.site_name(site)
        rows, seals = self._rows(lambda transaction: transaction.rows("session", profile=profile, site=site))
        return sessions.opened(rows[0], seals) if rows else None

    def activity(self, profile: str, site: str | None = None) -> list[tuple[str, Activity]]:
        """What was done in the sessions of a profile, or in one of them: site and activity, in order of time.

        It is bounded by the setting ``activity``, for each session, and empty for sessions that were never opened in a browser.

        Raises:
            KeyMissing: it is sealed, and the key is not to be had.
        """
        names.profile_name(profile)
        rows, seals = self._rows(lambda transaction: sessions.list_sessions(transaction, profile, site))
        found = [session for row in rows if (session := sessions.opened_leniently(row, seals)) is not None]
        return sorted(((session.site, done) for session in found for done in session.activity), key=lambda one: one[1].at)

    def session_by_id(self, session_id: str) -> Session:
        """The session with this id; raises as `session` does.

        Raises:
            SessionNotFound: there is none.
        """
        rows, seals = self._rows(lambda transaction: transaction.rows("session_by_id", session_id=session_id))
        if not rows:
            raise SessionNotFound(f"no session {session_id!r} is kept in {self.where}; `handstamp ls` lists those that are")
        return sessions.opened(rows[0], seals)

    def update_session(self, profile: str, site: str, change: Callable[[Session], Session], *, lease: Lease | None = None) -> Session:
        """Read a session, change it, write it, in one transaction; it is made with a fresh id when missing.

        Args:
            profile: of the session.
            site: of the session.
            change: gives the new session; must keep id, profile and site, and not call the vault. May be called again
                when somebody else wrote meanwhile.
            lease: the caller's open lease, if it has one; see `save`.

        Raises:
            LeaseLost: `lease` is given, and no longer the caller's.
            SealBroken: its sealed facts do not open; nothing is overwritten.
            ValueError: `change` gave another session.
        """
        name = names.profile_name(profile)
        names.site_name(site)
        see_whose(lease, name)

        def updating(transaction: Transaction, unlocked: Unlocked) -> Session:
            if lease is not None:
                lease.check(transaction)
            return sessions.update(transaction, unlocked.seals, listed_profile(transaction, name), site, change)

        return self._write_sealed(updating)

    def forget_session(self, profile: str, site: str) -> bool:
        """Remove a session's facts, not its storage state; whether there was one."""
        name = names.profile_name(profile)

        def forgetting(transaction: Transaction) -> bool:
            found = find_profile(transaction, name)
            gone = found is not None and bool(transaction.run("delete_session", profile_id=found.profile_id, site=site))
            if gone:
                events.record(transaction, "forget-session", profile=name, site=site)
            return gone

        return self._write(forgetting)

    def _rows(self, find: Callable[[Transaction], list[Row]], *, leniently: bool = False) -> tuple[list[Row], Seals | None]:
        """Rows of sessions, and what opens them; None when nothing of them is sealed, or `leniently` when the key is not to be had."""
        if self._unlocked_once is None:
            rows = self._read(find)
            if not any(sessions.is_private(row) for row in rows):
                return rows, None
        try:
            return self._read_sealed(lambda transaction, unlocked: (find(transaction), unlocked.seals))
        except KeyMissing:
            if not leniently:
                raise
        return self._read(find), None  # of use without what is sealed; whoever opens a session meets the error
