"""The vault as programs see it: every method is one transaction of the modules beside, by subject in `face/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import VaultUnavailable
from handstamp.home import Finding
from handstamp.vault import check
from handstamp.vault.face.backups import BackupCalls
from handstamp.vault.face.keeping import KeepingCalls
from handstamp.vault.face.keys import KeyCalls
from handstamp.vault.face.leases import LeaseCalls
from handstamp.vault.face.records import RecordCalls
from handstamp.vault.face.serving import ServingCalls
from handstamp.vault.face.sessions import SessionCalls
from handstamp.vault.face.state import StateCalls
from handstamp.vault.face.upkeep import UpkeepCalls
from handstamp.vault.face.versions import VersionCalls

if TYPE_CHECKING:
    from handstamp.vault.keys import KeyRecord


class Vault(StateCalls, VersionCalls, SessionCalls, LeaseCalls, RecordCalls, KeepingCalls, ServingCalls, KeyCalls, UpkeepCalls, BackupCalls):
    """Where sessions are kept: sealed, durable, versioned.

    Synchronous and quick; safe across threads and processes, and after a fork. Making one does no I/O: the first call
    that needs the file opens it, the first that needs a sealed record finds the key. Everything that a call changed is on
    the disk when it returns.

    Args:
        url: `sqlite:///` and a path; by default what the settings say, else `vault.db` in the home directory.
        home: the home directory, for settings and key file; by default `handstamp.home.home()`.
        key: the master key, if the caller has it; it must be the vault's own, or the vault empty.

    All methods raise `VaultUnavailable` when the file cannot be reached, `VaultFull` when there is no room,
    `UnsupportedVersion` when a newer handstamp wrote it, `KeyMissing` when they need the key and it is not to be had, and
    `ConfigError` for names that cannot be.
    """

    def check(self, *, deep: bool = True) -> list[Finding]:
        """What is wrong with the vault: the database's own check, then sealed records are opened.

        Args:
            deep: every record, history, files and credentials included; else sessions, and the current version of each part.
        """
        found = list(check.check_store(self._store()))
        if not self._read(lambda transaction: transaction.rows("vault") or transaction.rows("any_sealed")):
            return found  # nothing was ever sealed: no key to look for, and none to make
        try:
            return found + self._read_sealed(lambda transaction, unlocked: check.check_records(transaction, unlocked, deep=deep))
        except VaultUnavailable as error:
            return [*found, Finding(self.where, f"cannot be read to the end: {error}", "restore a backup")]


def export_key(vault: Vault) -> str:
    """The vault's master key as base64url: a secret that opens everything in it, on any machine, as `HANDSTAMP_KEY`."""
    return vault._unlock().key.text()  # noqa: SLF001  (one face, kept off the class so that nobody prints it by accident)


def key_record(vault: Vault) -> KeyRecord:
    """What the vault records of its key: id and source, no secret. Opens the vault with the key, which thereby is seen to be right."""
    return vault._unlock().record  # noqa: SLF001  (beside `export_key`)
