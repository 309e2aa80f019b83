"""What all calls of a vault stand on: the store and the key, found at first use, and transactions that are tried again."""

from __future__ import annotations

import contextlib
import secrets
import threading
from typing import TYPE_CHECKING, Self, TypeVar

from handstamp import home as homes
from handstamp.errors import Conflict, VaultError
from handstamp.state import Clock, Loss
from handstamp.vault import events, retry, sessions
from handstamp.vault.adapters import open_store
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.parts import find_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from handstamp.home import Settings
    from handstamp.vault.leases import Lease
    from handstamp.vault.master_key import MasterKey
    from handstamp.vault.model import JSON
    from handstamp.vault.parts import Damage
    from handstamp.vault.store import Store, Transaction
    from handstamp.vault.unlock import Unlocked

    Ahead = Callable[[Transaction, Unlocked], None]

_T = TypeVar("_T")
_KEYS_TRIED = 5


class _Rekeyed(Exception):
    """The vault has another key than the one in memory; nothing was written."""


class Access:
    """A vault's store and key; for the arguments see `handstamp.vault.Vault`."""

    def __init__(self, url: str | None = None, *, home: Path | None = None, key: MasterKey | None = None) -> None:
        self._url = url
        self._home_given = home
        self._key_given = key
        self._clock = Clock(secrets.token_hex(6))
        self._lock = threading.RLock()
        self._store_opened: Store | None = None
        self._unlocked_once: Unlocked | None = None
        self._settings_read: Settings | None = None
        self._profile_ids: dict[str, int] = {}  # as they were last seen, to ask for what belongs to a profile before its row is there
        tell_after_fork(self)

    def forked(self) -> None:
        """In a child process nobody holds the lock. Called by itself after a fork."""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"Vault({self.where!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and drop the key from memory. A later call opens again; leases are not touched."""
        with self._lock:
            if self._store_opened is not None:
                self._store_opened.close()
            self._store_opened = self._unlocked_once = self._settings_read = None

    @property
    def where(self) -> str:
        """Where it is, for people."""
        return self._store().where

    def _report(self, damages: list[Damage]) -> None:
        if damages:
            with contextlib.suppress(VaultError):  # the log has it; what was read is good
                self._write_sealed(lambda transaction, unlocked: _record(transaction, unlocked, damages))

    def _read(self, work: Callable[[Transaction], _T]) -> _T:
        return retry.read(self._store(), work)

    def _write(self, work: Callable[[Transaction], _T]) -> _T:
        return retry.write(self._store(), work)

    def _read_sealed(self, work: Callable[[Transaction, Unlocked], _T], *, ahead: Ahead | None = None) -> _T:
        return self._with_key(self._read, work, ahead)

    def _write_sealed(self, work: Callable[[Transaction, Unlocked], _T], *, ahead: Ahead | None = None) -> _T:
        return self._with_key(self._write, work, ahead)

    def _with_key(self, tried: Callable[[Callable[[Transaction], _T]], _T], work: Callable[[Transaction, Unlocked], _T], ahead: Ahead | None) -> _T:
        """Run `work` with the key that the vault has at that moment: it may have been rotated, or the vault replaced, since we looked.

        `ahead` says first what will be asked, see `Transaction.expect`.
        """

        def checked(transaction: Transaction) -> _T:
            if ahead is not None:
                ahead(transaction, unlocked)
            if not _is_current(transaction, unlocked):
                raise _Rekeyed
            return work(transaction, unlocked)

        for _ in range(_KEYS_TRIED):
            unlocked = self._unlock()
            try:
                return tried(checked)
            except _Rekeyed:
                self._lock_again(unlocked)
        raise Conflict(f"the key of {self.where} changed again and again while it was looked for; nothing was saved, try again")

    def _lock_again(self, unlocked: Unlocked) -> None:
        """Forget a key, unless another is in memory already."""
        with self._lock:
            if self._unlocked_once is unlocked:
                self._unlocked_once = None

    def _home(self) -> Path:
        return homes.home() if self._home_given is None else self._home_given

    def _settings(self) -> Settings:
        if self._settings_read is None:
            self._settings_read = homes.settings(self._home())
        return self._settings_read

    def _store(self) -> Store:
        with self._lock:
            if self._store_opened is None:
                self._store_opened = open_store(self._url or self._settings().vault, self._home())
            return self._store_opened

    def _unlock(self) -> Unlocked:
        from handstamp.vault.unlock import unlock  # noqa: PLC0415  (cryptography and zstandard: 50 ms that a list does without)

        with self._lock:
            if self._unlocked_once is None:
                self._unlocked_once = unlock(self._store(), self._home(), given=self._key_given)
            return self._unlocked_once


def see_whose(lease: Lease | None, profile: str) -> None:
    """See that a lease is one of the profile that is to be written.

    Raises:
        ValueError: it is another profile's.
    """
    if lease is not None and lease.profile != profile:
        raise ValueError(f"a lease of profile '{lease.profile}' was given for a write to profile '{profile}'")


def _record(transaction: Transaction, unlocked: Unlocked, damages: list[Damage]) -> None:
    for damage in damages:
        data: dict[str, JSON] = {"kind": damage.kind, "generation": damage.generation, "used": damage.used}
        events.record(transaction, "part-damaged", profile=damage.profile, data=data)
        instead = "nothing stands in for it" if damage.used is None else f"version {damage.used} stands in for it"
        loss = Loss("damaged-part", str(damage.part or damage.kind), f"version {damage.generation} of it was damaged in the vault; {instead}")
        if (profile := find_profile(transaction, damage.profile)) is not None:
            sessions.add_loss(transaction, unlocked.seals, profile, loss)


def _is_current(transaction: Transaction, unlocked: Unlocked) -> bool:
    from handstamp.vault.unlock import is_current  # noqa: PLC0415  (see `_unlock`)

    return is_current(transaction, unlocked)
