"""How often may handstamp log in? Decided over values, so that no account is ever locked by retrying.

    wants in ──admitted──▶ counted ──it worked──▶ forgotten, all of it
       │                      ├── the site refused the password ──▶ stays counted; this password is not tried again
       │                      ├── anything else after the password was sent ──▶ stays counted
       │                      └── it never came to that (the site is down, its form changed) ──▶ not counted
       └── the budget is spent · it is too soon · this password was refused ──▶ refused, without asking the site

A login is counted before it is made: a program that is killed in it has used it up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from handstamp.errors import LoginBudgetSpent, LoginFailed
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from handstamp.errors import LoginError
    from handstamp.vault import Attempts

    Change = Callable[[Attempts, datetime], Attempts]

LIMIT = 3
UNHEARD = "it was begun, and nothing was heard of it again"


@dataclass(frozen=True, slots=True)
class Budget:
    """What an account may be tried.

    Args:
        limit: failed logins until a person has to look.
        first: seconds after the first failure; each further one doubles them.
        longest: seconds, at most.
    """

    limit: int = LIMIT
    first: float = 30.0
    longest: float = 3600.0

    def pause(self, times: int, chance: float) -> float:
        """Seconds to leave the site alone after so many failures; `chance`, 0 to 1, spreads them by a quarter either way."""
        grown = min(self.first * 2.0 ** min(max(0, times - 1), 40), self.longest)
        return grown * (0.75 + chance / 2)


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants in.

    Args:
        site: its name.
        account: the user name.
        profile: whose session it becomes.
        mark: of the password, see `Vault.password_mark`.
        by_itself: nobody asked for this login but a program; it waits out pauses, a person need not.
        given: the caller brought the password; then it does not wait out the pause of another one.
    """

    site: str
    account: str
    profile: str
    mark: bytes
    by_itself: bool = True
    given: bool = False

    @property
    def clearing(self) -> str:
        """The command that lets them try again."""
        return f"`handstamp refresh {self.site} --profile {self.profile} --clear`"


def admitted(known: Attempts, now: datetime, applicant: Applicant, budget: Budget) -> Attempts:
    """The attempts with this one counted.

    Raises:
        LoginBudgetSpent: there were too many failures, or it is too soon after the last.
        LoginFailed: the site refused this very password before.
    """
    who = f"'{applicant.account}' at '{applicant.site}'"
    if known.failures >= budget.limit:
        raise LoginBudgetSpent(
            f"the login of {who} failed {known.failures} times and is not tried again by itself (the last time: {_ended(known.reason)}); "
            f"set it right, then run {applicant.clearing}"
        )
    if applicant.mark in known.refused:
        raise LoginFailed(
            f"the site refused this password of {who}{_at(known.failed_at)}, and it is not tried a second time; "
            f"give another one, or if it is right after all run {applicant.clearing}"
        )
    others = applicant.given and bool(known.refused) and known.troubles == 0  # the pause is that of another password
    if applicant.by_itself and not others and known.not_before is not None and known.not_before > now:
        raise LoginBudgetSpent(
            f"the login of {who} failed a moment ago ({_ended(known.reason)}); the next one is made by itself at "
            f"{known.not_before:%Y-%m-%d %H:%M:%S}Z or later; to have it sooner run {applicant.clearing}",
            until=known.not_before,
        )
    return replace(known, failures=known.failures + 1, reason=UNHEARD)


def failed(known: Attempts, now: datetime, applicant: Applicant, error: LoginError, budget: Budget, *, chance: float) -> Attempts:
    """The attempts after one that was admitted has failed.

    Args:
        known: with the attempt counted.
        now: aware.
        applicant: who it was.
        error: how it failed.
        budget: of the account.
        chance: 0 to 1, spreads the pause.
    """
    counts = error.sent
    refused = counts and isinstance(error, LoginFailed) and error.health == Health.EXPIRED
    failures = known.failures if counts else max(0, known.failures - 1)
    told = error.until if isinstance(error, LoginFailed) else None
    troubles = 0 if refused and told is None else known.troubles + 1
    pause = timedelta(seconds=budget.pause(failures if counts else troubles, chance))
    return replace(
        known.with_refused(applicant.mark) if refused else known,
        failures=failures,
        troubles=troubles,
        failed_at=now,
        not_before=max(now + pause, told or now),
        reason=str(error),
    )


def given_back(known: Attempts) -> Attempts:
    """The attempts after one that was admitted came to its end, by nobody's fault, before the password was typed."""
    failures = max(0, known.failures - 1)
    return replace(known, failures=failures, reason=known.reason if failures else "")


def is_spent(known: Attempts, budget: Budget) -> bool:
    """Whether a person has to look."""
    return known.failures >= budget.limit


def _at(moment: datetime | None) -> str:
    return f" at {moment:%Y-%m-%d %H:%M:%S}Z" if moment else ""


def _ended(reason: str) -> str:
    return reason.rstrip(".") or UNHEARD
