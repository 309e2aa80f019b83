"""Parts in the vault: reading the current version of each, falling back from damage, and adding versions."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken, StateError, UnreadableState
from handstamp.state import Part, PartId, PartKind, StorageState, select
from handstamp.state.codec import decode, encode
from handstamp.vault.identity import RECORD_HEAD, Identity, Purpose
from handstamp.vault.store import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from handstamp.vault.index import Index
    from handstamp.vault.store import Call, Row, Transaction, Value
    from handstamp.vault.unlock import Unlocked

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's row."""

    profile_id: int
    name: str
    epoch: int
    listed: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A part's row with its current version, or another one; `written_at` is known of those that `versions` gives."""

    part_id: int
    row_key: bytes
    bucket: bytes
    kind: str
    name_sealed: bytes
    generation: int
    sealed: bytes | None = field(repr=False)
    written_at: int = 0


@dataclass(frozen=True, slots=True)
class Damage:
    """A part whose current version does not open.

    Args:
        kind: of the part; its name may be unreadable, too.
        part: its name, sealed like what is in it; None when that is damaged. Not for logs or events.
        generation: the damaged version.
        used: the earlier version that stands in, None when none opens.
    """

    profile: str
    kind: str
    generation: int
    used: int | None
    part: PartId | None = field(default=None, repr=False)

    def __str__(self) -> str:
        instead = "no earlier version opens" if self.used is None else f"version {self.used} is used instead"
        return f"version {self.generation} of a '{self.kind}' part of profile '{self.profile}' does not open (changed, or sealed by another key); {instead}"


def expected_at_load(profile: str, profile_id: int | None) -> Iterator[Call]:
    """What loading a profile asks, as far as it is known before."""
    yield "standing", {}
    yield "profile", {"profile": profile}
    if profile_id is not None:
        yield "heads", {"profile_id": profile_id}


def expected_at_save(index: Index, profile: str, profile_id: int | None, changes: StorageState) -> Iterator[Call]:
    """What saving changes to a profile asks, in the order in which rows must be locked."""
    yield "standing", {}
    yield "profile", {"profile": profile}
    if profile_id is not None:
        for part_id in changes.parts:
            yield "head", {"profile_id": profile_id, "row_key": index.part(profile, part_id)}
    yield "now", {}


def find_profile(transaction: Transaction, name: str) -> Profile | None:
    """The row of a profile, also of a forgotten one."""
    rows = transaction.rows("profile", profile=name)
    whole(*(value for row in rows for value in row))
    return Profile(rows[0][0], name, rows[0][1], bool(rows[0][2])) if rows else None


def listed_profile(transaction: Transaction, name: str) -> Profile:
    """The row of a profile, made or listed again when it is not."""
    profile = find_profile(transaction, name)
    if profile is None or not profile.listed:
        ((profile_id, epoch),) = transaction.rows("list_profile", profile=name, now=transaction.now())
        profile = Profile(profile_id, name, epoch, listed=True)
    return profile


def _head(row: Row) -> Head:
    head = Head(*row)
    whole(head.part_id, head.generation)
    return head


