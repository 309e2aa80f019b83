"""Files that hold secrets in clear: for their owner only, whole or not at all; and the one other way to see secrets, ``--reveal``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError
from handstamp.home import create_private, replace_private

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from handstamp.cli.call import Call


def add_destination(parser: argparse._ActionsContainer) -> None:
    """The options ``-o`` and ``--reveal``."""
    parser.add_argument("-o", "--output", metavar="FILE", help="write to this file, readable for you only")
    parser.add_argument("--reveal", action="store_true", help="print the secrets here instead")


def deliver(call: Call, data: bytes, *, output: Path | None, reveal: bool, what: str, facts: dict[str, Any], notes: Sequence[str] = ()) -> None:
    """Write secrets to a file, or to stdout for those who said so.

    Args:
        call: prints.
        data: the secrets.
        output: the file.
        reveal: print them.
        what: what it is, for people: ``the session of portside``.
        facts: about it, for programs.
        notes: what it cannot say.

    Raises:
        ConfigError: neither was chosen, or both; the file cannot be written.
    """
    if (output is None) is not reveal:
        raise ConfigError("this holds secrets: say where to with `-o FILE` (made readable for you only), or `--reveal` to print them here")
    if output is not None:
        write_private(output, data)
        warning = f"{output} holds {what}, " + ("sealed." if facts.get("sealed") else "in clear: whoever reads it is signed in.")
        call.output.show(facts | {"file": str(output), "notes": list(notes)}, lambda: [warning, *notes])
    elif call.output.as_json:
        call.output.show(facts | {"content": data.decode("utf-8", "surrogatepass"), "notes": list(notes)}, list)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        for note in notes:
            call.output.note(note)


def write_private(file: Path, data: bytes) -> None:
    """Put `data` at `file`, mode 0600 from its first byte.

    Raises:
        ConfigError: it is a symbolic link or a directory, or its directory cannot be written.
    """
    if file.is_symlink():
        raise ConfigError(f"{file} is a symbolic link; secrets are written to a file of their own, name one")
    try:
        replace_private(file, data)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}; name another file") from None


def write_private_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put `files` below `folder`, which must not be there yet or be empty; folders 0700, files 0600.

    Raises:
        ConfigError: something is there already, or cannot be written.
    """
    try:
        if folder.is_symlink() or (folder.exists() and any(folder.iterdir())):
            raise ConfigError(f"{folder} is not an empty folder; name a new one")
        for name, data in files.items():
            place = folder.joinpath(*name.split("/"))
            for parent in (folder, place.parent):
                parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_private(place, data)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}; name another folder") from None
