"""What agents may do here: `[mcp]` in handstamp.toml, `HANDSTAMP_MCP_<NAME>`, flags; each rises above the one before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from handstamp.table import one_of, read_table, setting, some, whole
from handstamp.vault import names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GROUPS = ("read", "act", "login", "operations")
"""Groups of tools: look at sessions and pages; click and type; begin logins; do what sites' operations do."""
SITE, ANYWHERE = "site", "anywhere"
_TABLE = "mcp"
_NAMES = some("names")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings:
    """What agents may do; each field says itself what it is (`about`)."""

    allow: tuple[str, ...] = setting(GROUPS, _NAMES, "tools, by name or group")
    deny: tuple[str, ...] = setting((), _NAMES, "tools that are taken away again, by name or group; adds to what is denied elsewhere")
    sites: tuple[str, ...] = setting((), _NAMES, "sites that there are for agents; none for all")
    profiles: tuple[str, ...] = setting((), _NAMES, "profiles that there are for agents; none for all")
    navigate: str = setting(SITE, one_of(SITE, ANYWHERE), "'site': pages stay within the domains of their session's site; 'anywhere': they need not")
    max_sessions: int = setting(5, whole(1, 1000), "sessions that are open in browsers at a time")
    max_file_mb: int = setting(8, whole(1, 100), "megabytes of the largest file of an operation that is handed over")
    allowed_hosts: tuple[str, ...] = setting(
        (), _NAMES, "over HTTP: names that clients may use for the server, besides this machine's; with port, or ':*' for any"
    )


def mcp_settings(given: Mapping[str, Any] | None = None, *, path: Path | None = None, environ: Mapping[str, str] | None = None) -> McpSettings:
    """What file, environment and flags say; defaults without them. What each denies adds up, all else takes the place of what was before.

    Args:
        given: flags by the setting's name.
        path: the home directory; None for the usual one.
        environ: by default this process's.

    Raises:
        ConfigError: a setting that is none, or a value that it cannot have; names both, and where it stands.
    """
    found = read_table(_TABLE, McpSettings, given, path=path, environ=environ, adding={"deny"})
    # A list that limits must not hold a name that nothing can have: what was meant would not be limited.
    return replace(found, sites=tuple(map(names.site_name, found.sites)), profiles=tuple(map(names.profile_name, found.profiles)))
