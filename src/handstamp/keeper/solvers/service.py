"""A service that reads captchas, at an address of yours, by a protocol of one request.

    POST <url>   {"api_key": …, "site": "portside", "kind": "image", "question": "…", "image": "<base64 of a PNG>"}
    200          {"answer": "K7PQX"}
    202, 429, 503   not yet: asked again after Retry-After (seconds), else after two
    anything else   it cannot

The account's name stays here. An adapter for a service with another protocol is a page of code behind such an address.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handstamp.errors import ConfigError
from handstamp.http.observation import bare_url

if TYPE_CHECKING:
    from handstamp.sites import Challenge

_log = logging.getLogger(__name__)
_KINDS = frozenset({"image", "text"})
_NOT_YET = frozenset({202, 429, 503})
_PAUSE = 2.0
_LONGEST_PAUSE = 30.0
_LONGEST_ANSWER = 200


class ServiceSolver:
    """A `ChallengeSolver` that asks a service; codes and confirmations, which no service knows, it gives up.

    Args:
        url: https, or http on this machine.
        api_key: what the service wants to see, as `captcha_api_key`.
        timeout: seconds for one request.

    Raises:
        ConfigError: the URL is none, or would show key and picture to everybody on the way.
    """

    def __init__(self, url: str, *, api_key: str = "", timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")
        if not host or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
            raise ConfigError(f"the solver's address {bare_url(url)!r} must be an https URL (http only on this machine); set solver_url to one")
        self._url = url
        self._api_key = api_key
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"ServiceSolver({bare_url(self._url)!r})"

    async def solve(self, challenge: Challenge) -> str | None:
        """What the service says; None when it cannot."""
        if challenge.kind not in _KINDS:
            return None
        image = base64.b64encode(challenge.image).decode()
        body = {"api_key": self._api_key, "site": challenge.site, "kind": challenge.kind, "question": challenge.question, "image": image}
        import httpx2  # noqa: PLC0415  (a sixth of a second, and few logins ask)

        async with httpx2.AsyncClient(timeout=self._timeout) as client:
            while True:
                try:
                    response = await client.post(self._url, json=body)
                except httpx2.HTTPError as error:
                    _log.warning("the solver at %s does not answer (%s)", bare_url(self._url), type(error).__name__)
                    return None
                if response.status_code not in _NOT_YET:
                    return _answer(response.status_code, response)
                await asyncio.sleep(_pause(response.headers.get("retry-after", "")))


def _answer(status: int, response: Any) -> str | None:
    try:
        told = response.json() if status == 200 else None
    except ValueError:
        told = None
    answer = told.get("answer") if isinstance(told, dict) else None
    if isinstance(answer, str) and 0 < len(answer) <= _LONGEST_ANSWER and answer.isprintable():
        return answer
    _log.warning("the solver has no answer (status %d)", status)
    return None


def _pause(retry_after: str) -> float:
    return min(float(retry_after), _LONGEST_PAUSE) if retry_after.isascii() and retry_after.isdigit() else _PAUSE
