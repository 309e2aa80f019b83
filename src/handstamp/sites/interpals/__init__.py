"""interpals, an account service with a JSON API: `InterpalClient`, and `AsyncInterpalClient` with `await`.

with InterpalClient("dana", "…", auto_login=True, persist_session=True) as client:
print(client.get_self()["name"])
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handstamp.errors import LoginFailed
from handstamp.http.service import Call, ServiceBase
from handstamp.http.service_clients import AsyncServiceClient, ServiceClient
from handstamp.sites.judge import retry_after

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import httpx2

    from handstamp.http.service import Flow
    from handstamp.vault import Vault

__all__ = ["AsyncInterpalClient", "InterpalClient"]

_COOKIE = "interpals_sessid"


class _Interpals(ServiceBase):
    """What both clients know of the service.

    Args:
        username: of the account; by default `INTERPALS_USERNAME` or `HANDSTAMP_INTERPALS_USERNAME`.
        password: of it, likewise.
        session_cookie, auth_token: of a login that the caller has already.
        auto_login: load what is saved, see whether it is good, and log in when it is not, now and whenever it ends.
        persist_session: keep the login in `session_file`, which nobody else can read and whose secrets are sealed.
        session_file: its path. A login of another `username` in it is neither used nor overwritten: this one's goes beside it.
        session_expiration_hours: for how long a login is used at most.
        base_url: by default `INTERPALS_BASE_URL`, else the service's own.
        plaintext: write the secrets open into the file.
        vault: whose key seals them, by default that of the settings.

    Raises:
        LoginRequired: no credentials are known.
        LoginFailed: the service did not let us in.
        httpx2.HTTPError: nobody can tell: no answer, or an error of the service. The saved login stays as it is.
        UnreadableState, SealBroken: the session file is not one, or was sealed by another key.
    """

    service = "interpals"
    service_url = "https://api.interpals.net"
    secret_names = ("session_cookie", "auth_token")
    check = Call("GET", "/v1/account/self")

    def __init__(  # noqa: PLR0917  (the service's documented signature)
        self,
        username: str | None = None,
        password: str | None = None,
        session_cookie: str | None = None,
        auth_token: str | None = None,
        auto_login: bool = False,  # noqa: FBT001, FBT002  (the service's documented signature)
        persist_session: bool = False,  # noqa: FBT001, FBT002
        session_file: str | os.PathLike[str] = ".interpals_session.json",
        session_expiration_hours: float = 24,
        base_url: str | None = None,
        *,
        plaintext: bool = False,
        vault: Vault | None = None,
    ) -> None:
        given = {"session_cookie": session_cookie or "", "auth_token": auth_token or ""}
        super().__init__(
            username,
            password,
            secrets=given if any(given.values()) else None,
            auto_login=auto_login,
            persist_session=persist_session,
            session_file=session_file,
            session_expiration_hours=session_expiration_hours,
            base_url=base_url,
            plaintext=plaintext,
            vault=vault,
        )

    def login_flow(self, username: str, password: str) -> Flow[dict[str, str]]:
        """``POST /v1/token``: a cookie, and a token in the answer."""
        response: httpx2.Response = yield Call("POST", "/v1/token", form={"username": username, "password": password}, signed=False)
        cookie, token = response.cookies.get(_COOKIE), _token(response)
        if response.status_code == 201 and cookie and token:
            return {"session_cookie": cookie, "auth_token": token}
        raise _refusal(username, response)

    def signature(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The cookie and the token."""
        return {"Cookie": f"{_COOKIE}={secrets['session_cookie']}", "X-Auth-Token": secrets["auth_token"]}

    def renewed(self, response: httpx2.Response, secrets: Mapping[str, str]) -> dict[str, str]:
        """The service may change the cookie with any answer."""
        return {**secrets, "session_cookie": response.cookies.get(_COOKIE) or secrets["session_cookie"]}

    def import_session(
        self,
        session_cookie: Mapping[str, Any] | str,
        auth_token: str | None = None,
        username: str | None = None,
        created_at: datetime | str | None = None,
        expires_at: datetime | str | None = None,
    ) -> None:
        """Take a login: what `export_session` gave, or its parts; it is saved when the client persists.

        Raises:
            ValueError: the cookie or the token is missing, or a time is none.
        """
        parts = {"auth_token": auth_token, "username": username, "created_at": created_at, "expires_at": expires_at}
        super().import_session({"session_cookie": session_cookie, **parts} if isinstance(session_cookie, str) else session_cookie)


class InterpalClient(_Interpals, ServiceClient):
    """A client of interpals. With `auto_login` the constructor loads, validates and logs in. Safe across threads."""

    def get_self(self) -> dict[str, Any]:
        """Facts of the account: `username`, `name`, `company`, `login_count`."""
        found: dict[str, Any] = self.call(self.check).json()
        return found


class AsyncInterpalClient(_Interpals, AsyncServiceClient):
    """The same with `await`. With `auto_login` the first call loads, validates and logs in; `login` is an ordinary blocking call, `alogin` is not."""

    async def get_self(self) -> dict[str, Any]:
        """Facts of the account: `username`, `name`, `company`, `login_count`."""
        found: dict[str, Any] = (await self.call(self.check)).json()
        return found


def _token(response: httpx2.Response) -> str:
    try:
        return str(response.json()["auth_token"])
    except (ValueError, KeyError, TypeError):
        return ""


def _refusal(username: str, response: httpx2.Response) -> LoginFailed:
    status = response.status_code
    if status == 429:
        until = retry_after(response.headers.get("retry-after", ""), now=datetime.now(UTC))
        after = f" before {until:%H:%M:%S}Z" if until else ""
        return LoginFailed(f"interpals answered 429: too many attempts of {username}; do not try again{after}", health="blocked", until=until)
    if status in {401, 403}:
        return LoginFailed(f"interpals refused the login of {username} ({status}): look at user name and password", health="expired")
    return LoginFailed(f"interpals answered a login of {username} with {status}, which is neither yes nor no; try again later", health="unknown")
