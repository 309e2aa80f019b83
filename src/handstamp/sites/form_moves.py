"""What to do next in a login form: decided from what is seen, without a browser or a clock.

wait ──> do a step ──> wait … ──> finish (the check then tells whether it worked)
│                      ├──> challenge: ask, answer, wait
└──────────────────────┴──> stop: the site refused, is in trouble, or has another page than the recipe's
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from handstamp.sites.recipe import StepKind

if TYPE_CHECKING:
    from handstamp.sites.recipe import ChallengeMarker, Step

SETTLED_SECONDS = 2.0
"""With nothing new and no request on its way for so long, the page has said what it has to say."""
STILL_SECONDS = 5.0
"""As long, for what must come: it will not, unless its step names a longer time."""
MOST_CODES = 2
"""One-time codes that are given in one login. The first may be refused because it was used a moment ago, or because two
clocks differ; the next one then fits."""
BLOCKED = frozenset({403, 423, 429})
"""Statuses with which a site says that it does not want us now."""


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of the page.

    Args:
        document: number of the document, counted from the first.
        status: of the answer that the document came with.
        visible: selectors, of those that anybody asked about, that can be seen.
        failed: a `failed` condition of the recipe holds.
        at_login: the page's URL is still the login's.
        inside: the page looks as from inside.
        quiet: seconds since something happened.
        waited: seconds since the last step.
    """

    document: int
    status: int | None = None
    visible: frozenset[str] = frozenset()
    failed: bool = False
    at_login: bool = True
    inside: bool = False
    quiet: float = 0.0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is waited for after a step.

    Args:
        steps: index and step: those that the site may skip, up to and including the first that it may not.
        sent: the form was sent at least once.
        since: number of the document in which the last step was done.
        filled: selectors of the fields that were filled.
        answered: challenges that were answered, with the document in which.
        code: index and selector of the step that gave a one-time code of ours, None when no other is to be given.
        codes: how many of ours were given.
        timeout: seconds for a step that names none.
    """

    steps: tuple[tuple[int, Step], ...]
    sent: bool = False
    since: int = 0
    filled: frozenset[str] = frozenset()
    answered: frozenset[tuple[str, int]] = frozenset()
    code: tuple[int, str] | None = None
    codes: int = 0
    timeout: float = 30.0

    def after(self, index: int, step: Step, document: int, *, own_code: bool) -> Waiting:
        """The same after one more step.

        Args:
            index: of the step.
            step: that was done.
            document: number of the document in which.
            own_code: it gave a one-time code made from a saved secret.
        """
        codes = self.codes + own_code
        code = (index, step.selector) if own_code else self.code
        return replace(
            self,
            since=document,
            sent=self.sent or step.kind in {StepKind.CLICK, StepKind.PRESS},
            filled=self.filled | ({step.target} if step.kind is StepKind.FILL else set()),
            code=code if codes < MOST_CODES else None,
            codes=codes,
        )

    @property
    def may_end(self) -> bool:
        """Whether all that is left may be skipped."""
        return all(step.optional for _, step in self.steps)

    @property
    def patience(self) -> float:
        """Seconds to wait: for what must come its timeout; for what may come only what the recipe says."""
        given = [step.timeout for _, step in self.steps if step.timeout is not None]
        if self.may_end:
            return max(given, default=0.0)
        required = self.steps[-1][1]
        return required.timeout if required.timeout is not None else self.timeout


class Stop(Enum):
    """Why a login cannot go on."""

    REFUSED = "refused"
    TROUBLE = "trouble"
    BLOCKED = "blocked"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Do:
    """Do the step of this index."""

    index: int


@dataclass(frozen=True, slots=True)
class Again:
    """Do the step of this index once more, with the next one-time code."""

    index: int


@dataclass(frozen=True, slots=True)
class Ask:
    """This challenge stands in the way."""

    marker: ChallengeMarker


@dataclass(frozen=True, slots=True)
class Finish:
    """The form is done with; the check must tell what came of it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again in a moment."""


Move = Do | Again | Ask | Finish | Wait | Stop


def next_move(view: View, waiting: Waiting, markers: tuple[ChallengeMarker, ...] = ()) -> Move:
    """What to do now. What speaks against going on is looked at before what speaks for it."""
    again = _code_refused(view, waiting)
    if again is not None:
        return Again(again)
    stop = _stop(view, waiting)
    if stop is not None:
        return stop
    for marker in markers:
        if marker.selector in view.visible and (marker.selector, view.document) not in waiting.answered:
            return Ask(marker)
    if waiting.answered and view.inside:
        return Finish()  # whoever passed the challenge in the page sent the form as well
    for index, step in waiting.steps:
        if not step.selector or step.selector in view.visible:
            return Do(index)
    return _ending(view, waiting) if waiting.may_end else _missing(view, waiting)


def _stop(view: View, waiting: Waiting) -> Stop | None:
    """Why the site will not go on, from its own words and statuses."""
    if waiting.sent and (view.failed or _form_is_back(view, waiting)):
        return Stop.REFUSED
    status = view.status if view.document > waiting.since else None
    if status is None or status < 400:
        return None
    if status >= 500:
        return Stop.TROUBLE
    return Stop.BLOCKED if status in BLOCKED else None


def _code_refused(view: View, waiting: Waiting) -> int | None:
    """The step of our one-time code, when a new document asks for it again and for nothing else that was filled in."""
    if waiting.code is None or view.document <= waiting.since:
        return None
    index, selector = waiting.code
    return index if view.visible & waiting.filled == {selector} else None


def _form_is_back(view: View, waiting: Waiting) -> bool:
    """Whether a new document of the login shows fields that were filled in before, and nothing must follow."""
    return waiting.may_end and view.document > waiting.since and view.at_login and bool(waiting.filled & view.visible)


def _missing(view: View, waiting: Waiting) -> Move:
    step = waiting.steps[-1][1]
    still = view.quiet >= STILL_SECONDS and step.timeout is None
    return Stop.MISSING if still or view.waited >= waiting.patience else Wait()


def _ending(view: View, waiting: Waiting) -> Move:
    """Nothing must follow: is the site through with us?"""
    settled = view.quiet >= SETTLED_SECONDS and view.waited >= waiting.patience
    return Finish() if view.inside or settled or view.waited >= max(waiting.patience, waiting.timeout) else Wait()
