"""Where a server of this program listens: its address, its socket, and that it lets nobody in by mistake."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from handstamp.errors import ConfigError

_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens.

    Args:
        host: name or IP address.
        port: 0 for a free one.
        path: of its URL.
    """

    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """For clients on this machine, or by the address that was set."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}{self.path}"


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address, before anything that takes time is begun.

    Raises:
        ConfigError: the port is taken or not allowed, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that it can be taken again right after a stop
        sock.bind((host, port))
        sock.listen(_BACKLOG)  # a port that somebody else has is found now, and clients that come early wait
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise ConfigError(f"port {port} at {host} cannot be used ({reason}); stop what has it, or take another (0 for a free one)") from None
    return sock


def check_openness(host: str, *, with_tokens: bool) -> None:
    """Refuse a server that lets everybody in from everywhere.

    Raises:
        ConfigError: it would.
    """
    if not with_tokens and not is_loopback(host):
        raise ConfigError(f"--no-auth lets everybody in who reaches {host}; it is for an address of this machine alone, such as 127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether the address stands for all of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
