"""Take a session from another tool's file into a profile; what that would change is shown and asked first.

Reads Playwright's storage state, cookies.txt, Cookie-Editor and EditThisCookie, Selenium's cookie lists, HAR, handstamp's
own JSON and folders of it; `-` is stdin. `--from-browser` takes the cookies of an installed browser.
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.call import add_profile
from handstamp.cli.parser import Usage
from handstamp.cli.tables import columns
from handstamp.cli.words import count
from handstamp.errors import UnreadableState
from handstamp.formats import READABLE, open_with, preview, read, read_installed, read_tree
from handstamp.sites import list_sites
from handstamp.sites.conditions import fits
from handstamp.state import Clock, Health, PartKind, StorageState, select

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.formats import Imported, Preview
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Vault

_WORDS = {"new": "new", "changed": "changed", "removed": "removed", "same": "there already", "kept": "kept, since newer here"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("file", nargs="?", help="the file, a folder of format tree, or - for stdin")
    add_profile(parser)
    parser.add_argument("--format", choices=READABLE, dest="form", metavar="FORMAT", help=f"{', '.join(READABLE)} (by default found out)")
    parser.add_argument("--site", help="whose session it is, where no known site's domains tell (name or URL)")
    parser.add_argument("--from-browser", metavar="NAME", help="an installed browser instead of a file: chrome, firefox, …; needs the extra 'browsers'")
    parser.add_argument("--browser-profile", metavar="NAME", help="which of its profiles")
    parser.add_argument("--identity", metavar="FILE", help="the private key of a file that was sealed for it (age, SSH)")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(
    call: Call,
    *,
    file: str | None,
    profile: str,
    form: str | None,
    site: str | None,
    from_browser: str | None,
    browser_profile: str | None,
    identity: str | None,
    yes: bool,
) -> None:
    """Import."""
    if (file is None) is (from_browser is None):
        raise Usage("name a file (- for stdin), or a browser with --from-browser")
    clock, now = Clock(secrets.token_hex(4)), call.now.timestamp()
    if from_browser is not None:
        imported = read_installed(from_browser, profile=browser_profile, now=now, clock=clock)
    else:
        imported = _read(str(file), form, identity, now=now, clock=clock)
    sites = [call.site(site)] if site else _sites(call, imported.state)
    with call.vault() as vault:
        current = vault.load(profile)
        seen = preview(current, imported.state)
        if not call.output.as_json:
            call.output.show(None, lambda: _picture(seen, imported, profile))
        if seen and not yes and not ask.confirm(f"Import into profile '{profile}'?"):
            call.output.show({"imported": False}, lambda: ["Nothing was changed."])
            return
        if seen:
            vault.save(profile, StorageState(imported.state.parts, current.epoch))
            for found in sites:
                _note(vault, profile, found, imported)
    names = [found.name for found in sites]
    facts = {"imported": bool(seen), "format": imported.format, "profile": profile, "sites": names, "notes": list(imported.notes),
             "changes": {kind: len(seen.of(kind)) for kind in _WORDS}}  # type: ignore[arg-type]  # fmt: skip
    call.output.show(facts, lambda: [_done(bool(seen), names, profile)])


def _read(file: str, form: str | None, identity: str | None, *, now: float, clock: Clock) -> Imported:
    path = Path(file)
    try:
        if file != "-" and path.is_dir():
            files = {item.relative_to(path).as_posix(): item.read_bytes() for item in sorted(path.rglob("*.json")) if item.is_file()}
            return read_tree(files, now=now, clock=clock)
        data = sys.stdin.buffer.read() if file == "-" else path.read_bytes()
        key = Path(identity).read_text("utf-8") if identity else None
    except OSError as error:
        raise UnreadableState(f"{error.filename or file} cannot be read: {error.strerror}; name a file that another tool exported") from None
    if key is not None:
        data = open_with(data, identity=key)
    return read(data, name="stdin" if file == "-" else file, format=form, now=now, clock=clock)


def _sites(call: Call, state: StorageState) -> list[Site]:
    """The known sites whose login this may carry: it has one of their login cookies, or anything where they name none."""
    known = [item.site for item in list_sites(home=call.home) if item.site is not None]
    return [site for site in known if _carries(select(state, site.domains), site.recipe.session.auth_cookies)]


def _carries(state: StorageState, names: tuple[str, ...]) -> bool:
    return any(fits(name, cookie.name) for name in names for cookie in state.cookies()) if names else bool(state)


def _note(vault: Vault, profile: str, site: Site, imported: Imported) -> None:
    """A session of whom nobody knows yet whether it lives; the next check tells."""

    def change(session: Session) -> Session:
        return replace(session, health=Health.UNKNOWN, health_until=None, needs_refresh=False)

    vault.update_session(profile, site.name, change)
    cookies = sum(len(part.entries) for part in imported.state.of_kind(PartKind.COOKIES))
    vault.record_event("import", profile=profile, site=site.name, data={"format": imported.format, "cookies": cookies})


def _picture(seen: Preview, imported: Imported, profile: str) -> Iterator[RenderableType]:
    yield f"Read as {imported.format}; for profile '{profile}':"
    parts = sorted({change.part for change in seen.changes})
    rows = [
        (str(part), word, str(len(names)), ", ".join(names[:5]) + (" …" if len(names) > 5 else ""))
        for part in parts
        for kind, word in _WORDS.items()
        if (names := [change.name for change in seen.changes if change.part == part and change.kind == kind])
    ]
    if rows:
        yield columns(("PART", "IS", "COUNT", "NAMES"), rows)
    yield from imported.notes


def _done(changed: bool, sites: list[str], profile: str) -> str:  # noqa: FBT001
    if not changed:
        return "All of it is there already; nothing was changed."
    if not sites:
        return f"Imported into profile '{profile}'. No known site has these domains; `--site URL` would list it as a session."
    what = f"{count(len(sites), 'session')}: {', '.join(sites)}"
    return f"Imported into profile '{profile}' ({what}). `handstamp check {sites[0]} --profile {profile}` tells whether it lives."
