"""One GET as the session's browser would send it, hop by hop, with everything that the answers set on the way.

A look must never be what ends a session: exactly the cookies that belong to each URL go out, the user agent and language
are those of the login, and what a hop sets goes into the next one and back to the caller, also when a later hop fails.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

from handstamp._version import __version__
from handstamp.http.body import read_text
from handstamp.http.client_hints import client_hints
from handstamp.http.observation import Failure, Observation, bare_url
from handstamp.http.transports import Transports, proxy_for
from handstamp.state import Device, cookie_header, cookies_to_send, set_cookie, store
from handstamp.state.cookie_match import target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import httpx2

    from handstamp.state import Cookie, Key

MAX_BODY = 1 << 20
"""Octets of a body that are read, after unpacking."""
MAX_HOPS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_BROWSER = f"Mozilla/5.0 (compatible; handstamp/{__version__})"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a look gave.

    Args:
        observation: what was seen.
        changes: cookies as the answers left them, each key once; one that has ended is a deletion.
    """

    observation: Observation
    changes: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class _Broken:
    failure: Failure
    words: str


@dataclass(slots=True)
class _Walk:
    """Where a look stands: the jar after the last answer, what changed in it, and the way so far."""

    here: str
    now: datetime
    jar: dict[Key, Cookie] = field(repr=False)
    changes: dict[Key, Cookie] = field(default_factory=dict, repr=False)
    redirects: list[str] = field(default_factory=list, repr=False)

    def keep_cookies(self, lines: Iterable[str]) -> None:
        """Take what one answer sets, as a browser would."""
        for line in lines:
            cookie = set_cookie(line, self.here, now=self.now.timestamp())
            if cookie is None:
                continue
            stored = store(self.jar, cookie, self.here, now=self.now.timestamp())
            if stored.cookie or cookie.key in stored.removed:
                self.changes[cookie.key] = cookie
            # What is evicted here only to make room is no deletion that the site asked for, so it is not in the changes.
            self.jar = stored.applied(self.jar)

    def sent(self) -> list[Cookie]:
        return cookies_to_send(self.jar.values(), self.here, now=self.now.timestamp())


def same_site(here: str, there: str) -> bool:
    """Whether a redirect stays under the same registrable domain."""
    return target(here).site.partition("://")[2] == target(there).site.partition("://")[2]


def _as_safe(here: str, there: str) -> bool:
    """Whether a redirect can be followed at all: to a web page, and never from https down to http."""
    return target(there).scheme == "https" or (target(there).scheme == "http" and not target(here).cryptographic)


def probe(
    url: str,
    *,
    cookies: Iterable[Cookie],
    device: Device = Device(),
    bearer: tuple[str, str] | None = None,
    timeout: float = 10.0,
    follow: Callable[[str, str], bool] = same_site,
    transports: Transports | None = None,
    now: datetime | None = None,
) -> Probed:
    """What answers at `url` when the session asks for it.

    Args:
        url: http or https.
        cookies: of the session, in the order of creation; which of them go out is decided for each hop.
        device: its user agent, language and proxy are used; what it does not know is not made up.
        bearer: name and value of a header for `url`'s own origin; it goes to no other.
        timeout: seconds for all of it.
        follow: told where an answer came from and where it points, says whether to go there. Never asked about other
            schemes than http and https, nor about a fall from https to http, which are not followed.
        transports: connections to use again; by default new ones for this look.
        now: the time for cookies to end by; by default the clock's.

    Returns:
        The observation, with `failure` where there was no answer, and the changed cookies, those of hops before a failure
        included. Network errors are not raised.

    Raises:
        ValueError: `url` is not one of http or https with a host.
    """
    asked = target(url)
    if asked.scheme not in {"http", "https"} or not asked.host:
        raise ValueError(f"{bare_url(url)} is not a URL that can be asked over HTTP")
    if transports is None:
        with Transports() as own:
            return probe(url, cookies=cookies, device=device, bearer=bearer, timeout=timeout, follow=follow, transports=own, now=now)
    walk = _Walk(urldefrag(url).url, now or datetime.now(UTC), {cookie.key: cookie for cookie in cookies})
    deadline = time.monotonic() + timeout
    for _ in range(MAX_HOPS):
        answer = _asked(walk, url, device=device, bearer=bearer, deadline=deadline, transports=transports)
        if isinstance(answer, _Broken):
            return _failed(url, walk, answer.failure, answer.words)
        response, body = answer
        walk.keep_cookies(_set_cookie_lines(response))
        location = _location(response, walk.here)
        if location is not None:
            walk.redirects.append(location)
        if location is None or not _as_safe(walk.here, location) or not follow(walk.here, location):
            return _seen(url, walk, response, body)
        walk.here = location
    return _failed(url, walk, Failure.LOOP, f"more than {MAX_HOPS} redirects")


