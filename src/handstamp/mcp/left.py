"""Files that operations left, and whose they are: whoever called the operation gets them, and nobody else."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import InputInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.operations import Files

SCHEME = "handstamp://files/"
"""What a file's URI begins with; its name follows, see `Files`."""
_URI = re.compile(re.escape(SCHEME) + r"([a-z0-9-]+\.[a-z0-9]+)")
_MEGABYTE = 1 << 20
_SHEETS = "application/vnd.openxmlformats-officedocument"
_TYPES = {
    "csv": "text/csv",
    "docx": f"{_SHEETS}.wordprocessingml.document",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "webp": "image/webp",
    "xlsx": f"{_SHEETS}.spreadsheetml.sheet",
    "zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that an operation left.

    Args:
        name: unguessable.
        path: of this machine.
        size: in bytes.
        site: of the operation.
        profile: in whose session it was.
    """

    name: str
    path: Path
    size: int
    site: str
    profile: str

    @property
    def uri(self) -> str:
        """By which clients name it."""
        return SCHEME + self.name

    @property
    def mime_type(self) -> str:
        """What it is, by its kind."""
        return _TYPES.get(self.name.rpartition(".")[2], "application/octet-stream")

    @property
    def is_text(self) -> bool:
        """Whether it can be read as it is."""
        return self.mime_type.startswith("text/") or self.mime_type == "application/json"


@dataclass(frozen=True, slots=True)
class _Whose:
    owner: str
    site: str
    profile: str
    since: float


class Left:
    """The files of this process's callers. Blocking, on any thread.

    Args:
        files: where they are.
        max_mb: larger ones are not handed over.
        tells_paths: callers are on this machine, and may be told where a file is.
    """

    def __init__(self, files: Files, *, max_mb: int, tells_paths: bool) -> None:
        self.tells_paths = tells_paths
        self._files = files
        self._max_mb = max_mb
        self._whose: dict[str, _Whose] = {}

    def note(self, text: str, *, owner: str, site: str, profile: str) -> list[LeftFile]:
        """The files that are named in a result, which are its caller's from now on; one that is somebody's stays theirs."""
        now = time.monotonic()
        for name in [name for name, whose in self._whose.items() if now - whose.since > self._files.seconds]:
            del self._whose[name]
        names = list(dict.fromkeys(_URI.findall(text)))
        for name in names:
            self._whose.setdefault(name, _Whose(owner, site, profile, now))
        return [file for name in names if (file := self._file(name, owner))]

    def of(self, owner: str) -> list[LeftFile]:
        """The files of a caller."""
        return [file for name in list(self._whose) if (file := self._file(name, owner))]

    def find(self, uri: str, owner: str) -> LeftFile:
        """A caller's file.

        Raises:
            InputInvalid: they have none of this URI, or its time is over.
        """
        found = _URI.fullmatch(uri)
        file = self._file(found[1], owner) if found else None
        if file is None:
            raise InputInvalid("you have no such file; operations' results name those that they leave, for a day and as long as this server runs")
        return file

    def read(self, file: LeftFile) -> bytes:
        """What is in it.

        Raises:
            InputInvalid: it is too large to be handed over, or has gone.
        """
        if file.size > self._max_mb * _MEGABYTE:
            raise InputInvalid(f"the file has {file.size / _MEGABYTE:.0f} MB, and up to {self._max_mb} are handed over (the setting max_file_mb)")
        try:
            return file.path.read_bytes()
        except OSError:
            raise InputInvalid("the file has gone; files can be had for a day") from None

    def _file(self, name: str, owner: str) -> LeftFile | None:
        whose = self._whose.get(name)
        path = self._files.find(name) if whose is not None and whose.owner == owner else None
        try:
            return None if whose is None or path is None else LeftFile(name, path, path.stat().st_size, whose.site, whose.profile)
        except OSError:  # it ends just now
            return None
