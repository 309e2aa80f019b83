"""Write a session, or all of a profile, as a file for another tool or another machine.

What is in the file is in clear: it is made readable for you only, and whoever reads it is signed in. `--seal-to` seals it
for somebody's age or SSH key. What the format cannot say is listed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.cli.call import DEFAULT_PROFILE, add_profile
from handstamp.cli.parser import Usage
from handstamp.cli.private_file import add_destination, deliver, write_private_tree
from handstamp.errors import ConfigError, SessionNotFound
from handstamp.formats import WRITABLE, seal_to, write, write_tree

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.state import StorageState

TREE = "tree"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", nargs="?", help="name or URL of the site; without one, all of the profile")
    add_profile(parser, default=None)
    formats = sorted({*WRITABLE, TREE} - {"header"})
    parser.add_argument("--format", choices=formats, default="playwright", dest="form", metavar="FORMAT", help=f"{', '.join(formats)} (playwright)")
    parser.add_argument("--seal-to", action="append", default=[], dest="keys", metavar="KEY", help="seal for this key (age1…, ssh-ed25519 …); may be repeated")
    add_destination(parser)


def run(call: Call, *, site: str | None, profile: str | None, form: str, keys: list[str], output: str | None, reveal: bool) -> None:
    """Write it."""
    if site is None and profile is None:
        raise Usage("name a site, or a profile with --profile")
    chosen = profile or DEFAULT_PROFILE
    state, domains, what = _found(call, site, chosen)
    facts: dict[str, Any] = {"site": site, "profile": chosen, "format": form, "sealed": bool(keys)}
    if form == TREE:
        _export_tree(call, state, domains, output, facts, sealed=bool(keys))
        return
    written = write(state, format=form, now=call.now.timestamp(), domains=domains)
    data = seal_to(written.data, keys) if keys else written.data
    deliver(call, data, output=Path(output) if output else None, reveal=reveal, what=what, facts=facts, notes=written.notes)


def _found(call: Call, site: str | None, profile: str) -> tuple[StorageState, tuple[str, ...] | None, str]:
    known = call.site(site) if site else None
    domains = known.domains if known else None
    with call.vault() as vault:
        state = vault.load(profile, domains=domains)
    if not any(part.live() for part in state.parts.values()):
        where = f"for {known.name} in profile '{profile}'" if known else f"in profile '{profile}'"
        raise SessionNotFound(f"nothing is saved {where}; `handstamp ls` lists what is")
    return state, domains, f"the session of {known.name} (profile '{profile}')" if known else f"all of profile '{profile}'"


def _export_tree(call: Call, state: StorageState, domains: tuple[str, ...] | None, output: str | None, facts: dict[str, Any], *, sealed: bool) -> None:
    if output is None or sealed:
        raise ConfigError("the format 'tree' is a folder of files: name a new one with `-o FOLDER`; it cannot be sealed or printed")
    written = write_tree(state, domains=domains)
    write_private_tree(Path(output), written.files)
    call.output.show(
        facts | {"file": output, "files": sorted(written.files), "notes": list(written.notes)},
        lambda: [f"{len(written.files)} files are in {output}. Whoever reads them is signed in: guard them.", *written.notes],
    )
