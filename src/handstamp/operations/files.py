"""What operations made for whoever called them: files under names that nobody guesses, for a day."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import OperationFailed
from handstamp.home import create_private, make_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400.0
_SWEEP_EVERY = 3600.0  # seconds
_HALF_WRITTEN = 3600.0  # seconds after which nobody is still writing a file
_LONGEST_STEM = 40
_KINDS = frozenset(["bmp", "csv", "docx", "gif", "jpeg", "jpg", "json", "md", "pdf", "png", "tsv", "txt", "webp", "xlsx", "zip"])
"""What a browser shows or saves without running anything in it. All else is kept as ``bin``."""
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{32}\.[a-z0-9]{1,8}")
_TEMPORARY = re.compile(rf"\.{_NAME.pattern}\.[0-9a-f]{{16}}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is kept.

    Args:
        name: unguessable; `Files.find` knows it.
        path: of this machine.
        url: where whoever asked for it gets it: see `Files`.
    """

    name: str
    path: Path
    url: str


class Files:
    """A folder of such files, for this user only: the folder is made 0700, files are 0600 from their first byte.

    A clock that jumps while the program runs ages no file: what counts is the clock at its start and the time since then. A file
    from the future, left by a clock that was wrong, gets its whole time from when it is found.

    Safe to use from several threads, and by several processes on one folder.

    Args:
        folder: made with the first file.
        base: what a file's URL begins with, as in ``/files/``; without one its URL is its path.
        seconds: how long a file can be had.
    """

    def __init__(self, folder: Path, *, base: str = "", seconds: float = DAY) -> None:
        self.folder = folder
        self.base = base
        self.seconds = seconds
        self._started = time.time() - time.monotonic()
        self._swept = -_SWEEP_EVERY

    def put(self, name: str, data: bytes) -> Kept:
        """Keep `data`, whole or not at all. Blocking.

        Args:
            name: shows what it is (``containers.xlsx``); its stem and kind stay readable in the name that it gets.
            data: the file.

        Raises:
            OperationFailed: the folder cannot be written, or the disk is full; says so.
            ConfigError: the folder is a symbolic link, or no folder.
        """
        make_home(self.folder)
        if time.monotonic() >= self._swept + _SWEEP_EVERY:
            self.sweep()
        kept = self._kept(made_name(name))
        try:
            create_private(kept.path, data)
            os.utime(kept.path, (self._now(), self._now()))
        except OSError as error:
            raise OperationFailed(f"{self.folder} cannot take a file ({error.strerror}); make room, or give another folder") from None
        return kept

    def find(self, name: str) -> Path | None:
        """The file of this name; None when there is none, or its time is over. Blocking."""
        if not _NAME.fullmatch(name):
            return None  # a path, or something that was never ours
        path = self.folder / name
        age = self._age(path)
        return path if age is not None and age < self.seconds else None

    def url_of(self, name: str) -> str:
        """Where to get the file of this name."""
        return f"{self.base}{name}" if self.base else str(self.folder / name)

    def sweep(self) -> int:
        """Remove the files whose time is over, and what a killed process left half-written; how many. Blocking; `put` does it now and then."""
        self._swept = time.monotonic()
        removed = 0
        for path, life in self._own():
            age = self._age(path)
            if age is None or age < life:
                continue
            with contextlib.suppress(OSError):  # another sweeps, too
                path.unlink()
                removed += 1
        return removed

    def _own(self) -> Iterator[tuple[Path, float]]:
        """Our files and how long each may stay; whatever else is in the folder is not ours."""
        try:
            paths = list(self.folder.iterdir())
        except OSError:
            return
        for path in paths:
            if _NAME.fullmatch(path.name):
                yield path, self.seconds
            elif _TEMPORARY.fullmatch(path.name):
                yield path, _HALF_WRITTEN

    def _age(self, path: Path) -> float | None:
        """Seconds since it was made; None when it is no plain file."""
        try:
            status = path.lstat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        age = self._now() - status.st_mtime
        if age < 0:
            with contextlib.suppress(OSError):
                os.utime(path, (self._now(), self._now()), follow_symlinks=False)
        return max(age, 0.0)

    def _now(self) -> float:
        return self._started + time.monotonic()

    def _kept(self, name: str) -> Kept:
        return Kept(name, self.folder / name, self.url_of(name))


def made_name(shown: str) -> str:
    """A name that nobody guesses (128 bits), and that says what the file is: its readable stem and its kind."""
    base, _, kind = re.split(r"[/\\]", shown)[-1].rpartition(".")
    if not base:
        base, kind = kind, ""
    stem = "-".join(re.findall(r"[a-z0-9]+", base.lower()))[:_LONGEST_STEM].strip("-") or "file"
    return f"{stem}-{secrets.token_hex(16)}.{kind.lower() if kind.lower() in _KINDS else 'bin'}"
