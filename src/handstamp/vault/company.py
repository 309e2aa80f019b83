"""Who else in this process has the same profile open: they tell each other of changes at once, instead of looking in the vault.

Clients and browser contexts of one process join under the vault and the profile. Before one of them uses the state it lets the
others put down what they have not saved yet; after a save all are told. Across processes there is only the vault to look at.
"""

from __future__ import annotations

import threading
import weakref
from typing import Protocol

from handstamp.vault.forks import tell_after_fork


class Member(Protocol):
    """Somebody who has a profile open."""

    def settle(self) -> None:
        """Save now what is not saved yet. Blocking; quick when there is nothing."""
        ...

    def changed(self) -> None:
        """Somebody saved to the profile, maybe you. Must not block, nor call the vault."""
        ...

    def catch_up(self) -> None:
        """Be in step with the vault when this returns, or at your next use of the state. Blocking."""
        ...


class Company:
    """All members of this process, by vault and profile. Safe across threads; members are held weakly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[tuple[str, str], weakref.WeakSet[Member]] = {}
        tell_after_fork(self)

    def forked(self) -> None:
        """What the parent has open is not open here."""
        self._lock = threading.Lock()
        self._members = {}

    def join(self, vault: str, profile: str, member: Member) -> None:
        """From now on `member` has the profile open."""
        with self._lock:
            self._members.setdefault((vault, profile), weakref.WeakSet()).add(member)

    def leave(self, vault: str, profile: str, member: Member) -> None:
        """`member` has it open no longer."""
        with self._lock:
            members = self._members.get((vault, profile))
            if members is not None:
                members.discard(member)
                if not members:
                    del self._members[vault, profile]

    def others(self, vault: str, profile: str, member: Member) -> list[Member]:
        """Who has it open besides `member`."""
        members = self._members.get((vault, profile))
        if members is None or (len(members) == 1 and member in members):
            return []
        with self._lock:
            return [other for other in members if other is not member]

    def tell(self, vault: str, profile: str) -> None:
        """Something was saved to the profile."""
        if (vault, profile) not in self._members:
            return
        with self._lock:
            told = list(self._members.get((vault, profile), ()))
        for member in told:
            member.changed()


COMPANY = Company()
"""The one of this process: it is the process that its members have in common."""
