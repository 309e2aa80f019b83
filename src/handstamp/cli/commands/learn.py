"""Write the recipe of a site by watching one login that you make in a window.

What you type is not read: only which fields, boxes and buttons you use. Then handstamp looks for a page that tells in from out,
and tries with copies of the login which cookies and storage items carry it; a site that would mind is left alone. It shows
what it found, and asks before it saves.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.facts import session_facts
from handstamp.cli.tables import columns, heading
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Page
    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.facts import Facts
    from handstamp.learn import Learned
    from handstamp.vault import Vault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("url", help="where to log in, or a page that leads there")
    parser.add_argument("--name", metavar="NAME", default="", help="name of the recipe, by default the site's host")
    parser.add_argument("--replace", action="store_true", help="put it in the place of a recipe of that name")
    parser.add_argument("--yes", action="store_true", help="save without asking")
    parser.add_argument("--profile", metavar="NAME", help="keep the login that you make, too, in this profile")
    parser.add_argument("--save-credentials", action="store_true", help="ask for user name and password afterwards, and keep them in the vault")


def run(call: Call, *, url: str, name: str, replace: bool, yes: bool, profile: str | None, save_credentials: bool) -> None:
    """Learn a site."""
    from handstamp.keeper.by_hand import needs_display  # noqa: PLC0415  (help does without)

    needs_display()
    if not sys.stdin.isatty():
        raise ConfigError("learning needs somebody at the terminal to say when the login is done; run it in one")
    with call.vault() as vault:
        learned, facts = _learned(call, vault, url, name)
        call.output.note("\n".join(_told(learned)))
        saved = _saved(call, learned, replace=replace, yes=yes)
        if saved and profile:
            facts["session"] = session_facts(learned.keep(vault, profile))
        if saved and save_credentials:
            _save_credentials(vault, learned)
    facts["saved"] = None if saved is None else str(saved)
    call.output.show(facts, lambda: _picture(learned, saved))


def _learned(call: Call, vault: Vault, url: str, name: str) -> tuple[Learned, Facts]:
    from handstamp.learn import learn  # noqa: PLC0415  (help does without)

    async def log_in(page: Page) -> None:
        await ask.line(f"A window is open at {page.url.partition('?')[0]}. Log in there, go to the first page behind the login, then press Enter here. ")
        call.output.note("Looking for what tells in from out, and for what carries the login; this takes up to some minutes.")

    learned = call.keep(vault, lambda keeper: learn(keeper, url, log_in, name=name))
    return learned, {
        "name": learned.recipe.name,
        "recipe": learned.text,
        "fields": dict(learned.fields),
        "carriers": [str(item) for item in learned.carriers],
        "minimal": learned.minimal,
        "ended": learned.ended,
        "looks": learned.looks,
        "why": list(learned.why),
        "notes": list(learned.notes),
        "session": None,
    }


def _told(learned: Learned) -> Iterator[str]:
    yield learned.text
    yield from (f"{role} was typed into {selector}" for selector, role in learned.fields)


def _saved(call: Call, learned: Learned, *, replace: bool, yes: bool) -> Path | None:
    from handstamp.learn import save_recipe  # noqa: PLC0415  (help does without)

    if not (yes or ask.confirm(f"Save this as the recipe '{learned.recipe.name}'?")):
        return None
    return save_recipe(learned, call.home, replace_old=replace)


def _save_credentials(vault: Vault, learned: Learned) -> None:
    username = ask.text(f"User name at {learned.recipe.name}")
    vault.set_secret(learned.recipe.name, username, "password", ask.hidden(f"Password of {username}"))


def _picture(learned: Learned, saved: Path | None) -> Iterator[RenderableType]:
    yield heading("Carries the login" if learned.minimal else "May carry the login")
    yield columns(("WHAT", "WHERE"), [(str(item), item.part.scope) for item in learned.carriers])
    if saved is None:
        yield "Nothing was saved."
    else:
        yield f"Saved as {saved}. Try it: handstamp login {learned.recipe.name}"
