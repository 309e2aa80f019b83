"""Saves what a live context or a check changed, and sees when the site has ended the login by it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from handstamp.state import Health, PartKind

if TYPE_CHECKING:
    from handstamp.sites import Site
    from handstamp.state import Session, StorageState
    from handstamp.vault import Lease, Vault

_log = logging.getLogger(__name__)


class Saver:
    """Callable with changes, blocking, safe to call from any one thread at a time.

    Args:
        vault: where to.
        profile: whose.
        sites: whose logins the state carries.
        lease: the exclusive open lease, whose fencing token goes with every write; None for a shared opening.
    """

    def __init__(self, vault: Vault, profile: str, *sites: Site, lease: Lease | None = None) -> None:
        self._vault = vault
        self._profile = profile
        self._sites = sites
        self._lease = lease

    def __call__(self, changes: StorageState) -> None:
        """Save; durable when it returns.

        Raises:
            LeaseLost: somebody else holds the profile now.
            Conflict: what was changed has been forgotten meanwhile.
        """
        self._vault.save(self._profile, changes, lease=self._lease)
        for site in self._sites:
            if logged_out(changes, site) and self._vault.session(self._profile, site.name):
                _log.info("%s ended the login of profile '%s'", site.name, self._profile)
                self._vault.update_session(self._profile, site.name, _expired)
                self._vault.record_event("logged-out", profile=self._profile, site=site.name, data={"why": "the site deleted its login cookies"})


def logged_out(changes: StorageState, site: Site) -> bool:
    """Whether these changes delete a cookie that carries the login, and set no such cookie."""
    names = frozenset(site.recipe.session.auth_cookies)
    entries = [entry for part in changes.of_kind(PartKind.COOKIES) for key, entry in part.entries.items() if key[2] in names]
    return any(entry.deleted for entry in entries) and all(entry.deleted for entry in entries)


def _expired(session: Session) -> Session:
    return replace(session, health=Health.EXPIRED, needs_refresh=True)
