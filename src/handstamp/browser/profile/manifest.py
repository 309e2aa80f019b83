"""A user-data directory as parts of a storage state: a manifest, and the pieces of its files.

    files/manifest          ("file", path)               list of the names of its pieces, in order
                            ("holds", kind, scope, name) digest of a mirrored part as the directory has it, see `holdings.py`
                            ("browser",)                 version of the browser that wrote it
                            ("stored",)                  milliseconds since the epoch
    files/piece/<name>      ("data",)                    bytes

A piece is named by what is in it, so a file that did not change costs nothing, and one that only grows (a LevelDB log) costs its
end. Fixed cuts: LevelDB's tables never change, its logs grow, SQLite writes pages in place; nothing is inserted in the middle.

All of it is written by one holder of the profile in one transaction of the vault; there is nothing to merge.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from handstamp.state import Entry, Part, PartId, PartKind, observed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from handstamp.state import Clock, Key

MANIFEST = PartId(PartKind.FILES, "manifest")
PIECE = 256 << 10  # bytes: what the smallest change of a large file costs
_DATA: Key = ("data",)
_FILE, _HOLDS = "file", "holds"
_BROWSER: Key = ("browser",)
_STORED: Key = ("stored",)


class BadPiece(Exception):
    """A manifest or a piece does not say what it should."""


@dataclass(frozen=True)  # without slots: it remembers what it has computed
class Manifest:
    """What a kept directory is made of.

    Args:
        files: path -> names of its pieces.
        holds: mirrored part -> digest of its content as the directory has it.
        browser: version of the browser that wrote it, empty for none.
        stored_at: milliseconds since the epoch; 0 for never.
    """

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holds: Mapping[PartId, str] = field(default_factory=dict)
    browser: str = ""
    stored_at: int = 0

    @classmethod
    def of(cls, part: Part) -> Manifest:
        """Of the part that `MANIFEST` names.

        Raises:
            BadPiece: it is none.
        """
        live = part.live()
        try:
            files = {key[1]: tuple(names) for key, names in live.items() if key[0] == _FILE}
            holds = {PartId(PartKind(key[1]), key[2], key[3]): digest for key, digest in live.items() if key[0] == _HOLDS}
            return cls(files, holds, live[_BROWSER], live[_STORED])
        except (LookupError, ValueError, TypeError) as error:
            raise BadPiece("the list of files is not one") from error

    @cached_property
    def pieces(self) -> frozenset[str]:
        """Names of all pieces."""
        return frozenset(name for names in self.files.values() for name in names)

    def entries(self) -> dict[Key, object]:
        """As values of its part."""
        files: dict[Key, object] = {(_FILE, path): list(names) for path, names in self.files.items()}
        holds: dict[Key, object] = {(_HOLDS, part_id.kind, part_id.scope, part_id.name): digest for part_id, digest in self.holds.items()}
        return files | holds | {_BROWSER: self.browser, _STORED: self.stored_at}


def piece_id(name: str) -> PartId:
    """Which part holds a piece."""
    return PartId(PartKind.FILES, "piece", name)


def content(piece: Part) -> bytes:
    """What is in a piece.

    Raises:
        BadPiece: it is not what its name says.
    """
    data = piece.live().get(_DATA)
    if not isinstance(data, bytes) or name_of(data) != piece.id.name:
        raise BadPiece("a piece does not hold what its name says")
    return data


def name_of(data: bytes) -> str:
    """The name of a piece with this content."""
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def pieces_of(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Cut a file: name and content of each piece. An empty file has none."""
    while data := file.read(PIECE):
        yield name_of(data), data


def changes(base: Part | None, known: Iterable[str], manifest: Manifest, new: Mapping[str, bytes], clock: Clock) -> list[Part]:
    """What to save so that the vault holds this directory and no other.

    Args:
        base: the manifest's part as it is in the vault.
        known: names of the pieces that are there.
        manifest: of the directory.
        new: content of its pieces that are not there.
        clock: stamps them; it is first moved past whatever was written before.
    """
    for entry in base.entries.values() if base else ():
        clock.observe(entry.stamp)
    gone = set(known) - manifest.pieces
    parts = [Part(piece_id(name), {_DATA: Entry(data, clock.stamp())}) for name, data in new.items()]
    parts += [Part(piece_id(name), {_DATA: Entry(None, clock.stamp())}) for name in sorted(gone)]
    values = manifest.entries()
    return [*parts, observed(base, MANIFEST, values, clock, gone=[key for key in (base.live() if base else ()) if key not in values])]
