"""Look whether everything is in order: home directory, settings, sites, vault, key, browser, display. Says what to do if not.

Nothing is changed. The exit status is 1 when something is broken.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from handstamp.cli.examination import Look, State, examine
from handstamp.cli.tables import coloured, columns
from handstamp.vault import Vault

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call

_COLOURS = {State.OK: "green", State.NOTE: "yellow", State.BROKEN: "red"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--deep", action="store_true", help="open every sealed record: history, files and credentials, too")
    parser.add_argument("--no-browser", action="store_true", help="do not start the browser")


def run(call: Call, *, deep: bool, no_browser: bool) -> int:
    """Look."""
    with call.output.working("Looking …"):
        looks = list(examine(call.home, Vault, deep=deep, start_browser=not no_browser))
    broken = any(look.state is State.BROKEN for look in looks)
    call.output.show({"ok": not broken, "looks": [asdict(look) for look in looks]}, lambda: _picture(looks, broken=broken))
    return 1 if broken else 0


def _picture(looks: list[Look], *, broken: bool) -> Iterator[RenderableType]:
    yield columns(("", "", ""), [(look.subject, coloured(look.state, _COLOURS[look.state]), look.found) for look in looks])
    for look in looks:
        if look.remedy:
            yield f"\n{look.subject}: {look.remedy}"
    yield "\nSomething is broken; see above." if broken else "\nAll is in order."
