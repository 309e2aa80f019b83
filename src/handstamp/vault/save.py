"""Saving changes: read, merge, write, part by part, each as a compare-and-set on the part's generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import Conflict, SealBroken
from handstamp.state import Part, PartKind, merge, select
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.model import SaveResult
from handstamp.vault.store import Raced

if TYPE_CHECKING:
    from handstamp.state import StorageState
    from handstamp.vault.parts import Head, Parts, Profile
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


def forget_identity(profile: Profile, epoch: int) -> Identity:
    """What the sealed domain of a `forget` is sealed as."""
    return forget_identity_of(profile.name, epoch)


def forget_identity_of(profile: str, epoch: int) -> Identity:
    """The same by the profile's name."""
    return Identity(b"forget".ljust(16, b"\0"), epoch, profile)


def refuse_forgotten(transaction: Transaction, unlocked: Unlocked, profile: Profile, changes: StorageState) -> None:
    """See that nothing comes back by a late save.

    Raises:
        Conflict: something of `changes` was forgotten after their epoch.
    """
    if changes.epoch >= profile.epoch:
        return
    for epoch, domain_sealed in transaction.rows("forgets_since", profile_id=profile.profile_id, epoch=changes.epoch):
        domain = None if domain_sealed is None else unlocked.seals.open(Purpose.FORGET, forget_identity(profile, epoch), domain_sealed).decode()
        if domain is None or select(changes, [domain]) or changes.of_kind(PartKind.FILES):
            what = f"profile '{profile.name}'" + (f", domain '{domain}'," if domain else "")
            raise Conflict(f"{what} was forgotten after this state was loaded; load it again. Nothing of this change was saved")


def save(parts: Parts, changes: StorageState, *, keep: int) -> SaveResult:
    """Merge `changes` into what is there.

    Args:
        keep: how many earlier versions of each part stay.

    Raises:
        Raced: somebody else wrote one of the parts meanwhile; try the transaction again.
        SealBroken: a part to be merged has no version that opens.
    """
    written = tuple(change.id for change in changes.parts.values() if change.entries and save_part(parts, change, keep=keep))
    return SaveResult(written, parts.profile.epoch)


def save_part(parts: Parts, change: Part, *, keep: int) -> bool:
    """Merge one part; whether that changed anything. Raises as `save`."""
    head = parts.head(change.id)
    if change.id.kind is PartKind.FILES:
        return _save_files(parts, head, change)
    if head is None:
        return _done(parts.add(change))
    known_damages = len(parts.damages)
    current = parts.current(head)
    healing = len(parts.damages) > known_damages
    merged = merge(current, change)
    if merged is current and not healing:
        return False
    if healing:
        parts.keep_damaged(head)
    return _done(parts.advance(head, merged, keep=keep))


def _save_files(parts: Parts, head: Head | None, change: Part) -> bool:
    """A piece of a browser's files: the last version only, and none of a piece that is gone."""
    if head is None:
        return any(not entry.deleted for entry in change.entries.values()) and _done(parts.add(change))
    try:
        current = parts.current(head)
    except SealBroken:  # what cannot be read is of no use to anybody, and all of it is written anew
        current = Part(change.id, {})
    merged = merge(current, change)
    if not merged.live():
        parts.drop(head)
        return True
    return merged is not current and _done(parts.advance(head, merged, keep=0))


def _done(generation: int | None) -> bool:
    if generation is None:
        raise Raced
    return True
