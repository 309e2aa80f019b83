"""What portside remembers of a browser before it is signed in: its CSRF token, its captcha, a password step that is done."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.demo.portside import captcha

if TYPE_CHECKING:
    from collections.abc import Callable

LIFE_SECONDS = 1800.0
_SWEEP_AT = 1000


@dataclass(frozen=True, slots=True)
class PasswordDone:
    """The password was right; a one-time code is still missing."""

    username: str
    remember: bool
    next_path: str


@dataclass(slots=True, eq=False)
class Presession:
    """One browser at the login page.

    Args:
        key: value of the pre-session cookie.
        csrf: what the login forms carry.
        created: seconds of the sites' clock.
        captcha: the answer to the picture that it was last asked about.
        password_done: set between the two steps of a login.
    """

    key: str = field(repr=False)
    csrf: str = field(repr=False)
    created: float
    captcha: str | None = field(default=None, repr=False)
    password_done: PasswordDone | None = None


class Presessions:
    """All browsers that are at the login page.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_key: dict[str, Presession] = {}

    def get(self, key: str | None) -> Presession | None:
        """The one with this cookie, while it is not too old."""
        found = self._by_key.get(key or "")
        return found if found is not None and self._fresh(found) else None

    def open(self) -> Presession:
        """A new one."""
        if len(self._by_key) >= _SWEEP_AT:
            self._by_key = {key: entry for key, entry in self._by_key.items() if self._fresh(entry)}
        entry = Presession(secrets.token_urlsafe(24), secrets.token_urlsafe(24), self._clock())
        self._by_key[entry.key] = entry
        return entry

    def close(self, entry: Presession) -> None:
        """The browser is signed in; forms of before are worth nothing any more."""
        self._by_key.pop(entry.key, None)

    def ask_captcha(self, entry: Presession) -> None:
        """Draw a new answer for this browser, and put it last in line."""
        entry.captcha = captcha.new_answer()
        self._by_key[entry.key] = self._by_key.pop(entry.key, entry)

    def answers(self) -> dict[str, str]:
        """Pre-session cookie -> answer of the captcha that is open there; the latest asked is the last."""
        return {key: entry.captcha for key, entry in self._by_key.items() if entry.captcha is not None and self._fresh(entry)}

    def _fresh(self, entry: Presession) -> bool:
        return self._clock() - entry.created < LIFE_SECONDS
