"""List the versions that the vault keeps of a profile's parts, the newest first. `handstamp rollback` goes back to a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.call import add_profile
from handstamp.cli.facts import instant, version_facts
from handstamp.cli.tables import columns
from handstamp.cli.words import size, when

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.vault import Version


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_profile(parser)
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many (50)")


def run(call: Call, *, profile: str, limit: int) -> None:
    """Print them."""
    with call.vault() as vault:
        versions = vault.history(profile)[: max(limit, 0)]
    facts = {"profile": profile, "versions": [version_facts(version) for version in versions]}
    call.output.show(facts, lambda: _picture(call, versions, profile))


def _picture(call: Call, versions: list[Version], profile: str) -> Iterator[RenderableType]:
    if not versions:
        yield f"Nothing is kept of profile '{profile}'."
        return
    yield columns(("PART", "VERSION", "WRITTEN", "AT", "SIZE", ""), [_row(call, version) for version in versions])


def _row(call: Call, version: Version) -> tuple[str, ...]:
    marks = [word for word, holds in (("current", version.current), ("pinned", version.pinned)) if holds]
    name = "damaged" if version.part is None else str(version.part)
    return (name, str(version.generation), when(version.written_at, call.now), str(instant(version.written_at)), size(version.size), ", ".join(marks))
