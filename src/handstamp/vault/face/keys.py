"""Calls about the vault's key: rotating it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import Conflict
from handstamp.vault.face.access import Access
from handstamp.vault.keys import KeyRecord, Source, next_key

if TYPE_CHECKING:
    from handstamp.vault.master_key import MasterKey
    from handstamp.vault.rotation import Rotation
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


class KeyCalls(Access):
    """Rotating the key."""

    def rotate_key(
        self, source: Source | str | None = None, *, key: MasterKey | None = None, passphrase: str | None = None, hand_over: bool = True
    ) -> Rotation:
        """Seal everything under a new key, while others read and write; or bring a rotation that was interrupted to its end.

        The old key is not destroyed: it opens backups that were made before. Where it lies, the result says.

        Args:
            source: where the new key is to come from: `file`, `keyring`, `passphrase`, `environment`, `credential` or
                `given`; by default where the present one does.
            key: the new key, for the last three of these, which handstamp cannot write.
            passphrase: the new passphrase, for that source.
            hand_over: while the rotation lasts, programs that have the old key are given the new one; without it they get
                `KeyMissing` until they have it from its source. For a key that has leaked.

        Raises:
            ConfigError: what the source needs was not given.
            Conflict: others rotate the key at the same time, and came first; nothing is lost.
            KeyMissing: the present key is not to be had, or the source of the new one cannot be used.
            ValueError: there is no such source.
        """
        from handstamp.vault import rotation  # noqa: PLC0415  (see `Access._unlock`)

        made = None if self.rotating() else self._introduce(source, key=key, phrase=passphrase, hand_over=hand_over)
        old, resealed, damaged = rotation.finish(self._write_sealed)
        return rotation.Rotation(tuple(old), self._unlock().record, resealed, damaged, resumed=made is None)

    def rotating(self) -> list[KeyRecord]:
        """The keys that a rotation, still under way or interrupted, is about to retire."""
        from handstamp.vault import rotation  # noqa: PLC0415  (see `Access._unlock`)

        with self._store().read() as transaction:
            return rotation.under_way(transaction)

    def _introduce(self, source: Source | str | None, *, key: MasterKey | None, phrase: str | None, hand_over: bool) -> KeyRecord:
        from handstamp.vault import rotation  # noqa: PLC0415  (see `Access._unlock`)
        from handstamp.vault.unlock import read_known, unlocked_by  # noqa: PLC0415

        unlocked = self._unlock()
        wanted = unlocked.record.source if source is None else Source(source)
        made, record = next_key(self._home(), unlocked.vault_id, wanted, key=key, phrase=phrase)
        if made.id == unlocked.record.key_id:
            raise Conflict("the new key is the one that the vault has already; nothing was changed")

        def introducing(transaction: Transaction, present: Unlocked) -> None:
            if present.record != unlocked.record or not rotation.introduce(transaction, present, made, record, hand_over=hand_over):
                raise Conflict("somebody else rotates this vault's key now; nothing was changed, the new key is not used")

        self._write_sealed(introducing)
        with self._store().read() as transaction:
            known = read_known(transaction)
        with self._lock:
            self._key_given = self._key_given and made
            self._unlocked_once = unlocked_by(known, made) if known else None  # its source may still hold the old one for this process
        return record
