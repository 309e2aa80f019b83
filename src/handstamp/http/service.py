"""Clients of one service: log in once, keep the login in a file, come back in when it has ended.

A service is a pair of classes over `ServiceClient` and `AsyncServiceClient` (`service_clients.py`), and one for what both share. What that one says are
*flows*: generators that yield a `Call` and are sent its `httpx2.Response`, so that it is written once for sync and async.
`handstamp.sites.interpals` is an example of a page.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import httpx2

from handstamp.errors import LeaseHeld, LoginFailed, LoginRequired
from handstamp.http.observation import bare_url
from handstamp.http.refusals import Refusals
from handstamp.http.session_file import SavedLogin, SessionFile, instant
from handstamp.http.transport import at_this_machine, origin
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    T = TypeVar("T")
    Flow = Generator["Step", Any, T]

TIMEOUT = 30.0
"""Seconds for each answer."""
LOCK_WAIT = 120.0
"""Seconds to wait for another process that logs in with the same file."""
_LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a flow; the flow gets the response.

    Args:
        method: of HTTP.
        path: at the service, or a URL.
        form: fields of a form to send.
        json: a document to send.
        params: of the query.
        signed: whether it carries the login, which is brought back when it is refused.
    """

    method: str
    path: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    params: Mapping[str, str] | None = None
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Blocking:
    """Something of a flow that waits for the disk; short."""

    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Alone:
    """Wait until no other flow of this client is between this and the call of what is given back."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds. No thread is held by it: whoever is waited for may need one."""

    seconds: float


Step = Call | Blocking | Alone | Pause


