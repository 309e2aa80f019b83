"""Sites that give a new session id with each answer, or end a login whose refresh token is used twice: looks never log out."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.keeper.looks import Looking
from handstamp.state import Clock, Health
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import Control
    from handstamp.keeper import Given, Keeper
    from handstamp.sites import Site

WORKERS = 8
EACH = int(os.environ.get("HANDSTAMP_TEST_ROTATIONS", "10"))  # looks of each worker; 125 make the thousand

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("in_turn", [False, True])
def test_looks_of_eight_workers_at_a_session_that_rotates_each_time(
    home: Path, vault: Vault, portside: Site, control: Control, saved: Callable[..., None], *, in_turn: bool
) -> None:
    portside = type(portside)(replace(portside.recipe, session=replace(portside.recipe.session, in_turn=in_turn)))
    saved(vault, "work")
    control.set(rotate=True)
    healths: list[Health] = []

    def look(number: int) -> None:
        with Vault(home=home) as own:
            looking = Looking(own, Clock(f"worker-{number}"))
            for _ in range(EACH):
                verdict = looking.look(portside, "work", own.session("work", "portside"))
                assert verdict is not None
                healths.append(verdict.health)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(healths) == WORKERS * EACH
    assert set(healths) <= {Health.VALID, Health.UNKNOWN}  # crowded out is `unknown`, and nobody logs in for that
    assert healths.count(Health.VALID) > len(healths) * (0.99 if in_turn else 0.9)
    control.set(rotate=False)
    assert Looking(vault, Clock("last")).look(portside, "work", vault.session("work", "portside")).health is Health.VALID
    assert control.stats().portside.logins == 0


def test_looks_by_http_and_in_browsers_use_no_refresh_token_twice(keeper: Keeper, portside: Site, control: Control, given: Given) -> None:
    control.set(token_seconds=1.0, refresh_rotation=True)
    engine().run(keeper.log_in(portside, "work", given))
    containers = replace(portside.recipe.check, url="/containers", logged_in=(replace(portside.recipe.check.logged_in[0], status=()),))
    by_api = type(portside)(replace(portside.recipe, check=containers))  # its page asks the API, with a token that has ended by now

    async def in_browser() -> Health:
        session = await keeper.session(portside, "work")
        earlier = await keeper.check(portside, "work")
        return (await keeper._check_in_browser(by_api, "work", session, earlier, lease=None)).health

    found: list[Health] = []

    def look(number: int) -> None:
        for turn in range(2):
            work = in_browser() if (number + turn) % 2 else keeper.check(portside, "work", by_browser=False)
            told = engine().run(work)
            found.append(told if isinstance(told, Health) else told.health)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert engine().run(keeper.check(portside, "work")).health is Health.VALID
    assert control.stats().portside.logins == 1
