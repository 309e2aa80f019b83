"""What all calls of a `ProfileManager` stand on: how they are run, what a `domain` selects, how a context's state is saved."""

from __future__ import annotations

import logging
import secrets
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.browser import now
from handstamp.browser.own_context import Seen, changes_in, found_cookies, storage_changes
from handstamp.home import home
from handstamp.managers.caller import Caller, Waiting, checked
from handstamp.managers.values import ProfileManagerConfig
from handstamp.sites import site_at
from handstamp.state import Clock, Entry, Part, StorageState, emptied, host_of, live_entries, of_kinds, select
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page

    from handstamp.sites import Site
    from handstamp.state import PartKind
    from handstamp.vault import Lease

_log = logging.getLogger(__name__)


class Jars:
    """Profiles in a vault, and the contexts that were served from them; for the arguments see `ProfileManager`."""

    _caller: Caller = Waiting()

    def __init__(self, config: ProfileManagerConfig | None = None, *, vault: Vault | None = None) -> None:
        self.config = config or ProfileManagerConfig()
        self.vault = vault or Vault()
        self._clock = Clock(secrets.token_hex(6))
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._seen: weakref.WeakKeyDictionary[Any, dict[str, Seen]] = weakref.WeakKeyDictionary()

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await now(self._caller.blocking(call))

    async def _load(self, profile_name: str, *domains: str | None) -> StorageState:
        """The profile; of these domains or names of sites only, if there are any."""
        wanted = [domain for domain in domains if domain is not None]
        within_these = {one for domain in wanted for one in self._domains(domain)} if wanted else None
        state: StorageState = await self._run(partial(self.vault.load, profile_name, domains=within_these))
        return state

    async def _save(self, profile_name: str, changes: StorageState) -> None:
        await self._run(partial(self.vault.save, profile_name, changes, lease=self._leases.get(profile_name)))

    async def _save_cookies(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        """How many cookies of the page's context were saved."""
        if not self.config.enable_cookie_persistence:
            return self._switched_off("cookies", profile_name)
        context = checked(self._caller, page).context
        state = await self._load(profile_name)
        found = await found_cookies(context, state)
        return await self._save_found(profile_name, context, state, found, domain)

    async def _save_found(self, profile_name: str, context: Any, state: StorageState, found: Any, domain: str | None) -> int:
        wanted = None if domain is None else self._domains(domain)
        there = select(StorageState.of(Part(part_id, {key: Entry(value) for key, value in values.items()}) for part_id, values in found.items()), wanted)
        chosen = {part_id: {key: found[part_id][key] for key in part.entries} for part_id, part in there.parts.items()}
        await self._save(profile_name, changes_in(state, chosen, self._seen_in(context, profile_name), self._clock))
        return live_entries(there)

    async def _save_all(self, profile_name: str, page: Any, *, cookies: bool = True) -> None:
        if cookies:
            await self._save_cookies(profile_name, page)
        if self.config.enable_localstorage_persistence:
            state = await self._load(profile_name)
            await self._save(profile_name, await storage_changes(page, state, self._seen_in(page.context, profile_name), self._clock))

    def _clear(self, profile_name: str, domain: str | None, kind: PartKind) -> int:
        state = select(self.vault.load(profile_name), None if domain is None else self._domains(domain))
        chosen = of_kinds(state, kind)
        self.vault.save(profile_name, emptied(chosen, self._clock), lease=self._leases.get(profile_name))
        return live_entries(chosen)

    def _seen_in(self, context: Any, profile_name: str) -> Seen:
        return self._seen.setdefault(context, {}).setdefault(profile_name, Seen())

    def _switched_off(self, what: str, profile_name: str) -> int:
        _log.debug("%s of profile '%s' are neither saved nor restored: switched off in ProfileManagerConfig", what, profile_name)
        return 0

    def _site(self, domain: str, url: str = "") -> Site:
        return site_at(domain, url=url, home=home())

    def _domains(self, domain: str, site: Site | None = None) -> tuple[str, ...]:
        """What a `domain` argument selects: a site's name its domains, a domain itself (with its site's, if that is given)."""
        if site is not None:
            return tuple(dict.fromkeys([*self._domains(domain), *site.domains]))
        if "." not in domain and (named := self._site(domain)).name == domain and named.can_check:
            return named.domains
        return (host_of(domain) or domain.lower().lstrip("."),)
