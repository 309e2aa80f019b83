"""Remove what is too old to be of use: replaced versions, deletions, events, and sessions that nobody uses any more.

What a session is made of now stays; one that was not used for long goes into an archive, and its cookies and storage stay.
How old is too old, `handstamp.toml` says, or the options. It goes on beside other programs, and costs what it removes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from handstamp.cli.parser import Usage
from handstamp.cli.words import count, size

if TYPE_CHECKING:
    import argparse

    from handstamp.cli.call import Call
    from handstamp.vault import Cleanup

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--history", metavar="AGE", help="versions and deletions older than this: 12h, 30d, 8w (365d)")
    parser.add_argument("--events", metavar="AGE", help="events older than this (365d)")
    parser.add_argument("--inactive", metavar="AGE", help="archive sessions that were not used for so long (never)")
    parser.add_argument("--archive", metavar="AGE", help="sessions that were archived so long ago (365d)")
    parser.add_argument("--compact", action="store_true", help="also write the file anew without free room; others wait meanwhile")


def run(call: Call, *, history: str | None, events: str | None, inactive: str | None, archive: str | None, compact: bool) -> None:
    """Clean up."""
    ages = {"history": history, "events": events, "inactive": inactive, "archive": archive}
    given = {name: _age(name, text) for name, text in ages.items() if text is not None}
    with call.output.working("Cleaning up …"), call.vault() as vault:
        done = vault.cleanup(**given, compact=compact)
    facts = {name: getattr(done, name) for name in done.__slots__}
    call.output.show(facts, lambda: [_said(done)])


def _age(option: str, text: str) -> timedelta:
    if text[-1:] not in _UNITS or not text[:-1].isdecimal():
        raise Usage(f"--{option} {text!r} is no age; write 12h, 30d or 8w")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _said(done: Cleanup) -> str:
    told = [
        count(done.versions, "version") if done.versions else "",
        count(done.deletions, "deletion") if done.deletions else "",
        count(done.events, "event") if done.events else "",
        f"{count(done.forgotten, 'session')} of the archive" if done.forgotten else "",
    ]
    removed = ", ".join(word for word in told if word)
    said = f"Removed {removed}." if removed else "Nothing was old enough to be removed."
    archived = f" Archived {count(done.archived, 'session')}." if done.archived else ""
    return said + archived + (f" The file is {size(done.freed)} smaller." if done.freed > 0 else "")
