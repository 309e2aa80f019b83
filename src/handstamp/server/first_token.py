"""The token of the first start: in a file of the home directory, so that programs of this user find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError
from handstamp.home import create_private, make_home, refuse_symlink

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from handstamp.vault import Vault

TOKEN_FILE = "server.token"  # noqa: S105  (a file's name)
_NAME = "server"
_RIVALS = 50
"""Servers that may take a free name at the same moment, each before this one."""


def ensure_token(vault: Vault, home: Path) -> bool:
    """See that the file is there: made with a fresh token for everything (`admin`) when it is not.

    Args:
        vault: knows the token from then on.
        home: the home directory.

    Returns:
        Whether the token in the file works. It does not when it was revoked, or belongs to another vault; then nothing is changed.

    Raises:
        ConfigError: the file cannot be read or made, or is a symbolic link.
    """
    file = make_home(home) / TOKEN_FILE
    refuse_symlink(file)
    try:
        there = file.read_text("ascii").strip()
    except FileNotFoundError:
        return _made(vault, file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it holds no token'}); remove it, and a new one is made") from None
    return vault.token(there) is not None


def _made(vault: Vault, file: Path) -> bool:
    name, token = _added(vault)
    try:
        if create_private(file, f"{token}\n".encode("ascii")):
            return True
    except OSError as error:
        vault.revoke_token(name)
        raise ConfigError(f"{file} cannot be made ({error.strerror}); make the directory writable") from None
    vault.revoke_token(name)  # another server was first, at the same moment
    return ensure_token(vault, file.parent)


def _added(vault: Vault) -> tuple[str, str]:
    """A fresh token and its name. Several servers may share a vault, and start at once."""
    taken = {token.name for token in vault.tokens()}
    for _ in range(_RIVALS):
        name = _free_name(taken)
        try:
            return name, vault.add_token(name, ["admin"])
        except ConfigError:
            taken.add(name)  # since we looked; who took it may have let go of it again, so another look would not tell
    name = _free_name(taken)
    return name, vault.add_token(name, ["admin"])


def _free_name(taken: Container[str]) -> str:
    number = 1
    while (name := _NAME if number == 1 else f"{_NAME}-{number}") in taken:
        number += 1
    return name
