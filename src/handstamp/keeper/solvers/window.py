"""The person in front of the login's own window, who passes there what the site asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.sites import Challenge


class PersonInWindow:
    """A `ChallengeSolver` for a keeper whose logins are headed: it says what to do, and waits.

    The login sees by itself when the challenge is gone from the page, and goes on; so there is nothing to answer.

    Args:
        tell: shows a sentence to the person.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def solve(self, challenge: Challenge) -> str | None:
        """Never answers: whoever asks gives up at the deadline, or when the challenge is gone."""
        self._tell(f"{challenge.site} asks {challenge.account} for something; pass it in the window and send the form there, the login then goes on by itself")
        await asyncio.Event().wait()
        return None
