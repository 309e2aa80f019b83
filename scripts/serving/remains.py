"""What a server may have left behind: browsers, and their directories."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_PREFIX = "handstamp-browser-"
PLACES = (Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108  (where browsers of handstamp keep theirs)


def browsers() -> dict[int, str]:
    """Pids of the main processes of browsers that handstamp started, with their directories."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_text(errors="replace").split("\0")
                directory = next((word.partition("=")[2] for word in words if word.startswith("--user-data-dir=") and _PREFIX in word), None)
                if directory and not any(word.startswith("--type=") for word in words):
                    found[int(entry.name)] = directory
    return found


def directories(owners: Collection[int]) -> set[str]:
    """Directories of browsers that these processes started."""
    found = set()
    for place in PLACES:
        for path in place.glob(f"{_PREFIX}*") if place.is_dir() else ():
            with contextlib.suppress(OSError, ValueError, IndexError):
                if int((path / "owner").read_text().split()[0]) in owners:
                    found.add(str(path))
    return found


def remains(owners: Collection[int], *, seconds: float = 15.0) -> list[str]:
    """What these processes, which have ended, left behind: directories of browsers, and browsers, by their directory.

    Args:
        owners: pids.
        seconds: that what has just ended gets to go.
    """
    until = time.monotonic() + seconds
    while True:
        left = directories(owners)
        if not left or time.monotonic() > until:
            return sorted(left)
        time.sleep(0.2)
