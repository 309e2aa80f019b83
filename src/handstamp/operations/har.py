"""The requests of a page as an HTTP archive (HAR 1.2), without bodies, cookies and the values of headers that may let in."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handstamp._version import __version__

if TYPE_CHECKING:
    from playwright.async_api import Page, Request, Response

    from handstamp.operations.blanking import Blanking

_MOST = 500  # requests; the latest


@dataclass(slots=True)
class _Seen:
    """One request, as it was seen. Holds secrets until it is written."""

    request: Request = field(repr=False)
    at: datetime
    began: float
    response: Response | None = field(default=None, repr=False)
    ended: float | None = None  # when its answer began, or it failed
    failure: str = ""


class Requests:
    """Notes the latest requests of pages; nothing is asked of the browser until they are wanted."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=_MOST)
        self._open: dict[Request, _Seen] = {}

    def watch(self, page: Page) -> None:
        """Note a page's requests from now on."""
        page.on("request", self._began)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def unwatch(self, page: Page) -> None:
        """Note them no more."""
        page.remove_listener("request", self._began)
        page.remove_listener("response", self._answered)
        page.remove_listener("requestfailed", self._failed)

    def _began(self, request: Request) -> None:
        if len(self._seen) == _MOST:
            self._open.pop(self._seen[0].request, None)
        seen = _Seen(request, datetime.now(UTC), time.monotonic())
        self._seen.append(seen)
        self._open[request] = seen

    def _answered(self, response: Response) -> None:
        if seen := self._open.pop(response.request, None):
            seen.response, seen.ended = response, time.monotonic()

    def _failed(self, request: Request) -> None:
        if seen := self._open.pop(request, None):
            seen.ended, seen.failure = time.monotonic(), request.failure or ""

    def archive(self, blanking: Blanking) -> dict[str, Any]:
        """The archive as JSON values."""
        entries = [_entry(seen, blanking) for seen in self._seen]
        return {"log": {"version": "1.2", "creator": {"name": "handstamp", "version": __version__}, "pages": [], "entries": entries}}


def _entry(seen: _Seen, blanking: Blanking) -> dict[str, Any]:
    request = seen.request
    took = round((seen.ended - seen.began) * 1000, 1) if seen.ended is not None else 0
    entry = {
        "startedDateTime": seen.at.isoformat(timespec="milliseconds"),
        "time": took,
        "request": {
            "method": request.method,
            "url": blanking.url(request.url),
            "httpVersion": "",
            "cookies": [],
            "headers": _headers(request.headers, blanking),
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
        },
        "response": _response(seen.response, blanking),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "_resourceType": request.resource_type,
    }
    return entry | ({"_error": blanking.text(seen.failure)} if seen.failure else {})


def _response(response: Response | None, blanking: Blanking) -> dict[str, Any]:
    headers = response.headers if response is not None else {}
    return {
        "status": response.status if response is not None else 0,
        "statusText": response.status_text if response is not None else "",
        "httpVersion": "",
        "cookies": [],
        "headers": _headers(headers, blanking),
        "content": {"size": -1, "mimeType": headers.get("content-type", "")},
        "redirectURL": blanking.header("location", headers["location"]) if "location" in headers else "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _headers(headers: dict[str, str], blanking: Blanking) -> list[dict[str, str]]:
    return [{"name": name, "value": blanking.header(name, value)} for name, value in headers.items()]
