"""Which tools there are for whom, and which sites and profiles. Decisions over values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.errors import ConfigError, Forbidden
from handstamp.mcp.settings import GROUPS, SITE
from handstamp.vault.tokens import IMPLIED, implied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.mcp.settings import McpSettings
    from handstamp.mcp.tool import Tool
    from handstamp.sites import Site

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        name: of the token; ``-`` where none is wanted.
        scopes: with all that they imply.
    """

    name: str = "-"
    scopes: frozenset[str] = IMPLIED["admin"]

    @classmethod
    def with_token(cls, name: str, scopes: Iterable[str]) -> Caller:
        """Who has a token."""
        return cls(name, implied(scopes))


def check_names(settings: McpSettings, tools: Iterable[Tool]) -> None:
    """See that every name in ``allow`` and ``deny`` is one: what is misspelt there would not be denied.

    Raises:
        ConfigError: one is not.
    """
    known = {*GROUPS, *(tool.name for tool in tools)}
    for name in (*settings.allow, *settings.deny):
        if name not in known:
            raise ConfigError(f"there is no tool '{name}' to allow or deny; groups are {', '.join(GROUPS)}, and a client's list of tools has their names")


def allows_tool(settings: McpSettings, tool: Tool, caller: Caller) -> bool:
    """Whether a caller has a tool."""
    named = {tool.name, tool.group}
    return bool(named & set(settings.allow)) and not named & set(settings.deny) and tool.scope in caller.scopes


def allows_site(settings: McpSettings, site: str) -> bool:
    """Whether there is a site for agents."""
    return not settings.sites or site in settings.sites


def allows_profile(settings: McpSettings, profile: str) -> bool:
    """Whether there is a profile for agents."""
    return not settings.profiles or profile in settings.profiles


def check_session(settings: McpSettings, site: str, profile: str) -> None:
    """Refuse what agents have nothing to do with.

    Raises:
        Forbidden: the site or the profile is none of theirs.
    """
    if not allows_site(settings, site):
        raise Forbidden(f"the site '{site}' is not open to you; list_sites names those that are")
    if not allows_profile(settings, profile):
        raise Forbidden(f"the profile '{profile}' is not open to you; these are: {', '.join(settings.profiles)}")


def leads_out(settings: McpSettings, site: Site, url: str) -> bool:
    """Whether a page may not be at this address.

    Pages of the site's domains may be anywhere there, but for the host of its `base_url`: there the port counts, too, since
    other ports of one machine are other applications. ``about:`` holds nothing.

    Args:
        settings: of the server.
        site: of the session.
        url: absolute.
    """
    try:
        parts, base = urlsplit(url), urlsplit(site.base_url)
        port, usual = parts.port, base.port
    except ValueError:
        return True
    if url == "about:blank":
        return False
    if parts.scheme not in _PORTS or not parts.hostname:
        return True
    if settings.navigate != SITE:
        return False
    if parts.hostname == base.hostname and (usual is not None or port is not None):
        return (port or _PORTS[parts.scheme]) != (usual or _PORTS.get(base.scheme))
    return not site.covers(url)
