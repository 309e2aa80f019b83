"""Calls about storage state: loading, saving, forgetting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.state import StorageState
from handstamp.vault import events, forget, names, save
from handstamp.vault.company import COMPANY
from handstamp.vault.face.access import Access, see_whose
from handstamp.vault.model import SaveResult
from handstamp.vault.parts import Parts, expected_at_load, expected_at_save, find_profile, listed_profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state import Part, PartId
    from handstamp.vault.leases import Lease
    from handstamp.vault.parts import Damage
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


class StateCalls(Access):
    """Loading, saving, forgetting."""

    def profiles(self) -> list[str]:
        """Names of the profiles that hold something."""
        return [str(name) for (name,) in self._read(lambda transaction: transaction.rows("profile_names"))]

    def epoch(self, profile: str) -> int:
        """How often something of the profile was forgotten; what new changes must carry (see `StorageState.epoch`)."""
        name = names.profile_name(profile)
        found = self._read(lambda transaction: find_profile(transaction, name))
        return found.epoch if found else 0

    def load(self, profile: str, *, domains: Iterable[str] | None = None) -> StorageState:
        """The profile's storage state, empty for one that does not exist. Without a browser's own files: see `pieces`.

        A part whose current version is damaged comes from its last version that opens, with an error in the log and a
        `part-damaged` event.

        Args:
            profile: its name.
            domains: only what belongs to these domains, their subdomains, and what parent domains send to them.

        Raises:
            SealBroken: a part has no version that opens; other domains can still be loaded.
        """
        wanted = None if domains is None else tuple(domains)
        name = names.profile_name(profile)

        def ahead(transaction: Transaction, _: Unlocked) -> None:
            known = self._profile_ids.get(name) if wanted is None else None
            transaction.expect(lambda: expected_at_load(name, known), all_of_it=known is not None)

        def loading(transaction: Transaction, unlocked: Unlocked) -> tuple[StorageState, list[Damage]]:
            if (found := find_profile(transaction, name)) is None:
                return StorageState(), []
            self._profile_ids[name] = found.profile_id
            parts = Parts(transaction, unlocked, found)
            return parts.load(wanted), parts.damages

        state, damages = self._read_sealed(loading, ahead=ahead)
        self._report(damages)
        return state

    def pieces(self, profile: str, wanted: Iterable[PartId]) -> list[Part]:
        """Some parts as they are now, by name; of a browser's files the only way to get them. What is not there is left out.

        Raises:
            SealBroken: one of them has no version that opens.
        """
        name, names_of_parts = names.profile_name(profile), list(wanted)

        def looking(transaction: Transaction, unlocked: Unlocked) -> tuple[list[Part], list[Damage]]:
            if (found := find_profile(transaction, name)) is None:
                return [], []
            parts = Parts(transaction, unlocked, found)
            heads = [head for part_id in names_of_parts if (head := parts.head(part_id)) is not None]
            return [parts.current(head) for head in heads], parts.damages

        read, damages = self._read_sealed(looking)
        self._report(damages)
        return read

    def save(self, profile: str, changes: StorageState, *, lease: Lease | None = None) -> SaveResult:
        """Merge changes into the profile; durable at return. Costs what `changes` holds, whatever else there is.

        Args:
            profile: its name; it is made when missing.
            changes: the changed entries, with the epoch of the state that they came from.
            lease: the caller's open lease, if it has one; the write is refused when it is lost.

        Raises:
            Conflict: something of `changes` was forgotten after their epoch.
            LeaseLost: the lease is no longer the caller's.
            SealBroken: what is there of a part does not open in any version, so nothing can be merged with it.
        """
        name = names.profile_name(profile)
        see_whose(lease, name)

        def ahead(transaction: Transaction, unlocked: Unlocked) -> None:
            transaction.expect(lambda: expected_at_save(unlocked.index, name, self._profile_ids.get(name), changes))

        def saving(transaction: Transaction, unlocked: Unlocked) -> tuple[SaveResult, list[Damage]]:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is not None:
                save.refuse_forgotten(transaction, unlocked, found, changes)
            if not any(part.entries for part in changes.parts.values()):
                return SaveResult((), found.epoch if found else 0), []
            profile_row = found if found and found.listed else listed_profile(transaction, name)
            if found is None:  # maybe made, and forgotten, in between
                save.refuse_forgotten(transaction, unlocked, profile_row, changes)
            self._profile_ids[name] = profile_row.profile_id
            parts = Parts(transaction, unlocked, profile_row)
            return save.save(parts, changes, keep=self._settings().history_versions), parts.damages

        result, damages = self._write_sealed(saving, ahead=ahead)
        self._report(damages)
        if result.written:
            COMPANY.tell(self.where, name)
        return result

    def forget_files(self, profile: str, *, lease: Lease | None = None) -> None:
        """Remove a browser's own files from the profile; its state stays.

        Raises:
            LeaseLost: `lease` is given, and no longer the caller's.
        """
        name = names.profile_name(profile)
        see_whose(lease, name)

        def forgetting(transaction: Transaction, unlocked: Unlocked) -> None:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is not None:
                Parts(transaction, unlocked, found).drop_files()

        self._write_sealed(forgetting)

    def forget(self, profile: str, *, domain: str | None = None) -> int:
        """Remove a profile with its sessions and history, or what belongs to one domain from all versions of its parts.

        Who still has something of it open cannot save it back: the profile's epoch rises, and saves of what was
        forgotten under an earlier one raise `Conflict`. The event log stays.

        Returns:
            The profile's new epoch.
        """
        name = names.profile_name(profile)

        def forgetting(transaction: Transaction, unlocked: Unlocked | None = None) -> int:
            if (found := find_profile(transaction, name)) is None:
                return 0
            events.record(transaction, "forget", profile=name, data={"whole": domain is None})
            if domain is None or unlocked is None:
                return forget.forget_profile(transaction, found)
            return forget.forget_domain(transaction, unlocked, Parts(transaction, unlocked, found), domain)

        return self._write(forgetting) if domain is None else self._write_sealed(forgetting)
