"""Saves what a live context or a check changed, and sees when the site has ended the login by it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.sites.bearer import bearer_token, origin_of
from handstamp.sites.conditions import fits
from handstamp.sites.expiry import auth_cookies
from handstamp.state import Health, PartId, PartKind, merge_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.sites import Site
    from handstamp.sites.recipe import Recipe
    from handstamp.state import Entry, Session, StorageState
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
        """Save; durable when it returns. Before an observed logout is saved, the versions that were good are pinned.

        Raises:
            LeaseLost: somebody else holds the profile now.
            Conflict: what was changed has been forgotten meanwhile.
        """
        for site in self.keep(changes):
            _log.info("%s ended the login of profile '%s'", site.name, self._profile)
            self._vault.update_session(self._profile, site.name, _expired, lease=self._lease)
            self._vault.record_event("logged-out", profile=self._profile, site=site.name, data={"why": "what carried the login was deleted in the browser"})

    def keep(self, changes: StorageState) -> list[Site]:
        """Save and pin as a call does, and leave it to the caller to say what it means, such as by a verdict.

        Returns:
            The sites whose login these changes end.
        """
        ended = [site for site in self._sites if self._ends_login(changes, site)]
        for site in ended:
            self._pin(site)
        self._vault.save(self._profile, changes, lease=self._lease)
        return ended

    def _ends_login(self, changes: StorageState, site: Site) -> bool:
        """Whether these changes log out; looked up in the vault only where they delete something that carries a login."""
        if not any(entry.deleted for entry in _carriers(changes, site.recipe)) or self._vault.session(self._profile, site.name) is None:
            return False
        return logged_out(self._vault.load(self._profile, domains=site.domains), changes, site.recipe, now=datetime.now(UTC))

    def _pin(self, site: Site) -> None:
        """Keep what is there for going back, unless it is known to be dead: that would take the place of what was good."""
        session = self._vault.session(self._profile, site.name)
        if session is not None and session.health is not Health.EXPIRED:
            self._vault.pin(self._profile, domains=site.domains, lease=self._lease)


def logged_out(before: StorageState, changes: StorageState, recipe: Recipe, *, now: datetime) -> bool:
    """Whether these changes end a login: before there was something that carries it, and after them there is not.

    Cookies decide where the recipe names any (a site that deletes them may leave a dead token behind), else the token that
    the page keeps. Without either nothing tells.

    Args:
        before: what is saved of the site.
        changes: observed in a browser.
        recipe: of the site.
        now: aware.
    """
    return _carried(before, recipe, now) and not _carried(merge_states(before, changes), recipe, now)


def _carried(state: StorageState, recipe: Recipe, now: datetime) -> bool:
    if recipe.session.auth_cookies:
        return any(not cookie.expired(now.timestamp()) for cookie in auth_cookies(state, recipe))
    return bearer_token(state, recipe, now=now) is not None


def _carriers(changes: StorageState, recipe: Recipe) -> Iterator[Entry]:
    """Changed entries that may carry the login, by name alone."""
    rules = recipe.session
    bearer = rules.bearer
    cookies = (*rules.auth_cookies, *((bearer.cookie,) if bearer and bearer.cookie else ()))
    for part in changes.of_kind(PartKind.COOKIES):
        yield from (entry for key, entry in part.entries.items() if any(fits(pattern, key[2]) for pattern in cookies))
    if bearer is not None and not bearer.cookie:
        kind, name = (PartKind.LOCAL, bearer.local_storage) if bearer.local_storage else (PartKind.SESSION, bearer.session_storage)
        stored = changes.parts.get(PartId(kind, origin_of(recipe.base_url)))
        yield from (entry for key, entry in (stored.entries.items() if stored else ()) if key[-1] == name)


def _expired(session: Session) -> Session:
    return replace(session, health=Health.EXPIRED, needs_refresh=True)
