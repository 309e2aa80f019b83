"""A `requests.Session` that is logged in, for programs that are written with requests."""

from __future__ import annotations

import http.cookiejar
import threading
import time
from typing import TYPE_CHECKING, Any

from handstamp.clients.answers import Answers
from handstamp.clients.flow import request_flow
from handstamp.clients.membership import Membership
from handstamp.clients.steps import Blocking, Drop, Send
from handstamp.errors import ConfigError
from handstamp.http.client_hints import HINTS
from handstamp.http.driving import drive
from handstamp.http.transport import Hop, joined
from handstamp.state.cookie_match import target

try:
    import requests
    from requests.adapters import HTTPAdapter
except ImportError:
    message = "handstamp.requests_session needs requests, which is not installed: pip install requests. handstamp.Client does without it"
    raise ConfigError(message) from None

if TYPE_CHECKING:
    from handstamp.state import Device
    from handstamp.vault import Vault

_DEFAULT_AGENT = "python-requests/"


def requests_session(
    site: str,
    *,
    profile: str = "default",
    username: str | None = None,
    password: str | None = None,
    vault: Vault | str | None = None,
    device: Device | None = None,
) -> requests.Session:
    """A `requests.Session` that is logged in: it carries the session's cookies and tokens, and keeps what answers change.

    An answer that looks signed out costs one login, whoever meets it at the same time, and the request is sent again if that is
    safe; see `handstamp.Client`. URLs may be paths of the site.

    Args:
        site: name of a known site, or a URL.
        profile: whose session.
        username: whose it must be; by default the saved one's.
        password: for a login; by default from the environment or the vault.
        vault: a `Vault` or its URL; by default that of the settings.
        device: to appear as; by default the device of the login.

    Raises:
        ConfigError: requests is not installed.
        SiteUnknown: nothing is called so.
    """
    return SignedSession(Membership(site, profile=profile, username=username, password=password, vault=vault, device=device))


class SignedSession(requests.Session):
    """See `requests_session`. Close it, or use it in a `with` block. Not promised safe across threads, as in the library."""

    def __init__(self, membership: Membership) -> None:
        super().__init__()
        self._membership = membership
        self._answers = Answers(membership.recipe)
        self._within = threading.local()
        self.cookies.set_policy(_GivenOnly())
        hop = Hop(membership.carrier, membership.headers)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Carrying(hop))

    def request(self, method: str | bytes, url: str | bytes, *arguments: Any, **options: Any) -> requests.Response:
        """As in the library; a path is one of the site's."""
        return super().request(method, self._membership.site.url(url if isinstance(url, str) else url.decode()), *arguments, **options)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """As in the library, in the session; it comes here again for each hop of a redirect.

        Raises:
            LoginRequired, LoginFailed, ChallengeUnsolved: see `handstamp.Client`.
        """
        if getattr(self._within, "request", False):
            return super().send(request, **options)
        flow = request_flow(self._membership, self._answers, request, stream=bool(options.get("stream")), resendable=_resendable)
        answer: requests.Response = drive(flow, lambda step: self._done(step, options))
        return answer

    def _done(self, step: Any, options: dict[str, Any]) -> Any:
        if isinstance(step, Send):
            self._within.request = True
            try:
                return super().send(step.request, **self._with_proxy(str(step.request.url), options))
            finally:
                self._within.request = False
        if isinstance(step, Blocking):
            return step.do()
        if isinstance(step, Drop):
            return step.response.close()
        return ""  # a stream's text cannot be looked at and given back here

    def _with_proxy(self, url: str, options: dict[str, Any]) -> dict[str, Any]:
        proxy = self._membership.device.proxy
        if not proxy or options.get("proxies") or (target(url).trustworthy and not target(url).cryptographic):
            return options
        return {**options, "proxies": {"http": proxy, "https": proxy}}

    def close(self) -> None:
        """Save what answers changed last, and close the connections.

        Raises:
            VaultError: it cannot be saved.
        """
        super().close()
        self._membership.close()


class _GivenOnly(http.cookiejar.DefaultCookiePolicy):
    """The session's own jar holds what the caller put there, and nothing of what answers set: that is in the vault."""

    def set_ok(self, *_: Any) -> bool:
        return False


class _Carrying(HTTPAdapter):
    """Sends one hop."""

    def __init__(self, hop: Hop) -> None:
        super().__init__()
        self._hop = hop

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # all by name
        url = str(request.url)
        if self._hop.carrier.must_look(url):
            self._hop.carrier.look(url)
        try:
            response = super().send(self._dressed(request, url), **options)
        except requests.RequestException as error:
            error.request = request  # not the one with the session's cookies and tokens
            raise
        response.request, response.url = request, url
        lines = response.raw.headers.getlist("Set-Cookie")
        if lines:
            self._hop.carrier.take_answer(url, response.status_code, lines, now=time.time())
        return response

    def _dressed(self, request: requests.PreparedRequest, url: str) -> requests.PreparedRequest:
        dressed = request.copy()
        own_agent = not str(dressed.headers.get("User-Agent", _DEFAULT_AGENT)).startswith(_DEFAULT_AGENT)
        for name, value in self._hop.headers(str(request.method), url):
            if own_agent and name.startswith(HINTS):
                continue  # they would name another browser than the caller does
            if name not in dressed.headers or (name == "User-Agent" and str(dressed.headers[name]).startswith(_DEFAULT_AGENT)):
                dressed.headers[name] = value
        if cookies := self._hop.carrier.cookie_header(url, now=time.time()):
            given = str(dressed.headers.get("Cookie", ""))
            dressed.headers["Cookie"] = joined(cookies.encode(), given.encode()).decode()
        where = target(url)
        if where.host.endswith(".localhost"):  # this machine in every browser, not so in every resolver
            dressed.headers.setdefault("Host", url.split("/")[2])
            dressed.url = url.replace(where.host, "127.0.0.1", 1)
        return dressed


def _resendable(request: requests.PreparedRequest) -> bool:
    return request.body is None or isinstance(request.body, (str, bytes))
