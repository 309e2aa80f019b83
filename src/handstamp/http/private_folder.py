"""A folder for secrets that another program is to read: nobody else can enter it, and it does not outlive us for long.

It goes when the block ends. Whoever is killed in it leaves it behind without its lock, and the next one removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.http.session_file import lock_now

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "handstamp-exec-"
_LOCK = "lock"
_MAKING = 60.0
"""Seconds that a folder is given to get its lock."""


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A fresh one, 0700, among the system's temporary files, within the block."""
    remove_left_behind()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            lock_now(descriptor)
            yield folder
        finally:
            os.close(descriptor)


def remove_left_behind() -> None:
    """Remove the folders of those who were killed in theirs."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _ours(folder) and _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _ours(folder: Path) -> bool:
    return folder.lstat().st_uid == os.getuid() if hasattr(os, "getuid") else not folder.is_symlink()


def _abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _MAKING
    try:
        return lock_now(descriptor)
    finally:
        os.close(descriptor)
