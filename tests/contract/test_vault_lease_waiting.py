"""Waiting for a lease on an event loop: in line, and without a lease that nobody releases."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import LeaseHeld
from handstamp.vault import awaited

if TYPE_CHECKING:
    import threading

    from handstamp.vault import Lease, Vault

    from .conftest import OpenVault


def ask(vault: Vault, wait: float, given_up: threading.Event) -> Lease:
    return vault.lease("work", wait=wait, given_up=given_up)


async def until_in_line(vault: Vault) -> None:
    while not (info := await asyncio.to_thread(vault.lease_info, "work")) or not info.waiting:  # noqa: ASYNC110  (the vault tells nobody)
        await asyncio.sleep(0.01)


def test_who_waits_on_a_loop_stands_in_line_and_gets_it(open_vault: OpenVault) -> None:
    holder, asker = open_vault(), open_vault()

    async def flow() -> None:
        lease = holder.lease("work")
        waiting = asyncio.create_task(awaited(partial(ask, asker, 20.0)))
        await until_in_line(holder)
        lease.release()
        got = await waiting
        assert got.token > lease.token
        got.release()

    asyncio.run(flow())


def test_a_cancelled_wait_leaves_the_line_at_once_and_holds_nothing(open_vault: OpenVault) -> None:
    holder, asker = open_vault(), open_vault()

    async def flow() -> None:
        with holder.lease("work"):
            waiting = asyncio.create_task(awaited(partial(ask, asker, 3600.0)))
            await until_in_line(holder)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            found = holder.lease_info("work")
            assert found is not None
            assert found.waiting == ()
        with holder.lease("work"):  # nobody took it in the meantime
            pass

    asyncio.run(flow())


def test_who_waited_too_long_is_told_by_whom_it_is_held(open_vault: OpenVault) -> None:
    with open_vault().lease("work"), pytest.raises(LeaseHeld, match="held by pid"):
        asyncio.run(awaited(partial(ask, open_vault(), 0.05)))
