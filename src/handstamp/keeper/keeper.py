"""The keeper of sessions: finds out how one stands, from cheap to dear, and logs in when, and only when, it has ended."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from handstamp.browser import now
from handstamp.errors import ChallengeUnsolved, ConfigError, LoginError, LoginFailed, LoginRequired, SessionNotFound
from handstamp.home import settings
from handstamp.keeper.budget import Budget
from handstamp.keeper.charge import Charge
from handstamp.keeper.device import options_for
from handstamp.keeper.ends import end_told
from handstamp.keeper.launching import launch_for
from handstamp.keeper.looks import Looking
from handstamp.keeper.saver import Saver
from handstamp.keeper.single import only_one
from handstamp.keeper.solvers import Desk, ServiceSolver
from handstamp.keeper.verdicts import Facts, recorded, with_login
from handstamp.sites import Evidence, Verdict, credentials_for
from handstamp.sites.check import believed_changes
from handstamp.sites.credentials import variable
from handstamp.sites.form_errors import may_have_sent
from handstamp.sites.login import run_login
from handstamp.sites.page_watch import PageWatch
from handstamp.state import Device, Health, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Page

    from handstamp.browser import Chromium, Engine, LiveContext
    from handstamp.sites import ChallengeSolver, Credentials, Site
    from handstamp.state import Session, StorageState
    from handstamp.vault import Lease, Vault

_log = logging.getLogger(__name__)
LOGIN_WAIT = 180.0  # seconds that others wait for the one who logs in, besides those that a site's question may take
CAPTCHA_KEY = "captcha_api_key"
"""Name of the secret that an account's own key for the captcha service is kept under."""

