"""Who holds a profile: the exclusive open lease, as the managers' locks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handstamp.errors import LeaseHeld
from handstamp.managers.jars import Jars
from handstamp.managers.values import LockInfo
from handstamp.vault import Standing

if TYPE_CHECKING:
    from handstamp.vault import Lease, LeaseInfo

_log = logging.getLogger(__name__)
_ALIVE = {Standing.ALIVE, Standing.FRESH, Standing.MINE}


class LockCalls(Jars):
    """Locks of profiles."""

    def acquire_profile_lock(self, profile_name: str) -> bool:
        """Whether this manager holds the profile now: it did already, or nobody else does.

        A live holder keeps it however old the lock is; a dead one's is taken at once. Released at the process's end. While it is
        held, what this manager saves is refused if somebody has broken the lock.
        """
        if not self.config.enable_profile_locking:
            return True
        with self._lock:
            held = self._leases.get(profile_name)
            if held is not None and held.lost is None and self._is_ours(held):
                return True
            try:
                self._leases[profile_name] = self.vault.lease(profile_name, life=self.config.lock_timeout_seconds)
            except LeaseHeld as error:
                _log.info("%s", error)
                return False
            return True

    def release_profile_lock(self, profile_name: str, *, force: bool = False) -> None:
        """Let go of the profile.

        Args:
            profile_name: the jar.
            force: also when another holds it; what they save from then on is refused.
        """
        with self._lock:
            if (held := self._leases.pop(profile_name, None)) is not None:
                held.release()
        if force:
            self.vault.break_lease(profile_name, reason="released by force")

    def lock_info(self, profile_name: str) -> LockInfo | None:
        """Who holds the profile; None when nobody does."""
        found = self.vault.lease_info(profile_name)
        return LockInfo(found.holder.pid, found.holder.host, found.since, found.beat_at, found.standing in _ALIVE) if found else None

    def _is_ours(self, lease: Lease) -> bool:
        found: LeaseInfo | None = self.vault.lease_info(lease.profile)
        return found is not None and found.token == lease.token
