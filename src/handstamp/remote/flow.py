"""The calls of a server as flows: generators that yield a `Send` and get its `Answer`, so that they are written once for sync and async.

A call is made again in two cases only, both for `wait` seconds at most: nothing listens where the server should be (it is being
started anew), or the server says that it has not begun and when to come again (Retry-After). Whatever may have been carried out is
never sent twice.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx2

from handstamp.errors import ConfigError, ServerError
from handstamp.remote.address import Address, find_server, origin
from handstamp.remote.answers import Answer, document_of, error_of, pause_before_again
from handstamp.remote.incoming import Incoming
from handstamp.remote.values import OpenedSession, ServedSession, opened, served

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from os import PathLike

    T = TypeVar("T")
    Flow = Generator["Step", Any, T]

TIMEOUT = 300.0
"""Seconds for each answer. An operation may wait for its turn, for a login, and for a slow site."""
WAIT = 30.0
"""Seconds for which a call is made again that the server has not begun."""
_CONNECT = 10.0
_KEPT = 2.0  # seconds that a connection is kept unused: shorter than any server's, which would cut it off in the moment of its next use
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_FILES = "/files/"


@dataclass(frozen=True, slots=True)
class Send:
    """A request of a flow; the flow gets its `Answer`.

    Args:
        method: of HTTP.
        path: at the server.
        document: to send as JSON.
        into: takes the body of a good answer.
    """

    method: str
    path: str
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    into: Incoming | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Blocking:
    """Something that waits for the disk; short."""

    do: Callable[[], Any]


Step = Send | Pause | Blocking


class RemoteBase(ABC):
    """What both clients of a server share; `Remote` says what the arguments mean."""

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        site: str | None = None,
        timeout: float = TIMEOUT,
        wait: float = WAIT,
        insecure: bool = False,
    ) -> None:
        self._address: Address = find_server(url, token, insecure=insecure)
        self.url = self._address.url
        self.site = site
        self._timeout = timeout
        self._wait = wait
        self._connect(self._options())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @abstractmethod
    def _connect(self, options: dict[str, Any]) -> None:
        """Make the library's client with these options."""

    def _options(self) -> dict[str, Any]:
        """For the library's client. What is for this machine goes through no proxy."""
        return {
            "timeout": httpx2.Timeout(self._timeout, connect=min(_CONNECT, self._timeout)),
            "limits": httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEPT),
            "trust_env": not self._address.on_this_machine,
            "follow_redirects": False,
            "headers": {"Accept": "application/json"} | ({"Authorization": f"Bearer {self._address.token}"} if self._address.token else {}),
        }

    def _request_of(self, step: Send) -> dict[str, Any]:
        """A step as arguments for the library's client."""
        return {"method": step.method, "url": f"{self.url}{step.path}", "json": step.document}

    # -- the calls ----------------------------------------------------------------------------------------------

    def _get_session_flow(self, username: str, password: str, captcha_api_key: str | None, site: str | None, *, keep_alive: bool) -> Flow[OpenedSession]:
        """A session with these credentials."""
        given = {"username": username, "password": password, "captcha_api_key": captcha_api_key, "site": site or self.site}
        return opened((yield from self._told_flow(Send("POST", "/get_session", _said(given) | {"keep_alive": keep_alive}))))

    def _call_flow(self, operation: str, site: str | None, whose: Mapping[str, Any], fields: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        """What an operation gives."""
        if not operation.isidentifier():
            raise ValueError(f"an operation's name is a word such as get_containers, not {operation!r}")
        place = site or self.site
        path = f"/sites/{quote(place, safe='')}/{operation}" if place else f"/{operation}"
        return (yield from self._told_flow(Send("POST", path, {**fields, **_said(whose)})))

    def _sessions_flow(self) -> Flow[list[ServedSession]]:
        """How the sessions stand."""
        return served((yield from self._told_flow(Send("GET", "/sessions"))))

    def _close_session_flow(self, session_id: str, *, forget: bool) -> Flow[None]:
        """Close a session."""
        yield from self._told_flow(Send("POST", "/close_session", {"session_id": session_id, "forget": forget}))

    def _health_flow(self) -> Flow[dict[str, Any]]:
        """How the server is."""
        return (yield from self._told_flow(Send("GET", "/health")))

    def _download_flow(self, url_or_name: str, path: str | PathLike[str]) -> Flow[Path]:
        """Fetch a file."""
        incoming = Incoming(Path(path))
        call = Send("GET", self._file_path(url_or_name), into=incoming)
        try:
            yield from self._sent_flow(call)
        except BaseException:
            incoming.discard()
            raise
        yield Blocking(incoming.keep)
        return incoming.path

    # -- how they are made --------------------------------------------------------------------------------------

    def _told_flow(self, call: Send) -> Flow[dict[str, Any]]:
        answer = yield from self._answered_flow(call)
        return document_of(answer, url=f"{self.url}{call.path}", has_token=self._address.token is not None)

    def _sent_flow(self, call: Send) -> Flow[None]:
        answer = yield from self._answered_flow(call)
        if not answer.is_success:
            raise error_of(answer, url=f"{self.url}{call.path}", has_token=self._address.token is not None)

    def _answered_flow(self, call: Send) -> Flow[Answer]:
        """The answer to a call, made again as the module's text says."""
        deadline = time.monotonic() + self._wait
        pause = _FIRST_PAUSE
        while True:
            try:
                answer: Answer = yield call
            except httpx2.HTTPError as error:
                if not _refused(error) or time.monotonic() + pause > deadline:
                    raise self._no_answer(call, error) from error
                yield Pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            asked = pause_before_again(answer)
            if asked is None or time.monotonic() + asked > deadline:
                return answer
            yield Pause(max(asked, _FIRST_PAUSE))

    def _no_answer(self, call: Send, error: httpx2.HTTPError) -> ServerError:
        what = f"{call.method} {self.url}{call.path}"
        if isinstance(error, _NOTHING_SENT):
            return ServerError(
                f"{self.url} cannot be reached ({str(error) or type(error).__name__}); start a server there by `handstamp serve`, "
                "or name another by url= or HANDSTAMP_SERVER"
            )
        if isinstance(error, httpx2.TimeoutException):
            how = f"got no answer in {self._timeout:g} s"
        else:
            how = f"was cut off ({str(error) or type(error).__name__})"
        if call.method == "GET":
            return ServerError(f"{what} {how}; it may be called again")
        return ServerError(f"{what} {how}; the server may have carried it out, so look before you call again")

    def _file_path(self, url_or_name: str) -> str:
        """Where a file is at this server, and nowhere else: the token goes along.

        Raises:
            ConfigError: it is another server's, or no file's.
        """
        name = url_or_name
        if "://" in name or name.startswith("/"):
            if "://" in name and origin(name) != origin(self.url):
                raise ConfigError("this file is another server's; make a Remote of that server for it, this one's token stays here")
            _, found, name = urlsplit(name).path.rpartition(_FILES)
            name = unquote(name) if found else ""
        if not name or "/" in name or name in {".", ".."}:
            raise ConfigError(f"this names no file of {self.url}; files are at {_FILES}NAME, as results tell")
        return _FILES + quote(name, safe="")


def _refused(error: httpx2.HTTPError) -> bool:
    """Whether nothing listens there, so that nothing was sent."""
    cause: BaseException | None = error if isinstance(error, httpx2.ConnectError) else None
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return True
        if isinstance(cause, BaseExceptionGroup) and cause.subgroup(ConnectionRefusedError) is not None:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def answer_of(response: httpx2.Response, body: bytes) -> Answer:
    """The library's response as a value."""
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)
