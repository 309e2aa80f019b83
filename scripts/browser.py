"""The browser and what drives it: looks with handstamp's own eyes, and gets what is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import debian
from console import SetupError, log_file, note, run, step

_FIND = "from handstamp.browser.find import find_browser; print(find_browser())"


def ensure(python: Path) -> str:
    """Path of a Chromium that starts, beside a Playwright driver that starts; what is missing is installed.

    As root on Debian its packages; else Playwright's own download, which needs no root but the system's libraries.

    Args:
        python: of the environment that has handstamp and Playwright.

    Raises:
        SetupError: something could not be had; the message is what a person has to run.
    """
    found = find(python)
    missing = _missing_packages(python, found)
    if missing:
        debian.install(missing, why="Playwright's driver or a browser is missing or does not start")
        found = found or find(python)
    if found is None:
        _download(python)
        found = find(python)
    if found is None:
        message = f"A browser was installed, but it does not start here (its libraries may be missing). {_remedy(python)}"
        raise SetupError(message)
    return found


def find(python: Path) -> str | None:
    """Path of a Chromium that starts, None when there is none.

    Raises:
        SetupError: HANDSTAMP_BROWSER names one that is not there or does not start.
    """
    answer = subprocess.run([python, "-c", _FIND], capture_output=True, text=True, check=False)
    found = answer.stdout.strip()
    if answer.returncode == 0 and _starts(Path(found)):
        return found
    if named := os.environ.get("HANDSTAMP_BROWSER"):
        message = f"HANDSTAMP_BROWSER names '{named}', which is not there or does not start; name another or unset it to have one found"
        raise SetupError(message)
    return None


def _missing_packages(python: Path, found: str | None) -> list[str]:
    """Debian packages to install now. The browser's are among them where only packages will do: for root, or beside the driver's."""
    driver = [] if _starts(_playwright(python)) else debian.names("driver")
    by_package = debian.is_debian() and (os.geteuid() == 0 or driver)
    return [*driver, *(debian.names("browser") if found is None and by_package else [])]


def _download(python: Path) -> None:
    # Only root may add the system libraries; without a window one browser will do.
    options = ("--with-deps", "chromium") if os.geteuid() == 0 and debian.has_apt() else ("--only-shell", "chromium")
    try:
        with step(f"browser: none found, so Playwright's own is downloaded (log: {log_file('playwright')})"):
            run(_playwright(python), "install", *options, log="playwright", timeout=900.0)
    except SetupError as error:
        note(str(error))
        message = f"No browser was found, and none could be downloaded. {_remedy(python)}"
        raise SetupError(message) from error


def _remedy(python: Path) -> str:
    line = debian.command(debian.names("browser")) if debian.is_debian() else f"sudo {_playwright(python)} install --with-deps chromium"
    return f"Run this, then make again (or name a Chromium or Chrome in HANDSTAMP_BROWSER):\n\n    {line}\n"


def _playwright(python: Path) -> Path:
    return python.with_name("playwright")


def _starts(program: Path) -> bool:
    """Whether it runs at all: Ubuntu's `chromium-browser` is a stub, a download may lack libraries."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
