"""Cookies and storage of named profiles, for programs that own their browser: saved from a page, brought into a page."""

from __future__ import annotations

import logging
import secrets
import threading
import weakref
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from handstamp._signed_in import engine
from handstamp.browser import now
from handstamp.browser.own_context import (
    Seen,
    changes_in,
    found_cookies,
    found_local_storage,
    give_cookies,
    give_databases,
    give_local_storage,
    give_session_storage,
    storage_changes,
)
from handstamp.errors import ConfigError, LeaseHeld, SessionNotFound
from handstamp.home import home
from handstamp.keeper import Given, Keeper
from handstamp.keeper.keeper import device_of
from handstamp.keeper.saved_evidence import due, ending_soon, verdict_by_state, verdict_by_word
from handstamp.keeper.verdicts import Facts, recorded, with_login
from handstamp.managers.caller import Caller, Waiting, checked
from handstamp.managers.values import LockInfo, Profile, ProfileManagerConfig, SessionState
from handstamp.sites import find_site, login_ends_at, site_at
from handstamp.state import Clock, Entry, Health, Part, PartKind, StorageState, cookie_scope, emptied, host_of, live_entries, of_kinds, select, within
from handstamp.vault import Standing, Vault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from playwright.async_api import Page

    from handstamp.sites import Site, Verdict
    from handstamp.state import Session
    from handstamp.vault import Lease, LeaseInfo

_log = logging.getLogger(__name__)
_STORAGE = (PartKind.LOCAL, PartKind.SESSION, PartKind.IDB)
_ALIVE = {Standing.ALIVE, Standing.FRESH, Standing.MINE}


