"""The transport around a library's own: at each hop of a redirect it sends what the session has for that URL, and keeps what the answer sets.

The libraries' own jars and auth flows see the final hop only, or keep what a browser would not; here every hop goes by.
The added headers are on the request while it is on its way, and no longer: a redirect cannot take them elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self

from handstamp.http.client_hints import HINTS
from handstamp.state.cookie_match import target

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from handstamp.http.carrier import Carrier

    Headers = Callable[[str, str], list[tuple[str, str]]]

_LOOPBACK = "127.0.0.1"
_OWN_NAME = b"python-httpx"  # how either library calls itself


class Hop:
    """What is done at each hop, for both kinds of transport.

    Args:
        carrier: of the client.
        headers: further headers for a method and a URL; one that the request has already stays as it is, unless it is the
            library's own name in User-Agent.
    """

    def __init__(self, carrier: Carrier, headers: Headers) -> None:
        self.carrier = carrier
        self.headers = headers

    def dress(self, request: Any, url: str) -> Any:
        """The headers to send; those of the request stay as they are. A value of the caller's counts before ours."""
        pairs = request.headers.raw
        given = {name.lower(): value for name, value in pairs}
        own_agent = not given.get(b"user-agent", _OWN_NAME).startswith(_OWN_NAME)
        for name, value in self.headers(request.method, url):
            key = name.lower().encode()
            if own_agent and name.startswith(HINTS):
                continue  # they would name another browser than the caller does
            if key not in given:
                pairs = [*pairs, (name.encode(), value.encode("utf-8", "replace"))]
            elif key == b"user-agent" and given[key].startswith(_OWN_NAME):
                pairs = [*_without(key, pairs), (name.encode(), value.encode("utf-8", "replace"))]
        if cookies := self.carrier.cookie_header(url, now=time.time()):
            ours, own = cookies.encode("utf-8", "replace"), given.get(b"cookie")
            pairs = [*(pairs if own is None else _without(b"cookie", pairs)), (b"Cookie", ours if own is None else joined(ours, own))]
        return type(request.headers)(pairs)

    def keep(self, url: str, response: Any) -> None:
        """Keep what an answer sets."""
        lines = [value.decode("utf-8", "replace") for name, value in response.headers.raw if name.lower() == b"set-cookie"]
        if lines:
            self.carrier.take_answer(url, response.status_code, lines, now=time.time())


def _without(key: bytes, pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [pair for pair in pairs if pair[0].lower() != key]


def joined(ours: bytes, given: bytes) -> bytes:
    """A Cookie header of the session's cookies and those that the caller gave, of which a name counts before the session's."""
    if not given:
        return ours
    names = {pair.partition(b"=")[0] for pair in given.split(b"; ")}
    return b"; ".join([pair for pair in ours.split(b"; ") if pair.partition(b"=")[0] not in names] + [given])


def at_this_machine(request: Any) -> Any:
    """Names below ``localhost`` are this machine in every browser (RFC 6761 §6.3), not so in every resolver."""
    host = request.url.host
    if not host.endswith(".localhost"):
        return request
    extensions = {**request.extensions, "sni_hostname": host}
    # The Host header was made from the name, and stays.
    return type(request)(request.method, request.url.copy_with(host=_LOOPBACK), headers=request.headers, stream=request.stream, extensions=extensions)


class Carrying:
    """Around a sync transport of httpx or httpx2."""

    def __init__(self, inner: Any, hop: Hop) -> None:
        self._inner = inner
        self._hop = hop

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, error: BaseException | None = None, trace: TracebackType | None = None) -> None:
        self._inner.__exit__(kind, error, trace)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def handle_request(self, request: Any) -> Any:
        """Send one hop."""
        url = str(request.url)
        if self._hop.carrier.must_look(url):
            self._hop.carrier.look(url)
        own, request.headers = request.headers, self._hop.dress(request, url)
        try:
            response = self._inner.handle_request(at_this_machine(request))
        finally:
            request.headers = own
        self._hop.keep(url, response)
        return response


class AsyncCarrying:
    """Around an async transport of httpx or httpx2."""

    def __init__(self, inner: Any, hop: Hop) -> None:
        self._inner = inner
        self._hop = hop

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None = None, error: BaseException | None = None, trace: TracebackType | None = None) -> None:
        await self._inner.__aexit__(kind, error, trace)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def handle_async_request(self, request: Any) -> Any:
        """Send one hop."""
        url = str(request.url)
        if self._hop.carrier.must_look(url):
            await asyncio.to_thread(self._hop.carrier.look, url)
        own, request.headers = request.headers, self._hop.dress(request, url)
        try:
            response = await self._inner.handle_async_request(at_this_machine(request))
        finally:
            request.headers = own
        self._hop.keep(url, response)
        return response


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL."""
    where = target(url)
    return (where.scheme, where.host, where.port)
