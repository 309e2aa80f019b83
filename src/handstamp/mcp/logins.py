"""Logins that go on whatever becomes of the call that began them: one at a time for each session; what sites ask meanwhile waits in the vault."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp._signed_in import engine
from handstamp.errors import ChallengeUnsolved, HandstampError, LoginRequired
from handstamp.keeper import Given, Keeper

if TYPE_CHECKING:
    from handstamp.pool import Pool
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import OpenChallenge

_log = logging.getLogger(__name__)
PATIENCE = 40.0
"""Seconds that a call waits for a login; clients give up on calls after a minute or so."""
_LOOK = 0.25  # seconds between two looks for what a site asks
_TRUSTED = 60.0  # seconds for which a session that was seen to be valid is taken to be so


@dataclass
class Entry:
    """One login, or the look that found that none was needed.

    Args:
        site: where.
        profile: whose.
        logins: how many the session had before.
        task: gives the session.
        seen: callers that were shown the picture of a question, with its id.
    """

    site: Site
    profile: str
    logins: int
    task: asyncio.Task[Session | None]
    seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def error(self) -> HandstampError | None:
        """Why it failed; None when it did not, or goes on."""
        error = self.task.exception() if self.task.done() and not self.task.cancelled() else None
        if error is None or isinstance(error, HandstampError):
            return error
        return HandstampError("handstamp itself has failed; its log says where")


class Logins:
    """The logins of one process.

    Args:
        pool: whose vault and sites.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._entries: dict[tuple[str, str], Entry] = {}
        self._valid: dict[tuple[str, str], float] = {}  # when a session was last seen to be valid, by the loop's clock

    def find(self, site: str, profile: str) -> Entry | None:
        """The last login of this session that was begun here."""
        return self._entries.get((site, profile))

    async def begin(self, site: Site, profile: str, username: str | None = None) -> Entry:
        """See that there is a session, by a login if need be. One that is under way goes on; the user name is then that one's."""
        key = (site.name, profile)
        found = self._entries.get(key)
        if found is None or found.task.done():
            before = await asyncio.to_thread(self._pool.vault.session, profile, site.name)
            found = self._entries.get(key)
            if found is None or found.task.done():
                task = asyncio.create_task(self._ensure(site, profile, username))
                task.add_done_callback(_heard)
                found = self._entries[key] = Entry(site, profile, before.logins if before else 0, task)
        return found

    async def _ensure(self, site: Site, profile: str, username: str | None) -> Session | None:
        keeper = Keeper(engine(), self._pool.vault)
        try:
            session = await engine().call(keeper.ensure(site, profile, Given(username)))
        except HandstampError:
            raise
        except Exception as error:
            _log.error("a login at %s failed by a fault of ours (%s)", site.name, type(error).__name__)
            raise
        self._valid[(site.name, profile)] = asyncio.get_running_loop().time()
        return session

    async def question(self, entry: Entry, *, besides: str = "", seconds: float = PATIENCE) -> OpenChallenge | None:
        """What the site asks; None when the login is over, or the time.

        Args:
            entry: the login.
            besides: id of a question that counts no more.
            seconds: how long to wait for either.
        """
        until = asyncio.get_running_loop().time() + seconds
        while not entry.task.done() and asyncio.get_running_loop().time() < until:
            for asked in await asyncio.to_thread(self._pool.vault.challenges):
                if (asked.site, asked.profile) == (entry.site.name, entry.profile) and not asked.answered and asked.challenge_id != besides:
                    return asked
            await asyncio.wait({entry.task}, timeout=_LOOK)
        return None

    async def stand(self, site: Site, profile: str, *, may_begin: bool) -> None:
        """Return when the session can be opened without anybody being asked.

        Args:
            site: where.
            profile: whose.
            may_begin: whether a login may be made where there is no session at all.

        Raises:
            LoginRequired, LoginFailed, …: it has ended, and could not be brought back.
            ChallengeUnsolved: the site asks for something; the login waits for the answer.
        """
        now = asyncio.get_running_loop().time()
        if now - self._valid.get((site.name, profile), -_TRUSTED) < _TRUSTED:
            return
        if not may_begin and await asyncio.to_thread(self._pool.vault.session, profile, site.name) is None:
            message = f"there is no session of {site.name} in profile '{profile}', and you may not begin one"
            raise LoginRequired(f"{message}; a person does it with `handstamp login {site.name} --profile {profile}`")
        entry = await self.begin(site, profile)
        asked = await self.question(entry)
        if asked is not None:
            command = f"handstamp answer {asked.challenge_id}"
            raise ChallengeUnsolved(
                f"{site.name} asks for something ({asked.kind}) before it lets the session in; a person answers with `{command}`, then call again"
            )
        if not entry.task.done():
            raise ChallengeUnsolved(f"the login at {site.name} is still under way; login_status says when it is done, then call again")
        entry.task.result()

    def doubt(self, site: str, profile: str) -> None:
        """The session may have ended: look again at its next use."""
        self._valid.pop((site, profile), None)

    async def stop(self) -> None:
        """Give up the logins that are under way."""
        running = [entry.task for entry in self._entries.values() if not entry.task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _heard(task: asyncio.Task[Session | None]) -> None:
    """Whoever asks is told how it ended; asyncio would write down what nobody asks for, with the words of whoever failed."""
    if not task.cancelled():
        task.exception()
