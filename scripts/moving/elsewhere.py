"""The program of a process of its own: it opens the session, and writes or reads kinds in it.

    python -m moving.elsewhere write|read PORT state|profile HOST …

Prints one JSON object: by host the fact and, where a kind could not be looked at, why.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from playwright.async_api import Error as PlaywrightError

from handstamp.async_api import signed_in
from moving.kinds import kinds
from moving.playwright_tab import page_of
from moving.site import NAME, Site
from moving.tabs import read, write

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from moving.moved import Fact

PATIENCE = 30.0  # seconds for one kind


async def main(work: str, port: str, fidelity: str, *hosts: str) -> int:
    """Do it."""
    site, told = Site(int(port)), {}
    chosen = [kind for kind in kinds() if kind.host in hosts]
    async with signed_in(NAME, fidelity=cast("Literal['state', 'profile']", fidelity)) as context:
        for kind in chosen:
            doing = write if work == "write" else read
            told[kind.host] = await _tried(doing(partial(page_of, context), kind, site))
            print(kind.name, file=sys.stderr, flush=True)
    print(json.dumps(told))
    return 0


async def _tried(work: Awaitable[Fact]) -> tuple[Fact, str]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await work, ""
    except (PlaywrightError, RuntimeError, TimeoutError) as error:
        return None, str(error).strip().partition("\n")[0] or type(error).__name__


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
