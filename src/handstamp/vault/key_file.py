"""Key files in the home directory: `vault.key`, and `vault-KEYID.key` for a key that took its place by rotation.

Several vaults may share a home and its `vault.key`, so a rotation writes a file of its own and leaves that one alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, KeyMissing, VaultUnavailable
from handstamp.home import create_private, make_home, refuse_symlink
from handstamp.vault.master_key import MasterKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_FILE = "vault.key"
_NAMES = re.compile(r"vault(-[0-9a-f]{16})?\.key")


def recorded_file(home: Path, facts: Mapping[str, str | int]) -> Path:
    """The key file that a record names; never another place.

    Raises:
        VaultUnavailable: the record names something else than a key file of this home.
    """
    name = str(facts.get("file", KEY_FILE))
    if not _NAMES.fullmatch(name):
        raise VaultUnavailable("the vault's record of its key file is damaged; restore a backup. Nothing was changed")
    return home / name


def new_key_file(home: Path) -> MasterKey:
    """The key in `vault.key`, which is made when it is not there.

    One that is there is used: it is the key of another vault in this home, or of this one when the process died between
    making the file and recording it.

    Raises:
        KeyMissing: it cannot be made or read.
    """
    key = MasterKey.generate()
    if put_key_file(home, KEY_FILE, key):
        return key
    there = read_key_file(home / KEY_FILE)
    return key if there is None else there


def rotated_key_file(home: Path) -> tuple[MasterKey, str]:
    """A new key in a file of its own, and the file's name; raises as `new_key_file`."""
    key = MasterKey.generate()
    name = f"vault-{key.id}.key"
    put_key_file(home, name, key)
    return key, name


def put_key_file(home: Path, name: str, key: MasterKey) -> bool:
    """Make a key file, 0600 and durable; False when one is there. Raises as `new_key_file`."""
    file = make_home(home) / name
    refuse_symlink(file)
    try:
        return create_private(file, key.text().encode() + b"\n")
    except OSError as error:
        raise KeyMissing(f"the key file {file} cannot be made ({error.strerror}); make {home} writable, or set HANDSTAMP_KEY") from None


def read_key_file(file: Path) -> MasterKey | None:
    """The key in a file, None when the file is not there.

    Raises:
        KeyMissing: it cannot be read, or holds no key.
    """
    refuse_symlink(file)
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeyMissing(f"the key file {file} cannot be read ({reason}); make it readable for you, or set HANDSTAMP_KEY") from None
    try:
        return MasterKey.parse(text, source=str(file))
    except ConfigError as error:
        raise KeyMissing(str(error)) from None
