"""How the server is set: `[server]` in handstamp.toml, `HANDSTAMP_SERVER_<NAME>`, flags; each rises above the one before."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.table import TEXT, explained, one_of, read_table, seconds, setting, some, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TABLE = "server"
_NAME = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*\.?")


def _is_host(given: str) -> bool:
    """Whether a request's ``Host`` can have this name. Its port and brackets are not compared, so an entry with them would never match."""
    try:
        return given == "*" or _NAME.fullmatch(given) is not None or bool(ipaddress.IPv6Address(given))
    except ValueError:
        return False


_HOSTS = some("host names or IP addresses, without scheme, port or brackets", _is_host)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How the server is set; each field says itself what it is (`about`)."""

    host: str = setting("127.0.0.1", TEXT, "address to listen at")
    port: int = setting(8900, whole(0, 65535), "port to listen at; 0 takes a free one")
    max_sessions: int = setting(10, whole(1, 1000), "sessions that are open in browsers at a time; idle ones make room for others")
    session_refresh_interval: float = setting(300.0, seconds(1), "each session with keep-alive is verified after so long")
    session_timeout: float = setting(1800.0, seconds(1), "a session without keep-alive ends after so long without use")
    queue_seconds: float = setting(30.0, seconds(0), "how long a call waits when all browser windows are in use")
    operation_seconds: float = setting(900.0, seconds(1), "what an operation may take; then it is cut off, and its window is another's")
    isolation: str = setting("shared", one_of("shared", "session"), "one browser for all sessions, or one for each")
    max_memory_mb: int = setting(0, whole(0, 1 << 24), "idle sessions hibernate when the browsers use more; 0 for no limit")
    default_site: str = setting("portside", TEXT, "whose operations are at /NAME; those of all sites are at /sites/SITE/NAME")
    allowed_hosts: tuple[str, ...] = setting(
        (), _HOSTS, "names that callers may use for the server, besides localhost; '*.example.com' for all below, '*' for any"
    )
    body_limit: int = setting(65536, whole(1024, 1 << 26), "bytes of a request's body")
    body_seconds: float = setting(20.0, seconds(0.1), "a request's body has to be here after so long")
    header_seconds: float = setting(10.0, seconds(0.1), "a request's head has to be here after so long")
    send_seconds: float = setting(60.0, seconds(0.1), "a client that takes nothing of its answer for so long is closed")
    requests_per_minute: int = setting(6000, whole(1, 10_000_000), "requests of one token")
    requests_per_minute_without_token: int = setting(600, whole(1, 10_000_000), "requests of one address without a token that works")
    max_connections: int = setting(2000, whole(10, 1_000_000), "connections that are open at a time")
    drain_seconds: float = setting(30.0, seconds(0), "how long running operations get to end when the server is stopped")
    log_format: str = setting("json", one_of("json", "text"), "lines of the log: JSON, or key=value")


def setting_names() -> Iterator[tuple[str, str]]:
    """Each setting's name, and what it is."""
    return explained(ServerSettings)


def server_settings(given: Mapping[str, str] | None = None, *, path: Path | None = None, environ: Mapping[str, str] | None = None) -> ServerSettings:
    """What file, environment and flags say; defaults without them.

    Args:
        given: flags, as texts, by the setting's name.
        path: the home directory; None for the usual one.
        environ: by default this process's.

    Raises:
        ConfigError: a setting that is none, or a value that it cannot have; names both, and where it stands.
    """
    return read_table(_TABLE, ServerSettings, given, path=path, environ=environ, spared=("TOKEN",))