class ProfileManager:
    """Keeps profiles of a program that owns its browser: any Playwright page will do, no debugging port is needed.

    A `domain` argument selects the domain, its subdomains, and the cookies of parent domains that are sent to it; a known site's
    name selects the site's domains. What is saved is merged with what other programs save; what a page merely lacks is not
    deleted. The methods that are no coroutines are quick calls of the vault. Safe across threads.

    Args:
        config: what it does; by default everything.
        vault: where profiles are kept; by default that of the settings.
    """

    _caller: Caller = Waiting()

    def __init__(self, config: ProfileManagerConfig | None = None, *, vault: Vault | None = None) -> None:
        self.config = config or ProfileManagerConfig()
        self.vault = vault or Vault()
        self._clock = Clock(secrets.token_hex(6))
        self._checks: dict[str, Callable[[str, Any], Any]] = {}
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._seen: weakref.WeakKeyDictionary[Any, dict[str, Seen]] = weakref.WeakKeyDictionary()

    # -- cookies ------------------------------------------------------------------------------------------------

    async def export_cookies(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        """How many cookies of the page's context were saved.

        Args:
            profile_name: the jar; made when it is missing.
            page: any page of the context, wherever it is now.
            domain: only its cookies; None for all.

        Raises:
            LeaseLost: this manager held the profile, and somebody has taken it.
        """
        if not self.config.enable_cookie_persistence:
            return self._switched_off("cookies", profile_name)
        context = checked(self._caller, page).context
        state = await self._load(profile_name)
        found = await found_cookies(context, state)
        return await self._save_found(profile_name, context, state, found, domain)

    async def import_cookies(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        """How many saved cookies the page's context has now.

        Cookies that have ended are left out. One that the site has renewed in this context since it was saved stays. Those
        that end within `cookie_expiry_warning_days` are named in a warning.

        Args:
            profile_name: the jar.
            page: any page of the context; it is not loaded again.
            domain: only its cookies; None for all.
        """
        if not self.config.enable_cookie_persistence:
            return self._switched_off("cookies", profile_name)
        context = checked(self._caller, page).context
        state = of_kinds(await self._load(profile_name, domain), PartKind.COOKIES)
        self._tell_of_ends(state, domain)
        return await give_cookies(context, state, self._seen_in(context, profile_name))

    def clear_cookies(self, profile_name: str, domain: str | None = None) -> int:
        """How many cookies were removed from the vault; the browser keeps its own.

        Args:
            profile_name: the jar.
            domain: only its cookies; None for all.
        """
        return self._clear(profile_name, domain, PartKind.COOKIES)

    # -- localStorage -------------------------------------------------------------------------------------------

    async def export_localstorage(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        """How many items of localStorage were saved, of every origin that the context shows or has shown.

        Args:
            profile_name: the jar; made when it is missing.
            page: any page of the context, wherever it is now.
            domain: only its origins; None for all.
        """
        if not self.config.enable_localstorage_persistence:
            return self._switched_off("localStorage", profile_name)
        context = checked(self._caller, page).context
        state = await self._load(profile_name)
        found = await found_local_storage(context)
        return await self._save_found(profile_name, context, state, found, domain)

    async def import_localstorage(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        """How many saved items of localStorage were put into their origins.

        Where no page of the context shows an origin, an empty page of it is opened for a moment; the site is not asked. An item
        for which there is no room is named in a warning, and the rest goes in.

        Args:
            profile_name: the jar.
            page: any page of the context, wherever it is now.
            domain: only its origins; None for all.
        """
        if not self.config.enable_localstorage_persistence:
            return self._switched_off("localStorage", profile_name)
        context = checked(self._caller, page).context
        state = of_kinds(await self._load(profile_name, domain), PartKind.LOCAL)
        return await give_local_storage(context, state, self._seen_in(context, profile_name))

    def clear_localstorage(self, profile_name: str, domain: str | None = None) -> int:
        """How many items of localStorage were removed from the vault; the browser keeps its own.

        Args:
            profile_name: the jar.
            domain: only its origins; None for all.
        """
        return self._clear(profile_name, domain, PartKind.LOCAL)

    # -- a login as a whole -------------------------------------------------------------------------------------

    async def on_successful_login(self, profile_name: str, page: Page, domain: str) -> None:
        """Save everything that the context holds, and note that this is a login at the domain.

        Cookies (unless `cookie_export_on_login` is off), localStorage, the databases of open pages, sessionStorage of this page.

        Args:
            profile_name: the jar; made when it is missing.
            page: logged in.
            domain: of the site, or its name.

        Raises:
            LeaseLost: this manager held the profile, and somebody has taken it.
        """
        site = self._site(domain, checked(self._caller, page).url)
        await self._save_all(profile_name, page, cookies=self.config.cookie_export_on_login)
        device = await device_of(page)
        state = await self._load(profile_name)
        await self._run(partial(with_login, self.vault, site, profile_name, Facts(device, None, state)))

    async def restore_session(self, profile_name: str, page: Page, domain: str) -> bool:
        """Bring the saved login at a domain into the page's context; False when nothing is saved of it.

        Cookies, localStorage, databases; sessionStorage if the page shows its origin. What an origin has already stays. The page
        is not loaded again.

        Args:
            profile_name: the jar.
            page: any page of the context, wherever it is now.
            domain: of the site, or its name; a known site brings all domains that it declares.
        """
        context = checked(self._caller, page).context
        site = self._site(domain, page.url)
        state = await self._load(profile_name, domain, *site.domains)
        seen = self._seen_in(context, profile_name)
        given, rest = 0, 0
        if self.config.enable_cookie_persistence:
            self._tell_of_ends(state, domain)
            given += await give_cookies(context, of_kinds(state, PartKind.COOKIES), seen)
        if self.config.enable_localstorage_persistence:
            await give_session_storage(page, state)
            given += await give_local_storage(context, state, seen, keep=True)
            await give_databases(context, state)
            rest = live_entries(of_kinds(state, PartKind.SESSION, PartKind.IDB))
        return given + rest > 0

    # -- health -------------------------------------------------------------------------------------------------

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

    def register_check(self, domain: str, check: Callable[[ProfileManager, str, Page], Awaitable[bool]]) -> None:
        """Let a function of yours decide how sessions at a domain and its subdomains stand.

        Args:
            domain: the domain; of several that cover one, the longest counts.
            check: called with this manager, the profile's name and the page; True for a valid session. If it raises, nobody knows.
        """
        self._register(domain, partial(check, self))

    def get_session_state(self, profile_name: str, domain: str) -> SessionState | None:
        """How the session at a domain stands, as it is saved; None when nothing is."""
        return self._state_at(profile_name, domain)

    def _state_at(self, profile_name: str, domain: str, url: str = "") -> SessionState | None:
        site = self._site(domain, url)
        session = self.vault.session(profile_name, site.name)
        state = select(self.vault.load(profile_name), self._domains(domain, site))
        if session is None and not live_entries(state):
            return None
        return self._state_of(domain, site, session, state)

    def get_sessions_needing_refresh(self, profile_name: str) -> list[str]:
        """The domains whose sessions should be looked at: marked, over, or not looked at for `session_health_check_interval` seconds."""
        at, interval = datetime.now(UTC), self.config.session_health_check_interval
        return [_domain_of(session) for session in self.vault.sessions(profile_name) if due(session, at, interval=interval)]

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

    # -- locks --------------------------------------------------------------------------------------------------

    def acquire_profile_lock(self, profile_name: str) -> bool:
        """Whether this manager holds the profile now: it did already, or nobody else does.

        A live holder keeps it however old the lock is; a dead one's is taken at once. Released at the process's end. While it is
        held, what this manager saves is refused if somebody has broken the lock.
        """
        if not self.config.enable_profile_locking:
            return True
        with self._lock:
            held = self._leases.get(profile_name)
            if held is not None and held.lost is None and self._is_ours(held):
                return True
            try:
                self._leases[profile_name] = self.vault.lease(profile_name, life=self.config.lock_timeout_seconds)
            except LeaseHeld as error:
                _log.info("%s", error)
                return False
            return True

    def release_profile_lock(self, profile_name: str, *, force: bool = False) -> None:
        """Let go of the profile.

        Args:
            profile_name: the jar.
            force: also when another holds it; what they save from then on is refused.
        """
        with self._lock:
            if (held := self._leases.pop(profile_name, None)) is not None:
                held.release()
        if force:
            self.vault.break_lease(profile_name, reason="released by force")

    def lock_info(self, profile_name: str) -> LockInfo | None:
        """Who holds the profile; None when nobody does."""
        found = self.vault.lease_info(profile_name)
        return LockInfo(found.holder.pid, found.holder.host, found.since, found.beat_at, found.standing in _ALIVE) if found else None

    def _is_ours(self, lease: Lease) -> bool:
        found: LeaseInfo | None = self.vault.lease_info(lease.profile)
        return found is not None and found.token == lease.token

    # -- profiles -----------------------------------------------------------------------------------------------

    def get_profile(self, profile_name: str) -> Profile:
        """What is known of a profile; of one that does not exist, that it is empty."""
        state = self.vault.load(profile_name)
        domains = tuple(dict.fromkeys(_domain_of(session) for session in self.vault.sessions(profile_name)))
        return Profile(profile_name, self.vault.where, domains, _alive_cookies(state), self.lock_info(profile_name))

    # -- for the other managers ---------------------------------------------------------------------------------

    def _is_known(self, domain: str, url: str) -> bool:
        """Whether a recipe covers the domain."""
        site = self._site(domain, url)
        return site.can_check or site.can_login

    async def _state(self, profile_name: str, domain: str, url: str) -> SessionState | None:
        state: SessionState | None = await self._run(partial(self._state_at, profile_name, domain, url))
        return state

    async def _log_in(self, profile_name: str, page: Page, domain: str, given: Given) -> None:
        """Log in by the site's recipe, in a browser of our own, and bring the new session into the page's context.

        Args:
            profile_name: the jar.
            page: any page of the context.
            domain: of the site, or its name.
            given: credentials of the caller; what is missing comes from the environment and the vault.

        Raises:
            LoginError: nobody can log in, or the site refused.
        """
        site = self._site(domain, checked(self._caller, page).url)
        before, since = await self._run(partial(self.vault.session, profile_name, site.name)), self._clock.stamp().time
        work = self._keeper().log_in(site, profile_name, given, why="the session has ended", before=before, lease=self._leases.get(profile_name))
        await now(self._caller.on_engine(work))
        state, seen = await self._load(profile_name, *site.domains), self._seen_in(page.context, profile_name)
        if self.config.enable_cookie_persistence:
            await give_cookies(page.context, of_kinds(state, PartKind.COOKIES), seen, since=since)
        if self.config.enable_localstorage_persistence:
            await give_local_storage(page.context, state, seen)

    # -- what they stand on -------------------------------------------------------------------------------------

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await now(self._caller.blocking(call))

    async def _load(self, profile_name: str, *domains: str | None) -> StorageState:
        """The profile; of these domains or names of sites only, if there are any."""
        wanted = [domain for domain in domains if domain is not None]
        within_these = {one for domain in wanted for one in self._domains(domain)} if wanted else None
        state: StorageState = await self._run(partial(self.vault.load, profile_name, domains=within_these))
        return state

    async def _save(self, profile_name: str, changes: StorageState) -> None:
        await self._run(partial(self.vault.save, profile_name, changes, lease=self._leases.get(profile_name)))

    async def _save_found(self, profile_name: str, context: Any, state: StorageState, found: Any, domain: str | None) -> int:
        wanted = None if domain is None else self._domains(domain)
        there = select(StorageState.of(Part(part_id, {key: Entry(value) for key, value in values.items()}) for part_id, values in found.items()), wanted)
        chosen = {part_id: {key: found[part_id][key] for key in part.entries} for part_id, part in there.parts.items()}
        await self._save(profile_name, changes_in(state, chosen, self._seen_in(context, profile_name), self._clock))
        return live_entries(there)

    async def _save_all(self, profile_name: str, page: Any, *, cookies: bool = True) -> None:
        if cookies:
            await self.export_cookies(profile_name, page)
        if self.config.enable_localstorage_persistence:
            state = await self._load(profile_name)
            await self._save(profile_name, await storage_changes(page, state, self._seen_in(page.context, profile_name), self._clock))

    def _clear(self, profile_name: str, domain: str | None, kind: PartKind) -> int:
        state = select(self.vault.load(profile_name), None if domain is None else self._domains(domain))
        chosen = of_kinds(state, kind)
        self.vault.save(profile_name, emptied(chosen, self._clock), lease=self._leases.get(profile_name))
        return live_entries(chosen)

    def _seen_in(self, context: Any, profile_name: str) -> Seen:
        return self._seen.setdefault(context, {}).setdefault(profile_name, Seen())

    def _switched_off(self, what: str, profile_name: str) -> int:
        _log.debug("%s of profile '%s' are neither saved nor restored: switched off in ProfileManagerConfig", what, profile_name)
        return 0

    def _site(self, domain: str, url: str = "") -> Site:
        return site_at(domain, url=url, home=home())

    def _domains(self, domain: str, site: Site | None = None) -> tuple[str, ...]:
        """What a `domain` argument selects: a site's name its domains, a domain itself (with its site's, if that is given)."""
        if site is not None:
            return tuple(dict.fromkeys([*self._domains(domain), *site.domains]))
        if "." not in domain and (named := self._site(domain)).name == domain and named.can_check:
            return named.domains
        return (host_of(domain) or domain.lower().lstrip("."),)

    def _tell_of_ends(self, state: StorageState, domain: str | None) -> None:
        """Which cookies are left out, and which will be soon."""
        at = datetime.now(UTC)
        by_domain: dict[str, list[Any]] = defaultdict(list)
        for cookie in state.cookies():
            by_domain[domain or cookie_scope(cookie.domain)].append(cookie)
        for name, cookies in by_domain.items():
            for cookie in cookies:
                if cookie.expired(at.timestamp()):
                    _log.debug("the cookie %s of %s has ended and is left out", cookie.name, cookie.domain)
            if soon := ending_soon(cookies, at, days=self.config.cookie_expiry_warning_days):
                _log.warning("Cookies expiring soon for %s: %s", name, ", ".join(f"{cookie} ({left:.1f} days)" for cookie, left in soon))

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
            cookie_count=_alive_cookies(state),
            session_expires=(session.expires_at if session else None) or login_ends_at(state, site.recipe),
            needs_refresh=session is None or due(session, datetime.now(UTC), interval=self.config.session_health_check_interval),
            health=health,
        )


def _alive_cookies(state: StorageState) -> int:
    at = datetime.now(UTC).timestamp()
    return sum(not cookie.expired(at) for cookie in state.cookies())


def _domain_of(session: Session) -> str:
    """The domain by which people know a session's site: of those that a recipe names, the one where the site is."""
    try:
        site = find_site(session.site, home=home())
    except ConfigError:
        return session.site  # named by its domain
    return next((domain for domain in site.domains if within(host_of(site.base_url), domain)), site.domains[0])


@cache
def get_profile_manager() -> ProfileManager:
    """The process's one `ProfileManager`, with everything on and the vault of the settings."""
    return ProfileManager()
