"""What every tool can use: the bench of this process, and who calls."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import RecipeInvalid, SiteUnknown
from handstamp.mcp import permissions
from handstamp.sites import find_site
from handstamp.sites.parse import NAME
from handstamp.vault import names

if TYPE_CHECKING:
    from handstamp.mcp.asking import Asking
    from handstamp.mcp.left import Left
    from handstamp.mcp.logins import Logins
    from handstamp.mcp.pages import Pages
    from handstamp.mcp.permissions import Caller
    from handstamp.mcp.settings import McpSettings
    from handstamp.pool import Pool
    from handstamp.sites import Site
    from handstamp.state import Session

_URLS = ("https://", "http://")
_PORT = re.compile(r"-[0-9]+$")  # of a name that was made of a URL: it does not say of which scheme


@dataclass(frozen=True, slots=True)
class Bench:
    """What the calls of one process share.

    Args:
        pool: with the sessions.
        settings: what agents may do.
        logins: that are under way.
        pages: that are open.
        left: files of operations.
        may_log_in: whether agents may begin a login where there is no session.
    """

    pool: Pool
    settings: McpSettings
    logins: Logins
    pages: Pages
    left: Left
    may_log_in: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool.

    Args:
        bench: of this process.
        caller: who calls.
        asking: the way to the person at the client.
    """

    bench: Bench
    caller: Caller
    asking: Asking

    async def site(self, name: str, profile: str) -> Site:
        """A site that the caller may use with this profile.

        Args:
            name: of a site, or of one without recipe whose session is kept; the URL of that does as well.
            profile: name of the profile.

        Raises:
            Forbidden: they may not.
            SiteUnknown: there is none of this name. A file is no name here: what it says could have credentials sent anywhere.
            ConfigError: no profile can have this name.
        """
        names.profile_name(profile)
        if name.startswith(_URLS):
            return await self._at(name, profile)
        permissions.check_session(self.bench.settings, name, profile)
        if not NAME.fullmatch(name) or name.endswith(".toml"):
            raise SiteUnknown("a site is called by its name; list_sites has those that there are")
        try:
            found = await asyncio.to_thread(self.bench.pool.site, name)
        except SiteUnknown:
            if await self._session(name, profile) is None:
                raise
            return await self._at(f"https://{name}", profile, called=name)
        permissions.check_session(self.bench.settings, found.name, profile)
        return found

    async def _at(self, url: str, profile: str, *, called: str = "") -> Site:
        """The site at a URL, if the caller may use it, and a session of it is kept: without a recipe there is nothing else to begin with."""
        pool = self.bench.pool
        try:
            found = await asyncio.to_thread(find_site, url, home=pool.home)
        except (RecipeInvalid, ValueError):
            raise SiteUnknown("that is no address of a site; list_sites and list_sessions have names of those that there are") from None
        permissions.check_session(self.bench.settings, found.name, profile)
        if called and (called != found.name or _PORT.search(called)):
            raise SiteUnknown(f"the name '{called}' does not say where the site is; call it by its URL")
        if not found.can_login and await self._session(found.name, profile) is None:
            raise SiteUnknown(f"{found.name} has no recipe, and profile '{profile}' no session of it; list_sessions has those that there are")
        return await asyncio.to_thread(pool.openings.site_at, url)

    async def _session(self, site: str, profile: str) -> Session | None:
        return await asyncio.to_thread(self.bench.pool.vault.session, profile, site)

    async def sessions(self) -> list[Session]:
        """The sessions that there are for agents."""
        every = await asyncio.to_thread(self.bench.pool.vault.sessions)
        return [one for one in every if self.allows(one.site, one.profile)]

    def allows(self, site: str | None, profile: str | None) -> bool:
        """Whether something about this site and profile may be told; what is about neither is told to those who see everything."""
        settings = self.bench.settings
        by_site = not settings.sites if site is None else permissions.allows_site(settings, site)
        by_profile = not settings.profiles if profile is None else permissions.allows_profile(settings, profile)
        return by_site and by_profile
