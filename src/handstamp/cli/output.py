"""Where a command prints: one JSON object for programs, or words and tables for people.

People get colours on a terminal (not with NO_COLOR) and plain columns elsewhere. What is under way and what went wrong is
on stderr, so that stdout holds the result alone; with ``--json`` an error is a JSON object, too: ``{"error": …, "code": …}``.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console, RenderableType
    from rich.status import Status

RED, YELLOW = "31", "33"
_PLAIN_WIDTH = 4096  # columns where no terminal limits them: a pipe wants whole lines


class Output:
    """Prints for one command.

    Args:
        as_json: JSON on stdout instead of words.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._status: Status | None = None

    def show(self, facts: Any, picture: Callable[[], Iterable[RenderableType]]) -> None:
        """Print the result.

        Args:
            facts: JSON values, for programs.
            picture: the same for people: sentences and tables; called only when they are wanted.
        """
        if self.as_json:
            write(sys.stdout, json.dumps(facts, indent=2) + "\n")
            return
        if sys.stdout.isatty():
            _print(console_for(sys.stdout), picture())
            return
        text = StringIO()
        _print(console_for(text), picture())
        # A table fills its last column with blanks, which a pipe has no use for.
        write(sys.stdout, "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))

    def say(self, sentence: str) -> None:
        """A sentence for people; programs do not get it."""
        if not self.as_json:
            write(sys.stdout, sentence + "\n")

    def note(self, sentence: str) -> None:
        """Something that is not the result: on stderr."""
        write(sys.stderr, sentence + "\n")

    def error(self, sentence: str, code: str) -> None:
        """What went wrong."""
        if self.as_json:
            write(sys.stdout, json.dumps({"error": sentence, "code": code}, indent=2) + "\n")
        else:
            write(sys.stderr, painted(f"{sentence}\n", RED, sys.stderr))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show on a terminal that something takes its time."""
        if self.as_json or not sys.stderr.isatty():
            yield
            return
        with console_for(sys.stderr).status(what) as self._status:
            yield
        self._status = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the sign of `working` away while a person is asked something."""
        status = self._status
        if status is not None:
            status.stop()
        yield
        if status is not None:
            status.start()


def _print(console: Console, picture: Iterable[RenderableType]) -> None:
    for item in picture:
        console.print(item, soft_wrap=isinstance(item, str), markup=False, highlight=False)
    console.file.flush()


def write(stream: IO[str], text: str) -> None:
    """Write and flush: a reader that has gone is met here and not when Python ends."""
    stream.write(text)
    stream.flush()


def painted(text: str, colour: str, stream: IO[str]) -> str:
    """`text` in a colour where `stream` shows colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured(stream) else text


def coloured(stream: IO[str]) -> bool:
    """Whether a person sees colours there and did not turn them off (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console_for(stream: IO[str]) -> Console:
    """Rich's console on a stream."""
    from rich.console import Console  # noqa: PLC0415  (80 ms, which JSON and errors do without)

    return Console(file=stream, width=None if stream.isatty() else _PLAIN_WIDTH, highlight=False, markup=False, emoji=False)
