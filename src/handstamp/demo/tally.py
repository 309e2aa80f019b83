"""What a site counts: logins, attempts, requests, sessions; for the site and for each account.

`Tally` counts in the server; `SiteStats` is what the control endpoint gives and the Python API reads.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStats:
    """Counts of one account at one site.

    Args:
        logins: sessions opened by a login.
        attempts: password forms sent for this user name, right or wrong.
        failures: wrong passwords and wrong one-time codes.
        logouts: sessions ended by their person.
        lockouts: how often the account was locked.
        appointments: how many were made at portside.
        sessions_alive: sessions that a request could still use.
        requests: ``"GET /account"`` -> how many came in a session of this account.
    """

    logins: int = 0
    attempts: int = 0
    failures: int = 0
    logouts: int = 0
    lockouts: int = 0
    appointments: int = 0
    sessions_alive: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the control endpoint's JSON; fields of a newer server are left out."""
        return cls(**{item.name: data[item.name] for item in fields(cls) if item.name in data})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStats(AccountStats):
    """Counts of one site since its start or the last reset.

    Args:
        sessions_ended: reason -> how many sessions were found over for it (`handstamp.demo.sessions.EndReason`).
        accounts: counts by user name, of accounts that exist.
    """

    sessions_ended: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, AccountStats] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the control endpoint's JSON."""
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        values["accounts"] = {name: AccountStats.read(counts) for name, counts in data.get("accounts", {}).items()}
        return cls(**values)


class Tally:
    """Counts of one site. A user name that no account has counts for the site only: it may be a mistyped password."""

    def __init__(self) -> None:
        self._site: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._account_requests: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, what: str, username: str | None = None) -> None:
        """One more `logins`, `attempts`, `failures`, `logouts`, `lockouts` or `appointments`."""
        self._site[what] += 1
        if username is not None:
            self._accounts[username][what] += 1

    def request(self, path: str) -> None:
        """One more request, ``GET /account``."""
        self._requests[path] += 1

    def request_of(self, username: str, path: str) -> None:
        """The request belonged to a session of this account."""
        self._account_requests[username][path] += 1

    def logins_of(self, username: str) -> int:
        """How often this account signed in."""
        return self._accounts[username]["logins"]

    def stats(self, *, alive: Counter[str], ended: Counter[str]) -> SiteStats:
        """All counts now.

        Args:
            alive: user name -> living sessions.
            ended: reason -> sessions.
        """
        names = sorted({*self._accounts, *self._account_requests, *alive})
        return SiteStats(
            **self._site,
            sessions_alive=alive.total(),
            requests=dict(self._requests),
            sessions_ended=dict(ended),
            accounts={name: self._account(name, alive[name]) for name in names},
        )

    def _account(self, name: str, alive: int) -> AccountStats:
        return AccountStats(**self._accounts[name], sessions_alive=alive, requests=dict(self._account_requests[name]))
