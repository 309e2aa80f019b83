"""List the sessions that are kept: of one site, of one profile, or all.

What is shown comes from the vault's index; no key is needed and nobody is asked. `handstamp check` asks the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.facts import session_facts
from handstamp.cli.tables import columns, health_cell
from handstamp.cli.words import when

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.cli.tables import Cell
    from handstamp.state import Session

TITLES = ("SITE", "PROFILE", "USER", "HEALTH", "VERIFIED", "EXPIRES", "USED")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("site", nargs="?", help="only sessions of this site (name or URL)")
    add_profile(parser, default=None, about="only sessions of this profile")


def run(call: Call, *, site: str | None, profile: str | None) -> None:
    """Print them."""
    name = call.site(site).name if site and "://" in site else site
    with call.vault() as vault:
        sessions = sorted(vault.sessions(profile=profile, site=name), key=lambda session: (session.site, session.profile))
    call.output.show({"sessions": [session_facts(session) for session in sessions]}, lambda: _picture(sessions, call))


def _picture(sessions: list[Session], call: Call) -> Iterator[RenderableType]:
    if not sessions:
        yield "No session is kept here. `handstamp login SITE` makes one, `handstamp import FILE` takes one from another tool."
        return
    yield columns(TITLES, [_row(session, call) for session in sessions])


def _row(session: Session, call: Call) -> tuple[Cell, ...]:
    return (
        session.site,
        session.profile,
        session.username or "-",
        health_cell(session.health),
        when(session.last_verified, call.now),
        when(session.expires_at, call.now, never="not known"),
        when(session.last_used, call.now),
    )
