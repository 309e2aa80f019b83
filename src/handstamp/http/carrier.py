"""What an HTTP client carries of a profile: the cookies that go with a request, what answers change, and saving behind.

One carrier serves one client. Cookies are read from the vault by registrable domain, when a request first goes there, and looked
at again when another member of this process has saved, or after `LOOK_EVERY` seconds. Changes are saved `SAVE_AFTER` seconds
behind, those that carry a login (and all, while others in this process have the profile open) before the answer is handed on.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import Conflict, VaultError
from handstamp.state import (
    Cookie,
    Part,
    PartId,
    PartKind,
    StorageState,
    cookie_header,
    cookie_scope,
    cookies_to_send,
    merge,
    observed,
    set_cookie,
    store,
)
from handstamp.state.cookie_match import target
from handstamp.vault.company import COMPANY
from handstamp.vault.forks import tell_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from handstamp.state import Clock, Entry, Key
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
LOOK_EVERY = 0.5
"""Seconds after which a request looks whether another process has changed the profile. A look costs a fraction of a millisecond."""
SAVE_AFTER = 1.0
"""Seconds that changes gather before they are saved together."""
_GATEWAY = frozenset({502, 503, 504})
_URLS_KEPT = 256


@dataclass(frozen=True, slots=True)
class _Sent:
    """What goes to one URL, until a time (seconds since the epoch)."""

    header: str = field(repr=False)
    carriers: dict[Key, str] = field(repr=False)
    until: float


class Carrier:
    """One client's share of a profile. Safe across threads.

    Args:
        vault: where the profile is.
        profile: its name.
        clock: stamps what answers change.
        items: storage parts to carry besides cookies: where tokens are kept.
        carries: whether a cookie of this name carries the login; such a change is saved at once.
        save: keeps changes, durable at return; by default the vault's own `save`.
    """

    def __init__(
        self,
        vault: Vault,
        profile: str,
        *,
        clock: Clock,
        items: Iterable[PartId] = (),
        carries: Callable[[str], bool] = lambda _: False,
        save: Callable[[StorageState], object] | None = None,
    ) -> None:
        self._vault = vault
        self._profile = profile
        self._clock = clock
        self._carries = carries
        self._save = save or (lambda changes: vault.save(profile, changes))
        self._parts: dict[PartId, Part] = {part_id: Part(part_id, {}) for part_id in items}
        self._unsaved: dict[PartId, dict[Key, Entry]] = {}
        self._jars: dict[str, dict[Key, Cookie]] = {}
        self._sent: dict[str, _Sent] = {}
        self._epoch = 0
        self._version = 0
        self._looked_at = -1.0
        self._told = bool(self._parts)
        self._urgent = False
        self._where: str | None = None
        self._timer: threading.Timer | None = None
        self._fresh_locks()
        tell_after_fork(self)
        _open.add(self)

    def _fresh_locks(self) -> None:
        self._lock = threading.RLock()  # over what is in memory
        self._vault_lock = threading.Lock()  # one look or save at a time

    def forked(self) -> None:
        """In a child: what the parent has not saved, the parent saves."""
        self._fresh_locks()
        self._unsaved, self._timer, self._where = {}, None, None
        self._looked_at = -1.0

    # -- reading ------------------------------------------------------------------------------------------------

    def must_look(self, url: str) -> bool:
        """Whether `look` should come before a request to `url`."""
        if self._told or _scope(url) not in self._jars or time.monotonic() - self._looked_at > LOOK_EVERY:
            return True
        return bool(self._where is not None and COMPANY.others(self._where, self._profile, self))

    def look(self, url: str | None = None, *, settle: bool = True) -> None:
        """Take up what others have saved. Blocking.

        Args:
            url: of a request, whose cookies are read if they are not known yet.
            settle: let others of this process save first what they have not saved yet.

        Raises:
            VaultError: the vault cannot be read.
        """
        self._join()
        if settle:
            for other in COMPANY.others(self._where or "", self._profile, self):
                other.settle()
        with self._vault_lock:
            self._told = False
            with self._lock:
                wanted = set(self._parts)
            if url is not None:
                wanted.add(PartId(PartKind.COOKIES, _scope(url)))
            epoch = self._vault.epoch(self._profile)  # read first: an older one can only make a save too careful
            found = {part.id: part for part in self._vault.pieces(self._profile, wanted)}
            with self._lock:
                self._take_up(epoch, found, wanted)
            self._looked_at = time.monotonic()

    def _take_up(self, epoch: int, found: Mapping[PartId, Part], wanted: Iterable[PartId]) -> None:
        for part_id in wanted:
            theirs = found.get(part_id, Part(part_id, {}))
            if (mine := self._unsaved.get(part_id)) and epoch == self._epoch:
                theirs = merge(theirs, Part(part_id, mine))
            if self._parts.get(part_id) != theirs or part_id not in self._parts:
                self._parts[part_id] = theirs
                self._changed(part_id)
        if epoch != self._epoch:
            self._unsaved.clear()  # something was forgotten: what rests on the state before may not come back
            self._epoch = epoch

    def _join(self) -> None:
        if self._where is None:
            self._where = self._vault.where
            COMPANY.join(self._where, self._profile, self)

    def _changed(self, part_id: PartId) -> None:
        self._version += 1
        self._sent = {}
        if part_id.kind is PartKind.COOKIES:
            self._jars[part_id.scope] = self._parts[part_id].live()

    @property
    def version(self) -> int:
        """Grows with every change of what is carried."""
        return self._version

    def state(self) -> StorageState:
        """All that is carried now, with what is not saved yet."""
        with self._lock:
            return StorageState.of(self._parts.values(), epoch=self._epoch)

    def cookie_header(self, url: str, *, now: float) -> str:
        """The value of the Cookie header for a request; empty when none goes along.

        Args:
            url: of the request, whose cookies have been looked at.
            now: seconds since the epoch.
        """
        return self._to_send(url, now).header

    def carriers(self, url: str) -> Mapping[Key, str]:
        """The cookies that carry the login and go to `url` now, by key."""
        return self._to_send(url, time.time()).carriers

    def _to_send(self, url: str, now: float) -> _Sent:
        """Reckoned once for each URL, until the jar changes or a cookie ends."""
        known = self._sent.get(url)
        if known is not None and now < known.until:
            return known
        with self._lock:
            jar = self._jars.get(_scope(url), {})
            cookies = cookies_to_send(jar.values(), url, now=now)
            until = min((cookie.expires for cookie in jar.values() if cookie.expires and cookie.expires > now), default=now + 3600)
            made = _Sent(cookie_header(cookies), {cookie.key: cookie.value for cookie in cookies if self._carries(cookie.name)}, until)
            if len(self._sent) >= _URLS_KEPT:
                self._sent = {}
            self._sent[url] = made
            return made

    # -- changes ------------------------------------------------------------------------------------------------

    def take_answer(self, url: str, status: int, lines: Iterable[str], *, now: float, deletes: bool = True) -> None:
        """Keep what an answer sets, as a browser would.

        A gateway that answers in the site's stead sets nothing, and a server in trouble deletes nothing.

        Args:
            url: that answered.
            status: of the answer.
            lines: its Set-Cookie lines.
            now: seconds since the epoch.
            deletes: whether it is believed when it takes a cookie away.
        """
        if status in _GATEWAY:
            return
        for line in lines:
            cookie = set_cookie(line, url, now=now)
            if cookie is None or ((status >= 500 or not deletes) and cookie.expired(now)):
                continue
            with self._lock:
                self._keep(cookie, url, now)

    def _keep(self, cookie: Cookie, url: str, now: float) -> None:
        part_id = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
        part = self._parts.setdefault(part_id, Part(part_id, {}))
        stored = store(part.live(), cookie, url, now=now)
        if stored.refused:
            return
        live = {stored.cookie.key: stored.cookie} if stored.cookie else {}
        # What is evicted here only to make room is no deletion that the site asked for.
        gone = [cookie.key] if stored.cookie is None else []
        self._observe(part_id, live, gone)
        if self._carries(cookie.name):
            self._urgent = True

    def set_items(self, part_id: PartId, items: Mapping[str, str]) -> None:
        """Keep new values of storage items, such as a renewed token; saved at once by `settle`."""
        with self._lock:
            self._observe(part_id, {(name,): value for name, value in items.items()}, ())
            self._urgent = True

    def _observe(self, part_id: PartId, live: Mapping[Key, Cookie | str], gone: Iterable[Key]) -> None:
        part = self._parts.get(part_id, Part(part_id, {}))
        change = observed(part, part_id, live, self._clock, gone=tuple(gone))
        if not change.entries:
            return
        self._parts[part_id] = Part(part_id, {**part.entries, **change.entries})
        self._unsaved.setdefault(part_id, {}).update(change.entries)
        self._changed(part_id)
        if self._timer is None:
            self._timer = threading.Timer(SAVE_AFTER, _save_behind, [weakref.ref(self)])
            self._timer.daemon = True
            self._timer.start()

    def yield_to_others(self, url: str, sent: Mapping[Key, str]) -> bool:
        """After an answer that looks signed out: take back its changes of login cookies that others have changed meanwhile. Blocking.

        Such an answer is to an id that was replaced while the request was under way. What it sets or deletes concerns nobody.

        Args:
            url: of the request.
            sent: what `carriers` gave before it.

        Returns:
            Whether there is something else to send now than before.
        """
        part_id = PartId(PartKind.COOKIES, _scope(url))
        (saved,) = [*self._vault.pieces(self._profile, [part_id]), Part(part_id, {})][:1]
        with self._lock:
            unsaved = self._unsaved.get(part_id, {})
            for key in [key for key in unsaved if self._carries(key[2])]:
                theirs = saved.entries.get(key)
                if theirs is not None and not theirs.deleted and theirs.value.value != sent.get(key):
                    del unsaved[key]
            if not unsaved:
                self._unsaved.pop(part_id, None)
        self.look(url)
        now = self.carriers(url)
        return bool(now) and now != dict(sent)

    # -- saving -------------------------------------------------------------------------------------------------

    @property
    def must_settle(self) -> bool:
        """Whether `settle` should come before an answer is handed on."""
        return bool(self._unsaved) and (self._urgent or (self._where is not None and bool(COMPANY.others(self._where, self._profile, self))))

    def settle(self) -> None:
        """Save now what is not saved yet. Blocking.

        Raises:
            VaultError: it cannot be saved now; it is tried again behind.
        """
        if not self._unsaved:
            return
        with self._vault_lock:
            with self._lock:
                unsaved, self._unsaved, self._urgent = self._unsaved, {}, False
                self._stop_timer()
            try:
                self._save(StorageState.of((Part(part_id, entries) for part_id, entries in unsaved.items()), epoch=self._epoch))
            except Conflict as error:
                _log.warning("what answers changed in profile '%s' is not kept: %s", self._profile, error)
                self._told = True
            except BaseException:
                self._give_back(unsaved)
                raise
        for other in COMPANY.others(self._where or "", self._profile, self):
            other.catch_up()

    def _give_back(self, unsaved: dict[PartId, dict[Key, Entry]]) -> None:
        with self._lock:
            for part_id, entries in unsaved.items():
                newer = Part(part_id, self._unsaved.get(part_id, {}))
                self._unsaved[part_id] = dict(merge(Part(part_id, entries), newer).entries)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def changed(self) -> None:
        """Somebody saved to the profile: look again before the next request."""
        self._told = True

    def catch_up(self) -> None:
        """The same: a request takes no time until it looks."""
        self._told = True

    def close(self) -> None:
        """Save the rest. Carrying on afterwards is possible; then close again.

        Raises:
            VaultError: it cannot be saved.
        """
        with self._lock:
            self._stop_timer()
        self.settle()
        if self._where is not None:
            COMPANY.leave(self._where, self._profile, self)
            self._where = None


def _scope(url: str) -> str:
    return cookie_scope(target(url).host)


def _save_behind(carrier: weakref.ref[Carrier]) -> None:
    found = carrier()
    if found is None:
        return
    found._timer = None  # noqa: SLF001  (its own work, apart so that a timer keeps no client alive)
    try:
        found.settle()
    except VaultError as error:
        _log.warning("what answers changed is not saved yet: %s", error)
        timer = found._timer = threading.Timer(SAVE_AFTER, _save_behind, [carrier])  # noqa: SLF001  (see above)
        timer.daemon = True
        timer.start()


_open: weakref.WeakSet[Carrier] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for carrier in list(_open):
        with contextlib.suppress(VaultError):  # told in the log, and there is nobody left to tell
            carrier.close()
