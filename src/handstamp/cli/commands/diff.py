"""Show what changed of a profile between two times: which cookies and items came, changed and went. Names, never values.

Without times it is what the last change of each part did. `handstamp history` lists the times of which something is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import DEFAULT_PROFILE
from handstamp.cli.facts import instant
from handstamp.cli.parser import Usage
from handstamp.cli.tables import columns
from handstamp.cli.words import moment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.vault import PartChange


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("profile", nargs="?", default=DEFAULT_PROFILE, help="the profile, by default 'default'")
    parser.add_argument("--from", dest="since", metavar="TIME", help="a date and time (yours, or with Z or an offset), or 90s, 15m, 2h, 3d ago")
    parser.add_argument("--to", dest="until", metavar="TIME", help="the same, by default now")


def run(call: Call, *, profile: str, since: str | None, until: str | None) -> None:
    """Compare."""
    begin, end = _moment(since, call.now), _moment(until, call.now)
    with call.vault() as vault:
        changes = vault.diff(profile, since=begin, until=end)
    facts = {"profile": profile, "from": instant(begin), "to": instant(end), "parts": [_facts(change) for change in changes]}
    call.output.show(facts, lambda: _picture(changes, profile))


def _moment(text: str | None, now: datetime) -> datetime | None:
    try:
        return None if text is None else moment(text, now)
    except (ValueError, OverflowError):
        raise Usage(f"'{text}' is no time; write 2026-03-01T12:00:00Z, or 15m for a quarter of an hour ago") from None


def _facts(change: PartChange) -> dict[str, object]:
    return {"part": str(change.part)} | {what: [list(key) for key in keys] for what, keys in _kinds(change)}


def _kinds(change: PartChange) -> list[tuple[str, Iterable[tuple[str, ...]]]]:
    return [("added", change.added), ("changed", change.changed), ("removed", change.removed)]


def _picture(changes: list[PartChange], profile: str) -> Iterator[RenderableType]:
    if not changes:
        yield f"Nothing changed in profile '{profile}'."
        return
    rows = [(str(change.part), what, " ".join(part for part in key if part)) for change in changes for what, keys in _kinds(change) for key in keys]
    yield columns(("PART", "", "NAME"), rows)
