"""Gathers what a file says into a storage state, checks each cookie, and keeps notes of what was left out and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from handstamp.formats.attributes import ALL
from handstamp.formats.notes import several, shown
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, cookie_scope
from handstamp.state.cookie_match import ascii_host
from handstamp.state.set_cookie import MAX_NAME_AND_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.state import Clock, Key

    Fail = Callable[[str, str], NoReturn]

_HOST = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]")
_UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f;\ud800-\udfff]")
_UNFIT_NAME = re.compile(r"[\x00-\x1f\x7f;=\ud800-\udfff]")

# Where plausible dates end, in each unit that exporters use; the end of the year 9999 is about 2.5e11 seconds.
_SECONDS, _MILLISECONDS, _MICROSECONDS = 3e11, 3e14, 1e16
_LATEST = 253_402_300_799.0
_CHROME_EPOCH = 11_644_473_600  # seconds from 1601, where Chrome's clock begins, to 1970


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held.

    Args:
        state: every entry stamped now, so that merging it in wins over what is older.
        format: the format that it was read as.
        notes: what was left out or taken to mean something, a sentence each; names, never values.
        said: the attributes of a cookie that the format says; the others have their defaults, see `completed`.
    """

    state: StorageState
    format: str
    notes: tuple[str, ...] = ()
    said: frozenset[str] = ALL


class Intake:
    """What has been read so far.

    Args:
        now: seconds since the Unix epoch; cookies that have ended by then are left out.
        clock: gives the one stamp that all entries get.
    """

    def __init__(self, *, now: float, clock: Clock) -> None:
        self.now = now
        self._stamp: Stamp = clock.stamp()
        self._parts: dict[PartId, dict[Key, Entry]] = {}
        self._notes: list[str] = []
        self._lists: dict[str, list[str]] = {}
        self._odd_ends = False

    def note(self, sentence: str) -> None:
        """Adds a note."""
        self._notes.append(sentence)

    def note_each(self, sentence: str, name: str) -> None:
        """Adds `name` to the note that begins with `sentence` and lists the names."""
        self._lists.setdefault(sentence, []).append(name)

    def unknown_fields(self, names: set[str]) -> None:
        """Notes fields that mean nothing here."""
        for name in sorted(names):
            known = self._lists.setdefault("fields that are not known here were left out", [])
            if shown(name) not in known:
                known.append(shown(name))

    def add(self, part_id: PartId, key: Key, value: Any) -> None:
        """Adds one entry; a later one of the same key replaces it."""
        entries = self._parts.setdefault(part_id, {})
        if key in entries and entries[key].value != value:
            self.note_each("given twice with different values, the last of which was taken", f"{label(key, part_id)}")
        entries[key] = Entry(value, self._stamp)

    def add_cookie(self, cookie: Cookie, fail: Fail) -> None:
        """Adds one cookie, unless it has ended.

        Args:
            cookie: its domain may still be as the file has it.
            fail: refuses the file for a field and what was expected there.
        """
        cookie = replace(cookie, domain=ascii_host(cookie.domain.strip().removeprefix(".")))
        _check(cookie, fail)
        if cookie.expired(self.now):
            self.note_each("cookies that have ended were left out", label(cookie.key))
            return
        if cookie.same_site == "None" and not cookie.secure:
            # Browsers refuse this pair; exporters write it for cookies that do not say SameSite.
            self.note_each("SameSite=None without Secure was taken as not said", label(cookie.key))
            cookie = replace(cookie, same_site=None)
        self.add(PartId(PartKind.COOKIES, cookie_scope(cookie.domain)), cookie.key, cookie)

    def add_local(self, origin: str, name: str, value: str) -> None:
        """Adds an item of localStorage."""
        self.add(PartId(PartKind.LOCAL, origin), (name,), value)

    def add_session(self, origin: str, tab: str, name: str, value: str) -> None:
        """Adds an item of a tab's sessionStorage."""
        self.add(PartId(PartKind.SESSION, origin), (tab, name), value)

    def end(self, number: float | None, *, any_unit: bool = False) -> float | None:
        """Seconds since the Unix epoch of an end that a file gives as a number; None for a session cookie.

        Zero and below mean a session cookie. Some exporters write milliseconds or microseconds, and some Chrome's own
        microseconds since 1601; dates of this millennium cannot be mistaken for each other, and nothing ends after the year
        9999. What is not in seconds is noted, unless `any_unit` was to be expected.
        """
        if number is None or number <= 0:
            return None
        if number < _SECONDS:
            return min(number, _LATEST)
        if not self._odd_ends and not any_unit:
            self._odd_ends = True
            self.note("some ends of cookies are not in seconds; they were read as milliseconds, microseconds or Chrome's own time")
        if number < _MILLISECONDS:
            return number / 1e3
        return number / 1e6 if number < _MICROSECONDS else min(number / 1e6 - _CHROME_EPOCH, _LATEST)

    def imported(self, format_name: str, said: frozenset[str] = ALL) -> Imported:
        """All that was read, from a format that says these attributes of a cookie."""
        state = StorageState.of(Part(part_id, entries) for part_id, entries in self._parts.items())
        if not self._parts and not self._lists:
            self.note("it holds no cookies and no storage")
        lists = [f"{sentence}: {several(names)}" for sentence, names in self._lists.items() if names]
        return Imported(state, format_name, (*self._notes, *lists), said)


def label(key: Key, part_id: PartId | None = None) -> str:
    """How a key is called in notes: ``sid (example.com)`` for a cookie."""
    if part_id is None or part_id.kind is PartKind.COOKIES:
        domain, path, name = key[:3]
        return f"{shown(name) or 'the nameless one'} ({domain.removeprefix('.')}{'' if path == '/' else shown(path)})"
    return f"{shown(' '.join(key))} ({part_id})"


def _check(cookie: Cookie, fail: Fail) -> None:
    """Refuses what no browser could have held."""
    if not _HOST.fullmatch(cookie.domain):
        fail("domain", "the name or address of a host")
    if not cookie.name and not cookie.value:
        fail("name", "a name, since there is no value either")
    if _UNFIT_NAME.search(cookie.name):
        fail("name", "a text without control characters, ';' and '='")
    if _UNFIT.search(cookie.value):
        fail("value", "a text without control characters and ';'")
    if len(cookie.name.encode()) + len(cookie.value.encode()) > MAX_NAME_AND_VALUE:
        fail("value", f"at most {MAX_NAME_AND_VALUE} octets together with the name")
    if not cookie.path.startswith("/") or _UNFIT.search(cookie.path):
        fail("path", "a path that begins with '/' and holds neither control characters nor ';'")
