"""Finding a Chromium: the argument, `HANDSTAMP_BROWSER`, the settings, Playwright's own, then what is installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.errors import BrowserMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEADLESS_SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# A launcher script stays between us and the browser; the program behind it is the process that we want to know and end.
_PROGRAMS_BEHIND_LAUNCHERS = {
    "/usr/bin/chromium-headless-shell": "/usr/lib/chromium/chromium-headless-shell",
}
_PLAYWRIGHT_PROGRAMS = (
    ("chromium_headless_shell-*", "chrome-*/*headless*shell*", True),
    ("chromium-*", "chrome-*/chrome", False),
    ("chromium-*", "chrome-*/*.app/Contents/MacOS/*", False),
)


def find_browser(executable: str | Path | None = None, *, headless: bool = True, setting: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The Chromium to start.

    Args:
        executable: path or name on PATH; given, nothing else is tried.
        headless: prefer `chromium-headless-shell`, which is lighter; it cannot show a window.
        setting: what the settings name, after `HANDSTAMP_BROWSER`.
        environ: for `HANDSTAMP_BROWSER`, `PLAYWRIGHT_BROWSERS_PATH`, `PATH`.

    Raises:
        BrowserMissing: nothing was found, or the one that was named is not there.
    """
    for source, named in (("the argument", executable), ("HANDSTAMP_BROWSER", environ.get("HANDSTAMP_BROWSER")), ("handstamp.toml", setting)):
        if named:
            return _named(str(named), source, environ)
    for candidate in _candidates(environ, headless=headless):
        return _program(candidate)
    raise BrowserMissing(_how_to_get_one(headless=headless))


def is_headless_shell(executable: Path) -> bool:
    """Whether this program can only run without a window."""
    return "headless" in executable.name


def _named(named: str, source: str, environ: Mapping[str, str]) -> Path:
    found = shutil.which(named, path=environ.get("PATH"))
    if found is None:
        message = f"the browser '{named}' that {source} names is not an executable file; name another, or remove it to have one found"
        raise BrowserMissing(message)
    return _program(Path(found))


def _program(found: Path) -> Path:
    behind = Path(_PROGRAMS_BEHIND_LAUNCHERS.get(str(found), found))
    return behind if behind.exists() else found


def _candidates(environ: Mapping[str, str], *, headless: bool) -> Iterator[Path]:
    yield from _playwrights_own(environ, headless=headless)
    for name in (*(_HEADLESS_SHELLS if headless else ()), *_BROWSERS):
        if found := shutil.which(name, path=environ.get("PATH")):
            yield Path(found)
    if sys.platform == "darwin":
        yield from (path for path in map(Path, _MAC_APPLICATIONS) if path.exists())


def _playwrights_own(environ: Mapping[str, str], *, headless: bool) -> Iterator[Path]:
    folder = _playwrights_folder(environ)
    for directory, program, shell in _PLAYWRIGHT_PROGRAMS:
        if shell and not headless:
            continue
        found = [path for path in folder.glob(f"{directory}/{program}") if os.access(path, os.X_OK) and path.is_file()]
        yield from sorted(found, reverse=True)


def _playwrights_folder(environ: Mapping[str, str]) -> Path:
    if path := environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(path)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"


def _how_to_get_one(*, headless: bool) -> str:
    kind = "Chromium" if headless else "Chromium that can show a window"
    if shutil.which("apt-get"):
        remedy = "run `apt-get install chromium` as root, or `playwright install chromium`"
    else:
        remedy = "run `playwright install chromium`"
    return f"no {kind} was found; {remedy}, or name one in HANDSTAMP_BROWSER"
