"""`Client` and `AsyncClient` on httpx, by the same adapter as `handstamp.Client` on its continuation httpx2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from handstamp.errors import ConfigError

try:
    import httpx
except ImportError:
    message = "handstamp.httpx_client needs httpx, which is not installed: pip install httpx. handstamp.Client does without it, on httpx2"
    raise ConfigError(message) from None

from handstamp.clients.mixin import SignedAsyncClient, SignedClient

if TYPE_CHECKING:
    from handstamp.clients.options import ClientOptions
    from handstamp.state import Device
    from handstamp.vault import Vault


class Client(SignedClient, httpx.Client):
    """An `httpx.Client` that is logged in.

    It carries the session's cookies, by a browser's rules, and the tokens that the recipe names, and keeps what answers change, at
    every hop of a redirect. An answer that looks signed out, by the recipe's check, costs one login, whoever meets it at the same time, and the
    request is sent again if that is safe. Everything else is as in the library, `follow_redirects=False` included.

    Args:
        site: name of a known site, or a URL.
        profile: whose session.
        username: whose it must be; by default the saved one's, or the environment's for a login.
        password: for a login; by default from ``HANDSTAMP_<SITE>_PASSWORD`` or the vault.
        vault: a `Vault` or its URL; by default that of the settings.
        device: to appear as (user agent, language, proxy); by default the device of the login.
        options: those of `httpx.Client`; `base_url` is by default the site's.

    Requests raise besides the library's errors `LoginRequired`, `LoginFailed` and `ChallengeUnsolved`, and name the request.
    Safe across threads, as the library's client is.
    """

    library: ClassVar[Any] = httpx

    def __init__(
        self,
        site: str,
        *,
        profile: str = "default",
        username: str | None = None,
        password: str | None = None,
        vault: Vault | str | None = None,
        device: Device | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(site, profile=profile, username=username, password=password, vault=vault, device=device, options=options)


class AsyncClient(SignedAsyncClient, httpx.AsyncClient):
    """An `httpx.AsyncClient` that is logged in; see `Client`. Needs asyncio."""

    library: ClassVar[Any] = httpx

    def __init__(
        self,
        site: str,
        *,
        profile: str = "default",
        username: str | None = None,
        password: str | None = None,
        vault: Vault | str | None = None,
        device: Device | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(site, profile=profile, username=username, password=password, vault=vault, device=device, options=options)
