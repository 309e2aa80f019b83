"""Packages of npm that tests start, exactly those of the lock in `requirements/npm`. Where npm is missing, those tests skip."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console import ROOT, SetupError, log_file, note, run, step

if TYPE_CHECKING:
    from pathlib import Path

LOCK = ROOT / "requirements" / "npm"
INSTALLED = ROOT / "build" / "npm"
_WITHIN = 300.0  # seconds; npm alone would try for much longer where there is no way out
_FILES = ("package.json", "package-lock.json")


def inputs() -> list[Path]:
    """What the packages are made from."""
    return [LOCK / name for name in _FILES]


def is_installed() -> bool:
    """Whether they are there, of whatever lock."""
    return (INSTALLED / "node_modules").is_dir()


def install() -> bool:
    """Brings the packages; False when they cannot be had here, which is told."""
    if shutil.which("npm") is None:
        note("without npm, tests of the Playwright MCP server run with the one in Playwright's own package only")
        return False
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for path in inputs():
        shutil.copy(path, INSTALLED)
    try:
        with step(f"npm: packages of {LOCK.relative_to(ROOT)}, checked by hash (log: {log_file('npm')})"):
            run("npm", "ci", "--prefix", INSTALLED, "--ignore-scripts", "--no-audit", "--no-fund", log="npm", timeout=_WITHIN)
    except SetupError as error:
        note(str(error))
        return False
    return True
