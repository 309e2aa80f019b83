"""The person at the terminal, who answers what a site asks during a login: a one-time code, the characters in a picture."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from handstamp.cli import ask
from handstamp.cli.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.cli.output import Output
    from handstamp.sites import Challenge


class PersonAtTerminal:
    """A `Solver` that asks on the terminal. What can only be done in a window is given up.

    Args:
        output: pauses what it shows meanwhile.
    """

    def __init__(self, output: Output) -> None:
        self._output = output

    async def solve(self, challenge: Challenge) -> str | None:
        """What the person types; None for nothing."""
        if challenge.kind == "widget":
            return None
        with self._output.paused(), _picture(challenge.image) as file:
            about = f": {printable(challenge.question)}" if challenge.question else ""
            look = f" Look at {file}." if file else ""
            question = f"{challenge.site} asks {challenge.account} for something{about}.{look}\n"
            if challenge.kind == "confirm":
                await ask.line(f"{question}Confirm it there, then press Enter: ")
                return ""
            return await ask.line(f"{question}Your answer: ") or None


@contextmanager
def _picture(png: bytes) -> Iterator[str]:
    """A file of the picture, for its owner only, while it is looked at; its path is empty when there is no picture."""
    if not png:
        yield ""
        return
    descriptor, file = tempfile.mkstemp(prefix="handstamp-question-", suffix=".png")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(png)
        yield file
    finally:
        os.unlink(file)  # noqa: PTH108  (a path as text, as mkstemp gives it)
