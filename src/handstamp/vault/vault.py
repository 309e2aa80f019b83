"""The vault as programs see it: every method is one transaction of the modules beside, by subject in `face/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.vault import check
from handstamp.vault.face.keeping import KeepingCalls
from handstamp.vault.face.keys import KeyCalls
from handstamp.vault.face.leases import LeaseCalls
from handstamp.vault.face.records import RecordCalls
from handstamp.vault.face.sessions import SessionCalls
from handstamp.vault.face.state import StateCalls
from handstamp.vault.face.versions import VersionCalls

if TYPE_CHECKING:
    from handstamp.home import Finding
    from handstamp.vault.keys import KeyRecord


class Vault(StateCalls, VersionCalls, SessionCalls, LeaseCalls, RecordCalls, KeepingCalls, KeyCalls):
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

    def check(self) -> list[Finding]:
        """Everything that is wrong with the vault: the database's own check, then every sealed record is opened."""
        found = list(check.check_store(self._store()))
        with self._store().read() as transaction:
            if not transaction.rows("vault") and not transaction.rows("any_sealed"):
                return found  # nothing was ever sealed: no key to look for, and none to make
        return found + check.check_records(self._store(), self._unlock())


def export_key(vault: Vault) -> str:
    """The vault's master key as base64url: a secret that opens everything in it, on any machine, as `HANDSTAMP_KEY`."""
    return vault._unlock().key.text()  # noqa: SLF001  (one face, kept off the class so that nobody prints it by accident)


def key_record(vault: Vault) -> KeyRecord:
    """What the vault records of its key: id and source, no secret. Opens the vault with the key, which thereby is seen to be right."""
    return vault._unlock().record  # noqa: SLF001  (beside `export_key`)
