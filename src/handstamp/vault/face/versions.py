"""Calls about versions: what is kept, going back, pinning what was good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.vault import events, history, names
from handstamp.vault.face.access import Access, see_whose
from handstamp.vault.model import SaveResult, maybe_milliseconds, milliseconds
from handstamp.vault.parts import Parts, find_profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from handstamp.vault.leases import Lease
    from handstamp.vault.model import PartChange, Version
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


class VersionCalls(Access):
    """History, rollback, pins."""

    def history(self, profile: str) -> list[Version]:
        """The kept versions of all parts of a profile, the newest first."""
        name = names.profile_name(profile)

        def looking(transaction: Transaction, unlocked: Unlocked) -> list[Version]:
            found = find_profile(transaction, name)
            return history.history(transaction, Parts(transaction, unlocked, found)) if found else []

        return self._read_sealed(looking)

    def diff(self, profile: str, *, since: datetime | None = None, until: datetime | None = None) -> list[PartChange]:
        """What changed of a profile's parts between two times: names, never values.

        Args:
            profile: its name.
            since: an aware datetime; None for what the last change of each part did.
            until: an aware datetime; None for now.

        Raises:
            ConfigError: of some part no version is kept from one of these times.
            ValueError: a time has no time zone.
        """
        name, begin, end = names.profile_name(profile), maybe_milliseconds(since), maybe_milliseconds(until)

        def looking(transaction: Transaction, unlocked: Unlocked) -> list[PartChange]:
            found = find_profile(transaction, name)
            return history.diff(Parts(transaction, unlocked, found), begin, end) if found else []

        return self._read_sealed(looking)

    def rollback(self, profile: str, *, to: datetime, lease: Lease | None = None) -> SaveResult:
        """Bring a profile back to what it was at `to`, as new versions: going back can be undone by going back.

        Args:
            profile: its name.
            to: an aware datetime.
            lease: the caller's open lease, if it has one; see `save`.

        Raises:
            ConfigError: no version that old is kept of some part.
            LeaseLost: `lease` is given, and no longer the caller's.
            ValueError: `to` has no time zone.
        """
        name, moment = names.profile_name(profile), milliseconds(to)
        see_whose(lease, name)

        def rolling(transaction: Transaction, unlocked: Unlocked) -> SaveResult:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is None:
                return SaveResult()
            result = history.rollback(Parts(transaction, unlocked, found), moment, self._clock, keep=self._settings().history_versions)
            events.record(transaction, "rollback", profile=name, data={"to": to.isoformat(), "parts": len(result.written)})
            return result

        return self._write_sealed(rolling)

    def pin(self, profile: str, *, domains: Iterable[str] | None = None, lease: Lease | None = None) -> None:
        """Keep the current versions for rollback, however many come after; in place of those pinned before.

        For when a session was just found valid.

        Args:
            profile: its name.
            domains: only of the parts that may hold something of these; None for all.
            lease: the caller's open lease, if it has one; see `save`.

        Raises:
            LeaseLost: `lease` is given, and no longer the caller's.
        """
        name, wanted = names.profile_name(profile), None if domains is None else tuple(domains)
        see_whose(lease, name)

        def pinning(transaction: Transaction, unlocked: Unlocked) -> None:
            if lease is not None:
                lease.check(transaction)
            if (found := find_profile(transaction, name)) is not None:
                history.pin(transaction, Parts(transaction, unlocked, found), wanted)

        self._write_sealed(pinning)
