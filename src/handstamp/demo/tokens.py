"""API tokens of a session: what a page keeps in localStorage and its API wants as bearer.

With the knob `token_seconds` above 0 a token is short-lived and comes with a refresh token. With `refresh_rotation` each
refresh token works once: a second use means that somebody copied it, so the whole session ends (RFC 9700 §4.14.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.demo.sessions import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo.knobs import PortsideKnobs
    from handstamp.demo.sessions import Session


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client gets.

    Args:
        token: the bearer token.
        refresh_token: for the next one; None when the token lives as long as its session.
        expires_in: seconds, None likewise.
    """

    token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: float | None = None


@dataclass(slots=True)
class _Access:
    session: Session
    until: float | None


@dataclass(slots=True)
class _Refresh:
    session: Session
    replaced_at: float | None = None
    successor: Grant | None = None


class Tokens:
    """All API tokens of one site.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._sweep_at = 1000

    def issue(self, session: Session, *, knobs: PortsideKnobs) -> Grant:
        """A token for this session, with a refresh token where the knobs want one."""
        short = knobs.token_seconds > 0
        if not short and not knobs.refresh_rotation:
            return self._token(session, knobs=knobs, refresh_token=None)
        refresh_token = new_secret(knobs.canary)
        self._refresh[refresh_token] = _Refresh(session)
        return self._token(session, knobs=knobs, refresh_token=refresh_token)

    def session_of(self, token: str) -> Session | None:
        """Whose token this is, while it is good. Whether the session itself still lives is not looked at."""
        found = self._access.get(token)
        if found is None or (found.until is not None and self._clock() >= found.until):
            return None
        return found.session

    def owner(self, refresh_token: str) -> Session | None:
        """Whose refresh token this is or was, while the session is not marked as over."""
        found = self._refresh.get(refresh_token)
        return found.session if found is not None and found.session.ended is None else None

    def renew(self, refresh_token: str, *, knobs: PortsideKnobs) -> Grant | None:
        """A new token for a refresh token that has an owner; None when it was used before and may not be used again."""
        found = self._refresh[refresh_token]
        if found.replaced_at is not None:
            return found.successor if self._clock() - found.replaced_at < knobs.rotate_grace else None
        if not knobs.refresh_rotation:
            return self._token(found.session, knobs=knobs, refresh_token=refresh_token)
        found.replaced_at, found.successor = self._clock(), self.issue(found.session, knobs=knobs)
        return found.successor

    def _token(self, session: Session, *, knobs: PortsideKnobs, refresh_token: str | None) -> Grant:
        self._sweep()
        life = knobs.token_seconds or None
        grant = Grant(new_secret(knobs.canary), refresh_token, life)
        self._access[grant.token] = _Access(session, None if life is None else self._clock() + life)
        return grant

    def _sweep(self) -> None:
        """Drop tokens of sessions that are over, when so many have come together that it costs little by the piece."""
        if len(self._access) + len(self._refresh) < self._sweep_at:
            return
        now = self._clock()
        self._access = {token: entry for token, entry in self._access.items() if entry.session.ended is None and (entry.until is None or entry.until > now)}
        self._refresh = {token: entry for token, entry in self._refresh.items() if entry.session.ended is None}
        self._sweep_at = 1000 + 2 * (len(self._access) + len(self._refresh))
