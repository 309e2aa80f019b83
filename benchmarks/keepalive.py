"""Keeping 10,000 sessions alive, each looked at every 300 s: what that costs, and how late the looks come.

One process keeps the sessions of the stand-in portside over plain HTTP, two requests a look (the keep-alive URL, then the check);
what is measured is that process alone, after it has warmed up, for `--seconds`. The peer of each row is the goal: a quarter of a
core, 200 MB, 5 s. The last row is one look in a browser beside one over HTTP, in milliseconds of CPU of all processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _measure import Row, show

from handstamp._signed_in import engine
from handstamp.demo import start
from handstamp.keeper import KeepAlive, Keeper
from handstamp.sites import find_site
from handstamp.state import Clock, Device, Health, Part, PartId, PartKind, StorageState, cookie_scope, observed, set_cookie
from handstamp.vault import Vault

SESSIONS = 10_000
WARM_SECONDS = 20.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


def main() -> None:
    """Measure, and print."""
    options = _options()
    if options.child:
        asyncio.run(_keep(options.child, options.seconds))
        return

    with tempfile.TemporaryDirectory() as home, start() as servers:
        os.environ |= {"HANDSTAMP_HOME": home, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "HANDSTAMP_PORTSIDE_BASE_URL": servers.portside.url}
        servers.control.set(session_seconds=86_400.0)
        _fill(servers.control, servers.portside.url, options.sessions)
        command = [sys.executable, __file__, "--child", servers.portside.url, "--seconds", str(options.seconds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent)
        measured = json.loads(done.stdout)
        show("Keeping sessions alive", _rows(options.sessions, measured), as_json=options.json)
        if not options.json:
            late = f"late p50 {measured['late_p50']:.2f} s, most {measured['late_most']:.2f} s"
            print(f"\n{measured['looks']} looks in {measured['seconds']:.0f} s, {measured['by_health']}; {late}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="how many are kept")
    parser.add_argument("--seconds", type=float, default=60.0, help="for so long, after a warm-up")
    parser.add_argument("--turns", type=int, default=1, help="taken for the sake of `make bench`; one run is long enough to need no median")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _fill(control: Any, url: str, count: int) -> None:
    """Sessions in profiles of their own, as so many logins would have left them."""
    site, clock, now = find_site("portside"), Clock("benchmark"), datetime.now(UTC)
    with Vault() as vault:
        for number, session in enumerate(control.open_sessions("demo", count=count, user_agent=AGENT)):
            cookie = set_cookie(f"sid={session.cookie}; Path=/; HttpOnly; SameSite=Lax", url, now=time.time())
            assert cookie is not None
            part_id = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
            parts: list[Part] = [observed(None, part_id, {cookie.key: cookie}, clock)]
            parts.append(observed(None, PartId(PartKind.LOCAL, site.base_url), {("token",): session.token}, clock))
            vault.save(f"p{number}", StorageState.of(parts))
            facts = {"username": "demo", "device": Device(user_agent=AGENT), "health": Health.VALID, "logged_in_at": now, "last_verified": now}
            vault.update_session(f"p{number}", "portside", lambda known, facts=facts: replace(known, **facts))


async def _keep(url: str, seconds: float) -> None:
    """Keep them, and print what it took."""
    site = find_site("portside")
    assert site.base_url == url
    with Vault() as vault:
        keeper = Keeper(engine(), vault)
        keeping, stop = KeepAlive(keeper, {"portside": site}), asyncio.Event()
        running = asyncio.create_task(keeping.run(stop))
        await asyncio.sleep(WARM_SECONDS)
        keeping.counts.late.clear()
        looked, cpu, began = keeping.counts.looked, time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        took, spent, looks = time.monotonic() - began, time.process_time() - cpu, keeping.counts.looked - looked
        late = sorted(keeping.counts.late)
        stop.set()
        await running
        browser = await _browser_cost(keeper, site)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before that no browser was started, and it is a process of its own
    print(
        json.dumps(
            {
                "seconds": took,
                "looks": looks,
                "cpu_share": spent / took,
                "cpu_ms": spent / max(1, looks) * 1000,
                "megabytes": peak,
                "late_p50": late[len(late) // 2],
                "late_p99": late[int(len(late) * 0.99)],
                "late_most": late[-1],
                "by_health": keeping.counts.by_health,
                "browser_ms": browser,
            }
        )
    )


async def _browser_cost(keeper: Any, site: Any) -> float:
    """Milliseconds of CPU, of this process and its browser, for one look in a context of a browser that runs."""

    async def look() -> None:
        state = await asyncio.to_thread(keeper.vault.load, "p0")
        async with keeper.context(state, Device(user_agent=AGENT)) as (page, _):
            assert (await site.check(page)).health == "valid"

    turns = 5
    await engine().call(look())
    before = _cpu_of_all()
    for _ in range(turns):
        await engine().call(look())
    return (_cpu_of_all() - before) / turns * 1000


def _cpu_of_all() -> float:
    """Seconds of CPU of this process and all below it that live."""
    ticks, total, wanted = os.sysconf("SC_CLK_TCK"), 0, {os.getpid()}
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(entry.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    grew = True
    while grew:
        more = {pid for pid, (parent, _) in stats.items() if parent in wanted} - wanted
        wanted |= more
        grew = bool(more)
    total = sum(stats[pid][1] for pid in wanted if pid in stats)
    return total / ticks


def _rows(sessions: int, measured: dict[str, Any]) -> list[Row]:
    what = f"{sessions:,} sessions every 300 s"
    return [
        Row.less_is_better(f"{what}: CPU; the peer is the goal", measured["cpu_share"] * 100, 25.0, "% of a core"),
        Row.less_is_better(f"{what}: memory; the peer is the goal", measured["megabytes"], 200.0, "MB"),
        Row.less_is_better(f"{what}: lateness p99; the peer is the goal", measured["late_p99"], 5.0, "s"),
        Row.less_is_better("one look over HTTP; the peer is one in a browser that runs", measured["cpu_ms"], measured["browser_ms"], "ms of CPU"),
    ]


if __name__ == "__main__":
    main()
