"""Learns the recipe of an app from one login that a script makes, and logs in by it in another process, from nothing.

    .venv/bin/python examples/real_apps/learn.py django-admin

The script does the steps of the recipe that is here already; what is learned comes from watching alone. Prints what came of it as JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import HERE, NotHere, Running, free_port
from run import APPS, VISIT_SECONDS

from handstamp._signed_in import engine
from handstamp.keeper import Keeper
from handstamp.learn import learn, save_recipe
from handstamp.learn.carriers import items_of, only
from handstamp.sites import Credentials, Site, parse_recipe
from handstamp.sites.form import log_in_by_form
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import App
    from playwright.async_api import Page

    from handstamp.learn import Learned
    from handstamp.learn.carriers import Item


def main(arguments: list[str]) -> int:
    """Tries one app; 1 when the recipe does not log in, or the set that carries the login is not the smallest."""
    parser = argparse.ArgumentParser(description="Learn the recipe of a real web application.")
    parser.add_argument("app", choices=APPS)
    parser.add_argument("--folder", type=Path, help="where to install it, and to leave it; by default a temporary folder")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="real-apps-") as temporary:
        app, folder = APPS[given.app], (given.folder or Path(temporary)).resolve() / given.app
        folder.mkdir(parents=True, exist_ok=True)
        programs = app.install(folder)
        with app.start(folder, programs, free_port()) as here, tempfile.TemporaryDirectory(prefix="real-apps-home-") as home:
            found = tried(app, here, Path(home) / "home", folder / "learned.png")
    print(json.dumps(found))
    return 0 if found["enough"] and not found["too_many"] and found["inside"] else 1


def tried(app: App, here: Running, home: Path, picture: Path) -> dict[str, Any]:
    """What was learned, and whether it is so."""
    os.environ["HANDSTAMP_HOME"] = str(home)
    site = Site(dataclasses.replace(parse_recipe(app.recipe.read_text(), source=app.name).recipe, base_url=here.url))

    async def log_in(page: Page) -> None:
        await log_in_by_form(site, page, Credentials(app.username, app.password))
        await page.goto(here.url + app.page)
        await page.locator(app.inside).first.wait_for()

    with Vault(home=home) as vault:
        keeper = Keeper(engine(), vault)
        learned = engine().run(learn(keeper, here.url + app.page, log_in, name="learned", headless=True))
        save_recipe(learned, home)
        carriers = list(learned.carriers)
        fewer = [[one for one in carriers if one != item] for item in carriers]
        all_of_it = items_of(learned.state, learned.recipe.domains, now=datetime.now(UTC))
        facts = {
            "recipe": learned.text,
            "carriers": [str(item) for item in carriers],
            "of": len(all_of_it),
            "minimal": learned.minimal,
            "looks": learned.looks,
            "notes": learned.notes,
            "enough": is_in(keeper, learned, carriers, here.url + app.page, app.inside),
            "too_many": any(is_in(keeper, learned, some, here.url + app.page, app.inside) for some in fewer),
        }
    return facts | log_in_elsewhere(app, home, picture, password=typed(app, site))


def is_in(keeper: Keeper, learned: Learned, items: Sequence[Item], url: str, inside: str) -> bool:
    """Whether a fresh browser context with these items alone is signed in, by what a person would see."""

    async def look() -> bool:
        async with keeper.context(only(learned.state, items), learned.device) as (page, _):
            await page.goto(url)
            shown = page.locator(f"{inside} >> visible=true").or_(page.locator("input[type=password] >> visible=true"))
            await shown.first.wait_for(timeout=20_000)
            return await page.locator(inside).first.is_visible()

    return engine().run(look())


def typed(app: App, site: Site) -> str:
    """What goes into the password field. Where that is user name and password together, it is the password for who only watched."""
    steps = site.recipe.login.steps if site.recipe.login else ()
    value = next(step.value for step in steps if "{password}" in step.value)
    return value.format(username=app.username, password=app.password)


def log_in_elsewhere(app: App, home: Path, picture: Path, *, password: str) -> dict[str, Any]:
    """A login by the learned recipe in a process of its own; what that said."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HANDSTAMP_") or key == "HANDSTAMP_BROWSER"}
    account = {"HANDSTAMP_LEARNED_USERNAME": app.username, "HANDSTAMP_LEARNED_PASSWORD": password, "HANDSTAMP_HOME": str(home)}
    command = [sys.executable, HERE / "visit.py", "learned", app.page, app.inside, picture]
    done = subprocess.run(command, env=clean | account, stdout=subprocess.PIPE, text=True, check=True, timeout=VISIT_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NotHere as missing:
        sys.exit(str(missing))
