"""The two faces of a server's client: one blocks, the other is awaited. What they do is in `handstamp.remote.flow`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from handstamp.http.driving import adrive, drive
from handstamp.remote.flow import Pause, RemoteBase, Send, Step, answer_of
from handstamp.remote.values import AsyncResult, OpenedSession, Result, ServedSession

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from types import TracebackType

    from handstamp.remote.answers import Answer
    from handstamp.remote.flow import Flow

    T = TypeVar("T")

_CHUNK = 1 << 18


class Remote(RemoteBase):
    """A handstamp server on this or another machine. Close it, or use it in a `with` block. Safe across threads.

    Errors are those that the server's own machine would raise (`LoginFailed`, `InputMissing`, `PoolFull`, …), with their facts;
    one that this client does not know, or no answer at all, is a `ServerError`. What may have been carried out is never sent twice.

    Args:
        url: of the server; by default ``HANDSTAMP_SERVER``, else this machine's own at port 8900.
        token: for it; by default ``HANDSTAMP_SERVER_TOKEN``, else, for this machine's own, what it left in the home directory.
        site: whose operations are called when a call names no site; by default the server's own choice.
        timeout: seconds for each answer.
        wait: seconds for which a call is made again that the server has not begun: nothing listens there yet, or it is full. 0 for never.
        insecure: allow ``http://`` to another machine, where everybody on the way can read token and passwords.

    Raises:
        ConfigError: the URL or the token cannot be one, or the token would be readable on its way.
    """

    _http: httpx2.Client

    def _connect(self, options: dict[str, Any]) -> None:
        self._http = httpx2.Client(**options)

    def get_session(
        self, username: str, password: str, *, captcha_api_key: str | None = None, site: str | None = None, keep_alive: bool = True
    ) -> OpenedSession:
        """A session with these credentials: the one that is open for them, else a new one, for which the server logs in.

        Args:
            username: of the account.
            password: of it.
            captcha_api_key: for the service that reads captchas for the server.
            site: where; by default the client's.
            keep_alive: the server looks after it until it is closed; otherwise it ends when it was not used for a while.

        Raises:
            LoginError: the site did not let the server in.
            ServerError: the server refused, has no room, or could not be reached.
        """
        return self._run(self._get_session_flow(username, password, captcha_api_key, site, keep_alive=keep_alive))

    def call(
        self,
        operation: str,
        /,
        *,
        session_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        site: str | None = None,
        appointment_session_id: str | None = None,
        **fields: Any,
    ) -> Result:
        """What an operation of a site gives, in a session that is named, or that the server finds or opens for the credentials.

        Args:
            operation: its name.
            session_id: as `get_session` gave it.
            username: instead of it, with the password.
            password: of the account.
            site: whose operation; by default the client's, else the server's.
            appointment_session_id: of a workflow that stopped for missing input, to go on with it.
            fields: the operation's own, as JSON can say them; and what all take: ``captcha_api_key``, ``keep_alive``, ``evidence``.

        Raises:
            InputMissing: a workflow needs more; its `appointment_session_id` and `missing` say how to go on.
            OperationError: it was refused or cut off, or its input is wrong.
            ServerError: the server refused, has no room, or could not be reached.
        """
        whose = {"session_id": session_id, "username": username, "password": password, "appointment_session_id": appointment_session_id}
        return Result(operation, self._run(self._call_flow(operation, site, whose, fields)), self.download)

    def sessions(self) -> list[ServedSession]:
        """All sessions of the server, live and hibernated."""
        return self._run(self._sessions_flow())

    def close_session(self, session_id: str, *, forget: bool = False) -> None:
        """Close a session: its id is not taken any more. The next `get_session` with its credentials brings it back, without a login.

        Args:
            session_id: as `get_session` gave it.
            forget: delete its login, too, so that coming back takes one.
        """
        self._run(self._close_session_flow(session_id, forget=forget))

    def health(self) -> dict[str, Any]:
        """How the server is: its version, how many sessions of how many, and the time there."""
        return self._run(self._health_flow())

    def download(self, url_or_name: str, path: str | PathLike[str]) -> Path:
        """Fetch a file that an operation made; where it is now. Whole, readable for you only, or not there at all.

        Args:
            url_or_name: as a result tells it.
            path: of the file to write; what is there is replaced.

        Raises:
            ConfigError: it is another server's, or `path` cannot be written.
            HandstampError: the server has no such file, or not any more.
        """
        return self._run(self._download_flow(url_or_name, path))

    def close(self) -> None:
        """Close the connections; the sessions stay open at the server."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        return drive(flow, self._done)

    def _done(self, step: Step) -> Any:
        if isinstance(step, Send):
            return self._answer(step)
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        return step.do()

    def _answer(self, step: Send) -> Answer:
        with self._http.stream(**self._request_of(step)) as response:
            if step.into is None or not response.is_success:
                return answer_of(response, response.read())
            for chunk in response.iter_bytes(_CHUNK):
                step.into.write(chunk)
            return answer_of(response, b"")


