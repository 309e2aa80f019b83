"""A profile's user-data directory in the vault: unpacked for a browser, and stored when the browser has ended well."""

from __future__ import annotations

import logging
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.browser.process import MEMORY, new_user_data
from handstamp.browser.profile.folders import kept_files, matters
from handstamp.browser.profile.manifest import MANIFEST, PIECE, BadPiece, Manifest, changes, content, piece_id, pieces_of
from handstamp.errors import BrowserError, SealBroken, UnreadableState
from handstamp.state import Loss, StorageState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from handstamp.state import Clock, Part, PartId
    from handstamp.vault import Lease, Vault

_log = logging.getLogger(__name__)
MOST = 512 << 20  # bytes of a directory that is kept; they are in memory once while they are stored
_ROOM_IN_MEMORY = 1 << 30  # bytes that the browser, and others, are to find free beside the directory
_AT_ONCE = 64  # pieces of one reading: 16 MB at most


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing came to.

    Args:
        files: how many the directory has.
        size: bytes of all of them.
        written: bytes of the pieces that the vault did not have.
    """

    files: int
    size: int
    written: int


class KeptDirectory:
    """The directory of one profile, for the holder of its lease. Blocking; one call at a time.

    Args:
        vault: where it is kept.
        profile: whose.
        clock: stamps changes.
        lease: the exclusive open lease; without one nothing may be stored.

    Attributes:
        manifest: of what is in the vault.
        losses: why what was kept could not be used.
    """

    def __init__(self, vault: Vault, profile: str, clock: Clock, *, lease: Lease) -> None:
        self.manifest = Manifest()
        self.losses: list[Loss] = []
        self._vault = vault
        self._profile = profile
        self._clock = clock
        self._lease = lease
        self._base: Part | None = None
        self._broken = False
        self._epoch = 0

    # -- out of the vault ---------------------------------------------------------------------------------------

    def unpack(self) -> Path:
        """A fresh directory with what was stored last, for this user only; in memory where there is room. The caller removes it.

        What cannot be read is told in `losses`, and the directory is then empty: the mirrored state is what is left.

        Raises:
            BrowserError: it cannot be written.
        """
        self._epoch = self._vault.epoch(self._profile)
        try:
            self._read_manifest()
            return self._written()
        except (SealBroken, UnreadableState, BadPiece) as error:
            self._give_up(error)
            return self._written()

    def _read_manifest(self) -> None:
        for part in self._vault.pieces(self._profile, [MANIFEST]):
            self.manifest, self._base = Manifest.of(part), part

    def _written(self) -> Path:
        try:
            user_data = new_user_data(_place(len(self.manifest.pieces)))
            try:
                for path, data in self._files():
                    _write(user_data / path, data)
            except BaseException:
                shutil.rmtree(user_data, ignore_errors=True)
                raise
        except OSError as error:
            message = f"the browser's files of profile '{self._profile}' cannot be unpacked ({error.strerror}); make room in the folder for temporary files"
            raise BrowserError(message) from error
        return user_data

    def _files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for path, names in self.manifest.files.items():
            if not matters(path):
                raise BadPiece("a file has a name that none of ours has")
            yield path, self._contents(names)

    def _contents(self, names: tuple[str, ...]) -> Iterator[bytes]:
        for at in range(0, len(names), _AT_ONCE):
            wanted = names[at : at + _AT_ONCE]
            read = {part.id.name: content(part) for part in self._vault.pieces(self._profile, [piece_id(name) for name in wanted])}
            if missing := len(set(wanted) - read.keys()):
                raise BadPiece(f"{missing} pieces are missing")
            yield from (read[name] for name in wanted)

    def _give_up(self, error: Exception) -> None:
        why = f"what was stored of them cannot be read ({type(error).__name__}); what only they held (keys, caches, service workers) is lost"
        self.losses.append(Loss("browser-files", f"profile '{self._profile}'", why))
        _log.error("the browser's files of profile '%s': %s", self._profile, why)
        self.manifest, self._base = Manifest(), None
        self._broken = True

    # -- into the vault -----------------------------------------------------------------------------------------

    def store(self, user_data: Path, *, holds: Mapping[PartId, str], browser: str) -> Stored | None:
        """Keep the directory of a browser that has ended well, all or nothing. None when it is too large: what was stored before stays.

        Args:
            user_data: its directory.
            holds: digests of the mirrored parts that it has.
            browser: its version.

        Raises:
            LeaseLost, Conflict, VaultFull: it is not stored.
            BrowserError: it cannot be read.
        """
        try:
            return self._store(user_data, holds, browser)
        except OSError as error:
            raise BrowserError(f"the browser's files of profile '{self._profile}' cannot be read ({error.strerror}), so they are not stored") from error

    def _store(self, user_data: Path, holds: Mapping[PartId, str], browser: str) -> Stored | None:
        size = sum(file.stat().st_size for _, file in kept_files(user_data))
        if size > MOST:
            why = f"they have {size >> 20} MB, more than the {MOST >> 20} MB that are kept; what was stored before stays, without this session's changes"
            self.losses.append(Loss("browser-files", f"profile '{self._profile}'", why))
            _log.warning("the browser's files of profile '%s' are not stored: %s", self._profile, why)
            return None
        files: dict[str, tuple[str, ...]] = {}
        new: dict[str, bytes] = {}
        for path, file in kept_files(user_data):
            files[path] = tuple(self._cut(file, new))
        manifest = Manifest(files, dict(holds), browser, time.time_ns() // 1_000_000)
        if self._broken:
            self._vault.forget_files(self._profile, lease=self._lease)  # what cannot be read stays until there is something better
            self._broken = False
        parts = changes(self._base, self.manifest.pieces, manifest, new, self._clock)
        self._vault.save(self._profile, StorageState.of(parts, epoch=self._epoch), lease=self._lease)
        self._read_manifest()
        return Stored(len(files), size, sum(map(len, new.values())))

    def _cut(self, file: Path, new: dict[str, bytes]) -> Iterator[str]:
        with file.open("rb") as opened:
            for name, data in pieces_of(opened):
                if name not in self.manifest.pieces:
                    new[name] = data
                yield name


def _place(pieces: int) -> Path | None:
    """Where to unpack: in memory if that leaves room, so that nothing of it reaches a disk; else None, the system's temporary folder."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > _ROOM_IN_MEMORY + 2 * pieces * PIECE else None


def _write(file: Path, data: Iterable[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.writelines(data)
