"""How many of the http-state working group's cookie vectors pass: ours beside http.cookiejar, requests and httpx.

    .venv/bin/python scripts/cookie_conformance.py [FOLDER]

Each case hands Set-Cookie lines to a library's own cookie jar and compares the Cookie header that it would send. No network.
Two readings: the older expectation (RFC 6265, 2011) and that of RFC 6265bis, where they differ. Exits with 1 when ours misses
one of the latter.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.request import Request

import httpx
import requests
import requests.cookies

from handstamp.state import Cookie, cookie_header, cookies_to_send, set_cookie, store

if TYPE_CHECKING:
    from handstamp.state import Key

FOLDER = Path(__file__).parents[1].parent / "shared" / "vectors"

Case = dict[str, Any]
_requests = cast("Any", requests.cookies)  # its stubs leave functions untyped


class Handstamp:
    """Ours."""

    def __init__(self) -> None:
        self._jar: dict[Key, Cookie] = {}

    def receive(self, url: str, lines: list[str]) -> None:
        """Stores what the lines set."""
        now = time.time()
        for line in lines:
            cookie = set_cookie(line, url, now=now)
            if cookie:
                self._jar = store(self._jar, cookie, url, now=now).applied(self._jar)

    def send(self, url: str) -> str:
        """The Cookie header for `url`."""
        return cookie_header(cookies_to_send(self._jar.values(), url, now=time.time()))


class StandardLibrary:
    """`http.cookiejar`, which takes header fields as Latin-1 text, as `http.client` hands them over."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def receive(self, url: str, lines: list[str]) -> None:
        """Stores what the lines set."""
        self._jar.extract_cookies(cast("Any", SimpleNamespace(info=lambda: _message(lines))), Request(url))  # noqa: S310  (nothing is opened)

    def send(self, url: str) -> str:
        """The Cookie header for `url`."""
        request = Request(url)  # noqa: S310  (nothing is opened)
        self._jar.add_cookie_header(request)
        return _from_latin(request.get_header("Cookie") or "")


class Requests:
    """The jar of a `requests.Session`."""

    def __init__(self) -> None:
        self._jar = requests.cookies.RequestsCookieJar()

    def receive(self, url: str, lines: list[str]) -> None:
        """Stores what the lines set."""
        raw = SimpleNamespace(_original_response=SimpleNamespace(msg=_message(lines)))
        _requests.extract_cookies_to_jar(self._jar, requests.Request("GET", url).prepare(), raw)

    def send(self, url: str) -> str:
        """The Cookie header for `url`."""
        return _from_latin(_requests.get_cookie_header(self._jar, requests.Request("GET", url).prepare()) or "")


class Httpx:
    """The jar of an `httpx.Client`."""

    def __init__(self) -> None:
        self._jar = httpx.Cookies()

    def receive(self, url: str, lines: list[str]) -> None:
        """Stores what the lines set."""
        headers = [(b"set-cookie", line.encode()) for line in lines]
        self._jar.extract_cookies(httpx.Response(200, headers=headers, request=httpx.Request("GET", url)))

    def send(self, url: str) -> str:
        """The Cookie header for `url`."""
        request = httpx.Request("GET", url)
        self._jar.set_cookie_header(request)
        return str(request.headers.get("cookie", ""))


LIBRARIES = {"handstamp": Handstamp, "http.cookiejar": StandardLibrary, "requests": Requests, "httpx": Httpx}


def _message(lines: list[str]) -> Message:
    message = Message()
    for line in lines:
        message["Set-Cookie"] = line.encode().decode("latin-1")
    return message


def _from_latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def over_a_wire(case: Case) -> bool:
    """Whether the case's lines can come in header fields at all, which hold no NUL and no line end."""
    return not any(control in line for step in case["steps"] for line in step.get("set_cookie", ()) for control in "\0\r\n")


def answers(library: type[Any], case: Case) -> list[str | None]:
    """What the library sends at each step; None where it fails or nothing is asked."""
    jar = library()
    found: list[str | None] = []
    for step in case["steps"]:
        try:
            found.append(jar.receive(step["url"], step["set_cookie"]) if step["op"] == "receive" else jar.send(step["url"]))
        except Exception:  # noqa: BLE001  (whatever a library raises, it did not send what it should)
            found.append(None)
    return found


def passes(case: Case, found: list[str | None], newer: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the answers are those of the older reading, and those of RFC 6265bis."""
    old = new = True
    for index, step in enumerate(case["steps"]):
        if step["op"] != "send":
            continue
        expected = step["expect"] or ""
        revised = newer.get("expect", {}).get(str(index), expected)
        old &= found[index] == expected
        new &= found[index] == revised or (bool(newer.get("contested")) and found[index] == expected)
    return old, new


def main(folder: Path) -> int:
    """Prints the table; 1 when ours misses a vector."""
    cases = [case for case in json.loads((folder / "http_state.json").read_text())["cases"] if over_a_wire(case)]
    newer = json.loads((folder / "http_state_rfc6265bis.json").read_text())
    warnings.simplefilter("ignore")
    print(f"{len(cases)} cases        RFC 6265   RFC 6265bis")
    missed = 0
    for name, library in LIBRARIES.items():
        results = [passes(case, answers(library, case), newer.get(case["id"], {})) for case in cases]
        old, new = (sum(column) for column in zip(*results, strict=True))
        missed += len(cases) - new if library is Handstamp else 0
        print(f"{name:<16} {old:>8}   {new:>11}")
    return 1 if missed else 0


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not where.is_dir():
        sys.exit(f"no conformance vectors at {where}; name their folder: cookie_conformance.py FOLDER")
    sys.exit(main(where))