class AsyncRemote(RemoteBase):
    """A handstamp server on this or another machine. Close it, or use it in an `async with` block. For one event loop, any number of tasks.

    Errors are those that the server's own machine would raise (`LoginFailed`, `InputMissing`, `PoolFull`, …), with their facts;
    one that this client does not know, or no answer at all, is a `ServerError`. What may have been carried out is never sent twice.

    Args:
        url: of the server; by default ``HANDSTAMP_SERVER``, else this machine's own at port 8900.
        token: for it; by default ``HANDSTAMP_SERVER_TOKEN``, else, for this machine's own, what it left in the home directory.
        site: whose operations are called when a call names no site; by default the server's own choice.
        timeout: seconds for each answer.
        wait: seconds for which a call is made again that the server has not begun: nothing listens there yet, or it is full. 0 for never.
        insecure: allow ``http://`` to another machine, where everybody on the way can read token and passwords.

    Raises:
        ConfigError: the URL or the token cannot be one, or the token would be readable on its way.
    """

    _http: httpx2.AsyncClient

    def _connect(self, options: dict[str, Any]) -> None:
        self._http = httpx2.AsyncClient(**options)

    async def get_session(
        self, username: str, password: str, *, captcha_api_key: str | None = None, site: str | None = None, keep_alive: bool = True
    ) -> OpenedSession:
        """A session with these credentials: the one that is open for them, else a new one, for which the server logs in.

        Args:
            username: of the account.
            password: of it.
            captcha_api_key: for the service that reads captchas for the server.
            site: where; by default the client's.
            keep_alive: the server looks after it until it is closed; otherwise it ends when it was not used for a while.

        Raises:
            LoginError: the site did not let the server in.
            ServerError: the server refused, has no room, or could not be reached.
        """
        return await self._run(self._get_session_flow(username, password, captcha_api_key, site, keep_alive=keep_alive))

    async def call(
        self,
        operation: str,
        /,
        *,
        session_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        site: str | None = None,
        appointment_session_id: str | None = None,
        **fields: Any,
    ) -> AsyncResult:
        """What an operation of a site gives, in a session that is named, or that the server finds or opens for the credentials.

        Args:
            operation: its name.
            session_id: as `get_session` gave it.
            username: instead of it, with the password.
            password: of the account.
            site: whose operation; by default the client's, else the server's.
            appointment_session_id: of a workflow that stopped for missing input, to go on with it.
            fields: the operation's own, as JSON can say them; and what all take: ``captcha_api_key``, ``keep_alive``, ``evidence``.

        Raises:
            InputMissing: a workflow needs more; its `appointment_session_id` and `missing` say how to go on.
            OperationError: it was refused or cut off, or its input is wrong.
            ServerError: the server refused, has no room, or could not be reached.
        """
        whose = {"session_id": session_id, "username": username, "password": password, "appointment_session_id": appointment_session_id}
        return AsyncResult(operation, await self._run(self._call_flow(operation, site, whose, fields)), self.download)

    async def sessions(self) -> list[ServedSession]:
        """All sessions of the server, live and hibernated."""
        return await self._run(self._sessions_flow())

    async def close_session(self, session_id: str, *, forget: bool = False) -> None:
        """Close a session: its id is not taken any more. The next `get_session` with its credentials brings it back, without a login.

        Args:
            session_id: as `get_session` gave it.
            forget: delete its login, too, so that coming back takes one.
        """
        await self._run(self._close_session_flow(session_id, forget=forget))

    async def health(self) -> dict[str, Any]:
        """How the server is: its version, how many sessions of how many, and the time there."""
        return await self._run(self._health_flow())

    async def download(self, url_or_name: str, path: str | PathLike[str]) -> Path:
        """Fetch a file that an operation made; where it is now. Whole, readable for you only, or not there at all.

        Args:
            url_or_name: as a result tells it.
            path: of the file to write; what is there is replaced.

        Raises:
            ConfigError: it is another server's, or `path` cannot be written.
            HandstampError: the server has no such file, or not any more.
        """
        return await self._run(self._download_flow(url_or_name, path))

    async def close(self) -> None:
        """Close the connections; the sessions stay open at the server."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _run(self, flow: Flow[T]) -> T:
        return await adrive(flow, self._done)

    async def _done(self, step: Step) -> Any:
        if isinstance(step, Send):
            return await self._answer(step)
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        return await asyncio.to_thread(step.do)

    async def _answer(self, step: Send) -> Answer:
        async with self._http.stream(**self._request_of(step)) as response:
            if step.into is None or not response.is_success:
                return answer_of(response, await response.aread())
            async for chunk in response.aiter_bytes(_CHUNK):
                await asyncio.to_thread(step.into.write, chunk)
            return answer_of(response, b"")
