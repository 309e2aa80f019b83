"""What the benchmarks share: medians of runs that take turns, rows, and the table."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True)
class Row:
    """One comparison. `ratio` over 1 means that ours is better."""

    what: str
    ours: float
    peer: float
    ratio: float
    unit: str

    @classmethod
    def less_is_better(cls, what: str, ours: float, peer: float, unit: str) -> Row:
        """Of two times or sizes."""
        return cls(what, round(ours, 6), round(peer, 6), round(peer / ours, 3), unit)


async def median_of(turns: int, *works: Callable[[], Awaitable[float]]) -> list[float]:
    """The median of what each of the works returns, taking turns so that a busy machine hits all of them alike."""
    results: list[list[float]] = [[] for _ in works]
    for _ in range(turns):
        for work, seen in zip(works, results, strict=True):
            seen.append(await work())
    return [statistics.median(seen) for seen in results]


def stopwatch() -> Callable[[], float]:
    """Seconds since now."""
    start = time.perf_counter()
    return lambda: time.perf_counter() - start


def arguments(description: str) -> argparse.Namespace:
    """``--json`` and ``--turns``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--turns", type=int, default=5, help="runs of each, of which the median counts")
    return parser.parse_args()


def show(title: str, rows: list[Row], *, as_json: bool, browser: str = "") -> None:
    """The rows as JSON, or as the Markdown table that stands in docs/benchmarks.md."""
    if as_json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    print(f"### {title}\n")
    versions = [f"Python {platform.python_version()}", f"Playwright {version('playwright')}", *([browser] if browser else [])]
    print(f"{platform.machine()}, {platform.system()}, {', '.join(versions)}\n")
    print("| what | ours | peer | ratio | unit |\n|---|---:|---:|---:|---|")
    for row in rows:
        print(f"| {row.what} | {row.ours:.4g} | {row.peer:.4g} | {row.ratio:.3g}× | {row.unit} |")
