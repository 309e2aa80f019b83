"""A lease for a caller on an event loop: waited for in a thread of its own, in line with all others who want it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault.leases.lease import Lease


async def awaited(take: Callable[[threading.Event], Lease]) -> Lease:
    """The lease that `take` gives. Cancelled, it leaves the line, and a lease that comes all the same is released.

    The thread is its own: others' short calls must not queue behind those who wait.

    Args:
        take: blocks until it has the lease, raises, or sees that its event is set and raises (`Vault.lease` with ``given_up``).
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Lease] = loop.create_future()
    given_up = threading.Event()

    def settle(lease: Lease | None, error: BaseException | None) -> None:
        if lease is not None:
            done.set_result(lease)
        elif error is not None:
            done.set_exception(error)

    def wait() -> None:
        lease, error = None, None
        try:
            lease = take(given_up)
        except BaseException as raised:  # noqa: BLE001  (whoever waits gets it)
            error = raised
        if given_up.is_set() and lease is not None:
            lease.release()
            lease, error = None, RuntimeError("nobody waits for this lease any more")
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, lease, error)

    threading.Thread(target=wait, name="handstamp-lease-wait", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        given_up.set()
        done.add_done_callback(_let_go)  # it may have come in this very moment
        await asyncio.wait([done])  # moments: whoever cancels may close the vault next
        raise


def _let_go(done: asyncio.Future[Lease]) -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().release()
