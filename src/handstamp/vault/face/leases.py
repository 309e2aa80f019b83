"""Calls about leases: taking, looking, breaking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.vault import names
from handstamp.vault.face.access import Access
from handstamp.vault.leases import Place, Purpose, queue, take

if TYPE_CHECKING:
    import threading

    from handstamp.vault.leases import Lease, LeaseInfo
    from handstamp.vault.store import Transaction

LEASE_LIFE = 30.0


class LeaseCalls(Access):
    """Leases of profiles and of logins."""

    def lease(
        self,
        profile: str,
        *,
        wait: float = 0.0,
        site: str | None = None,
        life: float = LEASE_LIFE,
        purpose: str = "open",
        given_up: threading.Event | None = None,
    ) -> Lease:
        """Take the right to write a profile, or to log it in at a site; release it by leaving its `with`.

        Args:
            profile: its name.
            wait: seconds to wait while somebody else has it.
            site: for the purpose `login`.
            life: seconds that a sign of life of ours counts for those who cannot look at this process.
            purpose: `open`, for the whole profile, or `login`, for a site.
            given_up: set by another thread to end the waiting before its time.

        Raises:
            LeaseHeld: somebody else has it still; names who and since when.
        """
        return take.acquire(self._store(), _place(profile, purpose, site), wait=wait, life=life, given_up=given_up)

    def lease_info(self, profile: str, *, site: str | None = None, purpose: str = "open") -> LeaseInfo | None:
        """Who holds a lease; None when nobody does."""
        place = _place(profile, purpose, site)
        return self._read(lambda transaction: take.info(transaction, place))

    def leases(self) -> list[LeaseInfo]:
        """All leases that somebody holds."""
        return self._read(take.held)

    def waited_for(self) -> set[str]:
        """The profiles whose open lease somebody waits for; also those that wait no longer, for some seconds."""

        def looking(transaction: Transaction) -> set[str]:
            return {str(profile) for (profile,) in transaction.rows("waited_for", after=transaction.now() - queue.PATIENCE)}

        return self._read(looking)

    def break_lease(self, profile: str, *, reason: str, site: str | None = None, purpose: str = "open") -> LeaseInfo | None:
        """Free a lease whoever holds it; the holder's later writes are refused. The reason goes to the event log.

        Returns:
            Whom it was taken from, None when nobody had it.
        """
        place = _place(profile, purpose, site)
        return self._write(lambda transaction: take.break_open(transaction, place, reason))


def _place(profile: str, purpose: str, site: str | None) -> Place:
    names.profile_name(profile)
    if purpose not in set(Purpose):
        raise ValueError(f"a lease is for 'open' or 'login', not for {purpose!r}")
    if (purpose == Purpose.LOGIN) != (site is not None):
        raise ValueError("a lease for 'login' names the site, one for 'open' does not")
    return Place(profile, Purpose(purpose), names.site_name(site) if site is not None else "")