class ServiceBase(ABC):
    """What the clients of one service share; a service fills in what is below the line `a service says`.

    Args:
        username: whose account; by default from the environment (``<SERVICE>_USERNAME``, ``HANDSTAMP_<SERVICE>_USERNAME``).
        password: of it, likewise.
        secrets: what carries a login that the caller has already, by name.
        auto_login: load what is saved, see whether it is good, and log in when it is not, now and whenever it ends.
        persist_session: keep the login in `session_file`.
        session_file: path of that file.
        session_expiration_hours: for how long a login is used at most.
        base_url: of the service; by default ``<SERVICE>_BASE_URL``, else its own.
        plaintext: write the secrets open into the file.
        vault: whose key seals them, by default that of the settings.
        relogin: gets new secrets some other way than by the service's own login, such as in a browser; blocking.
    """

    # -- a service says -----------------------------------------------------------------------------------------

    service: ClassVar[str]
    """Its name, as in environment variables."""
    service_url: ClassVar[str]
    """Where it is."""
    secret_names: ClassVar[tuple[str, ...]]
    """What carries a login."""
    check: ClassVar[Call]
    """A request that is answered with success to who is logged in only."""

    def login_flow(self, username: str, password: str) -> Flow[dict[str, str]]:
        """Log in; gives the secrets by name. A service whose clients all have `relogin` needs none.

        Raises:
            LoginFailed: the service did not let us in.
        """
        del username, password
        raise LoginRequired(f"{self.service} has no login of its own; give relogin=, a function that returns its secrets")

    @abstractmethod
    def signature(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Headers that carry the login."""

    def renewed(self, response: httpx2.Response, secrets: Mapping[str, str]) -> dict[str, str]:
        """The secrets after an answer, which may have changed them."""
        del response
        return dict(secrets)

    # -- what comes of it ---------------------------------------------------------------------------------------

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        *,
        secrets: Mapping[str, str] | None = None,
        auto_login: bool = False,
        persist_session: bool = False,
        session_file: str | os.PathLike[str] | None = None,
        session_expiration_hours: float = 24,
        base_url: str | None = None,
        plaintext: bool = False,
        vault: Vault | None = None,
        relogin: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self.username = username or self._variable("USERNAME")
        self._password = password or (self._variable("PASSWORD") if self._variable("USERNAME") in {None, self.username} else None)
        self.base_url = (base_url or os.environ.get(f"{self.service.upper()}_BASE_URL") or self.service_url).rstrip("/")
        self._auto_login = auto_login
        self._life = timedelta(hours=session_expiration_hours)
        self._relogin = relogin
        self._vault = vault
        self._own_vault: Vault | None = None
        self.one_login = threading.Lock()
        path = Path(session_file or f".{self.service}_session.json")
        self._file = SessionFile(path, self.secret_names, self._sealing_vault, plaintext=plaintext) if persist_session else None
        in_vault = vault is not None or (persist_session and not plaintext)
        self._refusals = Refusals(self.service, self.base_url, self._sealing_vault if in_vault else None)
        self._login: SavedLogin | None = None
        self._begun = False
        if secrets:
            self._login = self._new_login(secrets)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.username or 'nobody'} at {self.base_url}>"

    def _variable(self, name: str) -> str | None:
        service = self.service.upper().replace("-", "_")
        return os.environ.get(f"{service}_{name}") or os.environ.get(f"HANDSTAMP_{service}_{name}") or None

    def _sealing_vault(self) -> Vault:
        if self._vault is None:
            self._vault = self._own_vault = Vault()
        return self._vault

    def _new_login(self, secrets: Mapping[str, str], username: str | None = None) -> SavedLogin:
        now = datetime.now(UTC)
        known = {name: secrets.get(name) or "" for name in self.secret_names}
        return SavedLogin(known, username or self.username, now, now + self._life)

    # -- the file -----------------------------------------------------------------------------------------------

    def _place(self, whose: str | None = None) -> SessionFile | None:
        return self._file.of(whose or self.username) if self._file else None

    def _saved(self) -> SavedLogin | None:
        place = self._place()
        return place.read() if place else None

    def _keep(self, login: SavedLogin | None) -> None:
        self._login = login
        if login is not None and (place := self._place(login.username)) is not None:
            place.write(login)

    def export_session(self) -> dict[str, Any] | None:
        """The login in clear, as the session file has it; None when there is none. Whoever has it is logged in."""
        login = self._login or self._saved()
        return None if login is None else login.as_json()

    def import_session(self, session: Mapping[str, Any]) -> None:
        """Take a login that `export_session` gave, or one of another program; it is saved when the client persists.

        Raises:
            ValueError: a secret is missing, a time is none, or it is another user's than the client's.
        """
        missing = [name for name in self.secret_names if not session.get(name)]
        if missing:
            raise ValueError(f"a session of {self.service} needs {' and '.join(missing)}")
        whose = session.get("username")
        if self.username and whose and whose != self.username:
            raise ValueError(f"this session is {whose}'s at {self.service}, not {self.username}'s; make a client of {whose}'s for it")
        new = self._new_login({name: str(session[name]) for name in self.secret_names}, whose)
        created, ends = session.get("created_at"), session.get("expires_at")
        created_at = instant(created) if isinstance(created, str) else created or new.created_at
        expires_at = instant(ends) if isinstance(ends, str) else ends or created_at + self._life
        self._keep(SavedLogin(new.secrets, new.username, created_at, expires_at))

    def get_session_info(self) -> dict[str, Any] | None:
        """Facts of the login that is in use or saved, without its secrets; None when there is none. Reading deletes nothing.

        Returns:
            `username`, `created_at` and `expires_at` (aware, UTC), `time_remaining` (seconds, 0 when over), `is_expired`.
        """
        login = self._login or self._saved()
        return None if login is None else login.facts(datetime.now(UTC))

    def clear_saved_session(self) -> bool:
        """Forget the login, here and in the file; whether there was one. The service is not told."""
        place = self._place()
        known, self._login = self._login is not None, None
        return bool(place and place.clear()) or known

    # -- flows --------------------------------------------------------------------------------------------------

    def begin_flow(self) -> Flow[None]:
        """What `auto_login` does at the start: load, validate, log in when it is needed."""
        if self._auto_login and not (yield from self.validate_flow()):
            yield from self.get_in_flow(self._login)
        self._begun = True

    def validate_flow(self) -> Flow[bool]:
        """Whether the login is good, by asking the service. Nothing is changed by a no."""
        login = self._login or (yield Blocking(self._saved))
        if login is None or login.expired(datetime.now(UTC)):
            return False
        response = yield from self._asked(self.check, login)
        if response.status_code == 401:
            return False
        response.raise_for_status()
        return True

    def call_flow(self, call: Call) -> Flow[httpx2.Response]:
        """A signed call; one that is refused costs one login with `auto_login`, and is made again.

        Raises:
            LoginRequired: there is no login, or it is refused, and `auto_login` is off or no credentials are known.
            LoginFailed: the login was tried in vain.
        """
        login = self._login or (yield Blocking(self._saved))
        if login is None or login.expired(datetime.now(UTC)):
            login = yield from self._back_in_flow(login, call)
        response = yield from self._asked(call, login)
        if response.status_code == 401:
            login = yield from self._back_in_flow(login, call)
            response = yield from self._asked(call, login)
        if response.status_code == 401:
            raise LoginRequired(f"{call.method} {call.path}: {self.service} refuses a login that was made just now; look whether the account may do this")
        response.raise_for_status()
        return response

    def _asked(self, call: Call, login: SavedLogin) -> Flow[httpx2.Response]:
        self._login = login
        response: httpx2.Response = yield call
        now = self.renewed(response, login.secrets)
        if response.is_success and now != dict(login.secrets):
            yield Blocking(lambda: self._keep(SavedLogin(now, login.username, login.created_at, login.expires_at)))
        return response

    def _back_in_flow(self, login: SavedLogin | None, call: Call) -> Flow[SavedLogin]:
        if not self._auto_login:
            reason = "there is no login" if login is None else "the login has ended"
            raise LoginRequired(f"{call.method} {call.path}: {reason} at {self.service}; call login(), or make the client with auto_login=True")
        return (yield from self.get_in_flow(login))

    def get_in_flow(self, refused: SavedLogin | None) -> Flow[SavedLogin]:
        """One login for all who ask at once: whoever waited takes what the other got.

        Args:
            refused: the login that is not good any more; None to log in whatever is saved.
        """
        release = yield from self._locked_flow()
        try:
            for other in (self._login, (yield Blocking(self._saved))):
                if other is not None and not other.expired(datetime.now(UTC)) and (refused is None or other.secrets != refused.secrets):
                    self._login = other
                    return other
            return (yield from self._new_flow(by_itself=True))
        finally:
            release()

    def _new_flow(self, *, by_itself: bool) -> Flow[SavedLogin]:
        if self._relogin is not None:
            secrets = yield Blocking(self._relogin)
        elif self.username and self._password:
            secrets = yield from self._tried_flow(self.username, self._password, by_itself=by_itself)
        else:
            names = f"{self.service.upper()}_USERNAME and {self.service.upper()}_PASSWORD"
            raise LoginRequired(f"{self.service} wants a login, and no credentials are known; give username= and password=, or set {names}")
        login = self._new_login(secrets)
        yield Blocking(lambda: self._keep(login))
        return login

    def _tried_flow(self, username: str, password: str, *, by_itself: bool) -> Flow[dict[str, str]]:
        if by_itself:
            yield Blocking(lambda: self._refusals.check(username, password))
        try:
            secrets = yield from self.login_flow(username, password)
        except LoginFailed as error:
            refused = error
            yield Blocking(lambda: self._refusals.note(username, password, refused))
            raise
        yield Blocking(lambda: self._refusals.clear(username))
        return secrets

    def login_now_flow(self) -> Flow[None]:
        """A new login, whatever is saved."""
        self._begun = True
        release = yield from self._locked_flow()
        try:
            yield from self._new_flow(by_itself=False)
        finally:
            release()

    def _locked_flow(self) -> Flow[Callable[[], None]]:
        """Nobody else of this client, nor with the same file, logs in until what this gives is called.

        Raises:
            LeaseHeld: another process did not finish in `LOCK_WAIT` seconds.
        """
        with ExitStack() as stack:
            stack.callback((yield Alone()))
            place = yield Blocking(self._place)
            if place is not None:
                deadline = time.monotonic() + LOCK_WAIT
                while (unlock := (yield Blocking(place.try_lock))) is None:
                    if time.monotonic() > deadline:
                        raise LeaseHeld(f"another process has been logging in with {place.path} for {LOCK_WAIT:.0f} s; try again when it is done")
                    yield Pause(_LOOK_AGAIN)
                stack.callback(unlock)
            return stack.pop_all().close

    # -- requests -----------------------------------------------------------------------------------------------

    def request(self, call: Call) -> httpx2.Request:
        """A call as the library's request, with the login that is in use."""
        headers = self.signature(self._login.secrets) if call.signed and self._login else {}
        url = call.path if "://" in call.path else f"{self.base_url}/{call.path.removeprefix('/')}"
        if headers and origin(url) != origin(self.base_url):
            raise ValueError(f"a call of {self.service} to {bare_url(url)} would carry the login to another place; make it with signed=False")
        waits = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT)
        request = httpx2.Request(call.method, url, params=call.params, headers=headers, data=call.form, json=call.json, extensions={"timeout": waits})
        local: httpx2.Request = at_this_machine(request)
        return local

    def _end(self) -> None:
        if self._own_vault is not None:
            self._own_vault.close()
            self._own_vault = self._vault = None
