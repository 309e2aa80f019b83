"""Forgetting: removing what is kept of a profile or a domain, so that no late saver brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import SealBroken, UnreadableState
from handstamp.state import Part, PartKind, host_of, within
from handstamp.state.select import cookie_belongs
from handstamp.vault.identity import Purpose
from handstamp.vault.save import forget_identity

if TYPE_CHECKING:
    from handstamp.vault.parts import Head, Parts, Profile
    from handstamp.vault.store import Transaction
    from handstamp.vault.unlock import Unlocked


def forget_profile(transaction: Transaction, profile: Profile) -> int:
    """Remove all of a profile; its new epoch. Needs no key, so that a vault whose records do not open can be cleaned."""
    for query in ("delete_versions_of_profile", "delete_parts_of_profile", "delete_sessions_of_profile", "delete_forgets"):
        transaction.run(query, profile_id=profile.profile_id)
    transaction.run("delete_archived_of_profile", profile=profile.name)
    ((epoch,),) = transaction.rows("raise_epoch", profile_id=profile.profile_id, listed=0)
    transaction.run("add_forget", profile_id=profile.profile_id, epoch=epoch, domain_sealed=None, now=transaction.now())
    return int(epoch)


def forget_domain(transaction: Transaction, unlocked: Unlocked, parts: Parts, domain: str) -> int:
    """Remove what belongs to `domain` from all versions of a profile's parts; its new epoch.

    A browser's own files hold all domains in one, and only that browser can take one out of them: they go as a whole.
    """
    profile = parts.profile
    for head in list(parts.heads([domain])):
        _forget_in(transaction, parts, head, domain)
    parts.drop_files()
    ((epoch,),) = transaction.rows("raise_epoch", profile_id=profile.profile_id, listed=int(profile.listed))
    sealed = unlocked.seals.seal(Purpose.FORGET, forget_identity(profile, epoch), domain.encode())
    transaction.run("add_forget", profile_id=profile.profile_id, epoch=epoch, domain_sealed=sealed, now=transaction.now())
    return int(epoch)


def _forget_in(transaction: Transaction, parts: Parts, head: Head, domain: str) -> None:
    name = parts.name(head.row_key, head.name_sealed)
    if name is None or name.kind is PartKind.COOKIES:
        kept = [version.generation for version in parts.versions(head) if _thinned(transaction, parts, version, domain)]
    else:
        kept = [] if within(host_of(name.scope), domain) else [head.generation]
    if not kept:
        parts.drop(head)
    elif head.generation not in kept:
        transaction.run("advance_part", part_id=head.part_id, generation=kept[0], read_generation=head.generation)


def _thinned(transaction: Transaction, parts: Parts, version: Head, domain: str) -> bool:
    """Remove the domain's entries from one version; whether anything is left of it.

    One that does not open goes: who could say that it holds nothing of the domain?
    """
    try:
        part = parts.opened(version)
    except (SealBroken, UnreadableState):
        part = None
    entries = {} if part is None else {key: entry for key, entry in part.entries.items() if not _of_domain(part, key, domain)}
    if part is None or not entries:
        transaction.run("delete_version", part_id=version.part_id, generation=version.generation)
        return False
    if len(entries) < len(part.entries):
        thinned = parts.sealed(version.row_key, version.generation, Part(part.id, entries))
        transaction.run("reseal_version", part_id=version.part_id, generation=version.generation, sealed=thinned)
    return True


def _of_domain(part: Part, key: tuple[str, ...], domain: str) -> bool:
    return cookie_belongs(key, domain) if part.id.kind is PartKind.COOKIES else within(host_of(part.id.scope), domain)
