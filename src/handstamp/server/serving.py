"""The whole server in this process: settings to socket, pool, operations, application, and back."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from handstamp.errors import ConfigError
from handstamp.listening import Address, bound, check_openness
from handstamp.operations import Files, every_operation
from handstamp.pool import Pool, PoolSettings
from handstamp.server.app import build
from handstamp.server.first_token import TOKEN_FILE, ensure_token
from handstamp.server.front import Intake
from handstamp.server.hosts import ANY, allowed_names
from handstamp.server.listening import Listener, allow_connections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.server.settings import ServerSettings
    from handstamp.vault import Vault

FILES_FOLDER = "files"
FILES_PATH = "/files/"


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to tell when the server takes requests.

    Args:
        address: where it listens.
        token_file: where programs of this user find a token; None when none is wanted.
        token_works: whether the one in there does.
        stop: begins the end, as the first signal does; may be called from any thread.
    """

    address: Address
    token_file: Path | None
    token_works: bool
    stop: Callable[[], None]

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {"url": self.address.url, "host": self.address.host, "port": self.address.port, "token_file": self.token_file and str(self.token_file)}


def serve(vault: Vault, home: Path, settings: ServerSettings, *, with_tokens: bool, ready: Callable[[Ready], None]) -> None:
    """Serve until a signal ends it.

    Args:
        vault: with the sessions and the tokens.
        home: the home directory.
        settings: of the server.
        with_tokens: whether callers need one.
        ready: called once, when requests are taken.

    Raises:
        ConfigError: it cannot be with these settings; the port is taken.
        VaultError: the vault does not answer.
        BrowserMissing: there is no browser.
    """
    check_openness(settings.host, with_tokens=with_tokens)
    names = allowed_names(settings.host, settings.allowed_hosts)
    check_pages(names, with_tokens=with_tokens)
    with bound(settings.host, settings.port) as sock:
        address = Address(settings.host, int(sock.getsockname()[1]))
        works = ensure_token(vault, home) if with_tokens else False
        token_file = home / TOKEN_FILE if with_tokens else None
        limits = replace(settings, max_connections=allow_connections(settings.max_connections))

        async def serving() -> None:
            operations = every_operation(home)
            files = Files(home / FILES_FOLDER, base=FILES_PATH)
            async with Pool(vault, pool_settings(settings), files=files, home=home) as pool:
                intake = Intake()
                app = build(pool, operations, limits, names=names, with_tokens=with_tokens, intake=intake)
                listener = Listener(app, pool, limits, intake=intake)
                loop = asyncio.get_running_loop()

                def stop() -> None:
                    with contextlib.suppress(RuntimeError):  # it has ended already
                        loop.call_soon_threadsafe(listener.stop)

                await listener.run_until_stopped(sock, ready=lambda: ready(Ready(address, token_file, works, stop)))

        asyncio.run(serving())


def check_pages(names: frozenset[str], *, with_tokens: bool) -> None:
    """Refuse a server that lets every web page in: a page can turn its own name to this machine (DNS rebinding), and it needs no token.

    Raises:
        ConfigError: it would.
    """
    if not with_tokens and ANY in names:
        raise ConfigError(
            "--no-auth with '*' in allowed_hosts lets in every web page that a browser on this machine shows: "
            "name in allowed_hosts what callers use for the server, or start it without --no-auth"
        )


def pool_settings(settings: ServerSettings) -> PoolSettings:
    """What of the settings is the pool's."""
    return PoolSettings(
        max_sessions=settings.max_sessions,
        session_refresh_interval=settings.session_refresh_interval,
        session_timeout=settings.session_timeout,
        queue_seconds=settings.queue_seconds,
        operation_seconds=settings.operation_seconds,
        isolation=cast("Any", settings.isolation),
        max_memory_mb=settings.max_memory_mb,
        default_site=settings.default_site,
    )
