"""The file in which a service's client keeps its login: one JSON object, 0600 from its first byte, whole or not at all, its secrets sealed.

    {"session_cookie": "sealed:…", "auth_token": "sealed:…", "username": "dana",
     "created_at": "2026-11-21T13:27:43+00:00", "expires_at": "2026-11-22T13:27:43+00:00"}

A file whose secrets are open is read as well: earlier programs wrote such.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError, SealBroken, UnreadableState
from handstamp.home import refuse_symlink, replace_private
from handstamp.vault.loose import open_text, seal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from handstamp.vault import Vault

_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class SavedLogin:
    """A login at a service.

    Args:
        secrets: what carries it, by name.
        username: whose; None when nobody said.
        created_at: when it was made, UTC.
        expires_at: from when on it is not used any more, UTC.
    """

    secrets: Mapping[str, str] = field(repr=False)
    username: str | None
    created_at: datetime
    expires_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether it is not to be used any more."""
        return self.expires_at <= now

    def facts(self, now: datetime) -> dict[str, Any]:
        """What may be shown of it; `time_remaining` in seconds, 0 when it is over."""
        left = (self.expires_at - now).total_seconds()
        return {
            "username": self.username,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "time_remaining": max(0.0, left),
            "is_expired": left <= 0,
        }

    def as_json(self) -> dict[str, Any]:
        """As the file has it, in clear."""
        whose = {"username": self.username, "created_at": self.created_at.isoformat(), "expires_at": self.expires_at.isoformat()}
        return {**self.secrets, **whose}


class SessionFile:
    """One such file. Blocking.

    Args:
        path: of the file.
        names: of the secrets in it.
        vault: gives the vault whose key seals them; asked only when there is something sealed.
        plaintext: write them open.
    """

    def __init__(self, path: Path, names: Sequence[str], vault: Callable[[], Vault], *, plaintext: bool) -> None:
        self.path = path
        self._names = names
        self._vault = vault
        self._plaintext = plaintext

    def of(self, username: str | None) -> SessionFile:
        """This file, or the one beside it that is `username`'s, where this one is another's: a login is never used for, nor lost to, somebody else."""
        saved = self._document() if username else None
        if saved is None or saved.get("username") in {None, username}:
            return self
        plain = re.sub(r"[^A-Za-z0-9_-]", "", username or "")[:32]
        name = f"{self.path.stem}.{plain}-{hashlib.sha256((username or '').encode()).hexdigest()[:8]}{self.path.suffix}"
        return SessionFile(self.path.with_name(name), self._names, self._vault, plaintext=self._plaintext)

    def read(self) -> SavedLogin | None:
        """What is saved; None when nothing is. Changes nothing.

        Raises:
            UnreadableState: it is not such a file; names it.
            SealBroken: another key sealed it, or it was changed.
        """
        saved = self._document()
        return None if saved is None else self._login(saved)

    def _document(self) -> dict[str, Any] | None:
        refuse_symlink(self.path)
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror}; name another session_file") from None
        try:
            saved = json.loads(data) if len(data) <= _MOST else None
        except (ValueError, RecursionError):
            saved = None
        if not isinstance(saved, dict):
            raise UnreadableState(f"{self.path} is no session file; remove it, or name another session_file. Nothing was changed")
        return saved

    def _login(self, saved: dict[str, Any]) -> SavedLogin:
        try:
            secrets = {name: open_text(self._vault(), name, saved[name]) if saved[name] else "" for name in self._names}
            return SavedLogin(secrets, _text_or_none(saved.get("username")), instant(saved["created_at"]), instant(saved["expires_at"]))
        except SealBroken:
            message = f"{self.path} was sealed by another key, or changed; remove it to log in anew, or bring back the key. Nothing was changed"
            raise SealBroken(message) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            wanted = ", ".join((*self._names, "username", "created_at", "expires_at"))
            raise UnreadableState(f"{self.path} does not hold {wanted}; remove it, or name another session_file. Nothing was changed") from None

    def write(self, login: SavedLogin) -> None:
        """Keep a login in place of what was there.

        Raises:
            ConfigError: the file cannot be written.
        """
        document = login.as_json()
        if not self._plaintext:
            document |= {name: seal_text(self._vault(), name, value) for name, value in login.secrets.items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_private(self.path, json.dumps(document, indent=1).encode() + b"\n")
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}; name another session_file") from None

    def clear(self) -> bool:
        """Remove it; whether it was there."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be removed: {error.strerror}") from None
        return True

    def try_lock(self) -> Callable[[], None] | None:
        """Call what this gives to let others log in with the file; None when somebody else does so now, in this process or another of this machine."""
        lock = self.path.with_name(self.path.name + ".lock")
        refuse_symlink(lock)
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise ConfigError(f"{lock} cannot be made: {error.strerror}; name another session_file") from None
        if lock_now(descriptor):
            return partial(os.close, descriptor)  # which unlocks it
        os.close(descriptor)
        return None


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value


def instant(text: str) -> datetime:
    """An ISO time as an aware one; one without a zone is this machine's, as earlier programs wrote it."""
    return datetime.fromisoformat(text).astimezone(UTC)


if sys.platform == "win32":
    import msvcrt

    def lock_now(descriptor: int) -> bool:
        """Lock an open file for this process, which ends with it at the latest; False when another has it locked."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock_now(descriptor: int) -> bool:
        """Lock an open file for this process, which ends with it at the latest; False when another has it locked."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
