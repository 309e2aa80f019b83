"""A pool over the stand-in portside: real Chromium, real logins; other processes with a pool on the same vault."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN
from handstamp.operations import Files
from handstamp.pool import Pool, PoolSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from handstamp.demo import Account, Control, DemoServers
    from handstamp.pool import Admission, LiveSession
    from handstamp.vault import Vault

WORKER = Path(__file__).parent / "worker.py"
DEMO, DANA, OMAR = BUILT_IN
WHO = "() => fetch('/api/account', {headers: {Authorization: `Bearer ${localStorage.getItem('token')}`}}).then((answer) => answer.json())"


@pytest.fixture
def control(demo: DemoServers) -> Control:
    """Of the stand-in sites, which pools find by name."""
    return demo.control


@pytest.fixture
def vault(vault: Vault, control: Control) -> Vault:
    del control
    return vault


class Opened:
    """A pool, and what tests ask of it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def admit(self, account: Account = DEMO, **more: Any) -> Admission:
        return await self.pool.admit("portside", account.username, account.password, **more)

    async def states(self) -> dict[str | None, str]:
        return {one.username: one.state for one in await self.pool.listed()}


async def who(live: LiveSession) -> str:
    """Whose account the session shows."""
    page = await live.context.new_page()
    try:
        await page.goto(live.site.url("/account"))
        told = await page.evaluate(WHO)
        return str(told.get("username"))
    finally:
        await page.close()


@pytest.fixture
def with_pool(vault: Vault, tmp_path: Path) -> Callable[..., None]:
    """Runs a flow with a pool, on a loop of its own."""

    def run(flow: Callable[[Opened], Coroutine[Any, Any, None]], **settings: Any) -> None:
        async def whole() -> None:
            async with pool_of(vault, tmp_path, **settings) as opened:
                await flow(opened)

        asyncio.run(whole())

    return run


@asynccontextmanager
async def pool_of(vault: Vault, folder: Path, **settings: Any) -> AsyncIterator[Opened]:
    chosen = {"max_sessions": 2, "queue_seconds": 20.0} | settings
    async with Pool(vault, PoolSettings(**chosen), files=Files(folder / "files")) as pool:
        yield Opened(pool)


class Worker:
    """A pool in a process of its own: takes orders, a line each, and answers each with a line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def ask(self, what: str, **given: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **given}) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._close()

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._close()

    def _close(self) -> None:
        self._process.wait(30)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def workers(vault: Vault) -> Iterator[Callable[[], Worker]]:
    del vault  # it must outlive them
    made: list[Worker] = []

    def make() -> Worker:
        made.append(Worker())
        return made[-1]

    yield make
    for worker in made:
        if worker._process.poll() is None:
            worker.end()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
