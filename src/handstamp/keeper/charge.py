"""One login on an account's budget: counted before it is made, given back when it never came to that, forgotten when it worked."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from handstamp.errors import ChallengeUnsolved, LoginBudgetSpent, LoginFailed
from handstamp.keeper import budget as budgets
from handstamp.keeper import verdicts
from handstamp.state import Health
from handstamp.vault import Attempts

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.errors import LoginError
    from handstamp.keeper.budget import Budget
    from handstamp.sites import Credentials, Site
    from handstamp.vault import Vault


class Charge:
    """Blocking; called in worker threads, under the session's login lease.

    Args:
        vault: where attempts are counted.
        site: where somebody wants in.
        profile: whose session it becomes.
        credentials: of the account.
        budget: of the account.
        by_itself: no person asked for this login.
        given: the caller brought the password.
    """

    def __init__(self, vault: Vault, site: Site, profile: str, credentials: Credentials, budget: Budget, *, by_itself: bool, given: bool) -> None:
        self._vault = vault
        self._site = site
        self._profile = profile
        self._budget = budget
        mark = vault.password_mark(site.name, credentials.username, credentials.password)
        self._applicant = budgets.Applicant(site.name, credentials.username, profile, mark, by_itself=by_itself, given=given)

    def check(self) -> None:
        """See that the login may be made, before anything is started for it.

        Raises:
            LoginBudgetSpent, LoginFailed: see `budget.admitted`.
        """
        self._admit(keep=False)

    def take(self) -> None:
        """Count it; raises as `check`."""
        self._admit(keep=True)

    def failed(self, error: LoginError) -> None:
        """Put down how it failed, with the account, the session and in the event log."""
        chance = random.random()  # noqa: S311  (spreads retries, no secret)
        after = self._update(lambda known, now: budgets.failed(known, now, self._applicant, error, self._budget, chance=chance))
        self._vault.record_event("login-failed", profile=self._profile, site=self._site.name, data={"code": error.code, "why": str(error)})
        if budgets.is_spent(after, self._budget):
            verdicts.blocked(self._vault, self._site, self._profile, until=None)
        elif isinstance(error, LoginFailed) and error.health == Health.BLOCKED:
            verdicts.blocked(self._vault, self._site, self._profile, until=error.until)
        elif isinstance(error, ChallengeUnsolved):
            verdicts.challenged(self._vault, self._site, self._profile)

    def give_back(self) -> None:
        """It was stopped before the password was typed: it does not count."""
        self._update(lambda known, _: budgets.given_back(known))

    def clear(self) -> None:
        """It worked: what failed before is forgotten."""
        clear(self._vault, self._site.name, self._applicant.account)

    def _admit(self, *, keep: bool) -> None:
        def change(known: Attempts, now: datetime) -> Attempts:
            counted = budgets.admitted(known, now, self._applicant, self._budget)
            return counted if keep else known

        try:
            self._update(change)
        except LoginBudgetSpent:
            if budgets.is_spent(self._vault.login_attempts(self._site.name, self._applicant.account), self._budget):
                verdicts.blocked(self._vault, self._site, self._profile, until=None)
            raise

    def _update(self, change: budgets.Change) -> Attempts:
        return self._vault.update_attempts(self._site.name, self._applicant.account, change)


def clear(vault: Vault, site: str, account: str) -> Attempts:
    """Forget all failed logins of an account; what was known of them."""
    before = vault.login_attempts(site, account)
    vault.update_attempts(site, account, lambda _, __: Attempts())
    return before
