"""Bring a profile back to what it was at an earlier time. That is a new version: going back can be undone by going back.

`handstamp rollback --to 15m` goes back to a quarter of an hour ago, `--to 2026-03-01T12:00:00Z` to a time that
`handstamp history` lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.call import add_profile
from handstamp.cli.facts import instant
from handstamp.cli.parser import Usage
from handstamp.cli.words import count, moment

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--to", required=True, metavar="TIME", help="a date and time (yours, or with Z or an offset), or 90s, 15m, 2h, 3d ago")
    add_profile(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(call: Call, *, to: str, profile: str, yes: bool) -> None:
    """Go back."""
    try:
        target = moment(to, call.now)
    except (ValueError, OverflowError):
        raise Usage(f"'{to}' is no time; write 2026-03-01T12:00:00Z, or 15m for a quarter of an hour ago") from None
    if not yes and not ask.confirm(f"Bring profile '{profile}' back to {instant(target)}?"):
        call.output.show({"rolled_back": False}, lambda: ["Nothing was changed."])
        return
    with call.vault() as vault:
        result = vault.rollback(profile, to=target)
    parts = [str(part) for part in result.written]
    facts = {"rolled_back": bool(parts), "profile": profile, "to": instant(target), "parts": parts}
    done = f"Profile '{profile}' is as it was at {instant(target)}: {count(len(parts), 'part')} changed. `handstamp check SITE` tells whether a session lives."
    call.output.show(facts, lambda: [done if parts else f"Profile '{profile}' is as it was then already; nothing was changed."])
