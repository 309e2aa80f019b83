"""The keeper of sessions: finds out how one stands, from cheap to dear, and logs in when, and only when, it has ended."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.browser import Launch, find_browser
from handstamp.errors import ChallengeUnsolved, ConfigError, LoginError, LoginFailed, LoginRequired, SessionNotFound
from handstamp.keeper.device import options_for
from handstamp.keeper.verdicts import Facts, recorded, saved_changes, with_login
from handstamp.sites import credentials_for, expiry_evidence
from handstamp.sites.check import check_by_http
from handstamp.sites.credentials import variable
from handstamp.sites.login import run_login
from handstamp.state import Device, Health, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from handstamp.browser import Chromium, Engine, LiveContext
    from handstamp.sites import Credentials, Site, Solver, Verdict
    from handstamp.state import Session, StorageState
    from handstamp.vault import Lease, Vault

_log = logging.getLogger(__name__)
LOGIN_WAIT = 180.0  # seconds that others wait for the one who logs in


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller brings for a login; the rest comes from the environment and the vault.

    Args:
        username: whose session it must be; None for whoever's is saved.
        password: None to take it from the environment or the vault.
        totp: secret for one-time codes, likewise.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    totp: str | None = field(default=None, repr=False)


class Keeper:
    """Keeps the sessions of one vault. Its methods run on the engine's loop; the vault is called in worker threads.

    Args:
        engine: runs the browsers.
        vault: where the sessions are.
        executable: the browser to use, see `find_browser`.
        headless: for logins and checks of its own.
        solver: who answers what a site asks during a login; None when nobody does.
        chromium: in which to log in and check, where a session lives in a browser of its own; None starts what is needed.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        *,
        executable: str | None = None,
        headless: bool = True,
        solver: Solver | None = None,
        chromium: Chromium | None = None,
    ) -> None:
        self.engine = engine
        self.vault = vault
        self._executable = executable
        self._headless = headless
        self._solver = solver
        self._chromium = chromium

    # -- who it is ----------------------------------------------------------------------------------------------

    async def session(self, site: Site, profile: str) -> Session | None:
        """The saved session, or None."""
        return await asyncio.to_thread(self.vault.session, profile, site.name)

    async def load(self, site: Site, profile: str) -> StorageState:
        """What is saved of this site."""
        return await asyncio.to_thread(self.vault.load, profile, domains=site.domains)

    # -- how it stands ------------------------------------------------------------------------------------------

    async def check(self, site: Site, profile: str, *, by_browser: bool = True, lease: Lease | None = None) -> Verdict:
        """How the saved session stands, by evidence from cheap to dear: what is saved, plain HTTP, a browser.

        What the site changes in the course of it (a rotated session id) is saved. The verdict is kept with the session and in
        the event log.

        Args:
            site: with a check.
            profile: whose.
            by_browser: ask a browser where plain HTTP cannot tell.
            lease: of the caller, for the writes.

        Raises:
            SessionNotFound: nothing is saved.
            ConfigError: the site has no check.
        """
        session = await self.session(site, profile)
        state = await self.load(site, profile)
        if not any(part.live() for part in state.parts.values()):
            message = f"nothing is saved for {site.name} in profile '{profile}'; log in with `handstamp login {site.name} --profile {profile}`"
            raise SessionNotFound(message)
        if not site.can_check:
            message = f"the site {site.name} has no check, so nobody can tell whether the session is alive; give its recipe a [check]"
            raise ConfigError(message)
        verdict = await self._judge(site, profile, state, session, by_browser=by_browser, lease=lease)
        await asyncio.to_thread(recorded, self.vault, site, profile, verdict)
        return verdict

    async def _judge(self, site: Site, profile: str, state: StorageState, session: Session | None, *, by_browser: bool, lease: Lease | None) -> Verdict:
        now = datetime.now(UTC)
        ended = expiry_evidence(state, site.recipe, now, logged_in_at=session.logged_in_at if session else None)
        if ended is not None:
            return ended
        device = session.device if session else Device()
        looked = await asyncio.to_thread(check_by_http, site, state, device)
        if changes := saved_changes(state, looked.changes, self.engine.clock, now=now):
            await asyncio.to_thread(self.vault.save, profile, changes, lease=lease)
        if looked.verdict.ask_browser and by_browser:
            return (await self._check_in_browser(site, profile, device, lease=lease)).after(looked.verdict)
        return looked.verdict

    async def _check_in_browser(self, site: Site, profile: str, device: Device, *, lease: Lease | None) -> Verdict:
        state = await asyncio.to_thread(self.vault.load, profile)
        async with self.context(state, device) as (page, live):
            verdict = await site.check(page)
            await live.finish()
            if changes := live.mirror.take():
                await asyncio.to_thread(self.vault.save, profile, changes, lease=lease)
            return verdict

    # -- getting in ---------------------------------------------------------------------------------------------

    async def ensure(self, site: Site, profile: str, given: Given, *, lease: Lease | None = None) -> Session | None:
        """A session that is not known to be dead: the saved one, else one after a login.

        Args:
            site: where.
            profile: whose.
            given: credentials of the caller.
            lease: of the caller, for the writes.

        Returns:
            The session; None for a URL without recipe for which only state is saved.

        Raises:
            ConfigError: the session is another user's than the one given.
            LoginRequired: it has ended, or there is none, and nobody but a person can log in.
            LoginFailed, ChallengeUnsolved: the login was tried, once, in vain.
        """
        session = await self.session(site, profile)
        if session is not None and given.username and session.username and session.username != given.username:
            message = f"profile '{profile}' is {session.username}'s at {site.name}, not {given.username}'s; use another profile for another user"
            raise ConfigError(message)
        ended = await self._ended(site, profile, lease)
        if ended is None:
            return session
        return await self.log_in(site, profile, given, why=ended, lease=lease)

    async def _ended(self, site: Site, profile: str, lease: Lease | None) -> str | None:
        """Why a login is needed; None when the saved session may be used."""
        if not site.can_check:
            saved = await self.load(site, profile)
            return None if any(part.live() for part in saved.parts.values()) else "nothing is saved"
        try:
            verdict = await self.check(site, profile, lease=lease)
        except SessionNotFound:
            return "nothing is saved"
        if verdict.health is Health.CHALLENGED:
            command = f"handstamp login {site.name} --by-hand"
            raise ChallengeUnsolved(f"{site.name} wants a person to prove something before it lets the session on ({verdict.text}); run `{command}`")
        if verdict.health is Health.EXPIRED:
            return f"the session has ended ({verdict.text})"
        if verdict.health is not Health.VALID:
            _log.warning("%s, profile '%s': %s; going on with what is saved", site.name, profile, verdict.text)
        return None

    async def log_in(self, site: Site, profile: str, given: Given, *, why: str = "", lease: Lease | None = None) -> Session:
        """Log in by the site's recipe, once; whoever asks for the same at the same time waits and gets the result.

        Args:
            site: where.
            profile: whose.
            given: credentials of the caller.
            why: for messages; empty to log in whatever is saved.
            lease: of the caller, for the writes.
        """
        started = datetime.now(UTC)
        saved = await self.session(site, profile)
        credentials = credentials_for(
            site.name, username=given.username or (saved.username if saved else None), password=given.password, totp=given.totp, secrets=self.vault
        )
        if not site.can_login or credentials is None:
            raise LoginRequired(_by_hand_message(site, profile, why, recipe=site.can_login))
        turn = await asyncio.to_thread(self.vault.lease, profile, site=site.name, purpose="login", wait=LOGIN_WAIT)
        try:
            other = await self.session(site, profile)
            if other is not None and other.logged_in_at is not None and other.logged_in_at >= started and other.health is Health.VALID:
                return other  # somebody else has just done it
            return await self._log_in(site, profile, credentials, lease)
        finally:
            await asyncio.to_thread(turn.release)

    async def _log_in(self, site: Site, profile: str, credentials: Credentials, lease: Lease | None) -> Session:
        session = await self.session(site, profile)
        state = await asyncio.to_thread(self.vault.load, profile)
        async with self.context(state, session.device if session else Device()) as (page, live):
            try:
                await run_login(site, page, credentials, solver=self._solver)
            except LoginError as error:
                await asyncio.to_thread(self.vault.record_event, "login-failed", profile=profile, site=site.name, data={"code": error.code, "why": str(error)})
                raise
            return await self.keep_login(site, profile, live, page, username=credentials.username, lease=lease)

    async def keep_login(self, site: Site, profile: str, live: LiveContext, page: Page, *, username: str | None, lease: Lease | None = None) -> Session:
        """Save a login that was just made in a live context, with the device that the site saw.

        Raises:
            LoginFailed: the context holds nothing that could carry a login.
        """
        await live.finish()
        changes = live.mirror.take()
        if not select(live.mirror.state(), site.domains):
            message = f"{site.name} left neither a cookie nor a storage item, so there is nothing to keep; check the recipe's domains"
            raise LoginFailed(message)
        await asyncio.to_thread(self.vault.save, profile, changes, lease=lease)
        device = await device_of(page)
        facts = Facts(device, username, live.mirror.state(), tuple(live.losses))
        return await asyncio.to_thread(with_login, self.vault, site, profile, facts)

    # -- pages of its own ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def context(self, state: StorageState, device: Device, *, headless: bool | None = None) -> AsyncIterator[tuple[Page, LiveContext]]:
        """A fresh page in a context of its own, as this device; the caller saves what comes of it."""
        async with self._browser(headless=self._headless if headless is None else headless) as chromium:
            options = options_for(device, chromium.nature)
            async with self.engine.drivers.context(chromium, state, None, options) as (context, live):
                yield await context.new_page(), live

    @asynccontextmanager
    async def _browser(self, *, headless: bool) -> AsyncIterator[Chromium]:
        if self._chromium is not None:
            yield self._chromium
            return
        async with self.engine.browser(Launch(find_browser(self._executable, headless=headless), headless)) as chromium:
            yield chromium


async def device_of(page: Page) -> Device:
    """The device that a page's site sees."""
    seen = await page.evaluate("() => [navigator.userAgent, navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone]")
    size = page.viewport_size
    return replace(
        Device(user_agent=seen[0], language=seen[1], timezone=seen[2]),
        viewport_width=size["width"] if size else None,
        viewport_height=size["height"] if size else None,
    )


def _by_hand_message(site: Site, profile: str, why: str, *, recipe: bool) -> str:
    reason = why or "a login was asked for"
    command = f"handstamp login {site.name if recipe else site.base_url} --profile {profile}"
    if recipe:
        variables = f"{variable(site.name, 'USERNAME')} and {variable(site.name, 'PASSWORD')}"
        return f"{site.name}, profile '{profile}': {reason}, and no credentials are known; run `{command}`, or set {variables}"
    return f"{site.name}, profile '{profile}': {reason}, and there is no recipe to log in by; run `{command}` and log in by hand"
