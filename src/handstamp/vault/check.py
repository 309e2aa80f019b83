"""Verifying a vault: the database's own check, then the sealed records are opened: those in use, or all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import HandstampError, VaultError
from handstamp.home import Finding, file_findings
from handstamp.vault import credentials, sessions
from handstamp.vault.parts import Parts, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.vault.parts import Head
    from handstamp.vault.store import Store, Transaction
    from handstamp.vault.unlock import Unlocked

_RESTORE = "restore a backup, or forget it with `handstamp forget`"


def check_store(store: Store) -> Iterator[Finding]:
    """What the database finds wrong with its own files."""
    for file in store.files:
        yield from file_findings(file)
    try:
        yield from [Finding(store.where, f"is damaged: {damage}", "restore a backup") for damage in store.damages()]
    except VaultError as error:
        yield Finding(store.where, f"cannot be checked: {error}", "restore a backup")


def check_records(transaction: Transaction, unlocked: Unlocked, *, deep: bool) -> list[Finding]:
    """Records that do not open, by name; never a value.

    Args:
        transaction: that it is seen in.
        unlocked: opens them.
        deep: all of them; else what is loaded today: sessions, and the current version of each part.
    """
    return list(_records(transaction, unlocked, deep=deep))


def _records(transaction: Transaction, unlocked: Unlocked, *, deep: bool) -> Iterator[Finding]:
    for profile_id, name in transaction.rows("all_profiles"):
        yield from _profile(Parts(transaction, unlocked, Profile(profile_id, name, 0, listed=True)), deep=deep)
    for row in transaction.rows("sessions"):
        if not _opens(sessions.opened, row, unlocked.seals):
            yield Finding(f"session of profile '{row[1]}' at '{row[2]}'", "has sealed facts that do not open", "log in again")
    if deep and (damaged := credentials.damaged(transaction, unlocked)):
        yield Finding(f"{damaged} of the saved credentials", "do not open", "set them again")


def _profile(parts: Parts, *, deep: bool) -> Iterator[Finding]:
    for head in [*parts.heads(), *(parts.heads_of_files() if deep else ())]:
        name = parts.name(head.row_key, head.name_sealed)
        subject = f"{name or head.kind} of profile '{parts.profile.name}'"
        if name is None:
            yield Finding(subject, "has a name that does not open", _RESTORE)
        elif not parts.filed_right(head, name):
            yield Finding(subject, "is filed under another name, so that it is not found", _RESTORE)
        if deep or not _opens(parts.opened, head):
            yield from _versions(parts, head, subject)


def _versions(parts: Parts, head: Head, subject: str) -> Iterator[Finding]:
    versions = parts.versions(head)
    opening = {version.generation for version in versions if _opens(parts.opened, version)}
    if any(version.generation > head.generation for version in versions):
        yield Finding(subject, f"was set back to version {head.generation} by other means than `handstamp rollback`", _RESTORE)
    for generation in sorted({head.generation, *(version.generation for version in versions)} - opening, reverse=True):
        if generation != head.generation:
            yield Finding(subject, f"has a damaged earlier version {generation}", "nothing to do; the current one is not touched by it")
        elif opening:
            yield Finding(subject, f"is damaged (version {generation}); version {max(opening)} is used instead", "the next save repairs it")
        else:
            yield Finding(subject, f"is damaged (version {generation}), and no earlier version opens", _RESTORE)


def _opens(open_it: Callable[..., object], *arguments: object) -> bool:
    try:
        open_it(*arguments)
    except HandstampError:
        return False
    return True
