"""The file of a backup: a line that says so, then zstd over JSON lines.

    handstamp backup 1
    {"header": {…}}                  vault, key, time, release
    ["table", {column: value}]       a row; octets as {"b64": …}
    …
    {"end": {"rows": …, "sha256": …}}  over all lines before

What is sealed stays sealed, as it is in the vault, and the key is not in it. So making one needs no key, and whoever gets one
is where a thief of the vault's file is. `tail -n +2 FILE | zstdcat` shows it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING, Any

import zstandard

from handstamp.errors import UnreadableState, UnsupportedVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from handstamp.vault.store import Value

FORMAT = 1
_MAGIC = b"handstamp backup "
_LONGEST_MAGIC = 40
_CHUNK = 1 << 17  # octets

Row = tuple[str, dict[str, "Value"]]


def write(file: BinaryIO, header: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, int]:
    """Write a backup; how many rows of each table."""
    file.write(_MAGIC + str(FORMAT).encode() + b"\n")
    counts: dict[str, int] = {}
    digest = hashlib.sha256()
    with zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file, closefd=False) as packed:

        def put(value: object) -> None:
            line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            packed.write(line)

        put({"header": dict(header)})
        for table, columns in rows:
            put([table, {name: _written(value) for name, value in columns.items()}])
            counts[table] = counts.get(table, 0) + 1
        packed.write(json.dumps({"end": {"rows": sum(counts.values()), "sha256": digest.hexdigest()}}).encode() + b"\n")
    return counts


def is_backup(path: Path) -> bool:
    """Whether a file says that it is a backup."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read(path: Path) -> Iterator[dict[str, Any] | Row]:
    """The header, then the rows; at the end it is seen that they are all there, and as they were written.

    Raises:
        UnreadableState: it is no backup, was changed, or is not whole.
        UnsupportedVersion: a newer handstamp wrote it.
    """
    try:
        with path.open("rb") as file:
            _check_format(path, file.readline(_LONGEST_MAGIC))
            yield from _values(path, _lines(path, file))
    except OSError as error:
        raise UnreadableState(f"the backup {path} cannot be read: {error.strerror}") from None
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        raise _damaged(path) from None


def _check_format(path: Path, first: bytes) -> None:
    if not first.startswith(_MAGIC) or not first.strip().removeprefix(_MAGIC).isdigit():
        raise UnreadableState(f"{path} is no backup that `handstamp backup` made; name one")
    if (version := int(first.removeprefix(_MAGIC))) != FORMAT:
        raise UnsupportedVersion(f"the backup {path} has format {version}, this handstamp knows {FORMAT}; upgrade handstamp. Nothing was changed")


def _lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    unpack, pieces = zstandard.ZstdDecompressor().decompressobj(), [b""]
    while packed := file.read(_CHUNK):
        if unpack.eof:
            raise _damaged(path)
        first, *more = unpack.decompress(packed).split(b"\n")
        pieces.append(first)
        for piece in more:
            yield b"".join(pieces)
            pieces = [piece]
    if any(pieces) or not unpack.eof or unpack.unused_data:
        raise _damaged(path)


def _values(path: Path, lines: Iterator[bytes]) -> Iterator[dict[str, Any] | Row]:
    digest, rows = hashlib.sha256(), -1  # the header is no row
    for line in lines:
        value = json.loads(line)
        if isinstance(value, dict) and "end" in value:
            if value["end"] != {"rows": rows, "sha256": digest.hexdigest()} or next(lines, None) is not None:
                raise _damaged(path)
            return
        digest.update(line + b"\n")
        rows += 1
        if (rows == 0) != isinstance(value, dict):
            raise _damaged(path)
        yield value["header"] if rows == 0 else (str(value[0]), {name: _read(column) for name, column in value[1].items()})
    raise _damaged(path)


def _damaged(path: Path) -> UnreadableState:
    return UnreadableState(f"the backup {path} is damaged or was cut short; use another one. Nothing was changed")


def _written(value: Value) -> object:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, (bytes, bytearray, memoryview)) else value


def _read(value: Any) -> Value:
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    if value is None or isinstance(value, (int, float, str)):
        return value
    raise ValueError
