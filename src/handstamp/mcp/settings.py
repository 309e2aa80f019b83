"""What agents may do here: `[mcp]` in handstamp.toml, and flags above it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError
from handstamp.home import SETTINGS_FILE, home, settings
from handstamp.vault import names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GROUPS = ("read", "act", "login", "operations")
"""Groups of tools: look at sessions and pages; click and type; begin logins; do what sites' operations do."""
SITE, ANYWHERE = "site", "anywhere"
_MOST_SESSIONS = 1000
_LISTS = ("allow", "deny", "sites", "profiles", "allowed_hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings:
    """What agents may do.

    Args:
        allow: tools, by name or group.
        deny: tools that are taken away again, by name or group.
        sites: names of the sites that there are for agents; empty for all.
        profiles: names of the profiles that there are for agents; empty for all.
        navigate: ``site``: pages stay within the domains of the session's site. ``anywhere``: they need not.
        max_sessions: sessions that are open in browsers at a time.
        allowed_hosts: names that clients over HTTP may use for the server, besides this machine's; with port, or ``:*`` for any.
    """

    allow: tuple[str, ...] = GROUPS
    deny: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    navigate: str = SITE
    max_sessions: int = 5
    allowed_hosts: tuple[str, ...] = ()


def mcp_settings(given: Mapping[str, Any] | None = None, *, path: Path | None = None) -> McpSettings:
    """What the file says, and flags where they were given; defaults without them.

    Args:
        given: flags by the setting's name. ``deny`` adds to what the file denies, all others take its place.
        path: the home directory; None for the usual one.

    Raises:
        ConfigError: a setting that is none, or a value that it cannot have; names both.
    """
    file = (home() if path is None else path) / SETTINGS_FILE
    table = settings(file.parent).mcp
    chosen = McpSettings(**{name: _fitting(name, value, f"[mcp] in {file}") for name, value in table.items()})
    flags = {name: _fitting(name, value, "the command line") for name, value in (given or {}).items()}
    if "deny" in flags:
        flags["deny"] = (*chosen.deny, *flags["deny"])
    return replace(chosen, **flags)


def _fitting(name: str, value: Any, where: str) -> Any:
    if name in _LISTS:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
            raise ConfigError(f"{where} sets '{name}' to something else than a list of names")
        return tuple(_named(name, one) for one in value)
    if name == "navigate":
        if value not in {SITE, ANYWHERE}:
            raise ConfigError(f"{where} sets 'navigate' to something else than '{SITE}' or '{ANYWHERE}'")
        return value
    if name == "max_sessions":
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_SESSIONS:
            raise ConfigError(f"{where} sets 'max_sessions' to something else than a whole number from 1 to {_MOST_SESSIONS}")
        return value
    raise ConfigError(f"{where} sets '{name}', which is no setting; known are {', '.join(McpSettings.__dataclass_fields__)}")


def _named(setting: str, name: str) -> str:
    """A list that limits must not hold a name that nothing can have: what was meant would not be limited."""
    return {"sites": names.site_name, "profiles": names.profile_name}.get(setting, str)(name)