class Parts:
    """The parts of one profile within one transaction.

    Args:
        transaction: that everything here runs in.
        unlocked: seals and opens.
        profile: whose parts.
    """

    def __init__(self, transaction: Transaction, unlocked: Unlocked, profile: Profile) -> None:
        self._transaction = transaction
        self._seals = unlocked.seals
        self._index = unlocked.index
        self._opened = unlocked.opened
        self.profile = profile
        self.damages: list[Damage] = []

    def heads(self, domains: Iterable[str] | None = None) -> Iterator[Head]:
        """Rows of all parts that may hold something of `domains`, and maybe of others; all for None. Without those of a browser's files."""
        buckets = None if domains is None else self._index.buckets(self.profile.name, domains)
        if buckets is None:
            rows = self._transaction.rows("heads", profile_id=self.profile.profile_id)
        else:
            rows = [row for bucket in buckets for row in self._transaction.rows("heads_of_bucket", profile_id=self.profile.profile_id, bucket=bucket)]
        return (_head(row) for row in rows)

    def heads_of_files(self) -> Iterator[Head]:
        """Rows of the pieces of a browser's files."""
        return (_head(row) for row in self._transaction.rows("heads_of_files", profile_id=self.profile.profile_id))

    def head(self, part_id: PartId) -> Head | None:
        """The row of one part."""
        rows = self._transaction.rows("head", profile_id=self.profile.profile_id, row_key=self._index.part(self.profile.name, part_id))
        return _head(rows[0]) if rows else None

    def load(self, domains: Iterable[str] | None) -> StorageState:
        """The current state, or what of it belongs to `domains`.

        Raises:
            SealBroken: a part has no version that opens.
            UnsupportedVersion: a newer handstamp wrote a part.
        """
        wanted = None if domains is None else tuple(domains)
        return select(StorageState.of((self.current(head) for head in self.heads(wanted)), epoch=self.profile.epoch), wanted)

    def current(self, head: Head) -> Part:
        """What the part holds now; when that is damaged, its last version that opens, with a note in `damages`.

        Raises:
            SealBroken: no version opens.
        """
        if head.sealed is None:
            return self._fallback(head)
        place = (self.profile.name, head.row_key, head.generation, head.sealed)
        if (known := self._opened.get(*place)) is not None:
            return known
        try:
            part = self.opened(head)
        except (SealBroken, UnreadableState):
            return self._fallback(head)
        if part.id.kind is not PartKind.FILES:  # many, large, and read once
            self._opened.put(*place, part)
        return part

    def _fallback(self, head: Head) -> Part:
        for version in self.versions(head):
            try:
                part = self.opened(version)
            except (SealBroken, UnreadableState):
                continue
            self._damaged(head, version.generation)
            return part
        damage = self._damaged(head, None)
        raise SealBroken(f"{damage}. Restore a backup, or forget it with `handstamp forget`; nothing was changed") from None

    def _damaged(self, head: Head, used: int | None) -> Damage:
        damage = Damage(self.profile.name, head.kind if head.kind in set(PartKind) else "?", head.generation, used, self.name(head.row_key, head.name_sealed))
        _log.error("%s", damage)
        self.damages.append(damage)
        return damage

    def versions(self, head: Head) -> list[Head]:
        """All versions of a part, the newest first, each as if it were the current one."""
        rows = self._transaction.rows("versions", part_id=head.part_id)
        return [replace(head, generation=generation, written_at=written_at, sealed=sealed) for generation, written_at, sealed in rows]

    def opened(self, version: Head) -> Part:
        """A version's content.

        Raises:
            SealBroken, UnreadableState: it is damaged.
            UnsupportedVersion: a newer handstamp wrote it.
        """
        return decode(self._seals.open(Purpose.PART, Identity(version.row_key, version.generation, self.profile.name), version.sealed))

    def name(self, row_key: bytes, name_sealed: bytes) -> PartId | None:
        """Which part a row is; None when that is damaged."""
        try:
            return decode(self._seals.open(Purpose.NAME, Identity(row_key, 0, self.profile.name), name_sealed)).id
        except (SealBroken, StateError):
            return None

    def filed_right(self, head: Head, part_id: PartId) -> bool:
        """Whether a row is where this part is looked for."""
        return (head.row_key, head.bucket) == (self._index.part(self.profile.name, part_id), self._index.bucket(self.profile.name, part_id))

    def add(self, part: Part) -> int | None:
        """A new part, at generation 1. None when somebody else made it meanwhile."""
        row_key = self._index.part(self.profile.name, part.id)
        rows = self._transaction.rows(
            "add_part",
            profile_id=self.profile.profile_id,
            row_key=row_key,
            bucket=self._index.bucket(self.profile.name, part.id),
            kind=part.id.kind,
            name_sealed=self._seals.seal(Purpose.NAME, Identity(row_key, 0, self.profile.name), encode(Part(part.id, {}))),
            generation=1,
            due_at=self._transaction.now() if len(part.live()) < len(part.entries) else None,
        )
        if not rows:
            return None
        self._transaction.run("add_version", **self._version(rows[0][0], row_key, 1, part))
        return 1

    def advance(self, head: Head, part: Part, *, keep: int) -> int:
        """A further version of a part, of which `keep` earlier ones stay.

        If `head` is no longer the current one, there is a version of that generation already, and the transaction fails.
        """
        generation = head.generation + 1
        version, oldest = self._version(head.part_id, head.row_key, generation, part), generation - keep
        due = () if head.kind == PartKind.FILES else (("due_part", {"part_id": head.part_id, "due_at": self._transaction.now()}),)
        self._transaction.later(
            ("advance_part", {"part_id": head.part_id, "generation": generation, "read_generation": head.generation}),
            *due,
            ("reuse_version", {**version, "oldest": oldest}),
            ("add_unless_reused", version),
            ("prune_versions", {"part_id": head.part_id, "oldest": oldest}),
        )
        return generation

    def reseal(self, version: Head, part: Part) -> None:
        """Other content for a version, unless it was changed since it was read."""
        sealed, seen = self.sealed(version.row_key, version.generation, part), (version.sealed or b"")[:RECORD_HEAD]
        self._transaction.run("rotate_version", part_id=version.part_id, generation=version.generation, sealed=sealed, seen=seen)

    def drop(self, head: Head) -> None:
        """Remove a part with all its versions."""
        self._transaction.run("delete_versions", part_id=head.part_id)
        self._transaction.run("delete_part", part_id=head.part_id)

    def drop_files(self) -> None:
        """Remove all of a browser's files."""
        self._transaction.run("delete_versions_of_files", profile_id=self.profile.profile_id)
        self._transaction.run("delete_files", profile_id=self.profile.profile_id)

    def keep_damaged(self, head: Head) -> None:
        """Keep a current version that does not open, whatever its age: somebody may still want to look at it."""
        self._transaction.run("pin_version", part_id=head.part_id, generation=head.generation, pinned="damaged")

    def _version(self, part_id: int, row_key: bytes, generation: int, part: Part) -> dict[str, Value]:
        sealed = self.sealed(row_key, generation, part)
        if part.id.kind is not PartKind.FILES:
            self._opened.put(self.profile.name, row_key, generation, sealed, part)
        return {"part_id": part_id, "generation": generation, "now": self._transaction.now(), "sealed": sealed}

    def sealed(self, row_key: bytes, generation: int, part: Part) -> bytes:
        """A version's content, sealed as that version."""
        return self._seals.seal(Purpose.PART, Identity(row_key, generation, self.profile.name), encode(part))
