"""Steps told while they happen: a line for each, with its time; on a terminal with a sign that something is under way."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from handstamp.cli.output import coloured, console_for, write

if TYPE_CHECKING:
    from types import TracebackType

    from rich.status import Status

    from handstamp.cli.output import Output

_TITLE_WIDTH = 62


class Progress:
    """Tells steps to people; programs get them with the result.

    Args:
        output: of the command.
    """

    def __init__(self, output: Output) -> None:
        self._quiet = output.as_json
        self._number = 0
        self._title = ""
        self._started = 0.0
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def begin(self, title: str) -> None:
        """A step begins."""
        self._number += 1
        self._title, self._started = title, time.monotonic()
        if not self._quiet and sys.stdout.isatty():
            self._status = console_for(sys.stdout).status(f"{title} …")
            self._status.start()

    def end(self, found: str) -> None:
        """The step is done, and this came of it."""
        self.stop()
        if self._quiet:
            return
        tick = "\x1b[32m✓\x1b[0m" if coloured(sys.stdout) else "✓"
        seconds = time.monotonic() - self._started
        write(sys.stdout, f"{tick} {self._number}. {self._title:<{_TITLE_WIDTH}} {seconds:5.1f} s\n       {found}\n")

    def stop(self) -> None:
        """Take the sign away, also when the step failed."""
        if self._status is not None:
            self._status.stop()
            self._status = None
