"""How the server is set: `[server]` in handstamp.toml, `HANDSTAMP_SERVER_<NAME>`, flags; each rises above the one before."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from handstamp.errors import ConfigError
from handstamp.home import SETTINGS_FILE, home, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PREFIX = "HANDSTAMP_SERVER_"
_OF_OTHERS = ("TOKEN", "USERNAME", "PASSWORD", "TOTP", "BASE_URL")
"""What may follow the prefix besides: the client's token, and what the environment says of a site named ``server``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting may be.

    Args:
        says: the same, for people.
        fits: whether a value of the file is one.
        read: the value in a text; raises ValueError when it holds none.
    """

    says: str
    fits: Callable[[Any], bool]
    read: Callable[[str], Any]


def _whole(least: int, most: int) -> Kind:
    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return Kind(f"a whole number from {least} to {most}", fits, int)


def _seconds(least: float) -> Kind:
    def fits(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= least

    return Kind(f"a number of seconds from {least:g}", fits, float)


def _one_of(*names: str) -> Kind:
    return Kind(" or ".join(f"'{name}'" for name in names), lambda value: value in names, str)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _are_hosts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(_is_text(name) and "/" not in name for name in value)


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_TEXT = Kind("a text", _is_text, str)
_HOSTS = Kind("a list of host names, without scheme", _are_hosts, _split)


def _setting(default: Any, kind: Kind, about: str) -> Any:
    return field(default=default, metadata={"kind": kind, "about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How the server is set; each field says itself what it is (`about`)."""

    host: str = _setting("127.0.0.1", _TEXT, "address to listen at")
    port: int = _setting(8900, _whole(0, 65535), "port to listen at; 0 takes a free one")
    max_sessions: int = _setting(10, _whole(1, 1000), "sessions that are open in browsers at a time; idle ones make room for others")
    session_refresh_interval: float = _setting(300.0, _seconds(1), "each session with keep-alive is verified after so long")
    session_timeout: float = _setting(1800.0, _seconds(1), "a session without keep-alive ends after so long without use")
    queue_seconds: float = _setting(30.0, _seconds(0), "how long a call waits when all browser windows are in use")
    operation_seconds: float = _setting(900.0, _seconds(1), "what an operation may take; then it is cut off, and its window is another's")
    isolation: str = _setting("shared", _one_of("shared", "session"), "one browser for all sessions, or one for each")
    max_memory_mb: int = _setting(0, _whole(0, 1 << 24), "idle sessions hibernate when the browsers use more; 0 for no limit")
    default_site: str = _setting("portside", _TEXT, "whose operations are at /NAME; those of all sites are at /sites/SITE/NAME")
    allowed_hosts: tuple[str, ...] = _setting(
        (), _HOSTS, "names that callers may use for the server, besides localhost; '*.example.com' for all below, '*' for any"
    )
    body_limit: int = _setting(65536, _whole(1024, 1 << 26), "bytes of a request's body")
    body_seconds: float = _setting(20.0, _seconds(0.1), "a request's body has to be here after so long")
    header_seconds: float = _setting(10.0, _seconds(0.1), "a request's head has to be here after so long")
    send_seconds: float = _setting(60.0, _seconds(0.1), "a client that takes nothing of its answer for so long is closed")
    requests_per_minute: int = _setting(6000, _whole(1, 10_000_000), "requests of one token")
    requests_per_minute_without_token: int = _setting(600, _whole(1, 10_000_000), "requests of one address without a token that works")
    max_connections: int = _setting(2000, _whole(10, 1_000_000), "connections that are open at a time")
    drain_seconds: float = _setting(30.0, _seconds(0), "how long running operations get to end when the server is stopped")
    log_format: str = _setting("json", _one_of("json", "text"), "lines of the log: JSON, or key=value")


def setting_names() -> Iterator[tuple[str, str]]:
    """Each setting's name, and what it is."""
    for one in fields(ServerSettings):
        yield one.name, one.metadata["about"]


def server_settings(given: Mapping[str, str] | None = None, *, path: Path | None = None, environ: Mapping[str, str] | None = None) -> ServerSettings:
    """What file, environment and flags say; defaults without them.

    Args:
        given: flags, as texts, by the setting's name.
        path: the home directory; None for the usual one.
        environ: by default this process's.

    Raises:
        ConfigError: a setting that is none, or a value that it cannot have; names both, and where it stands.
    """
    folder = home() if path is None else path
    kinds = {one.name: cast("Kind", one.metadata["kind"]) for one in fields(ServerSettings)}
    chosen: dict[str, Any] = {}
    for name, value in settings(folder).server.items():
        where = f"[server] in {folder / SETTINGS_FILE}"
        if name not in kinds:
            raise ConfigError(f"{where} sets '{name}', which is no setting; known are {', '.join(kinds)}")
        chosen[name] = _fitting(kinds[name], value, f"{where} sets '{name}' to")
    for name, text in _of_environment(os.environ if environ is None else environ, kinds).items():
        chosen[name] = _read(kinds[name], text, f"{PREFIX}{name.upper()} is")
    for name, text in (given or {}).items():
        chosen[name] = _read(kinds[name], text, f"--{name.replace('_', '-')} is")
    return ServerSettings(**chosen)


def _of_environment(environ: Mapping[str, str], kinds: Mapping[str, Kind]) -> dict[str, str]:
    ours = {name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX) and text}
    for name in ours:
        if name.lower() not in kinds and name not in _OF_OTHERS:
            raise ConfigError(f"the variable {PREFIX}{name} names no setting of the server; known are {', '.join(PREFIX + known.upper() for known in kinds)}")
    return {name.lower(): text for name, text in ours.items() if name.lower() in kinds}


def _read(kind: Kind, text: str, where: str) -> Any:
    try:
        value = kind.read(text)
    except ValueError:
        raise ConfigError(f"{where} something else than {kind.says}") from None
    return _fitting(kind, value, where)


def _fitting(kind: Kind, value: Any, where: str) -> Any:
    if not kind.fits(value):
        raise ConfigError(f"{where} something else than {kind.says}")
    return tuple(value) if isinstance(value, list) else value
