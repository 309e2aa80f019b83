"""Calls about backups: making one, looking into one, putting one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp._version import __version__
from handstamp.errors import ConfigError, LeaseHeld, SealBroken
from handstamp.home import writing_private
from handstamp.vault import events
from handstamp.vault.face.access import Access
from handstamp.vault.leases import Standing, take
from handstamp.vault.model import instant

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.vault.backup import Backup, Contents
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


class BackupCalls(Access):
    """Backups."""

    def backup(self, path: Path) -> Backup:
        """Write everything that the vault holds at one moment to a file, while others read and write. It needs no key and holds none.

        The file is readable for its owner only, and takes its place when it is whole. What is sealed stays sealed. Leases, and
        what sites are asking just now, are not in it.

        Args:
            path: the file; an earlier backup there is replaced.

        Raises:
            ConfigError: something else than a backup is there, it cannot be written, or the vault is empty.
        """
        from handstamp.vault import backup_file  # noqa: PLC0415  (see `Access._unlock`)

        try:
            if path.is_dir() or (path.exists() and not backup_file.is_backup(path)):
                raise ConfigError(f"{path} is there and no backup; name another file")
            return self._read(lambda transaction: self._dump(transaction, path))
        except OSError as error:
            raise ConfigError(f"the backup {path} cannot be written: {error.strerror}; name another file. No backup was made") from None

    def _dump(self, transaction: Transaction, path: Path) -> Backup:
        from handstamp.vault import backup, backup_file  # noqa: PLC0415
        from handstamp.vault.unlock import read_known  # noqa: PLC0415

        known = read_known(transaction)
        if known is None:
            raise ConfigError(f"the vault {self.where} is empty: there is nothing to back up")
        facts = {"vault_id": known.vault_id.hex(), "key_id": known.current.record.key_id, "made_at": transaction.now()}
        with writing_private(path) as file:
            rows = backup_file.write(file, facts | {"handstamp": __version__}, backup.rows_of(transaction))
        return backup.Backup(known.vault_id.hex(), known.current.record.key_id, instant(transaction.now()), rows)

    def verify_backup(self, path: Path) -> Backup:
        """Read a backup to its end, open every record in it, and change nothing.

        Raises:
            UnreadableState: it is no backup, damaged or not whole.
            UnsupportedVersion: a newer handstamp made it.
            KeyMissing: its key is not to be had.
        """
        return self._verified(path).facts

    def restore(self, path: Path, *, replace: bool = False, merge: bool = False, accept_damage: bool = False) -> Backup:
        """Put a backup into the vault, after all of it was verified, in one transaction: whole or not at all.

        Args:
            path: the file.
            replace: also into a vault that holds something, which is lost then. Programs that have it open go on with what is
                in the backup.
            merge: into the vault that the backup was made of: what it lacks comes back, what is newer in it stays.
            accept_damage: also when records in the backup do not open, because they were damaged when it was made.

        Raises:
            ConfigError: the vault is not empty, and neither was said; or it is another one, and `merge` was.
            LeaseHeld: `replace`, and somebody works with a profile of the vault now.
            SealBroken: records in the backup do not open.
            UnreadableState, UnsupportedVersion, KeyMissing: see `verify_backup`.
        """
        from handstamp.vault import backup  # noqa: PLC0415  (see `Access._unlock`)

        if replace and merge:
            raise ConfigError("a backup either replaces what is there or is merged with it; say one of the two")
        contents = self._verified(path)
        if contents.facts.damaged and not accept_damage:
            first = contents.facts.damaged[0]
            raise SealBroken(f"{len(contents.facts.damaged)} records of the backup {path} do not open, the first: {first}. Use another one, or accept that")
        if merge and not self._is_empty():
            self._merge(contents, path)
            return contents.facts

        def replacing(transaction: Transaction) -> None:
            if not replace:
                self._refuse_full(transaction)
            _refuse_held(transaction)
            backup.put_back(transaction, path)
            events.record(transaction, "restored", data={"made_at": contents.facts.made_at.isoformat(), "vault": contents.facts.vault_id})

        self._write(replacing)
        with self._lock:
            self._unlocked_once = contents.unlocked
        return contents.facts

    def _merge(self, contents: Contents, path: Path) -> None:
        from handstamp.vault import backup  # noqa: PLC0415

        def merging(transaction: Transaction, unlocked: Unlocked) -> None:
            if unlocked.vault_id != contents.unlocked.vault_id:
                raise ConfigError(f"the backup {path} is of another vault than {self.where}; restore it into an empty one (`--vault`)")
            if unlocked.record.key_id != contents.unlocked.record.key_id:
                raise ConfigError(f"the backup {path} was made before the vault's key was rotated; restore it into an empty vault (`--vault`)")
            changed = backup.merge_in(transaction, contents, path, keep=self._settings().history_versions)
            events.record(transaction, "restored", data={"made_at": contents.facts.made_at.isoformat(), "merged": changed})

        self._write_sealed(merging)

    def _verified(self, path: Path) -> Contents:
        from handstamp.vault import backup  # noqa: PLC0415

        return backup.verify(path, self._home(), given=self._key_given)

    def _is_empty(self) -> bool:
        return not self._read(_holds_something)

    def _refuse_full(self, transaction: Transaction) -> None:
        if _holds_something(transaction):
            raise ConfigError(f"the vault {self.where} is not empty: say `--replace` to lose what is there, or `--merge`. Nothing was changed")


def _holds_something(transaction: Transaction) -> bool:
    return bool(transaction.rows("any_sealed") or transaction.rows("profile_names") or transaction.rows("archived_sessions", limit=1))


def _refuse_held(transaction: Transaction) -> None:
    for lease in take.held(transaction):
        if lease.standing in {Standing.ALIVE, Standing.FRESH}:
            what = f"profile '{lease.profile}' is held by {lease.holder} since {lease.since:%Y-%m-%d %H:%M:%SZ}"
            remedy = "end that program first, or run `handstamp lock --break`"
            raise LeaseHeld(f"{what}; {remedy}. Nothing was changed", holder=str(lease.holder), since=lease.since)