def _asked(
    walk: _Walk, url: str, *, device: Device, bearer: tuple[str, str] | None, deadline: float, transports: Transports
) -> tuple[httpx2.Response, str] | _Broken:
    """One hop's answer with its text, or why there is none."""
    import httpx2  # noqa: PLC0415  (see Transports)

    headers = _headers(device, walk.here, walk.sent(), bearer if _origin(walk.here) == _origin(url) else None)
    left = max(0.001, deadline - time.monotonic())
    waits = {"connect": left, "read": left, "write": left, "pool": left}
    try:
        request = httpx2.Request("GET", walk.here, headers=headers, extensions={"timeout": waits})
        _resolve_localhost(request)
        response = transports.transport(proxy_for(walk.here, saved=device.proxy)).handle_request(request)
        with contextlib.closing(response):
            return response, read_text(response, limit=MAX_BODY, deadline=deadline)
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError, ImportError) as error:
        return _reason(error)


def _resolve_localhost(request: httpx2.Request) -> None:
    """Names below ``localhost`` are this machine in every browser (RFC 6761 §6.3), not so in every resolver."""
    host = request.url.host
    if host.endswith(".localhost"):
        request.extensions["sni_hostname"] = host
        request.url = request.url.copy_with(host="127.0.0.1")  # the Host header was made from the name and stays


def _headers(device: Device, url: str, cookies: list[Cookie], bearer: tuple[str, str] | None) -> list[tuple[bytes, bytes]]:
    """What a browser sends with a page that a person asks for, as far as the device is known."""
    named = [
        *client_hints(device, url),
        ("User-Agent", device.user_agent or _NO_BROWSER),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Encoding", "gzip"),
    ]
    if device.language:
        named.append(("Accept-Language", device.language))
    if cookies:
        named.append(("Cookie", cookie_header(cookies)))
    if bearer:
        named.append(bearer)
    return [(name.encode(), value.encode("utf-8", "replace")) for name, value in named]


def _origin(url: str) -> tuple[str, str, int]:
    parts = target(url)
    return (parts.scheme, parts.host, parts.port)


def _set_cookie_lines(response: httpx2.Response) -> list[str]:
    return [value.decode("utf-8", "replace") for name, value in response.headers.raw if name.lower() == b"set-cookie"]


def _location(response: httpx2.Response, here: str) -> str | None:
    """Where a redirect points; None for other answers and for one that points nowhere."""
    given = response.headers.get("location")
    if response.status_code not in _REDIRECTS or not given:
        return None
    try:
        location = urldefrag(urljoin(here, given)).url
        target(location)
    except ValueError:
        return None
    return location


def _seen(url: str, walk: _Walk, response: httpx2.Response, body: str) -> Probed:
    observation = Observation(
        url,
        walk.now,
        final_url=walk.here,
        status=response.status_code,
        headers=dict(response.headers.items()),
        body=body,
        redirects=tuple(walk.redirects),
        cookies=frozenset(cookie.name for cookie in walk.sent()),
    )
    return Probed(observation, tuple(walk.changes.values()))


def _failed(url: str, walk: _Walk, failure: Failure, detail: str) -> Probed:
    observation = Observation(url, walk.now, final_url=walk.here, redirects=tuple(walk.redirects), failure=failure, detail=f"{bare_url(walk.here)}: {detail}")
    return Probed(observation, tuple(walk.changes.values()))


def _reason(error: BaseException) -> _Broken:
    """Class and words of an error; the library's own words are not used, they may repeat a header."""
    import httpx2  # noqa: PLC0415  (see Transports)

    causes = list(_causes(error))
    for kinds, failure, words in (
        ((httpx2.ProxyError,), Failure.PROXY, "the proxy refused"),
        ((ImportError,), Failure.PROXY, "a SOCKS proxy needs the package socksio"),
        ((socket.gaierror,), Failure.DNS, "no such host"),
        ((ssl.SSLError,), Failure.TLS, "no secure connection"),
        ((ConnectionRefusedError,), Failure.REFUSED, "connection refused"),
        ((httpx2.TimeoutException, TimeoutError), Failure.TIMEOUT, "no answer in time"),
        ((httpx2.InvalidURL, httpx2.UnsupportedProtocol), Failure.NETWORK, "this URL cannot be asked for"),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return _Broken(failure, words)
    return _Broken(Failure.NETWORK, f"the connection broke ({type(error).__name__})")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
