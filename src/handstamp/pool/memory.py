"""What browsers take of this machine's memory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


def megabytes_of(groups: Iterable[int]) -> float:
    """Proportional set size of all processes of these process groups, as Linux counts it; 0.0 on other systems."""
    wanted = set(groups)
    total = 0
    for entry in _PROC.iterdir() if wanted and _PROC.is_dir() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):  # it ended meanwhile, or is not ours to look at
                if os.getpgid(int(entry.name)) in wanted:
                    total += _kilobytes(entry)
    return total / 1024


def _kilobytes(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
