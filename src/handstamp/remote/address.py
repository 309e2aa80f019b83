"""Which server, and the token for it: from arguments, the environment, or this machine. A token goes to no place that it was not given for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.errors import ConfigError
from handstamp.home import home, refuse_symlink
from handstamp.state.cookie_match import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOCAL = "http://127.0.0.1:8900"
"""Where `handstamp serve` listens by default."""
TOKEN_FILE = "server.token"  # noqa: S105  (a file's name)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and what it wants to see.

    Args:
        url: of the server, without a slash at the end.
        token: for it; None to come without.
        on_this_machine: only this machine can be meant by it.
    """

    url: str
    token: str | None = field(repr=False)
    on_this_machine: bool


def find_server(
    url: str | None, token: str | None, *, insecure: bool = False, environ: Mapping[str, str] = os.environ, folder: Callable[[], Path] = home
) -> Address:
    """The server to call.

    Args:
        url: by default ``HANDSTAMP_SERVER``, else `LOCAL`.
        token: by default ``HANDSTAMP_SERVER_TOKEN``, unless ``HANDSTAMP_SERVER`` names another server than `url`; else, for this
            machine, what the server left in the home directory.
        insecure: let the token travel in clear to another machine.
        environ: for the two variables.
        folder: gives the home directory.

    Raises:
        ConfigError: the URL or the token cannot be one, or the token would be readable on its way.
    """
    named = environ.get("HANDSTAMP_SERVER")
    chosen = (url or named or LOCAL).rstrip("/")
    host = _checked(chosen, insecure=insecure)
    local = is_loopback(host)
    if token is None and (named is None or origin(named) == origin(chosen)):
        token = environ.get("HANDSTAMP_SERVER_TOKEN")
    if token is None and local:
        token = _left_here(folder() / TOKEN_FILE)
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ConfigError("the token for the server holds what no token holds, such as a space or the end of a line; give it as the server showed it")
    return Address(chosen, token, local)


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _checked(url: str, *, insecure: bool) -> str:
    """The host of a server's URL. No message shows the URL: somebody may have put a password in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError("the server's URL is none; it looks like https://sessions.example") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ConfigError("the server's URL must begin with https:// (or http://) and name a host, such as https://sessions.example")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError("the server's URL holds more than scheme, host, port and path; give the token by token= or HANDSTAMP_SERVER_TOKEN")
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not insecure:
        raise ConfigError(
            f"{parts.hostname} would be called in clear, so that everybody on the way could read token and passwords; "
            "use https://, a tunnel to this machine, or insecure=True where the network itself is private"
        )
    return parts.hostname


def _left_here(file: Path) -> str | None:
    refuse_symlink(file)
    try:
        return file.read_text("ascii").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no token"
        raise ConfigError(f"{file} cannot be read: {reason}; give token=, or set HANDSTAMP_SERVER_TOKEN") from None
