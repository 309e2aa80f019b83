"""How the stand-in sites behave: every knob, with its default, its range and what it does.

A knob is a field of a frozen dataclass. The command line's flags, the control endpoint and the Python API are all made
from these fields, so a knob that is added here can be turned everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SiteName = Literal["portside", "interpals"]
KnobValue = bool | int | float | str

_LONGEST = 10 * 365.25 * 86_400.0  # ten years, in seconds: what a cookie's Max-Age can still say everywhere
_CANARY = re.compile(r"[A-Za-z0-9_-]{0,64}")


def _knob(default: KnobValue, about: str, *, least: float | None = None, most: float | None = None) -> Any:
    return field(default=default, metadata={"about": about, "least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKnobs:
    """What both sites can do. Times are seconds unless the name says otherwise; changes act at once, also on open sessions.

    Args:
        session_seconds: life of a session since its last request (sliding expiry).
        absolute_seconds: life of a session since its login, whatever happens in it.
        rotate: give a new session id with each answer; the old id stops working.
        rotate_grace: how long a replaced session id or refresh token is still taken, so that parallel requests can live.
        bind_user_agent: end the session when a request comes with another User-Agent than the login did.
        error_share: share of the requests that are answered with `error_status`; 1.0 is all. Spread evenly, not by chance.
        error_status: the status of those answers.
        slow_ms: milliseconds that each answer waits.
        canary: put at the front of each session id and token that is made from now on, to search for later.
    """

    session_seconds: float = _knob(1800.0, "life of a session since its last request, in seconds", least=0, most=_LONGEST)
    absolute_seconds: float = _knob(43200.0, "life of a session since its login, in seconds", least=0, most=_LONGEST)
    rotate: bool = _knob(default=False, about="give a new session id with each answer")
    rotate_grace: float = _knob(0.0, "seconds that a replaced session id or refresh token is still taken", least=0, most=_LONGEST)
    bind_user_agent: bool = _knob(default=False, about="end a session that comes with another User-Agent")
    error_share: float = _knob(0.0, "share of the requests answered with an error, 0 to 1", least=0, most=1)
    error_status: int = _knob(500, "status of those answers", least=400, most=599)
    slow_ms: int = _knob(0, "milliseconds that each answer waits", least=0, most=600_000)
    canary: str = _knob("", "front of each session id and token made from now on")

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ConfigError: naming the knob, its value and what it takes.
        """
        for item in fields(self):
            _check_range(item.name, getattr(self, item.name), least=item.metadata["least"], most=item.metadata["most"])
        if not _CANARY.fullmatch(self.canary):
            raise ConfigError("knob 'canary' takes up to 64 letters, digits, '-' and '_', so that it can stand in a cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortsideKnobs(SiteKnobs):
    """What portside can do besides.

    Args:
        captcha: ask for an image captcha at login.
        totp: ask for a one-time code after the password.
        lock_after: failed logins in a row that lock an account; 0 never locks.
        lock_seconds: how long the lock stays.
        renamed_form: give the login form's fields other names and ids, as a site does when it is rebuilt.
        token_seconds: life of an API token; 0 is as long as its session. Above 0 a refresh token comes with it.
        lazy_logout: let a logout delete the cookie only; who still has it is in, as at many real sites.
        refresh_rotation: replace the refresh token with each use, and end the session when an old one is used.
        list_slow_ms: milliseconds that each part of the long container list waits besides.
        pregate_image: show every container's pre-gate status as a picture; otherwise some have it in words.
        slots_sold_out: no time is left for an appointment, at any terminal.
        slot_race: whatever time is chosen for an appointment, somebody else gets it between the page and the form.
        booking_slow_ms: milliseconds between an appointment that was made and the answer that says so.
    """

    captcha: bool = _knob(default=False, about="ask for an image captcha at login")
    totp: bool = _knob(default=False, about="ask for a one-time code after the password")
    lock_after: int = _knob(5, "failed logins in a row that lock an account; 0 never locks", least=0)
    lock_seconds: float = _knob(900.0, "how long an account stays locked, in seconds", least=0, most=_LONGEST)
    renamed_form: bool = _knob(default=False, about="give the login form's fields other names")
    token_seconds: float = _knob(0.0, "life of an API token in seconds; 0: as long as its session", least=0, most=_LONGEST)
    lazy_logout: bool = _knob(default=False, about="a logout deletes the browser's cookie only; the session goes on")
    refresh_rotation: bool = _knob(default=False, about="a refresh token works once; a second use ends the session")
    list_slow_ms: int = _knob(0, "milliseconds that each part of the long container list waits besides", least=0, most=600_000)
    pregate_image: bool = _knob(default=False, about="show every container's pre-gate status as a picture")
    slots_sold_out: bool = _knob(default=False, about="no time is left for an appointment")
    slot_race: bool = _knob(default=False, about="a time that is chosen for an appointment is sold before the form arrives")
    booking_slow_ms: int = _knob(0, "milliseconds between an appointment that was made and its answer", least=0, most=600_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpalsKnobs(SiteKnobs):
    """What interpals can do besides.

    Args:
        attempt_limit: failed attempts of a user name within `attempt_seconds` after which the answer is 429; 0 refuses all.
        attempt_seconds: how far back they are counted.
    """

    session_seconds: float = _knob(86400.0, "life of a session since its last request, in seconds", least=0, most=_LONGEST)
    absolute_seconds: float = _knob(604800.0, "life of a session since its login, in seconds", least=0, most=_LONGEST)
    attempt_limit: int = _knob(10, "failed attempts of a user name until the answer is 429; 0 refuses all", least=0)
    attempt_seconds: float = _knob(60.0, "how far back failed attempts are counted, in seconds", least=0, most=_LONGEST)


Knobs = TypeVar("Knobs", bound=SiteKnobs)


def turned(knobs: Knobs, changes: Mapping[str, object]) -> Knobs:
    """`knobs` with `changes`.

    Raises:
        ConfigError: a name that is no knob of this site, a value of the wrong type or out of range.
    """
    known = {item.name: item for item in fields(knobs)}
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise ConfigError(f"{type(knobs).__name__} has no knob {unknown[0]!r}; there are: {', '.join(known)}")
    checked: dict[str, Any] = {name: _typed(name, value, like=known[name].default) for name, value in changes.items()}
    return replace(knobs, **checked)


def _typed(name: str, value: object, *, like: object) -> KnobValue:
    """`value` in the knob's type; a whole number is a float where one is wanted, a truth value is no number."""
    wanted = type(like)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted or not isinstance(value, (bool, int, float, str)):
        raise ConfigError(f"knob {name!r} takes a value of type {wanted.__name__}, not {type(value).__name__}")
    return value


def _check_range(name: str, value: KnobValue, *, least: float | None, most: float | None) -> None:
    if isinstance(value, str) or (least is None and most is None):
        return
    low, high = least if least is not None else float("-inf"), most if most is not None else float("inf")
    if not low <= value <= high:
        raise ConfigError(f"knob {name!r} takes {low:g} to {high:g}, not {value:g}")
