"""The control endpoint seen from a test or a demonstration."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx2

from handstamp.demo.tally import SiteStats
from handstamp.errors import ConfigError, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from handstamp.demo.accounts import Account
    from handstamp.demo.knobs import KnobValue, SiteName

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of both sites."""

    portside: SiteStats
    interpals: SiteStats


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that was opened without a login: the values of its cookie and tokens (`refresh_token` where knobs want one)."""

    cookie: str = field(repr=False)
    token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


class Control:
    """Turns knobs and reads counts. Usable from any thread; close it, or use it as a context manager.

    Args:
        url: base URL of the control endpoint.
        token: from the start line.
    """

    def __init__(self, url: str, token: str) -> None:
        # The demo is on this machine: a proxy from the environment would only be in the way.
        self._http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def stats(self) -> Stats:
        """What both sites counted since their start or the last reset."""
        data = self._ask("GET", "/stats")
        return Stats(SiteStats.read(data["portside"]), SiteStats.read(data["interpals"]))

    def knobs(self, site: SiteName = "portside") -> dict[str, KnobValue]:
        """All knobs of a site as they are."""
        found: dict[str, KnobValue] = self._ask("GET", "/knobs")[site]
        return found

    def set(self, site: SiteName = "portside", /, **knobs: KnobValue) -> None:
        """Turn knobs of a site, by the names of `PortsideKnobs` and `InterpalsKnobs`; they act at once.

        Raises:
            ConfigError: no such knob, or a value that it does not take; nothing was turned.
        """
        self._ask("POST", "/knobs", {site: knobs})

    def add_account(self, account: Account) -> None:
        """Let this person sign in at both sites; an account of the same user name is replaced."""
        self._ask("POST", "/accounts", asdict(account))

    def usernames(self) -> list[str]:
        """Who can sign in."""
        found: list[str] = self._ask("GET", "/accounts")["usernames"]
        return found

    def open_sessions(self, username: str, *, site: SiteName = "portside", count: int = 1, remember: bool = False, user_agent: str = "") -> list[OpenSession]:
        """Sessions without a login, not counted as one; for tests that need thousands of them."""
        asked = {"site": site, "username": username, "count": count, "remember": remember, "user_agent": user_agent}
        return [OpenSession(**item) for item in self._ask("POST", "/sessions", asked)["sessions"]]

    def revoke(self, *, site: SiteName | None = None, username: str | None = None) -> int:
        """End living sessions now, of one site or account or all; how many they were."""
        found: int = self._ask("POST", "/revoke", {"site": site, "username": username})["revoked"]
        return found

    def unlock(self, username: str) -> None:
        """Forget the failed logins of this user name at both sites."""
        self._ask("POST", "/unlock", {"username": username})

    def advance(self, seconds: float) -> None:
        """Make it this much later for sessions, tokens and locks. One-time codes and browsers keep to the wall clock."""
        self._ask("POST", "/advance", {"seconds": seconds})

    def captcha_answer(self, presession: str | None = None) -> str:
        """The answer of the captcha that was shown last, or to the browser with this value of the cookie `portside_pre`.

        Raises:
            ConfigError: no captcha is open there.
        """
        data = self._ask("GET", "/captcha")
        answer: str | None = data["answer"] if presession is None else data["by_presession"].get(presession)
        if answer is None:
            raise ConfigError("no captcha is open: load the login page first, with the knob 'captcha' on")
        return answer

    def reset(self) -> None:
        """Everything as at the start: knobs, accounts, clock; no session, no count."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            response = self._http.request(method, path, json=body)
        except httpx2.TransportError as error:
            raise ServerError(f"the demo sites do not answer at {self._http.base_url}: {type(error).__name__}; start them again") from error
        if response.status_code == _BAD_REQUEST:
            raise ConfigError(response.json()["error"])
        if response.is_error:
            raise ServerError(f"the demo's control endpoint answered {method} {path} with {response.status_code}")
        return response.json()
