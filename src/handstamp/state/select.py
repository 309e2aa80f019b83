"""Selecting what of a state belongs to given domains (a domain, its subdomains, and what parents send to it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.state.domains import host_of, within
from handstamp.state.merge import observed
from handstamp.state.parts import Entry, Key, Part, PartKind
from handstamp.state.storage import StorageState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state.clock import Clock


def cookie_belongs(key: Key, domain: str) -> bool:
    """Whether the cookie of this `Cookie.key` is of `domain`, of a subdomain, or a parent's that is sent to `domain`."""
    host = key[0].lstrip(".")
    return within(host, domain) or (key[0].startswith(".") and within(domain, host))


def select(state: StorageState, domains: Iterable[str] | None) -> StorageState:
    """The part of `state` that belongs to any of `domains`; all of it for None."""
    if domains is None:
        return state
    wanted = tuple(domains)
    parts = []
    for part in state.parts.values():
        if part.id.kind is PartKind.COOKIES:
            entries: dict[Key, Entry] = {key: entry for key, entry in part.entries.items() if any(cookie_belongs(key, domain) for domain in wanted)}
            parts.append(Part(part.id, entries))
        elif any(within(host_of(part.id.scope), domain) for domain in wanted):
            parts.append(part)
    return StorageState.of(parts, epoch=state.epoch)


def of_kinds(state: StorageState, *kinds: PartKind) -> StorageState:
    """The parts of these kinds."""
    return StorageState.of((part for part in state.parts.values() if part.id.kind in kinds), epoch=state.epoch)


def emptied(state: StorageState, clock: Clock) -> StorageState:
    """The changes that delete everything in `state`, as deletions that others hear of."""
    return StorageState.of((observed(part, part.id, {}, clock, gone=part.entries.keys()) for part in state.parts.values()), epoch=state.epoch)


def live_entries(state: StorageState) -> int:
    """How many values there are."""
    return sum(len(part.live()) for part in state.parts.values())
