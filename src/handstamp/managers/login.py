"""Is this browser logged in at a service? If not, log it in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handstamp.errors import LoginError, SiteUnknown
from handstamp.keeper import Given
from handstamp.managers.pages import page_of
from handstamp.managers.profile import ProfileManager, get_profile_manager
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser, BrowserContext, Page

_log = logging.getLogger(__name__)


class LoginManager:
    """Logins of services in a browser that the program owns.

    Args:
        profile_manager: keeps the profiles; by default the process's one.
    """

    def __init__(self, profile_manager: ProfileManager | None = None) -> None:
        self.profile_manager = profile_manager or get_profile_manager()

    async def verify_login(
        self, service_id: str, browser: Browser | BrowserContext | Page, profile_name: str = "default", credentials: Mapping[str, str] | None = None
    ) -> bool:
        """Whether the browser is logged in at a service now: by what is saved, else by a login, which is saved.

        The saved session is brought in, then checked. Only if it is over (or there is none) is a login tried, once, by the
        site's recipe; while the site cannot be asked, none is.

        Args:
            service_id: name of a known site, or a bare domain.
            browser: a Playwright page; or a context, or a browser with one context at most.
            profile_name: the jar.
            credentials: ``username``, ``password`` and ``totp`` (the secret), as far as they are to be used; the rest comes from
                ``HANDSTAMP_<SITE>_USERNAME``, ``_PASSWORD``, ``_TOTP`` and the vault.

        Raises:
            SiteUnknown: there is no recipe, and nothing is saved.
            ConfigError: `browser` is none.
        """
        given = Given(**{name: (credentials or {}).get(name) for name in ("username", "password", "totp")})
        manager = self.profile_manager
        async with page_of(manager._caller, browser) as page:  # noqa: SLF001  (one package: the managers share how calls are run)
            if await manager._state(profile_name, service_id, page.url) is None and not manager._is_known(service_id, page.url):  # noqa: SLF001
                message = f"no site is called '{service_id}' and nothing is saved for it in profile '{profile_name}'"
                raise SiteUnknown(f"{message}; log in in your page and call mark_logged_in(…), or write a recipe (docs/how-to/sites.md)")
            await manager.restore_session(profile_name, page, service_id)
            if await manager.verify_session_health(profile_name, page, service_id):
                return True
            state = await manager._state(profile_name, service_id, page.url)  # noqa: SLF001
            if state is not None and state.health is not Health.EXPIRED:
                return False  # nobody knows, or a login would not help
            try:
                await manager._log_in(profile_name, page, service_id, given)  # noqa: SLF001
            except LoginError as error:
                _log.warning("%s", error)
                return False
            return True

    async def mark_logged_in(self, service_id: str, browser: Browser | BrowserContext | Page, profile_name: str = "default") -> None:
        """Save the login that is in the browser now; see `ProfileManager.on_successful_login`.

        Args:
            service_id: name of a known site, or a bare domain.
            browser: see `verify_login`.
            profile_name: the jar; made when it is missing.

        Raises:
            ConfigError: `browser` is none.
        """
        async with page_of(self.profile_manager._caller, browser) as page:  # noqa: SLF001
            await self.profile_manager.on_successful_login(profile_name, page, service_id)
