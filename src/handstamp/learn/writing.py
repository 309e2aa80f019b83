"""A recipe as TOML text, as a person would write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from handstamp.sites.recipe import Bearer, Condition, Recipe, Step


def recipe_text(recipe: Recipe, *, comments: Sequence[str] = ()) -> str:
    """The recipe's TOML; what `handstamp.learn` does not find out is not written.

    Args:
        recipe: to write.
        comments: put at its front, a line each.
    """
    return "\n".join([*(f"# {line}" for line in comments), *_lines(recipe)]) + "\n"


def _lines(recipe: Recipe) -> Iterator[str]:
    yield f"name = {_text(recipe.name)}"
    yield f"base_url = {_text(recipe.base_url)}"
    yield f"domains = {_list(recipe.domains)}"
    if recipe.login is not None:
        yield from ("", "[login]", f"url = {_text(recipe.login.url)}", "steps = [")
        yield from (f"    {_step(step)}," for step in recipe.login.steps)
        yield "]"
    if recipe.check is not None:
        yield from ("", "[check]", f"url = {_text(recipe.check.url)}")
        yield f"logged_in = {_condition(recipe.check.logged_in[0])}"
        yield from (f"logged_out = {_condition(one)}" for one in recipe.check.logged_out[:1])
    if recipe.keep_alive is not None:
        yield from ("", "[keep_alive]", f'every = "{recipe.keep_alive.every:.0f}s"', f"url = {_text(recipe.keep_alive.url)}")
        yield from (["browser = true"] if recipe.keep_alive.browser else [])
    yield from _session(recipe)


def _session(recipe: Recipe) -> Iterator[str]:
    rules = recipe.session
    if rules.auth_cookies or rules.bearer or rules.in_turn:
        yield from ("", "[session]")
        yield from ([f"auth_cookies = {_list(rules.auth_cookies)}"] if rules.auth_cookies else [])
        yield from ([f"bearer = {_bearer(rules.bearer)}"] if rules.bearer else [])
        yield from (["in_turn = true"] if rules.in_turn else [])


def _step(step: Step) -> str:
    fields = [f"{step.kind} = {_text(step.target)}"]
    fields += [f"value = {_text(step.value)}"] if step.value else []
    fields += [f"on = {_text(step.on)}"] if step.on else []
    fields += ["optional = true"] if step.optional else []
    return _table(fields)


def _condition(condition: Condition) -> str:
    fields = [f"status = {condition.status[0]}"] if condition.status else []
    fields += [f"{name} = {_text(values[0])}" for name in ("text", "selector", "url", "redirect") if (values := getattr(condition, name))]
    return _table(fields)


def _bearer(bearer: Bearer) -> str:
    place = ("local_storage", bearer.local_storage) if bearer.local_storage else ("session_storage", bearer.session_storage)
    return _table([f"{place[0]} = {_text(place[1])}", f"header = {_text(bearer.header)}", f"format = {_text(bearer.format)}"])


def _table(fields: Sequence[str]) -> str:
    return "{ " + ", ".join(fields) + " }"


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, values)) + "]"


def _text(value: str) -> str:
    """TOML's basic strings are JSON's, DEL excepted."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
