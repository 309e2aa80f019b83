"""Which check tells in from out, by what was seen of one URL from inside and from outside."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.sites.conditions import Seen
from handstamp.sites.judge import judge
from handstamp.sites.recipe import Check, Condition
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from handstamp.http.observation import Observation
    from handstamp.sites.recipe import Recipe

_WORDS_INSIDE = ("Log out", "Sign out", "Logout", "Signout", "Log off", "Sign off", "Abmelden", "Déconnexion", "Cerrar sesión", "Esci", "Uitloggen")
_WORDS_OUTSIDE = ("Log in", "Sign in", "Login", "Password", "Anmelden", "Einloggen", "Passwort", "Connexion", "Mot de passe", "Iniciar sesión", "Accedi")
_LABEL = re.compile(r"<(?:a|button|h1|h2)\b[^<>]*>\s*([^<>{}\d]{3,40}?)\s*</(?:a|button|h1|h2)>", re.IGNORECASE)
_MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A check that was seen to tell.

    Args:
        check: for the recipe.
        by: what has to look.
        why: for people.
    """

    check: Check
    by: Literal["http", "browser"]
    why: str


def choose_check(recipe: Recipe, url: str, *, inside: Observation, outside: Observation, by: Literal["http", "browser"], form: str = "") -> Found | None:
    """The check at `url` by which the judge says valid of `inside` and expired of `outside`; None when there is none.

    Args:
        recipe: whose domains count.
        url: path or URL that both looked at.
        inside: with the whole login.
        outside: with nothing.
        by: who looked.
        form: selector of the login's password field, which a browser can look for.
    """
    for out in _outside(recipe, inside, outside, by=by, form=form):
        for within in _inside(recipe, inside, outside):
            check = Check(url, (within,), (out,))
            trial = replace(recipe, check=check)
            if judge(inside, trial, by=by).health is Health.VALID and judge(outside, trial, by=by).health is Health.EXPIRED:
                return Found(check, by, f"{url} {_words(within)} from inside, and {_words(out)} from outside")
    return None


def _inside(recipe: Recipe, inside: Observation, outside: Observation) -> Iterator[Condition]:
    status = (inside.status,) if inside.status is not None else ()
    here, there = Seen(inside, recipe.domains), Seen(outside, recipe.domains)
    labels = [" ".join(label.split()) for label in _LABEL.findall(inside.body)[:_MOST_LABELS]] if "html" in (inside.content_type or "html") else []
    for text in (*_WORDS_INSIDE, *labels):
        if text.casefold() in here.text and text.casefold() not in there.text:
            yield Condition(status=status, text=(text,))
    path, other = urlsplit(inside.final_url).path or "/", urlsplit(outside.final_url).path or "/"
    if path != other:
        yield Condition(status=status, url=(path,))
    yield Condition(status=status)


def _outside(recipe: Recipe, inside: Observation, outside: Observation, *, by: str, form: str) -> Iterator[Condition]:
    here, there = Seen(inside, recipe.domains), Seen(outside, recipe.domains)
    if outside.redirects:
        path = urlsplit(outside.redirects[-1]).path or "/"
        yield Condition(redirect=(path.rstrip("/") or "/",))
    if outside.status != inside.status and outside.status is not None and outside.status < 500:
        yield Condition(status=(outside.status,))
    if by == "browser" and form:
        yield Condition(selector=(form,))
    for text in _WORDS_OUTSIDE:
        if text.casefold() in there.text and text.casefold() not in here.text:
            yield Condition(text=(text,))


def _words(condition: Condition) -> str:
    """What of a condition people are told."""
    if condition.redirect:
        return f"leads to {condition.redirect[0]}"
    if condition.selector:
        return f"has {condition.selector[0]}"
    parts = [f"answers {condition.status[0]}"] if condition.status else []
    parts += [f"says '{condition.text[0]}'"] if condition.text else []
    parts += [f"ends at {condition.url[0]}"] if condition.url else []
    return " and ".join(parts)
