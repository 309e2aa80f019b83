"""The part of `Client` and `AsyncClient` that is ours, over the class of httpx or httpx2 whose public surface stays as it is."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from handstamp.clients.answers import Answers
from handstamp.clients.flow import request_flow
from handstamp.clients.membership import Membership
from handstamp.clients.peek import apeek, peek
from handstamp.clients.steps import Blocking, Drop, Send
from handstamp.http.driving import adrive, drive
from handstamp.http.transport import AsyncCarrying, Carrying, Hop
from handstamp.state.cookie_match import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from handstamp.clients.options import ClientOptions
    from handstamp.state import Device, Session
    from handstamp.vault import Vault

_CONNECTION = ("verify", "cert", "trust_env", "http1", "http2", "limits")


class SignedBase:
    """What both kinds share. Mixed in before the library's client.

    Args:
        site: name or URL of the site.
        profile: whose session.
        username: whose it must be; by default the saved one's.
        password: for a login; by default from the environment or the vault.
        vault: a `Vault` or its URL; by default that of the settings.
        device: to appear as; by default the device of the login.
        options: the library's own.
    """

    library: ClassVar[Any]
    _cookies: Any
    _carrying_kind: ClassVar[Any]
    _transport_kind: ClassVar[str]

    def __init__(
        self,
        site: str,
        *,
        profile: str,
        username: str | None,
        password: str | None,
        vault: Vault | str | None,
        device: Device | None,
        options: ClientOptions,
    ) -> None:
        self._membership = Membership(site, profile=profile, username=username, password=password, vault=vault, device=device)
        self._answers = Answers(self._membership.recipe)
        self._hop = Hop(self._membership.carrier, self._membership.headers)
        self._carried_by: dict[int, Any] = {}
        self._own_proxy: Any = None
        self._connection = {name: value for name, value in options.items() if name in _CONNECTION}
        self._proxied = any(options.get(name) is not None for name in ("proxy", "mounts", "transport"))
        given: dict[str, Any] = {"base_url": self._membership.site.base_url, **options}
        super().__init__(**given)
        self.cookies = options.get("cookies")

    @property
    def session(self) -> Session | None:
        """What is kept of the session; None before the first request, or when nothing is."""
        return self._membership._session  # noqa: SLF001  (one thing in two modules)

    @property
    def cookies(self) -> Any:
        """Cookies that the caller gave; those of the session are in the vault, and added on the way."""
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._cookies = given_cookies(self.library)(cookies)

    def _transport_for_url(self, url: Any) -> Any:
        # The one place by which every hop goes in both libraries.
        inner = super()._transport_for_url(url)  # type: ignore[misc]  # of the library's client
        proxy = self._membership.device.proxy
        if proxy and not self._proxied and not is_loopback(url.host):
            if self._own_proxy is None:
                self._own_proxy = getattr(self.library, self._transport_kind)(proxy=proxy, **self._connection)
            inner = self._own_proxy
        if id(inner) not in self._carried_by:
            self._carried_by[id(inner)] = self._carrying_kind(inner, self._hop)
        return self._carried_by[id(inner)]


class SignedClient(SignedBase):
    """The sync part."""

    _carrying_kind = Carrying
    _transport_kind = "HTTPTransport"

    def send(self, request: Any, *, stream: bool = False, **given: Any) -> Any:
        """Send a request in the session; see the library's `send` for what is given besides.

        Raises:
            LoginRequired: the session has ended, and nobody but a person can log in, or this request may not be sent twice.
            LoginFailed: a login was tried in vain.
            ChallengeUnsolved: the site wants a person to prove something.
        """
        self._check_open()
        flow = request_flow(self._membership, self._answers, request, stream=stream, resendable=resendable)
        return drive(flow, lambda step: self._done(step, stream=stream, given=given))

    def _done(self, step: Any, *, stream: bool, given: Mapping[str, Any]) -> Any:
        if isinstance(step, Send):
            return super().send(step.request, stream=stream, **given)  # type: ignore[misc]  # of the library's client
        if isinstance(step, Blocking):
            return step.do()
        return step.response.close() if isinstance(step, Drop) else peek(self.library, step.response)

    def _check_open(self) -> None:
        if self.is_closed:  # type: ignore[attr-defined]  # of the library's client
            message = "Cannot send a request, as the client has been closed."
            raise RuntimeError(message)

    def close(self) -> None:
        """Save what answers changed last, and close the connections.

        Raises:
            VaultError: it cannot be saved.
        """
        try:
            super().close()  # type: ignore[misc]  # of the library's client
        finally:
            self._let_go()

    def __exit__(self, kind: type[BaseException] | None = None, error: BaseException | None = None, trace: TracebackType | None = None) -> None:
        try:
            super().__exit__(kind, error, trace)  # type: ignore[misc]  # of the library's client
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._own_proxy is not None:
            self._own_proxy.close()
        self._membership.close()


class SignedAsyncClient(SignedBase):
    """The async part. It needs asyncio: what waits for the vault or a login does so in a worker thread."""

    _carrying_kind = AsyncCarrying
    _transport_kind = "AsyncHTTPTransport"

    async def send(self, request: Any, *, stream: bool = False, **given: Any) -> Any:
        """Send a request in the session; see the library's `send` for what is given besides.

        Raises:
            LoginRequired: the session has ended, and nobody but a person can log in, or this request may not be sent twice.
            LoginFailed: a login was tried in vain.
            ChallengeUnsolved: the site wants a person to prove something.
        """
        if self.is_closed:  # type: ignore[attr-defined]  # of the library's client
            message = "Cannot send a request, as the client has been closed."
            raise RuntimeError(message)
        flow = request_flow(self._membership, self._answers, request, stream=stream, resendable=resendable)
        return await adrive(flow, lambda step: self._done(step, stream=stream, given=given))

    async def _done(self, step: Any, *, stream: bool, given: Mapping[str, Any]) -> Any:
        if isinstance(step, Send):
            return await super().send(step.request, stream=stream, **given)  # type: ignore[misc]  # of the library's client
        if isinstance(step, Blocking):
            return await asyncio.to_thread(step.do)
        return await (step.response.aclose() if isinstance(step, Drop) else apeek(self.library, step.response))

    async def aclose(self) -> None:
        """Save what answers changed last, and close the connections.

        Raises:
            VaultError: it cannot be saved.
        """
        try:
            await super().aclose()  # type: ignore[misc]  # of the library's client
        finally:
            await self._let_go()

    async def __aexit__(self, kind: type[BaseException] | None = None, error: BaseException | None = None, trace: TracebackType | None = None) -> None:
        try:
            await super().__aexit__(kind, error, trace)  # type: ignore[misc]  # of the library's client
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        if self._own_proxy is not None:
            await self._own_proxy.aclose()
        await asyncio.shield(asyncio.to_thread(self._membership.close))


def resendable(request: Any) -> bool:
    """Whether a request's body is there still: not one that is read from somewhere while it is sent."""
    return hasattr(request, "_content")


@cache
def given_cookies(library: Any) -> Any:
    """The library's cookies, which take up nothing from answers."""

    class Given(library.Cookies):  # type: ignore[misc]  # of whichever library
        def extract_cookies(self, response: Any) -> None:
            """The session's jar has them."""

    return Given
