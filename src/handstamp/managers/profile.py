"""Cookies and storage of named profiles, for programs that own their browser: saved from a page, brought into a page."""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from handstamp.browser import now
from handstamp.browser.own_context import found_local_storage, give_cookies, give_databases, give_local_storage, give_session_storage
from handstamp.browser.playwright_errors import playwright_error
from handstamp.keeper.keeper import device_of
from handstamp.keeper.saved_evidence import ending_soon
from handstamp.keeper.verdicts import Facts, with_login
from handstamp.managers.caller import checked
from handstamp.managers.health import HealthCalls, alive_cookies, domain_of
from handstamp.managers.locks import LockCalls
from handstamp.managers.values import Profile
from handstamp.state import Device, PartKind, cookie_scope, live_entries, of_kinds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import Page

    from handstamp.keeper import Given
    from handstamp.state import StorageState

_log = logging.getLogger(__name__)


class ProfileManager(HealthCalls, LockCalls):
    """Keeps profiles of a program that owns its browser: any Playwright page will do, no debugging port is needed.

    A `domain` argument selects the domain, its subdomains, and the cookies of parent domains that are sent to it; a known site's
    name selects the site's domains. What is saved is merged with what other programs save; what a page merely lacks is not
    deleted. The methods that are no coroutines are quick calls of the vault. Safe across threads.

    Args:
        config: what it does; by default everything.
        vault: where profiles are kept; by default that of the settings.
    """

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
        return await self._save_cookies(profile_name, page, domain)

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

    # -- localStorage --------------------------------------------------------------------------------------------

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

    # -- a login as a whole --------------------------------------------------------------------------------------

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
        device = Device()
        with contextlib.suppress(playwright_error()):  # the page went away, or elsewhere, when all was saved
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

    # -- what else -----------------------------------------------------------------------------------------------

    def register_check(self, domain: str, check: Callable[[ProfileManager, str, Page], Awaitable[bool]]) -> None:
        """Let a function of yours decide how sessions at a domain and its subdomains stand.

        Args:
            domain: the domain; of several that cover one, the longest counts.
            check: called with this manager, the profile's name and the page; True for a valid session. If it raises, nobody knows.
        """
        self._register(domain, partial(check, self))

    def get_profile(self, profile_name: str) -> Profile:
        """What is known of a profile; of one that does not exist, that it is empty."""
        state = self.vault.load(profile_name)
        domains = tuple(dict.fromkeys(domain_of(session) for session in self.vault.sessions(profile_name)))
        return Profile(profile_name, self.vault.where, domains, alive_cookies(state), self.lock_info(profile_name))

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


@cache
def get_profile_manager() -> ProfileManager:
    """The process's one `ProfileManager`, with everything on and the vault of the settings."""
    return ProfileManager()
