"""Clients of one service, sync and async: what they run are the flows of `service.py`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from handstamp.http.driving import adrive, drive
from handstamp.http.service import Blocking, Call, Pause, ServiceBase

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from handstamp.http.service import Flow, Step

    T = TypeVar("T")


class ServiceClient(ServiceBase):
    """A blocking client of one service; close it, or use it in a `with` block. Safe across threads.

    With `auto_login` the constructor loads, validates and logs in.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._http = httpx2.Client()
        if self._auto_login:
            try:
                self.run(self.begin_flow())
            except BaseException:
                self.close()
                raise

    def run(self, flow: Flow[T]) -> T:
        """What a flow gives."""
        return run_blocking(flow, self._http.send, self)

    def login(self) -> None:
        """Log in anew, and save it.

        Raises:
            LoginRequired: no credentials are known.
            LoginFailed: the service did not let us in; what was saved stays.
        """
        self.run(self.login_now_flow())

    def validate_session(self) -> bool:
        """Whether the login is good, by asking the service.

        Raises:
            httpx2.HTTPError: nobody can tell: no answer, or an error of the service. The login is kept.
        """
        return self.run(self.validate_flow())

    def call(self, call: Call) -> httpx2.Response:
        """A signed call; raises as `ServiceBase.call_flow`, and the library's errors."""
        return self.run(self.call_flow(call))

    def close(self) -> None:
        """Close the connections; the login stays saved."""
        self._http.close()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncServiceClient(ServiceBase):
    """The same with `await`. With `auto_login` the first call loads, validates and logs in; `login` is an ordinary blocking call, `alogin` is not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._http = httpx2.AsyncClient()
        self._first = asyncio.Lock()
        self._turn = asyncio.Lock()

    async def run(self, flow: Flow[T]) -> T:
        """What a flow gives. The first does what `auto_login` says before."""
        if not self._begun:
            async with self._first:
                if not self._begun:
                    await adrive(self.begin_flow(), self._done)
        return await adrive(flow, self._done)

    async def _done(self, step: Step) -> Any:
        if isinstance(step, Call):
            return await self._http.send(self.request(step))
        if isinstance(step, Blocking):
            return await asyncio.to_thread(step.do)
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        await self._turn.acquire()
        return self._turn.release

    def login(self) -> None:
        """Log in anew, blocking, and save it; raises as `ServiceClient.login`."""
        with httpx2.Client() as http:
            run_blocking(self.login_now_flow(), http.send, self)

    async def alogin(self) -> None:
        """The same without blocking."""
        await adrive(self.login_now_flow(), self._done)

    async def validate_session(self) -> bool:
        """Whether the login is good; raises as `ServiceClient.validate_session`."""
        return await self.run(self.validate_flow())

    async def call(self, call: Call) -> httpx2.Response:
        """A signed call; raises as `ServiceBase.call_flow`, and the library's errors."""
        return await self.run(self.call_flow(call))

    async def close(self) -> None:
        """Close the connections; the login stays saved."""
        await self._http.aclose()
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def run_blocking(flow: Flow[T], send: Callable[[httpx2.Request], httpx2.Response], client: ServiceBase) -> T:
    """What a flow of `client` gives, its calls made by `send`."""
    return drive(flow, lambda step: _done_blocking(step, send, client))


def _done_blocking(step: Step, send: Callable[[httpx2.Request], httpx2.Response], client: ServiceBase) -> Any:
    if isinstance(step, Call):
        return send(client.request(step))
    if isinstance(step, Blocking):
        return step.do()
    if isinstance(step, Pause):
        return time.sleep(step.seconds)
    client.one_login.acquire()  # what is given back releases it
    return client.one_login.release
