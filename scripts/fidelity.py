"""Which kinds of state arrive in another browser: carried by handstamp, and by four other ways.

    .venv/bin/python scripts/fidelity.py [--json] [--write] [--way NAME …]

Prints the page (or rows, with `--json`), and writes docs/fidelity.md with `--write`. Takes some minutes; progress goes to stderr.
Exits with 1 when handstamp changed or lost something without saying so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from moving.by_handstamp import by_handstamp
from moving.by_playwright import by_directory, by_storage_state, versions
from moving.by_selenium import by_selenium
from moving.kinds import kinds
from moving.page import PEERS, page, rows, shortcomings
from moving.site import serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from moving.kinds import Kind
    from moving.moved import Moved
    from moving.page import Table
    from moving.site import Site

    Way = Callable[[tuple[Kind, ...], Site], Awaitable[Mapping[Kind, Moved]]]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fidelity.md"
WAYS: dict[str, Way] = dict(zip(PEERS, (by_handstamp, partial(by_handstamp, fidelity="profile"), by_storage_state, by_selenium, by_directory), strict=True))


async def moved(ways: list[str], site: Site) -> Table:
    """What became of each kind, by way; one way after the other."""
    table = {}
    for way in ways:
        started = time.monotonic()
        print(f"{way} …", file=sys.stderr, flush=True)
        table[way] = await WAYS[way](kinds(), site)
        print(f"{way}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return table


def main() -> int:
    """Run the ways, print or write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print rows for programs instead of the page")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}; all ways")
    parser.add_argument("--way", action="append", choices=WAYS, metavar="NAME", help=f"one of {', '.join(WAYS)}; by default all")
    call = parser.parse_args()
    with serving(kinds()) as site:
        table = asyncio.run(moved(list(WAYS) if call.write or not call.way else call.way, site))
    browser, playwright = asyncio.run(versions())
    written = page(table, browser=browser, playwright=playwright)
    if call.write:
        PAGE.write_text(written, encoding="utf-8")
    if call.json or not call.write:
        print(json.dumps(rows(table), indent=1) if call.json else written)
    found = shortcomings(table)
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
