"""Parts that were opened lately, so that saving a change need not open, unpack and parse what this process wrote itself."""

from __future__ import annotations

import threading
from collections import OrderedDict

from handstamp.state import Part
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.identity import RECORD_HEAD

_BOUND = 16 << 20  # sealed bytes


class OpenedParts:
    """By row key, generation and the head of the sealed record, which the caller has just read: never stale. Safe across threads.

    Args:
        bound: sealed bytes of the parts that are kept; the longest unused go first.
    """

    def __init__(self, *, bound: int = _BOUND) -> None:
        self._bound = bound
        self._size = 0
        self._parts: OrderedDict[tuple[str, bytes, int, bytes], tuple[Part, int]] = OrderedDict()
        self._lock = threading.Lock()
        tell_after_fork(self)

    def forked(self) -> None:
        """In a child process nobody holds the lock."""
        self._lock = threading.Lock()

    def get(self, profile: str, row_key: bytes, generation: int, sealed: bytes) -> Part | None:
        """The part that `sealed` holds, None when it was not opened lately."""
        with self._lock:
            found = self._parts.get(key := (profile, row_key, generation, sealed[:RECORD_HEAD]))
            if found is None or found[1] != len(sealed):
                return None
            self._parts.move_to_end(key)
            return found[0]

    def put(self, profile: str, row_key: bytes, generation: int, sealed: bytes, part: Part) -> None:
        """Remember what `sealed` holds."""
        with self._lock:
            _, before = self._parts.pop(key := (profile, row_key, generation, sealed[:RECORD_HEAD]), (None, 0))
            self._parts[key] = (Part(part.id, dict(part.entries)), len(sealed))  # a copy: the caller's mapping is the caller's
            self._size += len(sealed) - before
            while self._size > self._bound:
                _, (_, size) = self._parts.popitem(last=False)
                self._size -= size
