"""The mirror: what a live context holds now, kept up from events, and what of it is not saved yet. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.browser.cookies import by_key, deleted
from handstamp.browser.restore import tabs_by_use
from handstamp.state import Entry, Part, PartId, PartKind, StorageState, cookie_scope, merge
from handstamp.state.merge import later

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from handstamp.state import Clock, Cookie, Key


MOST_DELETIONS = 1000  # of one part that are remembered once they are saved


class Mirror:
    """One context's state. Not safe across threads; the engine's loop owns it.

    Args:
        state: what was loaded from the vault; its epoch goes with all changes.
        clock: stamps what is observed.
    """

    def __init__(self, state: StorageState, clock: Clock) -> None:
        self._epoch = state.epoch
        self._clock = clock
        self._parts: dict[PartId, Mapping[Key, Entry]] = {part_id: part.entries for part_id, part in state.parts.items()}
        self._own: dict[PartId, dict[Key, Entry]] = {}  # those of `_parts` that have changed since
        self._unsaved: dict[PartId, dict[Key, Entry]] = {}
        self._cookies: dict[Key, Cookie] = {}

    @property
    def dirty(self) -> bool:
        """Whether something is not saved yet."""
        return bool(self._unsaved)

    @property
    def jar(self) -> list[Cookie]:
        """The browser's cookies at the last look."""
        return list(self._cookies.values())

    def state(self) -> StorageState:
        """All that is known now."""
        parts = (Part(part_id, dict(entries) if part_id in self._own else entries) for part_id, entries in self._parts.items())
        return StorageState.of(parts, epoch=self._epoch)

    def _changing(self, part_id: PartId) -> dict[Key, Entry]:
        """The entries of a part, as ours: what was loaded stays as it was."""
        if part_id not in self._own:
            self._parts[part_id] = self._own[part_id] = dict(self._parts.get(part_id, {}))
        return self._own[part_id]

    def set(self, part_id: PartId, key: Key, value: Any) -> None:
        """A key was seen to have this value; None: it was seen to be deleted."""
        known = self._parts.get(part_id, {}).get(key)
        if known is None and value is None:
            return
        if known is not None:
            if known.value == value:
                return
            self._clock.observe(known.stamp)
        self._changing(part_id)[key] = self._unsaved.setdefault(part_id, {})[key] = Entry(value, self._clock.stamp())

    def news(self, part: Part) -> list[tuple[Key, Entry]]:
        """Entries of `part` that are later than what is known here."""
        known = self._parts.get(part.id, {})
        return [(key, entry) for key, entry in part.entries.items() if _is_news(known.get(key), entry)]

    def adopt(self, part_id: PartId, key: Key, entry: Entry) -> None:
        """Somebody else has saved this, and it is being brought into the context: known, and no change of ours."""
        self._clock.observe(entry.stamp)
        self._changing(part_id)[key] = entry

    def clear(self, part_id: PartId, *, tab: str | None = None) -> None:
        """All keys of a part, or of one tab in it, were seen to be deleted."""
        for key in [key for key, entry in self._parts.get(part_id, {}).items() if not entry.deleted and (tab is None or key[0] == tab)]:
            self.set(part_id, key, None)

    def copy_tab(self, part_id: PartId, source: str, tab: str) -> None:
        """A new tab has inherited the sessionStorage of another (HTML, "creating a new auxiliary browsing context")."""
        for (name, key), value in self.values(part_id).items():
            if name == source:
                self.set(part_id, (tab, key), value)

    def forget_tabs(self, part_id: PartId, *, keep: int, living: Collection[str]) -> None:
        """Delete the longest unused tabs of a sessionStorage part, but none that is open."""
        tabs = tabs_by_use(self._parts.get(part_id, {}))
        for tab in tabs[keep:]:
            if tab not in living:
                self.clear(part_id, tab=tab)

    def part_ids(self, kind: PartKind) -> list[PartId]:
        """Parts of one kind."""
        return [part_id for part_id in self._parts if part_id.kind is kind]

    def values(self, part_id: PartId) -> dict[Key, Any]:
        """Live values of one part."""
        return {key: entry.value for key, entry in self._parts.get(part_id, {}).items() if not entry.deleted}

    def start_from(self, cookies: Iterable[Cookie]) -> None:
        """Take these cookies for what the restore left in the jar: the browser may have trimmed them, which is no change of the site's."""
        self._cookies = by_key(cookies)

    def look_at(self, cookies: Iterable[Cookie], *, now: float) -> bool:
        """The jar holds these now; whether that is a change since the last look.

        Args:
            cookies: the whole jar of the context.
            now: seconds since the epoch.
        """
        seen = by_key(cookies)
        changed = [cookie for key, cookie in seen.items() if self._cookies.get(key) != cookie]
        gone = deleted(self._cookies, seen, now=now)
        for cookie in changed:
            self.set(_jar(cookie), cookie.key, cookie)
        for key in gone:
            self.set(_jar(self._cookies[key]), key, None)
        self._cookies = seen
        return bool(changed or gone)

    def take(self) -> StorageState:
        """What is not saved yet, as changes; from now on it counts as saved. Give it back by `give_back` if saving fails."""
        unsaved, self._unsaved = self._unsaved, {}
        for part_id, entries in unsaved.items():
            if any(entry.deleted for entry in entries.values()):
                self._forget_deletions(part_id)
        return StorageState.of((Part(part_id, entries) for part_id, entries in unsaved.items()), epoch=self._epoch)

    def _forget_deletions(self, part_id: PartId) -> None:
        """The latest are remembered; the vault remembers them all, and a stamp of ours is later than any."""
        entries = self._own[part_id]
        gone = [key for key, entry in entries.items() if entry.deleted]
        gone.sort(key=lambda key: entries[key].stamp)
        for key in gone[:-MOST_DELETIONS]:
            del entries[key]

    def give_back(self, changes: StorageState) -> None:
        """These changes were not saved after all; what has changed again since then stays."""
        for part_id, part in changes.parts.items():
            newer = Part(part_id, self._unsaved.get(part_id, {}))
            self._unsaved[part_id] = dict(merge(part, newer).entries)


def _jar(cookie: Cookie) -> PartId:
    return PartId(PartKind.COOKIES, cookie_scope(cookie.domain))


def _is_news(known: Entry | None, entry: Entry) -> bool:
    """Whether `entry` says something later; that what is not there has been deleted is no news."""
    return not entry.deleted if known is None else known != entry and later(known, entry) is entry
