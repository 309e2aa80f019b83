"""From what a person did in the page to the steps of a recipe."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from handstamp.learn.elements import selector_of
from handstamp.sites.recipe import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handstamp.learn.elements import Element

Did = Literal["fill", "click", "check", "enter"]
Role = Literal["username", "password", "totp"]
_CODE = re.compile(r"otp|totp|2fa|mfa|one.?time|verification|auth.*code|security.*code", re.IGNORECASE)
_USER = re.compile(r"user|e-?mail|login|account|identifier|phone|nickname", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person did, without what they typed.

    Args:
        did: what.
        url: of the document.
        element: in which, or on which.
    """

    did: Did
    url: str
    element: Element


@dataclass(frozen=True, slots=True)
class Seen:
    """What the login looked like.

    Args:
        url: of the page where it began; empty when nothing was seen.
        steps: in order.
        roles: which field took what, for people: selector -> role.
        notes: what could not be told.
    """

    url: str = ""
    steps: tuple[Step, ...] = ()
    roles: tuple[tuple[str, Role], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def password_field(self) -> str:
        """Its selector; empty when there was none."""
        return next((selector for selector, role in self.roles if role == "password"), "")


def steps_seen(actions: Sequence[Action]) -> Seen:
    """The steps of the last login among `actions`; an attempt that was made again counts once.

    Args:
        actions: in order.
    """
    attempt = _last_attempt(actions)
    if not any(_role(action.element) == "password" for action in attempt if action.did == "fill"):
        return Seen(notes=("no password field was used, so the recipe has no login: it can check and keep alive what a person logs in to",))
    roles = _roles(attempt)
    steps: list[Step] = []
    notes: list[str] = []
    shown: list[tuple[str, Role]] = []
    inside = ""  # a field of the form that is being filled
    for at, action in enumerate(attempt):
        selector = selector_of(action.element, form_with=inside)
        if selector is None:
            notes.append(f"a {action.element.tag} that was used has no stable name; add its step by hand")
            continue
        if action.did == "fill":
            inside = selector
        if step := _step(action, selector, roles.get(at)):
            steps.append(step)
            if role := roles.get(at):
                shown.append((selector, role))
        elif action.did == "fill":
            notes.append(f"the field {selector} was filled with something else than user name, password or code: left out")
    if not any(step.kind in {StepKind.CLICK, StepKind.PRESS} for step in steps):
        steps.append(Step(StepKind.PRESS, "Enter", on=inside))
        notes.append("no button was seen to be used, so the form is sent with Enter")
    return Seen(attempt[0].url, tuple(steps), tuple(shown), tuple(notes))


def _last_attempt(actions: Sequence[Action]) -> list[Action]:
    """From the last time that the first field was filled, to the last action that could have sent the form."""
    kept: list[Action] = []
    for action in actions:
        if action.did == "fill":
            again = next((at for at, one in enumerate(kept) if one.did == "fill" and _same(one, action)), None)
            sent = again is not None and any(one.did in {"click", "enter"} for one in kept[again:])
            if again is not None and sent:
                kept = [one for one in kept[:again] if one.did == "fill" and _page(one) == _page(action)]
            elif again is not None:
                continue  # corrected before it was sent
        elif not kept or (kept[-1].did == action.did and _same(kept[-1], action)):
            continue  # before the form: a banner, a link to it. Or a second click on the same
        kept.append(action)
    last = max((at for at, one in enumerate(kept) if one.did == "fill"), default=-1)
    sends = next((at for at in range(last + 1, len(kept)) if kept[at].did in {"click", "enter"}), last)
    checks = [one for one in kept[last + 1 : sends] if one.did == "check"]
    return [*kept[: last + 1], *checks, *(kept[sends : sends + 1] if sends > last else [])]


def _same(one: Action, other: Action) -> bool:
    return one.element.tag == other.element.tag and one.element.attributes == other.element.attributes and one.element.text == other.element.text


def _page(action: Action) -> str:
    """The document's address without what changes from one attempt to the next."""
    return action.url.partition("?")[0]


def _role(element: Element) -> Role | None:
    """What a field is for, as far as it says so itself."""
    told = element.attributes.get("autocomplete", "").lower()
    names = " ".join(element.attributes.get(name, "") for name in ("id", "name", "aria-label", "placeholder"))
    if "one-time-code" in told or (element.kind != "email" and _CODE.search(names)):
        return "totp"
    if element.kind == "password":
        return "password"
    if "username" in told or "email" in told or element.kind == "email" or _USER.search(names):
        return "username"
    return None


def _roles(attempt: Sequence[Action]) -> dict[int, Role]:
    """Index -> role. Who is not named as the user's is it when it is the last field before the password."""
    found = {at: role for at, action in enumerate(attempt) if action.did == "fill" and (role := _role(action.element))}
    password = next(at for at, role in found.items() if role == "password")
    if "username" not in found.values():
        before = [at for at in range(password) if attempt[at].did == "fill" and at not in found]
        found |= dict.fromkeys(before[-1:], "username")
    names = [at for at, role in found.items() if role == "username"]
    chosen = max((at for at in names if at < password), default=min(names, default=-1))
    return {at: role for at, role in found.items() if role != "username" or at == chosen}


def _step(action: Action, selector: str, role: Role | None) -> Step | None:
    match action.did:
        case "fill":
            return Step(StepKind.FILL, selector, f"{{{role}}}", optional=role == "totp") if role else None
        case "click":
            return Step(StepKind.CLICK, selector)
        case "check":
            return replace(Step(StepKind.CHECK, selector), optional=True)
        case "enter":
            return Step(StepKind.PRESS, "Enter", on=selector)
