"""The person at the terminal: reads a picture or a question, types the answer."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from handstamp.sites import Challenge


class PersonAtTerminal:
    """A `ChallengeSolver` that asks on a terminal. What can only be done in a window is given up.

    Args:
        ask: shows a text and gives the line that the person types.
        aside: a context in which nothing else is shown; by default there is nothing to hold back.
    """

    def __init__(self, ask: Callable[[str], Awaitable[str]], *, aside: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        self._ask = ask
        self._aside = aside

    async def solve(self, challenge: Challenge) -> str | None:
        """What the person types; None for nothing."""
        if challenge.kind == "widget":
            return None
        with self._aside(), shown(challenge.image) as file:
            question = f"{described(challenge.site, challenge.account, challenge.question, file)}\n"
            if challenge.kind == "confirm":
                await self._ask(f"{question}Confirm it there, then press Enter: ")
                return ""
            return await self._ask(f"{question}Your answer: ") or None


def described(site: str, account: str, question: str, file: str = "") -> str:
    """A challenge as a sentence for a terminal; what a page says cannot move the cursor there."""
    words = "".join(character if character.isprintable() else " " for character in question).strip()
    about = f": {words}" if words else ""
    look = f" Look at {file}." if file else ""
    return f"{site} asks {account} for something{about}.{look}"


@contextmanager
def shown(png: bytes) -> Iterator[str]:
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
