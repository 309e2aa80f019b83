"""What HTTP clients keep of what a site sets on the way: httpx, httpx2, requests and handstamp's clients through the same answers.

`make docs` writes the table into docs/how-to/http.md. By hand: `.venv/bin/python scripts/redirect_trap.py`. No network is used.
"""

from __future__ import annotations

import http.client
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

import handstamp
import handstamp.httpx_client
from handstamp.sites import Recipe, Site
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState
from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

APP = "https://app.example"
Answer = tuple[int, list[tuple[str, str]]]


@dataclass(frozen=True)
class Trap:
    """One thing that sites do.

    Args:
        what: for people.
        visits: URLs to ask for, in order, redirects followed.
        answers: by URL; others are 200 without cookies.
        probe: the URL at last.
        sent: the cookies that a browser would send there.
    """

    what: str
    visits: tuple[str, ...]
    answers: Mapping[str, Answer]
    probe: str
    sent: Mapping[str, str]


def to(place: str, *cookies: str) -> Answer:
    """A redirect that sets cookies."""
    return 302, [("Location", place), *(("Set-Cookie", cookie) for cookie in cookies)]


def page(*cookies: str) -> Answer:
    """A page that sets cookies."""
    return 200, [("Set-Cookie", cookie) for cookie in cookies]


TRAPS = (
    Trap("the login answers 302 with the session id, and the next hop changes it", (f"{APP}/login",),
         {f"{APP}/login": to("/next", "sid=1; Path=/"), f"{APP}/next": to("/home", "sid=2; Path=/")}, f"{APP}/account", {"sid": "2"}),
    Trap("the id is set for the whole domain, then changed for this host alone: two cookies", (f"{APP}/login",),
         {f"{APP}/login": to("/home", "sid=1; Path=/; Domain=app.example"), f"{APP}/home": page("sid=2; Path=/")},
         f"{APP}/account", {"sid": "1|2"}),
    Trap("the logout deletes it in a redirect", (f"{APP}/login", f"{APP}/logout"),
         {f"{APP}/login": page("sid=1; Path=/"), f"{APP}/logout": to("/", "sid=; Path=/; Max-Age=0")}, f"{APP}/account", {}),
    Trap("a sign-on at another host sets its own cookie on the way back", (f"{APP}/login",),
         {f"{APP}/login": to("https://sso.example/in"), "https://sso.example/in": to(f"{APP}/back", "tgt=9; Path=/; Secure; HttpOnly"),
          f"{APP}/back": page("sid=1; Path=/")}, "https://sso.example/again", {"tgt": "9"}),
    Trap("a cookie without Domain is the host's alone", (f"{APP}/",), {f"{APP}/": page("sid=1; Path=/")}, "https://static.app.example/", {}),
    Trap("a cookie of path /account does not go to /accounting", (f"{APP}/",), {f"{APP}/": page("a=1; Path=/account")}, f"{APP}/accounting", {}),
    Trap("a Secure cookie does not go over an open connection", (f"{APP}/",), {f"{APP}/": page("sid=1; Path=/; Secure")}, "http://app.example/", {}),
    Trap("an open connection cannot set a Secure cookie", ("http://app.example/",), {"http://app.example/": page("sid=1; Path=/; Secure")}, f"{APP}/", {}),
    Trap("a site cannot set a cookie for a public suffix", ("https://a.co.uk/",),
         {"https://a.co.uk/": page("x=1; Path=/; Domain=co.uk")}, "https://b.co.uk/", {}),
    Trap("`__Host-` wants no Domain", (f"{APP}/",), {f"{APP}/": page("__Host-sid=1; Path=/; Secure; Domain=app.example")}, f"{APP}/", {}),
    Trap("a Max-Age that is no number is as if it were not there", (f"{APP}/",), {f"{APP}/": page("sid=1; Path=/; Max-Age=soon")}, f"{APP}/", {"sid": "1"}),
    Trap("a new process has what the last answer set", (f"{APP}/login", "(new process)"),
         {f"{APP}/login": page("sid=1; Path=/")}, f"{APP}/account", {"sid": "1"}),
)  # fmt: skip