QUIET_SECONDS, QUIET_AT_MOST = 1.0, 10.0
_DEVICE = """() => ({
  agent: navigator.userAgent,
  language: navigator.language,
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  brands: (navigator.userAgentData?.brands ?? []).map(({ brand, version }) => [brand, version]),
})"""


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
        executable: the browser to use, see `find_browser`; by default what the environment and the settings name.
        headless: for logins and checks of its own.
        solver: who answers what a site asks during a login; None when nobody does.
        budget: how often an account may be tried; by default as the settings say.
        chromium: in which to log in and check, where a session lives in a browser of its own; None starts what is needed.
        gate: entered around each login, on the engine's loop; lets so many at once as its owner wants.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        *,
        executable: str | None = None,
        headless: bool = True,
        solver: ChallengeSolver | None = None,
        budget: Budget | None = None,
        chromium: Chromium | None = None,
        gate: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self.engine = engine
        self.vault = vault
        self._executable = executable
        self._headless = headless
        self._budget = budget
        self._solver = solver
        self._chromium = chromium
        self._gate = gate
        self._looking = Looking(vault, engine.clock)

    # -- who it is ----------------------------------------------------------------------------------------------

    async def session(self, site: Site, profile: str) -> Session | None:
        """The saved session, or None."""
        return await asyncio.to_thread(self.vault.session, profile, site.name)

    async def load(self, site: Site, profile: str) -> StorageState:
        """What is saved of this site."""
        return await asyncio.to_thread(self.vault.load, profile, domains=site.domains)

    # -- how it stands ------------------------------------------------------------------------------------------

    async def check(self, site: Site, profile: str, *, by_browser: bool = True, lease: Lease | None = None, has_turn: bool = False) -> Verdict:
        """How the saved session stands, by evidence from cheap to dear: what is saved, plain HTTP, a browser.

        What the site changes in the course of it (a rotated session id) is saved. The verdict is kept with the session and in
        the event log.

        Args:
            site: with a check.
            profile: whose.
            by_browser: ask a browser where plain HTTP cannot tell.
            lease: of the caller, for the writes.
            has_turn: the caller is an HTTP client whose turn it is, where the recipe lets them in one at a time.

        Raises:
            SessionNotFound: nothing is saved.
            ConfigError: the site has no check.
        """
        if not site.can_check:
            message = f"the site {site.name} has no check, so nobody can tell whether the session is alive; give its recipe a [check]"
            raise ConfigError(message)
        session = await self.session(site, profile)
        verdict = await self._looking.alook(site, profile, session, lease=lease, has_turn=has_turn)
        if verdict is None:
            message = f"nothing is saved for {site.name} in profile '{profile}'; log in with `handstamp login {site.name} --profile {profile}`"
            raise SessionNotFound(message)
        if verdict.ask_browser and by_browser:
            verdict = await self._check_in_browser(site, profile, session, verdict, lease=lease)
        await asyncio.to_thread(recorded, self.vault, site, profile, verdict, seen=session)
        return verdict

    async def _check_in_browser(self, site: Site, profile: str, seen: Session | None, earlier: Verdict, *, lease: Lease | None) -> Verdict:
        """One at a time, and never beside a login: what its page is told to delete would be the new login's."""
        async with self._alone(site, profile):
            session = await self.session(site, profile)
            if session is not None and session.logins != (seen.logins if seen else 0) and session.health is Health.VALID:
                return _just_now(session, earlier)
            state = await asyncio.to_thread(self.vault.load, profile)
            async with self.context(state, session.device if session else Device(), site=site) as (page, live):
                with PageWatch(page) as watch:
                    verdict = await site.check(page)
                    await _until_quiet(watch)
                await live.finish()
                if changes := believed_changes(verdict, live.mirror.take()):
                    await asyncio.to_thread(Saver(self.vault, profile, site, lease=lease).keep, changes)
                return verdict.after(earlier)

    def _alone(self, site: Site, profile: str) -> AbstractAsyncContextManager[Lease]:
        """The turn of this session, before all others here and on other machines."""
        wait = LOGIN_WAIT + settings().challenge_seconds
        return only_one((self.vault.where, profile, site.name), partial(self.vault.lease, profile, site=site.name, purpose="login", wait=wait))

    # -- getting in ---------------------------------------------------------------------------------------------

    async def ensure(
        self, site: Site, profile: str, given: Given, *, lease: Lease | None = None, by_itself: bool = True, has_turn: bool = False
    ) -> Session | None:
        """A session that is not known to be dead: the saved one, else one after a login.

        Args:
            site: where.
            profile: whose.
            given: credentials of the caller.
            lease: of the caller, for the writes.
            by_itself: see `log_in`.
            has_turn: see `check`.

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
        ended = await self._ended(site, profile, lease, has_turn=has_turn)
        if ended is None:
            return session
        return await self.log_in(site, profile, given, why=ended, lease=lease, before=session, by_itself=by_itself)

    async def _ended(self, site: Site, profile: str, lease: Lease | None, *, has_turn: bool) -> str | None:
        """Why a login is needed; None when the saved session may be used."""
        if not site.can_check:
            saved = await self.load(site, profile)
            return None if any(part.live() for part in saved.parts.values()) else "nothing is saved"
        try:
            verdict = await self.check(site, profile, lease=lease, has_turn=has_turn)
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

    async def log_in(
        self,
        site: Site,
        profile: str,
        given: Given,
        *,
        why: str = "",
        lease: Lease | None = None,
        before: Session | Literal["now"] | None = "now",
        by_itself: bool = True,
    ) -> Session:
        """Log in by the site's recipe, once; whoever asks for the same at the same time waits and gets the result.

        Args:
            site: where.
            profile: whose.
            given: credentials of the caller.
            why: for messages; empty to log in whatever is saved.
            lease: of the caller, for the writes.
            before: the session that was found to be over. If somebody has logged in since, theirs is the result.
            by_itself: no person asked for this login; then it also waits out the pause after a failed one, unless a refused password
                made that pause and `given` brings another.

        Raises:
            LoginRequired: no credentials are known, or the site has no recipe for a login.
            LoginFailed, ChallengeUnsolved: it was tried, once, in vain; or the site refused this very password before.
            LoginBudgetSpent: it failed too often, or a moment ago; says until when, and how to clear it.
            BrowserGone: the browser ended in it. It may be called again at once; it counts only if the site may have seen the password.
            LeaseHeld: another has been logging in for too long.
        """
        saved = await self.session(site, profile) if before == "now" else before
        username = given.username or (saved.username if saved else None)
        credentials = await asyncio.to_thread(credentials_for, site.name, username=username, password=given.password, totp=given.totp, secrets=self.vault)
        if not site.can_login or credentials is None:
            raise LoginRequired(_by_hand_message(site, profile, why, recipe=site.can_login))
        async with self._alone(site, profile):
            other = await self.session(site, profile)
            if other is not None and other.logins > (saved.logins if saved else 0) and other.health is not Health.EXPIRED:
                return other  # somebody else has just done it
            async with self._gate():
                charge = await asyncio.to_thread(self._charge, site, profile, credentials, by_itself=by_itself, given=given.password is not None)
                return await self._log_in(site, profile, credentials, lease, charge)

    def _charge(self, site: Site, profile: str, credentials: Credentials, *, by_itself: bool, given: bool) -> Charge:
        budget = self._budget or Budget(settings().login_budget)
        return Charge(self.vault, site, profile, credentials, budget, by_itself=by_itself, given=given)

    async def _log_in(self, site: Site, profile: str, credentials: Credentials, lease: Lease | None, charge: Charge) -> Session:
        await asyncio.to_thread(charge.check)
        session = await self.session(site, profile)
        state = await asyncio.to_thread(self.vault.load, profile)
        device = session.device if session else Device()
        async with self._browser(site, headless=self._headless) as chromium, self._page(chromium, state, device) as (page, live):
            await asyncio.to_thread(charge.take)
            try:
                with end_told(chromium):
                    await run_login(site, page, credentials, solver=await asyncio.to_thread(self._solver_for, site, profile, credentials.username))
                    session = await self.keep_login(site, profile, live, page, username=credentials.username, lease=lease)
            except LoginError as error:
                await asyncio.to_thread(charge.failed, error)
                raise
            except BaseException as error:  # Ctrl-C, a browser that ended
                if not may_have_sent(error):
                    await asyncio.shield(asyncio.to_thread(charge.give_back))
                raise
            await asyncio.to_thread(charge.clear)
            return session

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

    def _solver_for(self, site: Site, profile: str, username: str) -> ChallengeSolver:
        """Everybody who may know: whom the caller named, what the settings name (with the account's own key if it has one), other processes."""
        chosen = settings()
        solvers = [] if self._solver is None else [self._solver]
        if chosen.solver_url:
            key = self.vault.secret(site.name, username, CAPTCHA_KEY) or chosen.captcha_api_key or ""
            solvers.append(ServiceSolver(chosen.solver_url, api_key=key))
        return Desk(self.vault, profile, solvers, seconds=chosen.challenge_seconds)

    # -- pages of its own ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def context(
        self, state: StorageState, device: Device, *, headless: bool | None = None, site: Site | None = None
    ) -> AsyncIterator[tuple[Page, LiveContext]]:
        """A fresh page in a context of its own, as this device, in the browser that the site wants; the caller saves what comes of it."""
        async with self._browser(site, headless=self._headless if headless is None else headless) as chromium, self._page(chromium, state, device) as fresh:
            yield fresh

    @asynccontextmanager
    async def _page(self, chromium: Chromium, state: StorageState, device: Device) -> AsyncIterator[tuple[Page, LiveContext]]:
        async with self.engine.drivers.context(chromium, state, None, options_for(device, chromium.nature)) as (context, live):
            with end_told(chromium):
                page = await context.new_page()
            yield page, live

    @asynccontextmanager
    async def _browser(self, site: Site | None, *, headless: bool) -> AsyncIterator[Chromium]:
        if self._chromium is not None:
            yield self._chromium
            return
        async with self.engine.browser(launch_for(site, self._executable, headless=headless)) as chromium:
            yield chromium


