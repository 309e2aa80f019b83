"""List the sites that are known by name, and where each recipe comes from.

A recipe of your own is a file `NAME.toml` in the folder `sites` of the home directory; it goes before one of the same name
that a package brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.facts import site_facts
from handstamp.cli.tables import columns
from handstamp.sites import list_sites

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.console import RenderableType

    from handstamp.cli.call import Call
    from handstamp.sites import KnownSite


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing but what every command takes."""
    del parser


def run(call: Call) -> None:
    """Print them."""
    known = list_sites(home=call.home)
    call.output.show({"sites": [site_facts(item) for item in known]}, lambda: _picture(known))


def _picture(known: list[KnownSite]) -> Iterator[RenderableType]:
    yield columns(("SITE", "ADDRESS", "LOGS IN", "CHECKS", "FROM"), [_row(item) for item in known])
    for item in known:
        if item.problem:
            yield f"\n{item.name} cannot be used: {item.problem}"


def _row(item: KnownSite) -> tuple[str, ...]:
    if item.site is None:
        return (item.name, "-", "-", "-", item.source)
    return (item.name, item.site.base_url, _yes(item.site.can_login), _yes(item.site.can_check), item.source)


def _yes(value: bool) -> str:  # noqa: FBT001  (a word for a truth value)
    return "by recipe" if value else "by hand"
