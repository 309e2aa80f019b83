"""What has to be made anew in a child process after a fork: locks that another thread held, connections of the parent."""

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


def tell_after_fork(something: Forked) -> None:
    """Call `something.forked()` in every child process that is forked from now on, as long as it lives."""
    _told().add(something)


@cache
def _told() -> weakref.WeakSet[Forked]:
    told: weakref.WeakSet[Forked] = weakref.WeakSet()

    def forked() -> None:
        for something in list(told):
            something.forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forked)
    return told
