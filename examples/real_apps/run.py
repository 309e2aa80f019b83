"""Logs in once at each of some web applications that others wrote, and comes back from another process without a login.

    .venv/bin/python examples/real_apps/run.py                       # all of them
    .venv/bin/python examples/real_apps/run.py notebook node-red     # these

Each app is installed in a folder of its own (from PyPI or npm; `--folder` keeps them for the next time), runs on a free port of 127.0.0.1,
and is ended at the end. What it prints is in docs/how-to/real-apps.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import actual_budget
import django_admin
import node_red
import notebook
import prefect_server
from machine import HERE, NotHere, Running, free_port

if TYPE_CHECKING:
    from app import App

APPS = {module.APP.name: module.APP for module in (django_admin, notebook, prefect_server, node_red, actual_budget)}
VISIT_SECONDS = 100.0


@dataclass(frozen=True)
class Result:
    """What came of one app.

    Args:
        app: its name.
        keeps: what its login lives in.
        first: of the opening that had to log in: whether it was inside, seconds, the vault's count of logins, kinds of parts, losses.
        again: of the opening in another process, without the password.
        app_logins: how many logins the app wrote down in all.
        nobody: whether a browser that has nothing of the session is inside; it must not be.
        install: seconds.
        start: seconds until it answered.
    """

    app: str
    keeps: str
    first: dict[str, Any]
    again: dict[str, Any]
    app_logins: int
    nobody: bool
    install: float
    start: float

    @property
    def good(self) -> bool:
        """Whether one login served both."""
        came_in = self.first["inside"] and self.again["inside"] and not self.nobody
        return bool(came_in) and self.first["logins"] == self.again["logins"] == self.app_logins == 1


def main(arguments: list[str]) -> int:
    """Tries the apps; 1 when one of them did not let us back in."""
    parser = argparse.ArgumentParser(description="Log in once at real web applications, and come back from another process.")
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(APPS)}; all by default")
    parser.add_argument("--folder", type=Path, help="where to install them, and to leave them; by default a temporary folder")
    parser.add_argument("--pictures", type=Path, help="where to put the screenshots; by default in the folder of each app")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="real-apps-") as temporary:
        results = [tried(APPS[name], (given.folder or Path(temporary)).resolve() / name, given.pictures) for name in given.apps or APPS]
    print(json.dumps([asdict(result) for result in results]) if given.json else table(results))
    return 0 if all(result.good for result in results) else 1


def tried(app: App, folder: Path, pictures: Path | None) -> Result:
    """One app, from its installation to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    programs = app.install(folder)
    installed = time.monotonic()
    with app.start(folder, programs, free_port()) as here, tempfile.TemporaryDirectory(prefix="real-apps-home-") as home:
        started = time.monotonic()
        shots = pictures or folder
        shots.mkdir(parents=True, exist_ok=True)
        first = visit(app, here, Path(home), shots / f"{app.name}-login.png", password=True)
        time.sleep(app.pause)
        again = visit(app, here, Path(home), shots / f"{app.name}-again.png", password=False)
        nobody = inside_without(app, here)
        return Result(app.name, app.keeps, first, again, app.logins(here.log), nobody, installed - began, started - installed)


def visit(app: App, here: Running, home: Path, picture: Path, *, password: bool) -> dict[str, Any]:
    """Opens the app in a process of its own; what that said."""
    name = f"HANDSTAMP_{app.name.upper().replace('-', '_')}"
    account = {f"{name}_USERNAME": app.username, f"{name}_PASSWORD": app.password} if password else {}
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HANDSTAMP_") or key == "HANDSTAMP_BROWSER"}
    settings = clean | account | {"HANDSTAMP_HOME": str(home / "home"), f"{name}_BASE_URL": here.url}
    command = [sys.executable, HERE / "visit.py", app.recipe, app.page, app.inside, picture]
    done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, text=True, check=True, timeout=VISIT_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside_without(app: App, here: Running) -> bool:
    """Whether a browser without the session is inside, too: then the app lets in everybody, and nothing was shown."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (no other part of this process needs it)

    from handstamp.browser import find_browser  # noqa: PLC0415  (the same)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"] if os.geteuid() == 0 else [])
        page = browser.new_page(base_url=here.url)
        page.goto(app.page)
        page.locator("input[type=password]").first.wait_for(timeout=20_000)
        seen = page.locator(app.inside).first.is_visible()
        browser.close()
    return seen


def table(results: list[Result]) -> str:
    """The results in Markdown."""
    lines = ["| app | login lives in | logins: vault, app | log in (s) | come back (s) | kept | reported as lost |", "|---|---|---|---|---|---|---|"]
    for result in results:
        counts = f"{result.again['logins']}, {result.app_logins}" + ("" if result.good else " (NOT back in)")
        times = f"{result.first['seconds']:.1f} | {result.again['seconds']:.1f}"
        kinds = f"{', '.join(result.again['kept'])} | {', '.join(result.again['lost']) or 'nothing'}"
        lines.append(f"| {result.app} | {result.keeps} | {counts} | {times} | {kinds} |")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NotHere as missing:
        sys.exit(str(missing))
