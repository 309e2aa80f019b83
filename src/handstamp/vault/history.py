"""Versions: what is kept of each part, going back, and pinning what was good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import ConfigError, SealBroken, UnreadableState
from handstamp.state import Part, observed, within
from handstamp.state.domains import host_of
from handstamp.state.parts import PartKind
from handstamp.state.select import cookie_belongs
from handstamp.vault.model import SaveResult, Version, instant, milliseconds
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
        f"profile '{parts.profile.name}' cannot go back to {instant(to):%Y-%m-%d %H:%M:%SZ}: of {name} no version that old is kept; "
        "see `handstamp history` for those that are. Nothing was changed"
    )


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
