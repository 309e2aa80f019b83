"""Who gets in at portside: decisions over what the person typed and what the site remembers; no request, no page."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.demo.portside import captcha
from handstamp.demo.totp import matching_step

if TYPE_CHECKING:
    from handstamp.demo.portside.presessions import Presession
    from handstamp.demo.world import Portside


@dataclass(frozen=True, slots=True)
class FormNames:
    """Names and ids of the login form's fields, and how its button is made."""

    username: str = "username"
    password: str = "password"  # noqa: S105  (a field's name)
    remember: str = "remember"
    captcha: str = "captcha"
    renamed: bool = False


USUAL = FormNames()
RENAMED = FormNames("user-email", "user-secret", "keep-session", "picture-text", renamed=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the person typed."""

    username: str = ""
    password: str = field(default="", repr=False)
    captcha: str = ""
    remember: bool = False
    next_path: str = ""


class Outcome(enum.Enum):
    """How a password form ends; the value is what the person reads."""

    INCOMPLETE = "Enter your user name and your password."
    LOCKED = "This account is locked."
    MISREAD = "The characters do not match the picture. Here is a new one."
    WRONG = "The user name or the password is not right."
    NEEDS_CODE = "A one-time code is needed."
    SIGNED_IN = "You are signed in."


def attempt(site: Portside, presession: Presession, entry: Entry) -> Outcome:
    """Count and judge one password form. A picture works for one try; a wrong one does not count as a failure."""
    known = site.accounts.get(entry.username)
    site.tally.add("attempts", entry.username if known else None)
    if not entry.username or not entry.password:
        return Outcome.INCOMPLETE
    if site.lockouts.seconds_left(entry.username, knobs=site.knobs):
        return Outcome.LOCKED
    expected, presession.captcha = presession.captcha, None
    if site.knobs.captcha and not captcha.same_answer(expected, entry.captcha):
        return Outcome.MISREAD
    account = site.accounts.check(entry.username, entry.password)
    if account is None:
        return Outcome.LOCKED if count_failure(site, entry.username) else Outcome.WRONG
    return Outcome.NEEDS_CODE if site.knobs.totp and account.totp_secret else Outcome.SIGNED_IN


def check_code(site: Portside, username: str, code: str, *, seconds: float) -> str | None:
    """What is wrong with a one-time code at this moment (seconds since the Unix epoch), or None when it lets in."""
    account = site.accounts.get(username)
    if account is None or account.totp_secret is None:
        return "This account has no one-time codes any more. Start again."
    step = matching_step(account.totp_secret, code, seconds=seconds)
    if step is None:
        return "This code is not right, or it is too old."
    if not site.used_codes.take(username, step):
        return "This code was used before. Wait for the next one."
    return None


def count_failure(site: Portside, username: str) -> bool:
    """Count a wrong password or code; True when it locked the account."""
    known = username if site.accounts.get(username) else None
    site.tally.add("failures", known)
    if not site.lockouts.fail(username, knobs=site.knobs):
        return False
    site.tally.add("lockouts", known)
    return True
