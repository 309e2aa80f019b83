"""Sessions of one stand-in site: opened at login, found by their id, ended by time, rule or order.

    opened ──visit──▶ opened     sliding expiry starts anew; with `rotate` the id changes
       │
       └──▶ ended                 logged-out · replaced · revoked · expired · too-old · user-agent · token-reuse

Whether a session still lives is decided by `verdict` over values; `Sessions` keeps them and acts on it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo.knobs import SiteKnobs
    from handstamp.demo.tokens import Grant

EndReason = Literal["logged-out", "replaced", "revoked", "expired", "too-old", "user-agent", "token-reuse"]


@dataclass(slots=True, eq=False)
class Session:
    """One login at one site. Times are seconds of the sites' clock.

    Args:
        sid: the id that is good now.
        username: whose.
        user_agent: what the login came with.
        remember: the cookie shall outlive the browser.
        created: when it was opened.
        seen: when its last request came.
        csrf: what forms of this session carry.
        auth_token: what a client of interpals sends beside the cookie; empty at portside.
        handout: the API token that the next page of portside gives to the browser, once; None when that was done.
        ended: why it is over, or None.
    """

    sid: str = field(repr=False)
    username: str
    user_agent: str
    remember: bool
    created: float
    seen: float
    csrf: str = field(repr=False)
    auth_token: str = field(default="", repr=False)
    handout: Grant | None = field(default=None, repr=False)
    ended: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What a session id turned out to be.

    Args:
        session: the living session, or None.
        ended: why the session that the id belongs to is over. None for an id that names nothing, or no longer anything:
            a cookie may then not be deleted, since a newer one may be on its way to the same browser.
    """

    session: Session | None
    ended: EndReason | None = None


def verdict(session: Session, *, knobs: SiteKnobs, now: float, user_agent: str | None = None) -> EndReason | None:
    """Why this session is over at `now`, or None while it lives. Without `user_agent` that rule is not applied."""
    if session.ended is not None:
        return session.ended
    if now - session.created >= knobs.absolute_seconds:
        return "too-old"
    if now - session.seen >= knobs.session_seconds:
        return "expired"
    if user_agent is not None and knobs.bind_user_agent and user_agent != session.user_agent:
        return "user-agent"
    return None


def seconds_left(session: Session, *, knobs: SiteKnobs, now: float) -> float:
    """How long it lives when no further request comes."""
    return min(session.seen + knobs.session_seconds, session.created + knobs.absolute_seconds) - now


def new_secret(canary: str) -> str:
    """An unguessable value for a session id or token: 192 random bits behind the canary."""
    return f"{canary}{'.' if canary else ''}{secrets.token_urlsafe(24)}"


@dataclass(slots=True)
class _Id:
    """What a session id leads to; `until` is when a replaced id stops working, None for the one that is good."""

    session: Session
    until: float | None = None


class Sessions:
    """All sessions of one site.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ids: dict[str, _Id] = {}
        self._sweep_at = 1000
        self.ended: Counter[str] = Counter()

    def open(self, username: str, *, knobs: SiteKnobs, user_agent: str, remember: bool = False) -> Session:
        """A new session, good from now."""
        self._sweep()
        now = self._clock()
        session = Session(new_secret(knobs.canary), username, user_agent, remember, created=now, seen=now, csrf=secrets.token_urlsafe(24))
        self._ids[session.sid] = _Id(session)
        return session

    def visit(self, sid: str | None, *, knobs: SiteKnobs, user_agent: str) -> Visit:
        """A request came with this id: find its session, end it if it is over, else extend it and maybe change its id."""
        found = self._ids.get(sid) if sid else None
        if sid is None or found is None:
            return Visit(None)
        if found.until is not None and self._clock() >= found.until:
            del self._ids[sid]
            return Visit(None)
        ended = self.touch(found.session, knobs=knobs, user_agent=user_agent)
        if ended is not None:
            return Visit(None, ended)
        if knobs.rotate and found.until is None:
            self._rotate(found.session, knobs=knobs)
        return Visit(found.session)

    def touch(self, session: Session, *, knobs: SiteKnobs, user_agent: str) -> EndReason | None:
        """Extend the session, or end it; the reason in that case."""
        now = self._clock()
        reason = verdict(session, knobs=knobs, now=now, user_agent=user_agent)
        if reason is None:
            session.seen = now
        else:
            self.end(session, reason)
        return reason

    def end(self, session: Session, reason: EndReason) -> None:
        """It is over; the first reason stays."""
        if session.ended is None:
            session.ended = reason
            self.ended[reason] += 1

    def end_all(self, reason: EndReason, *, knobs: SiteKnobs, username: str | None = None) -> int:
        """End all living sessions, or those of one account; how many they were."""
        over = self.alive(knobs=knobs, username=username)
        for session in over:
            self.end(session, reason)
        return len(over)

    def alive(self, *, knobs: SiteKnobs, username: str | None = None) -> list[Session]:
        """Sessions that a request could still use now."""
        now = self._clock()
        current = [entry.session for entry in self._ids.values() if entry.until is None and username in {None, entry.session.username}]
        return [session for session in current if verdict(session, knobs=knobs, now=now) is None]

    def _rotate(self, session: Session, *, knobs: SiteKnobs) -> None:
        self._sweep()
        self._ids[session.sid].until = self._clock() + knobs.rotate_grace
        session.sid = new_secret(knobs.canary)
        self._ids[session.sid] = _Id(session)

    def _sweep(self) -> None:
        """Drop ids that lead nowhere, when so many have come together that it costs little by the piece."""
        if len(self._ids) < self._sweep_at:
            return
        now = self._clock()
        self._ids = {sid: entry for sid, entry in self._ids.items() if entry.session.ended is None and (entry.until is None or entry.until > now)}
        self._sweep_at = 1000 + 2 * len(self._ids)
