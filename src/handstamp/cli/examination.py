"""What `handstamp doctor` looks at: each look is one function that says what it found and, where that is not good, what to do."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from handstamp.errors import BrowserMissing, HandstampError
from handstamp.home import permission_findings, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from handstamp.browser import Launch
    from handstamp.vault import Vault


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at.

    Args:
        subject: what.
        state: a `NOTE` is no fault, but limits what can be done here.
        found: what was found.
        remedy: what to do; empty when nothing needs to be done.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""


def examine(home: Path, open_vault: Callable[[], Vault], *, deep: bool = False, start_browser: bool = True) -> Iterator[Look]:
    """Look at everything, the cheap things first. Changes nothing and makes nothing.

    Args:
        home: the home directory.
        open_vault: the vault that commands use.
        deep: open every sealed record, and not only those that are in use.
        start_browser: start the browser for a moment, which alone shows that it runs here.
    """
    yield _versions()
    yield from _guarded("home", lambda: _home(home))
    yield from _guarded("settings", lambda: _settings(home))
    yield from _guarded("sites", lambda: _sites(home))
    yield from _guarded("vault", lambda: _vault(home, open_vault, deep=deep))
    yield from _guarded("browser", lambda: _browser(home, start=start_browser))
    yield from _guarded("window", lambda: _window(home))


def _guarded(subject: str, look: Callable[[], Iterator[Look]]) -> Iterator[Look]:
    """An error of ours is a finding; its message says what to do."""
    try:
        yield from look()
    except HandstampError as error:
        yield Look(subject, State.BROKEN, str(error))


def _versions() -> Look:
    ours = f"handstamp {_version('handstamp')}, Playwright {_version('playwright')}"
    theirs = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()} {platform.machine()}"
    return Look("versions", State.OK, f"{ours}, {theirs}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _home(home: Path) -> Iterator[Look]:
    found = permission_findings(home)
    yield from (Look("home", State.BROKEN, f"{finding.subject} {finding.problem}", finding.remedy) for finding in found)
    if found:
        return
    if not home.exists():
        yield Look("home", State.OK, f"{home} is not there yet; the first login makes it")
    elif not home.is_dir():
        yield Look("home", State.BROKEN, f"{home} is not a directory", "move it away, or set HANDSTAMP_HOME to another place")
    elif not os.access(home, os.W_OK | os.X_OK):
        remedy = f"chmod 700 {home}, or set HANDSTAMP_HOME to a place of your own"
        yield Look("home", State.BROKEN, f"{home} cannot be written, so nothing new can be kept", remedy)
    else:
        yield Look("home", State.OK, f"{home}, for you alone")


def _settings(home: Path) -> Iterator[Look]:
    settings(home)
    file = home / "handstamp.toml"
    yield Look("settings", State.OK, f"{file}" if file.exists() else "all by default")


def _sites(home: Path) -> Iterator[Look]:
    from handstamp.sites import list_sites  # noqa: PLC0415  (each look loads what it needs, so that a broken one spoils no other)

    known = list_sites(home=home)
    for item in known:
        if item.problem:
            yield Look("sites", State.BROKEN, f"{item.name} cannot be used: {item.problem}", f"mend or remove {item.source}")
    usable = [item.name for item in known if item.site]
    yield Look("sites", State.OK, f"{len(usable)} known: {', '.join(usable)}")


def _vault(home: Path, open_vault: Callable[[], Vault], *, deep: bool) -> Iterator[Look]:
    from handstamp.vault import key_record  # noqa: PLC0415

    named = settings(home).vault
    if named is None and not (home / "vault.db").exists():
        yield Look("vault", State.OK, f"{home / 'vault.db'} is not there yet; the first login makes it, with a key")
        return
    with open_vault() as vault:
        sessions = len(vault.sessions())
        yield Look("vault", State.OK, f"{vault.where} with {sessions} session{'' if sessions == 1 else 's'}")
        record = key_record(vault)
        yield Look("key", State.OK, f"{record.key_id}, from the source '{record.source}'; it opens the vault")
        if old := vault.rotating():
            remedy = "run `handstamp key rotate` to bring it to its end"
            yield Look("key", State.NOTE, f"a rotation is under way or was interrupted: key {old[0].key_id} is still in use", remedy)
        damages = vault.check(deep=deep)
    yield from (Look("vault", State.BROKEN, f"{finding.subject} {finding.problem}", finding.remedy) for finding in damages)
    if not damages:
        which = "every sealed record opens" if deep else "what is in use opens (`--deep` opens every record)"
        yield Look("records", State.OK, f"{which}, the database is whole")


def _browser(home: Path, *, start: bool) -> Iterator[Look]:
    from handstamp.browser import Launch, find_browser  # noqa: PLC0415

    launch = Launch(find_browser(_named(home)))
    if not start:
        yield Look("browser", State.OK, f"{launch.executable}, not started")
        return
    yield Look("browser", State.OK, f"{launch.executable} starts: {_started(launch)}")


def _named(home: Path) -> str | None:
    """The browser that the settings name; HANDSTAMP_BROWSER is left to `find_browser`, which says so when it is wrong."""
    return None if os.environ.get("HANDSTAMP_BROWSER") else settings(home).browser


def _started(launch: Launch) -> str:
    """What the browser says that it is."""
    from handstamp._signed_in import engine  # noqa: PLC0415

    async def ask() -> str:
        async with engine().browser(launch) as chromium:
            return chromium.nature.user_agent or "it does not say what it is"

    return engine().run(ask())


def _window(home: Path) -> Iterator[Look]:
    from handstamp.browser import find_browser, is_headless_shell  # noqa: PLC0415
    from handstamp.keeper.by_hand import needs_display  # noqa: PLC0415

    try:
        needs_display()
    except BrowserMissing:
        remedy = "logins by hand: make them on a machine with a display, and bring them over with `handstamp export` and `handstamp import`"
        yield Look("window", State.NOTE, "this machine has no display; all else works without one", remedy)
        return
    try:
        executable = find_browser(_named(home), headless=False)
    except BrowserMissing as error:
        yield Look("window", State.NOTE, str(error))
        return
    if is_headless_shell(executable):
        yield Look("window", State.NOTE, f"{executable} cannot show one", "install a full Chromium for logins by hand")
    else:
        yield Look("window", State.OK, f"a display is there, and {executable} to show it")
