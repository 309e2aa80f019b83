"""Forks: what must not be in the middle of something when the process is copied, and what the copy has to make anew.

A child has only the thread that forked. A lock that another thread held stays locked in it for ever, SQLite's inner ones
included, so a fork waits until nobody is within the database; a lease's heart beats in a thread of ours, hence this
matters also to programs that use no threads themselves.
"""

from __future__ import annotations

import os
import weakref
from functools import cache
from typing import Protocol


class Forked(Protocol):
    """Something that must know when it finds itself in a child process."""

    def forked(self) -> None:
        """Called in the child, before anything else runs there."""
        ...


class Forking(Forked, Protocol):
    """Something that must besides be at rest when the process is copied."""

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork(self) -> None:
        """Go on, in the parent."""
        ...


class _Told:
    """Who is told, as long as it lives."""

    def __init__(self) -> None:
        self.after: weakref.WeakSet[Forked] = weakref.WeakSet()
        self.around: weakref.WeakSet[Forking] = weakref.WeakSet()
        self._resting: list[Forking] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def _before(self) -> None:
        self._resting = list(self.around)
        for something in self._resting:
            something.before_fork()

    def _in_parent(self) -> None:
        for something in self._resting:
            something.after_fork()
        self._resting = []

    def _in_child(self) -> None:
        self._resting = []
        for something in [*self.after, *self.around]:
            something.forked()


def tell_after_fork(something: Forked) -> None:
    """Call `forked` of it in every child process from now on."""
    _told().after.add(something)


def tell_around_fork(something: Forking) -> None:
    """Call `before_fork` and `after_fork` of it, too."""
    _told().around.add(something)


@cache
def _told() -> _Told:
    return _Told()
