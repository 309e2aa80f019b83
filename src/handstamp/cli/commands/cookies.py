"""Give a site's cookies to another program: a cookies.txt for curl, wget and yt-dlp, JSON, or a Cookie header.

After `handstamp cookies SITE -o cookies.txt`: curl -b cookies.txt https://…
Or: curl -H "$(handstamp cookies SITE --format header --reveal)" https://…
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.private_file import add_destination, deliver
from handstamp.errors import SessionNotFound
from handstamp.formats import write
from handstamp.state import PartKind, StorageState

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call

FORMATS = ("netscape", "json", "header")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", help="name or URL of the site")
    add_profile(parser)
    parser.add_argument("--format", choices=FORMATS, default="netscape", dest="form", help="netscape is cookies.txt (the default)")
    parser.add_argument("--url", help="which request a header is for (by default the site's start page)")
    add_destination(parser)


def run(call: Call, *, site: str, profile: str, form: str, url: str | None, output: str | None, reveal: bool) -> None:
    """Write them."""
    known = call.site(site)
    with call.vault() as vault:
        state = vault.load(profile, domains=known.domains)
    if not state.cookies():
        raise SessionNotFound(f"no cookie is saved for {known.name} in profile '{profile}'; `handstamp ls` lists what is saved")
    cookies = StorageState.of(state.of_kind(PartKind.COOKIES))
    address = known.url(url or "/") if form == "header" else None
    written = write(cookies, format=form, now=call.now.timestamp(), domains=known.domains, url=address)
    facts = {"site": known.name, "profile": profile, "format": form}
    deliver(call, written.data, output=Path(output) if output else None, reveal=reveal, what=f"the cookies of {known.name}", facts=facts, notes=written.notes)
