"""Several pools on one vault: any of them serves any session, and one that dies leaves nothing that another needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handstamp.async_api import signed_in

from .conftest import DANA, DEMO, alive, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control

    from .conftest import Opened, Worker


def test_two_servers_on_one_vault_serve_the_same_session_in_turn(workers: Callable[[], Worker], control: Control) -> None:
    one, other = workers(), workers()
    first = one.ask("admit", username=DEMO.username, password=DEMO.password)
    for worker in (other, one, other, one):
        assert worker.ask("whoami", session_id=first["session_id"]) == {"username": "demo"}
    assert other.ask("admit", username=DEMO.username, password=DEMO.password) == {"session_id": first["session_id"], "is_new": False}
    assert control.stats().portside.logins == 1


def test_a_killed_server_s_sessions_are_back_at_another_without_a_login_and_its_browser_is_ended(workers: Callable[[], Worker], control: Control) -> None:
    one = workers()
    found = {account.username: one.ask("admit", username=account.username, password=account.password) for account in (DEMO, DANA)}
    pids = one.ask("pids")["pids"]
    one.kill()
    other = workers()
    for username, admission in found.items():
        assert other.ask("whoami", session_id=admission["session_id"]) == {"username": username}
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert control.stats().portside.logins == 2


def test_a_program_that_wants_a_profile_gets_it_when_the_pool_does_not_use_it(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        admission = await opened.admit()
        async with signed_in("portside", profile=admission.session.profile, wait=20) as context:
            assert await context.cookies()
        assert opened.pool.facts().counters.handed_over == 1
        async with opened.pool.use(admission.session.session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert control.stats().portside.logins == 1
