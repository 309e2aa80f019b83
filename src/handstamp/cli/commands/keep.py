"""Keep sessions alive until stopped (Ctrl-C, SIGTERM): each is looked at as often as its site's recipe says, over plain HTTP.

Sites need `[check]` and `[keep_alive]` in their recipe. A session that has ended is brought back by one login, if credentials
are known (from the environment or the vault) and the login budget allows it; otherwise it is flagged, and `handstamp ls` shows
it. Several of these share one vault: each session is looked at by one of them. With `--once` it looks at what is due now, and
ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

from handstamp.cli.output import write
from handstamp.errors import ConfigError, HandstampError
from handstamp.keeper import KeepAlive
from handstamp.keeper.keepalive import kept_sites

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from handstamp.cli.call import Call
    from handstamp.keeper import Keeper
    from handstamp.keeper.keepalive import Counts
    from handstamp.sites import Site

TELL_SECONDS = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("sites", nargs="*", metavar="SITE", help="only these; by default every known site that can be kept")
    parser.add_argument("--no-login", action="store_true", help="bring nothing back, only flag it")
    parser.add_argument("--once", action="store_true", help="look at what is due now, then end")


def run(call: Call, *, sites: list[str], no_login: bool, once: bool) -> None:
    """Keep."""
    known = _known(call, sites)
    if not known:
        raise ConfigError("no site here can be kept alive: a recipe needs [check] and [keep_alive]; `handstamp sites` lists the recipes")
    with call.vault() as vault:
        keeping: list[KeepAlive] = []

        async def work(keeper: Keeper) -> None:
            keeping.append(KeepAlive(keeper, known, log_in=not no_login))
            await _until_stopped(keeping[0], call, once=once)

        if not call.output.as_json:
            write(sys.stderr, f"Keeping sessions at {', '.join(known)}. Stop with Ctrl-C.\n")
        call.keep(vault, work)
    facts = _facts(keeping[0].counts)
    call.output.show(facts, lambda: _picture(facts))


async def _until_stopped(keeping: KeepAlive, call: Call, *, once: bool) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(keeping.run(stop, once=once))
    told = time.monotonic()
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=0.5)
            if not call.output.as_json and time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                write(sys.stderr, f"{_line(keeping.counts)}\n")
        await running
    except asyncio.CancelledError:  # a signal: what is under way is put down first
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(running)
        raise


def _known(call: Call, names: list[str]) -> dict[str, Site]:
    if names:
        chosen = {name: call.site(name) for name in names}
        if lacking := sorted(set(chosen) - set(kept_sites(chosen))):
            raise ConfigError(f"{', '.join(lacking)} cannot be kept alive: the recipe needs [check] and [keep_alive]")
        return {site.name: site for site in chosen.values()}
    return dict(_all(call))


def _all(call: Call) -> Iterator[tuple[str, Site]]:
    from handstamp.sites import list_sites  # noqa: PLC0415  (reads every recipe)

    for one in list_sites(home=call.home):
        with contextlib.suppress(HandstampError):  # a broken recipe is told by `handstamp sites`
            site = call.site(one.name)
            if kept_sites({site.name: site}):
                yield site.name, site


def _facts(counts: Counts) -> dict[str, Any]:
    return {
        "looked": counts.looked,
        "by_health": dict(sorted(counts.by_health.items())),
        "brought_back": counts.brought_back,
        "flagged": counts.flagged,
        "in_use": counts.in_use,
        "postponed": counts.postponed,
    }


def _line(counts: Counts) -> str:
    found = ", ".join(f"{number} {health}" for health, number in sorted(counts.by_health.items())) or "nothing was due yet"
    return f"Looked at {counts.looked}: {found}; brought back {counts.brought_back}, flagged {counts.flagged}."


def _picture(facts: dict[str, Any]) -> Iterator[str]:
    found = ", ".join(f"{number} {health}" for health, number in facts["by_health"].items()) or "nothing was due"
    yield f"Looked at {facts['looked']}: {found}; brought back {facts['brought_back']}, flagged {facts['flagged']}."