async def device_of(page: Any) -> Device:
    """The device that a page's site sees; the page may be of either API."""
    seen = await now(page.evaluate(_DEVICE))
    size = page.viewport_size
    return Device(
        user_agent=seen["agent"],
        language=seen["language"],
        timezone=seen["timezone"],
        viewport_width=size["width"] if size else None,
        viewport_height=size["height"] if size else None,
        brands=", ".join(f'"{name}";v="{version}"' for name, version in seen["brands"]) or None,
    )


async def _until_quiet(watch: PageWatch) -> None:
    """Let the page finish what it has begun: a token that it is just renewing would be spent, and the new one lost with the page."""
    deadline = time.monotonic() + QUIET_AT_MOST
    while watch.quiet_for() < QUIET_SECONDS and time.monotonic() < deadline:  # noqa: ASYNC110  (silence sets no event)
        await asyncio.sleep(0.1)


def _just_now(session: Session, earlier: Verdict) -> Verdict:
    """Somebody has logged in while we waited for our turn."""
    at = session.logged_in_at or earlier.evidence[-1].at
    return Verdict(Health.VALID, (Evidence("login", "logged-in-meanwhile", "somebody else has just logged in", at),)).after(earlier)


def _by_hand_message(site: Site, profile: str, why: str, *, recipe: bool) -> str:
    reason = why or "a login was asked for"
    command = f"handstamp login {site.name if recipe else site.base_url} --profile {profile}"
    if recipe:
        variables = f"{variable(site.name, 'USERNAME')} and {variable(site.name, 'PASSWORD')}"
        return f"{site.name}, profile '{profile}': {reason}, and no credentials are known; run `{command}`, or set {variables}"
    return f"{site.name}, profile '{profile}': {reason}, and there is no recipe to log in by; run `{command}` and log in by hand"
