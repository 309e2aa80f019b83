"""Where a login asks: all who may know are asked at once, also from other processes by way of the vault; the first answer counts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from handstamp.vault import Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.sites import Challenge, ChallengeSolver
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
"""How often the vault is looked at for an answer from another process."""


class Desk:
    """A `ChallengeSolver` over others.

    Args:
        vault: where other processes see the question (`handstamp challenges`) and answer it (`handstamp answer`).
        profile: whose login it is.
        solvers: asked at the same time.
        seconds: until the login gives up.
    """

    def __init__(self, vault: Vault, profile: str, solvers: Iterable[ChallengeSolver] = (), *, seconds: float) -> None:
        self._vault = vault
        self._profile = profile
        self._solvers = tuple(solvers)
        self._seconds = seconds

    async def solve(self, challenge: Challenge) -> str | None:
        """The first answer that anybody has; None when the deadline is over."""
        question = Question(self._profile, challenge.site, challenge.kind, challenge.account, challenge.question, challenge.image)
        challenge_id = await asyncio.to_thread(self._vault.ask, question, seconds=self._seconds)
        _log.log(
            logging.INFO if self._solvers else logging.WARNING,  # with nobody at hand, somebody should know
            "%s asks %s for something (%s) and the login waits %.0f s for it: `handstamp answer %s`",
            challenge.site, challenge.account, challenge.kind, self._seconds, challenge_id,
        )  # fmt: skip
        tasks = [asyncio.create_task(self._from_elsewhere(challenge_id)), *(asyncio.create_task(_asked(solver, challenge)) for solver in self._solvers)]
        try:
            async with asyncio.timeout(self._seconds):
                return await _first(tasks)
        except TimeoutError:
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.shield(asyncio.to_thread(self._vault.withdraw, challenge_id))

    async def _from_elsewhere(self, challenge_id: str) -> str | None:
        while True:
            found = await asyncio.to_thread(self._vault.answered, challenge_id)
            if found is not None:
                return found
            await asyncio.sleep(LOOK_SECONDS)


async def _asked(solver: ChallengeSolver, challenge: Challenge) -> str | None:
    """One that fails keeps the others from nothing."""
    try:
        return await solver.solve(challenge)
    except Exception:  # noqa: BLE001  (solvers are other people's code)
        _log.exception("%s failed; others may still answer", type(solver).__name__)
        return None


async def _first(tasks: list[asyncio.Task[str | None]]) -> str | None:
    """The first result that is an answer."""
    for done in asyncio.as_completed(tasks):
        answer = await done
        if answer is not None:
            return answer
    return None
