"""Which logins a service has refused: a client that comes in by itself does not try them again, so that no account is locked by a loop.

What is known is kept in the vault where the client has one, so that other processes and the next run know it too, else in this
process. A login that the caller asks for by name is not held up: it is that person's word that things are right now.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.errors import LoginBudgetSpent, LoginFailed
from handstamp.home import settings
from handstamp.vault import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault import Vault

_KEY = secrets.token_bytes(32)
_here: dict[tuple[str, str, str], Attempts] = {}
_lock = threading.Lock()


class Refusals:
    """Of one service. Blocking; safe across threads.

    Args:
        service: its name.
        url: where it is.
        vault: gives the vault to keep them in; None for this process's memory.
    """

    def __init__(self, service: str, url: str, vault: Callable[[], Vault] | None) -> None:
        self._service = service
        self._url = url
        self._vault = vault

    def check(self, username: str, password: str) -> None:
        """See that a login may be made by itself.

        Raises:
            LoginFailed: the service refused this very password, or said not to come before a time that has not come.
            LoginBudgetSpent: it refused too many in a row.
        """
        known, who = self._known(username), f"{self._service} refused"
        again = "give another one, or call login() if it is right after all"
        if self._mark(username, password) in known.refused:
            raise LoginFailed(f"{who} this password of {username}, and it is not tried again by itself; {again}")
        if known.not_before is not None and known.not_before > datetime.now(UTC):
            until = f"{known.not_before:%Y-%m-%d %H:%M:%S}Z"
            raise LoginFailed(f"{who} a login of {username} and wants none before {until}", health="blocked", until=known.not_before)
        if known.failures >= settings().login_budget:
            raise LoginBudgetSpent(f"{who} {known.failures} logins of {username} in a row, so none is tried by itself; call login() when it is set right")

    def note(self, username: str, password: str, error: LoginFailed) -> None:
        """Put down how a login failed. Trouble of the service is no refusal."""
        if error.health == "unknown":
            return
        mark = self._mark(username, password) if error.health == "expired" else None

        def change(known: Attempts, now: datetime) -> Attempts:
            later = max(filter(None, (known.not_before, error.until)), default=None)
            known = known if mark is None else known.with_refused(mark)
            return replace(known, failures=known.failures + 1, failed_at=now, not_before=later, reason=str(error))

        self._update(username, change)

    def clear(self, username: str) -> None:
        """A login worked: what failed before is forgotten."""
        if self._known(username) != Attempts():
            self._update(username, lambda _, __: Attempts())

    def _known(self, username: str) -> Attempts:
        if self._vault is not None:
            return self._vault().login_attempts(self._service, username)
        with _lock:
            return _here.get((self._service, self._url, username), Attempts())

    def _update(self, username: str, change: Callable[[Attempts, datetime], Attempts]) -> None:
        if self._vault is not None:
            self._vault().update_attempts(self._service, username, change)
            return
        with _lock:
            key = (self._service, self._url, username)
            _here[key] = change(_here.get(key, Attempts()), datetime.now(UTC))

    def _mark(self, username: str, password: str) -> bytes:
        if self._vault is not None:
            return self._vault().password_mark(self._service, username, password)
        return hashlib.blake2b(password.encode("utf-8", "surrogatepass"), key=_KEY, person=b"refusal").digest()
