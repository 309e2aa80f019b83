"""A verdict on a session's health, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.state import Health

CheckKind = Literal["state", "http", "browser", "login"]
RENEWED = "renewed"
"""The rule of evidence that a token was spent, and that there is a new one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one look found. Holds no secret: URLs come without query.

    Args:
        check: who looked: at the saved state, by plain HTTP, in a browser, or during a login.
        rule: name of the row of `judge.RULES` (or of `expiry`) that decided.
        text: a sentence for people.
        at: when, UTC.
        url: what was looked at; empty for the saved state.
        status: of the answer.
        redirect: where the answer pointed.
    """

    check: CheckKind
    rule: str
    text: str
    at: datetime
    url: str = ""
    status: int | None = None
    redirect: str = ""

    def facts(self) -> dict[str, Any]:
        """All of it as JSON values, without what is empty; for the event log."""
        named = {name: getattr(self, name) for name in ("check", "rule", "text", "url", "status", "redirect")}
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at} | {name: value for name, value in named.items() if value not in {"", None}}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a session stands.

    Args:
        health: the class.
        evidence: from cheap to dear; the last one decided.
        until: do not ask again before this, UTC; a `BLOCKED` verdict always has it.
        ask_browser: a look in a browser may tell what this one could not.
    """

    health: Health
    evidence: tuple[Evidence, ...]
    until: datetime | None = None
    ask_browser: bool = False

    @property
    def text(self) -> str:
        """The deciding evidence as a sentence."""
        return self.evidence[-1].text if self.evidence else ""

    @property
    def renewed(self) -> bool:
        """A token was changed for a new one on the way to it: a page that is open elsewhere has the old one."""
        return any(one.rule == RENEWED for one in self.evidence)

    def after(self, earlier: Verdict | None) -> Verdict:
        """This verdict, with the evidence of the cheaper look before it kept in front."""
        return self if earlier is None else replace(self, evidence=(*earlier.evidence, *self.evidence))
