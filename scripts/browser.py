"""The browser: looks with handstamp's own eyes, and gets one where there is none."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import debian
from console import SetupError, log_file, note, run, step

if TYPE_CHECKING:
    from pathlib import Path

_FIND = "from handstamp.browser.find import find_browser; print(find_browser())"


def find(python: Path) -> str | None:
    """Path of a Chromium that starts, None when there is none.

    Args:
        python: of the environment that has handstamp.

    Raises:
        SetupError: HANDSTAMP_BROWSER names one that is not there or does not start.
    """
    answer = subprocess.run([python, "-c", _FIND], capture_output=True, text=True, check=False)
    found = answer.stdout.strip()
    if answer.returncode == 0 and _starts(found):
        return found
    if named := os.environ.get("HANDSTAMP_BROWSER"):
        message = f"HANDSTAMP_BROWSER names '{named}', which is not there or does not start; name another or unset it to have one found"
        raise SetupError(message)
    return None


def install(python: Path) -> str:
    """Gets a browser the way that fits this machine and user, and returns its path.

    Debian's packages as root; else Playwright's own download, which needs no root but the system's libraries.

    Raises:
        SetupError: it could not be had; the message is what a person has to run.
    """
    if debian.is_debian() and os.geteuid() == 0:
        debian.install([package.name for package in debian.packages("browser")], why="No browser was found")
    else:
        _download(python.with_name("playwright"))
    found = find(python)
    if found is None:
        message = f"A browser was installed, but it does not start here (its libraries may be missing). {_remedy(python)}"
        raise SetupError(message)
    return found


def _download(playwright: Path) -> None:
    # Only root may add the system libraries; without a window one browser will do.
    options = ("--with-deps", "chromium") if os.geteuid() == 0 and debian.has_apt() else ("--only-shell", "chromium")
    try:
        with step(f"browser: none found, so Playwright's own is downloaded (log: {log_file('playwright')})"):
            run(playwright, "install", *options, log="playwright", timeout=900.0)
    except SetupError as error:
        note(str(error))
        message = f"No browser was found, and none could be downloaded. {_remedy(playwright)}"
        raise SetupError(message) from error


def _remedy(program: Path) -> str:
    if debian.is_debian():
        line = debian.command([package.name for package in debian.packages("browser")])
    else:
        line = f"sudo {program.with_name('playwright')} install --with-deps chromium"
    return f"Run this, then make again (or name a Chromium or Chrome in HANDSTAMP_BROWSER):\n\n    {line}\n"


def _starts(path: str) -> bool:
    """Whether it runs at all: Ubuntu's `chromium-browser` is a stub, a download may lack libraries."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
