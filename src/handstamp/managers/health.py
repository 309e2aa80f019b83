"""How sessions stand: the program's own check, the site's recipe, or what is saved as evidence; noted in the vault."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp._signed_in import engine
from handstamp.browser import now
from handstamp.browser.own_context import give_cookies
from handstamp.errors import ConfigError, SessionNotFound
from handstamp.home import home
from handstamp.keeper import Keeper
from handstamp.keeper.saved_evidence import due, verdict_by_state, verdict_by_word
from handstamp.keeper.verdicts import recorded
from handstamp.managers.caller import checked
from handstamp.managers.jars import Jars
from handstamp.managers.values import SessionState
from handstamp.sites import find_site, login_ends_at
from handstamp.state import Health, PartKind, StorageState, host_of, live_entries, of_kinds, select, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playwright.async_api import Page

    from handstamp.managers.values import ProfileManagerConfig
    from handstamp.sites import Site, Verdict
    from handstamp.state import Session
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)


class HealthCalls(Jars):
    """How sessions stand."""

    def __init__(self, config: ProfileManagerConfig | None = None, *, vault: Vault | None = None) -> None:
        super().__init__(config, vault=vault)
        self._checks: dict[str, Callable[[str, Any], Any]] = {}

    async def verify_session_health(self, profile_name: str, page: Page, domain: str) -> bool:
        """Whether the session is valid; what was found is noted, and what the page's context changed of it is saved before.

        Asked is, in this order: the check that was registered for the domain; the check of the site's recipe, beside your page
        and from what is saved; else what is saved is evidence. When nobody can tell (the site is down), the answer is False, and
        what was known before stays.

        Args:
            profile_name: the jar.
            page: handed to a registered check; its context's changes are saved if this manager has served the context before.
            domain: of the site, or its name.
        """
        verdict = await self._verdict(profile_name, checked(self._caller, page), domain)
        return verdict is not None and verdict.health is Health.VALID

    def get_session_state(self, profile_name: str, domain: str) -> SessionState | None:
        """How the session at a domain stands, as it is saved; None when nothing is."""
        return self._state_at(profile_name, domain)

    def get_sessions_needing_refresh(self, profile_name: str) -> list[str]:
        """The domains whose sessions should be looked at: marked, over, or not looked at for `session_health_check_interval` seconds."""
        at, interval = datetime.now(UTC), self.config.session_health_check_interval
        return [domain_of(session) for session in self.vault.sessions(profile_name) if due(session, at, interval=interval)]

    def mark_session_needs_refresh(self, profile_name: str, domain: str) -> None:
        """Note that the session at a domain should be looked at.

        Raises:
            SessionNotFound: nothing is saved of it.
        """
        self.update_session_state(profile_name, domain, needs_refresh=True)

    def update_session_state(
        self,
        profile_name: str,
        domain: str,
        *,
        logged_in: bool | None = None,
        needs_refresh: bool | None = None,
        session_expires: datetime | None = None,
    ) -> None:
        """Note what the program knows of the session at a domain.

        Args:
            profile_name: the jar.
            domain: of the site, or its name.
            logged_in: True: it was just seen to be valid; False: to be over.
            needs_refresh: whether it should be looked at.
            session_expires: when it will end, aware.

        Raises:
            SessionNotFound: nothing is saved of it.
        """
        if self.get_session_state(profile_name, domain) is None:
            raise SessionNotFound(f"nothing is saved for {domain} in profile '{profile_name}'; save a login with on_successful_login(…) first")
        site = self._site(domain)
        if logged_in is not None:
            health = Health.VALID if logged_in else Health.EXPIRED
            seen = self.vault.session(profile_name, site.name)
            recorded(self.vault, site, profile_name, verdict_by_word(health, datetime.now(UTC)), seen=seen)

        def change(session: Session) -> Session:
            wanted = session.needs_refresh if needs_refresh is None else needs_refresh
            return replace(session, needs_refresh=wanted, expires_at=session_expires or session.expires_at)

        self.vault.update_session(profile_name, site.name, change)

    # -- for the other managers ----------------------------------------------------------------------------------

    def _state_at(self, profile_name: str, domain: str, url: str = "") -> SessionState | None:
        site = self._site(domain, url)
        session = self.vault.session(profile_name, site.name)
        state = select(self.vault.load(profile_name), self._domains(domain, site))
        if session is None and not live_entries(state):
            return None
        return self._state_of(domain, site, session, state)

    async def _state(self, profile_name: str, domain: str, url: str) -> SessionState | None:
        state: SessionState | None = await self._run(partial(self._state_at, profile_name, domain, url))
        return state

    def _is_known(self, domain: str, url: str) -> bool:
        """Whether a recipe covers the domain."""
        site = self._site(domain, url)
        return site.can_check or site.can_login

    # -- looking -------------------------------------------------------------------------------------------------

    def _register(self, domain: str, check: Callable[[str, Any], Any]) -> None:
        self._checks[host_of(domain) or domain.lower().lstrip(".")] = check

    def _check_of(self, domains: Iterable[str]) -> Callable[[str, Any], Any] | None:
        fitting = [known for known in self._checks if any(within(domain, known) for domain in domains)]
        return self._checks[max(fitting, key=len)] if fitting else None

    async def _verdict(self, profile_name: str, page: Any, domain: str) -> Verdict | None:
        """What is found of a session, and noted; None when nothing is saved."""
        site = self._site(domain, page.url)
        seen = await self._run(partial(self.vault.session, profile_name, site.name))
        state = await self._load(profile_name, domain, *site.domains)
        if profile_name in self._seen.get(page.context, {}) or not live_entries(state):
            await self._save_all(profile_name, page)
            state = await self._load(profile_name, domain, *site.domains)
        if not live_entries(state) and seen is None:
            return None
        if (check := self._check_of(self._domains(domain))) is not None:
            verdict = await self._by_own_check(check, profile_name, page)
        elif site.can_check:
            return await self._by_recipe(profile_name, page, site)
        else:
            verdict = verdict_by_state(site, state, seen, datetime.now(UTC))
        await self._run(partial(recorded, self.vault, site, profile_name, verdict, seen=seen))
        return verdict

    async def _by_own_check(self, check: Callable[[str, Any], Any], profile_name: str, page: Any) -> Verdict:
        try:
            valid = await now(check(profile_name, page))
        except Exception as error:  # noqa: BLE001  (the caller's code: whatever it raises, it has not told)
            _log.warning("the check of profile '%s' failed: %s", profile_name, type(error).__name__)
            return verdict_by_word(Health.UNKNOWN, datetime.now(UTC))
        return verdict_by_word(Health.VALID if valid else Health.EXPIRED, datetime.now(UTC))

    async def _by_recipe(self, profile_name: str, page: Any, site: Site) -> Verdict | None:
        try:
            verdict: Verdict = await now(self._caller.on_engine(self._keeper().check(site, profile_name, lease=self._leases.get(profile_name))))
        except SessionNotFound:
            return None
        if self.config.enable_cookie_persistence and profile_name in self._seen.get(page.context, {}):  # the site may have rotated them
            state = of_kinds(await self._load(profile_name, *site.domains), PartKind.COOKIES)
            await give_cookies(page.context, state, self._seen_in(page.context, profile_name))
        return verdict

    def _keeper(self) -> Keeper:
        return Keeper(engine(), self.vault)

    def _state_of(self, domain: str, site: Site, session: Session | None, state: StorageState) -> SessionState:
        health = session.health if session else Health.UNKNOWN
        return SessionState(
            domain=domain,
            logged_in=health is Health.VALID,
            last_verified=session.last_verified if session else None,
            cookie_count=alive_cookies(state),
            session_expires=(session.expires_at if session else None) or login_ends_at(state, site.recipe),
            needs_refresh=session is None or due(session, datetime.now(UTC), interval=self.config.session_health_check_interval),
            health=health,
        )


def alive_cookies(state: StorageState) -> int:
    """How many cookies have not ended."""
    at = datetime.now(UTC).timestamp()
    return sum(not cookie.expired(at) for cookie in state.cookies())


def domain_of(session: Session) -> str:
    """The domain by which people know a session's site: of those that a recipe names, the one where the site is."""
    try:
        site = find_site(session.site, home=home())
    except ConfigError:
        return session.site  # named by its domain
    return next((domain for domain in site.domains if within(host_of(site.base_url), domain)), site.domains[0])