class World:
    """Answers one trap's requests, whichever library asks."""

    def __init__(self, trap: Trap) -> None:
        self._answers = trap.answers
        self.cookies = ""

    def answer(self, url: str, cookies: str) -> Answer:
        """What comes back."""
        self.cookies = cookies
        return self._answers.get(url, (200, []))

    def sent(self) -> dict[str, str]:
        """The cookies of the last request; values of one name joined, in any order."""
        found: dict[str, list[str]] = {}
        for pair in filter(None, self.cookies.split("; ")):
            name, _, value = pair.partition("=")
            found.setdefault(name, []).append(value)
        return {name: "|".join(sorted(values)) for name, values in found.items()}


def transport(library: Any, world: World) -> Any:
    """A transport of httpx or httpx2 over a world."""

    def handle(request: Any) -> Any:
        status, headers = world.answer(str(request.url), request.headers.get("cookie", ""))
        return library.Response(status, headers=headers)

    return library.MockTransport(handle)


class WorldAdapter(HTTPAdapter):
    """The same for requests."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # all by name
        """One hop."""
        status, headers = self._world.answer(str(request.url), str(request.headers.get("Cookie", "")))
        text = "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        original = type("Original", (), {"msg": http.client.parse_headers(io.BytesIO(text.encode())), "isclosed": lambda _: True, "close": lambda _: None})()
        raw = HTTPResponse(body=io.BytesIO(b""), headers=dict(headers), status=status, preload_content=False, original_response=original)
        return self.build_response(request, raw)


def bare(library: Any) -> Callable[[Trap, World], None]:
    """A client of httpx or httpx2 by itself."""

    def go(trap: Trap, world: World) -> None:
        client = library.Client(transport=transport(library, world), follow_redirects=True)
        for url in (*trap.visits, trap.probe):
            if url.startswith("("):
                client = library.Client(transport=transport(library, world), follow_redirects=True)
            else:
                client.get(url)

    return go


def by_requests(trap: Trap, world: World) -> None:
    """A session of requests by itself."""
    session = _session(world)
    for url in (*trap.visits, trap.probe):
        if url.startswith("("):
            session = _session(world)
        else:
            session.get(url)


def _session(world: World) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, WorldAdapter(world))
    return session


def ours(client: Any, library: Any) -> Callable[[Trap, World], None]:
    """A client of ours."""

    def go(trap: Trap, world: World) -> None:
        site = Site(Recipe("app", APP, ("app.example",)))
        seed = Cookie("seed", "0", "unrelated.example")
        jar = Part(PartId(PartKind.COOKIES, "unrelated.example"), {seed.key: Entry(seed, Clock("docs").stamp())})
        token = Part(PartId(PartKind.LOCAL, APP), {("unused",): Entry("1", Clock("docs").stamp())})
        with tempfile.TemporaryDirectory() as folder, Vault(f"sqlite:///{folder}/vault.db", home=Path(folder), key=MasterKey.generate()) as vault:
            vault.save("default", StorageState.of([jar, token]))
            made = client(site, vault=vault, transport=transport(library, world), follow_redirects=True)
            for url in (*trap.visits, trap.probe):
                if url.startswith("("):
                    made.close()
                    made = client(site, vault=vault, transport=transport(library, world), follow_redirects=True)
                else:
                    made.get(url)
            made.close()

    return go


CLIENTS: Mapping[str, Callable[[Trap, World], None]] = {
    "httpx": bare(httpx),
    "httpx2": bare(httpx2),
    "requests": by_requests,
    "handstamp on httpx": ours(handstamp.httpx_client.Client, httpx),
    "handstamp on httpx2": ours(handstamp.Client, httpx2),
}


def right(trap: Trap, go: Callable[[Trap, World], None]) -> bool:
    """Whether a client sends at last what a browser would."""
    world = World(trap)
    go(trap, world)
    return world.sent() == dict(trap.sent)


def table() -> list[str]:
    """The table, in Markdown."""
    head = ["| what the site does | " + " | ".join(CLIENTS) + " |", "|---|" + ":-:|" * len(CLIENTS)]
    return head + [f"| {trap.what} | " + " | ".join("yes" if right(trap, go) else "no" for go in CLIENTS.values()) + " |" for trap in TRAPS]


if __name__ == "__main__":
    print("\n".join(table()))
