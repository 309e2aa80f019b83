"""``har``: cookies out of an HTTP archive, by following what was set and sent from request to request. Read only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.formats.attributes import BASIC
from handstamp.formats.intake import label
from handstamp.formats.json_cookies import SAME_SITES
from handstamp.state import Cookie, cookies_to_send, set_cookie, store
from handstamp.state.cookie_match import target

if TYPE_CHECKING:
    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import Key

NAME = "har"
HOLDS = BASIC | {"same_site"}


def matches(document: Node) -> bool:
    """Whether the document is an HTTP archive."""
    return isinstance(document.value, dict) and "entries" in document.field("log").names()


def parse(document: Node, intake: Intake) -> None:
    """Reads the cookies that a browser had at the end of an archive, as far as it tells."""
    follower = _Follower(intake)
    entries = [(_moment(node.field("startedDateTime")), node) for node in document.field("log").field("entries").items()]
    for moment, node in sorted(entries, key=lambda entry: entry[0]):
        follower.follow(node, moment)
    follower.finish()


def _moment(node: Node) -> float:
    try:
        moment = datetime.fromisoformat(node.text())
    except ValueError:
        node.fail("a date and time as ISO 8601 has it")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class _Follower:
    """A jar that goes through an archive's entries in their order."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._jar: dict[Key, Cookie] = {}
        self._places: dict[Key, Node] = {}
        self._seen = False

    def follow(self, entry: Node, moment: float) -> None:
        """Takes in one request and its response."""
        request, response = entry.field("request"), entry.field("response")
        url = request.field("url").text()
        try:
            host = target(url).host
        except ValueError:
            host = ""
        if not host:
            return
        for node, cookie in _sent(request, url):
            self._sent_with(node, cookie, url, moment)
        for node, found in _received(response, url, moment):
            self._seen = True
            if found is None:
                self._intake.note_each("Set-Cookie lines were ignored, as a browser would, of", host)
            else:
                self._store(node, found, url, moment)

    def _store(self, node: Node, cookie: Cookie, url: str, moment: float) -> None:
        self._jar = store(self._jar, cookie, url, now=moment).applied(self._jar)
        self._places[cookie.key] = node

    def _sent_with(self, node: Node, cookie: Cookie, url: str, moment: float) -> None:
        """A cookie that went with a request: known, known with another value (a script set it), or set before the archive began."""
        self._seen = True
        known = [other for other in cookies_to_send(self._jar.values(), url, now=moment) if other.name == cookie.name]
        if any(other.value == cookie.value for other in known):
            return
        if known:
            cookie = replace(known[0], value=cookie.value)
        elif node.field("domain").absent:
            self._intake.note_each("seen in requests only, so host, path and session are guesses", label(cookie.key))
        self._jar[cookie.key] = cookie
        self._places[cookie.key] = node

    def finish(self) -> None:
        """Hands the jar over."""
        for key, cookie in self._jar.items():
            self._intake.add_cookie(cookie, self._places[key].refuse)
        if not self._seen:
            self._intake.note("the archive holds no cookies; browsers leave them out unless asked (Chrome: 'Export HAR (with sensitive data)')")


def _sent(request: Node, url: str) -> list[tuple[Node, Cookie]]:
    """Cookies of a request. Chrome tells their attributes, others only names and values."""
    nodes = [] if request.field("cookies").absent else request.field("cookies").items()
    return [(node, _cookie(node, url)) for node in nodes]


def _received(response: Node, url: str, moment: float) -> list[tuple[Node, Cookie | None]]:
    """Cookies that a response set: by its header fields where they are there, which say more than `cookies` does."""
    headers = [] if response.field("headers").absent else response.field("headers").items()
    lines = [(node, line) for node in headers if node.field("name").text().lower() == "set-cookie" for line in node.field("value").text().split("\n")]
    if lines:
        return [(node, set_cookie(line, url, now=moment)) for node, line in lines]
    nodes = [] if response.field("cookies").absent else response.field("cookies").items()
    return [(node, _cookie(node, url)) for node in nodes]


def _cookie(node: Node, url: str) -> Cookie:
    where = target(url)
    domain = node.field("domain").text(where.host) or where.host
    return Cookie(
        node.field("name").text(),
        node.field("value").text(),
        domain.removeprefix("."),
        host_only=not domain.startswith("."),
        path=node.field("path").text("/") or "/",
        expires=_end(node.field("expires")),
        secure=node.field("secure").flag(default=where.cryptographic),
        http_only=node.field("httpOnly").flag(default=False),
        same_site=node.field("sameSite").choice(SAME_SITES, None),
        source_scheme="Secure" if where.cryptographic else "NonSecure",
        source_port=where.port,
    )


def _end(node: Node) -> float | None:
    return None if node.absent or node.value in ("", "Session") else _moment(node)
