"""Versions: what is kept of each part, going back, and pinning what was good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, SealBroken, UnreadableState
from handstamp.state import Part, observed, within
from handstamp.state.domains import host_of
from handstamp.state.parts import PartKind
from handstamp.state.select import cookie_belongs
from handstamp.vault.model import PartChange, SaveResult, Version, instant, milliseconds
from handstamp.vault.save import save_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.state import Clock, PartId
    from handstamp.vault.parts import Head, Parts
    from handstamp.vault.store import Transaction


def history(transaction: Transaction, parts: Parts) -> list[Version]:
    """All kept versions of all parts, the newest first."""
    names: dict[int, PartId | None] = {}
    found = []
    for part_id, row_key, _, name_sealed, current, generation, written_at, pinned, size in transaction.rows(
        "versions_of_profile", profile_id=parts.profile.profile_id
    ):
        if part_id not in names:
            names[part_id] = parts.name(row_key, name_sealed)
        found.append(Version(names[part_id], generation, instant(written_at), generation == current, pinned is not None, size))
    return found


def rollback(parts: Parts, to: int, clock: Clock, *, keep: int) -> SaveResult:
    """Bring every part back to what it was at `to` (milliseconds), as new versions with changes observed now.

    Stamps are of now, so that a writer who still holds the later state does not merge it back by what it saw before.

    Raises:
        ConfigError: a part has no version left from that time.
        Raced: see `save`.
    """
    written = []
    for head in list(parts.heads()):
        current = parts.current(head)
        then = _at(parts, head, to)
        values = then.live() if then else {}
        change = observed(current, current.id, values, clock, gone=[key for key in current.live() if key not in values])
        if change.entries and save_part(parts, change, keep=keep):
            written.append(current.id)
    return SaveResult(tuple(written), parts.profile.epoch)


def _at(parts: Parts, head: Head, to: int) -> Part | None:
    """A part as it was at `to`: its newest version not after it; None when the part did not exist yet."""
    oldest = None
    for version in parts.versions(head):
        oldest = version.generation
        if milliseconds(instant(version.written_at)) <= to:
            try:
                return parts.opened(version)
            except (SealBroken, UnreadableState):
                continue
    if oldest == 1:
        return None
    name = parts.name(head.row_key, head.name_sealed) or f"a '{head.kind}' part"
    raise ConfigError(
        f"profile '{parts.profile.name}' cannot be had as of {instant(to):%Y-%m-%d %H:%M:%SZ}: of {name} no version that old is kept; "
        "see `handstamp history` for those that are. Nothing was changed"
    )


def diff(parts: Parts, since: int | None, until: int | None) -> list[PartChange]:
    """What changed of each part between two times (milliseconds); parts of which nothing did are left out.

    Args:
        parts: of the profile.
        since: None for what the last change of each part did.
        until: None for now.

    Raises:
        ConfigError: a part has no version left from one of these times.
    """
    found = []
    for head in list(parts.heads()):
        now = parts.current(head) if until is None else _at(parts, head, until)
        then = _before(parts, head, now) if since is None else _at(parts, head, since)
        change = _compared(then, now)
        if change is not None:
            found.append(change)
    return sorted(found, key=lambda change: change.part)


def _before(parts: Parts, head: Head, now: Part | None) -> Part | None:
    """The version before the one that `now` is of."""
    seen = False
    for version in parts.versions(head):
        try:
            part = parts.opened(version)
        except (SealBroken, UnreadableState):
            continue
        if seen:
            return part
        seen = now is not None and part.entries == now.entries
    return None


def _compared(then: Part | None, now: Part | None) -> PartChange | None:
    part = now or then
    if part is None:
        return None
    old, new = then.live() if then else {}, now.live() if now else {}
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    changed = sorted(key for key in new.keys() & old.keys() if new[key] != old[key])
    return PartChange(part.id, tuple(added), tuple(changed), tuple(removed)) if added or changed or removed else None


def pin(transaction: Transaction, parts: Parts, domains: Iterable[str] | None) -> None:
    """Keep the current version of the parts that belong to `domains` (None for all), in place of those pinned before."""
    wanted = None if domains is None else tuple(domains)
    for head in list(parts.heads(wanted)):
        if wanted is None or _belongs(parts.name(head.row_key, head.name_sealed), wanted):
            transaction.run("pin_version", part_id=head.part_id, generation=head.generation, pinned="valid")
            transaction.run("unpin_versions", part_id=head.part_id, generation=head.generation)


def _belongs(part_id: PartId | None, domains: Iterable[str]) -> bool:
    """Whether a part may hold something of `domains`: for cookies the whole registrable domain counts."""
    if part_id is None:
        return False
    if part_id.kind is PartKind.COOKIES:
        return any(cookie_belongs(("." + part_id.scope,), domain) for domain in domains)
    return any(within(host_of(part_id.scope), domain) for domain in domains)
