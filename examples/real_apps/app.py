"""What `run.py` must know of each app."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from machine import HERE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from machine import Running


@dataclass(frozen=True)
class App:
    """A web application, and how to see in it that somebody is in.

    Args:
        name: of the app and its recipe.
        keeps: what its login lives in, for people.
        username: of the account that `start` makes.
        password: of it.
        install: puts it into a folder of its own; the folder of its programs.
        start: makes the account and runs it until the end of the block: folder, programs, free port.
        page: the path that a person works at.
        inside: a selector that is visible there to somebody who is in, and to nobody else.
        login_line: a pattern that fits one line of its log for each login.
        pause: seconds between the two openings, for a server that takes only so many requests a minute.
    """

    name: str
    keeps: str
    username: str
    password: str
    install: Callable[[Path], Path]
    start: Callable[[Path, Path, int], AbstractContextManager[Running]]
    page: str
    inside: str
    login_line: str
    pause: float = 0.0

    @property
    def recipe(self) -> Path:
        """Its recipe."""
        return HERE / "recipes" / f"{self.name}.toml"

    def logins(self, log: Path) -> int:
        """How many logins the app itself has written down."""
        return sum(re.search(self.login_line, line) is not None for line in log.read_text(errors="replace").splitlines())
