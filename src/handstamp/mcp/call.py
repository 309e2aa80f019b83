"""What every tool can use: the bench of this process, and who calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import SiteUnknown
from handstamp.mcp import permissions
from handstamp.sites.parse import NAME
from handstamp.vault import names

if TYPE_CHECKING:
    from handstamp.mcp.asking import Asking
    from handstamp.mcp.logins import Logins
    from handstamp.mcp.pages import Pages
    from handstamp.mcp.permissions import Caller
    from handstamp.mcp.settings import McpSettings
    from handstamp.pool import Pool
    from handstamp.sites import Site
    from handstamp.state import Session


@dataclass(frozen=True, slots=True)
class Bench:
    """What the calls of one process share.

    Args:
        pool: with the sessions.
        settings: what agents may do.
        logins: that are under way.
        pages: that are open.
        may_log_in: whether agents may begin a login where there is no session.
    """

    pool: Pool
    settings: McpSettings
    logins: Logins
    pages: Pages
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

        Raises:
            Forbidden: they may not.
            SiteUnknown: there is none of this name. A URL is no name here, nor is a file: what it says could have credentials sent anywhere.
            ConfigError: no profile can have this name.
        """
        permissions.check_session(self.bench.settings, name, names.profile_name(profile))
        if not NAME.fullmatch(name) or name.endswith(".toml"):
            raise SiteUnknown("a site is called by its name; list_sites has those that there are")
        found = await asyncio.to_thread(self.bench.pool.site, name)
        permissions.check_session(self.bench.settings, found.name, profile)
        return found

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
