"""The awaited client, and that both say the same."""

from __future__ import annotations

import asyncio
import inspect
import logging
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, InputMissing, PoolFull, ServerError
from handstamp.remote import AsyncRemote, AsyncResult, Remote, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

TOKEN = "hs_canary-token-of-the-test"


def run(flow: Callable[[AsyncRemote], Coroutine[Any, Any, None]], desk, **options: Any) -> None:
    async def within() -> None:
        async with AsyncRemote(desk.url, token=TOKEN, **options) as remote:
            await flow(remote)

    asyncio.run(within())


def public(kind: type) -> set[str]:
    """What it has besides what every mapping has."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")} - set(dir(Mapping))


@pytest.mark.parametrize(("ours", "theirs"), [(Remote, AsyncRemote), (Result, AsyncResult)])
def test_both_clients_have_the_same_methods_signatures_and_docstrings(ours: type, theirs: type) -> None:
    methods = public(ours)
    assert methods == public(theirs)
    assert inspect.getdoc(ours).partition("\n\n")[2] == inspect.getdoc(theirs).partition("\n\n")[2]
    for name in methods | ({"__init__"} if ours is Remote else set()):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert inspect.signature(mine).parameters == inspect.signature(other).parameters, name
        assert inspect.getdoc(mine) == inspect.getdoc(other), name
        assert name == "__init__" or inspect.getdoc(mine), name
        assert name == "__init__" or inspect.iscoroutinefunction(other), name


def test_importing_handstamp_loads_no_client_of_a_server() -> None:
    code = "import handstamp, sys; assert 'handstamp.remote' not in sys.modules; import handstamp.remote; assert 'playwright' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_sessions_operations_and_files_with_await(desk, tmp_path: Path) -> None:
    async def flow(remote: AsyncRemote) -> None:
        session = await remote.get_session("dana", "blue")
        found = await remote.call("get_containers", session_id=session.session_id, infinite_scrolling=True)
        file = await found.download("file_url", tmp_path / "list.xlsx")
        assert file.read_bytes() == bytes(range(256)) * 4096
        assert [told.session_id for told in await remote.sessions()] == [session.session_id]
        with pytest.raises(InputMissing) as stopped:
            await remote.call("check_appointments", session_id=session.session_id)
        done = await remote.call("check_appointments", appointment_session_id=stopped.value.appointment_session_id, truck_plate="HH-1")
        assert done["available_times"] == ["08:00"]
        await remote.close_session(session.session_id)
        assert (await remote.health())["status"] == "healthy"

    run(flow, desk)
    assert [path for _, path, _ in desk.asked][:3] == ["/get_session", "/get_containers", "/files/secret name.xlsx"]


def test_many_calls_at_once_are_many_answers(desk) -> None:
    async def flow(remote: AsyncRemote) -> None:
        names = [f"user-{number}" for number in range(60)]
        opened = await asyncio.gather(*(remote.get_session(name, "blue") for name in names))
        assert [session.username for session in opened] == names
        assert len({session.session_id for session in opened}) == 60

    run(flow, desk)


def test_a_full_server_is_asked_again_with_await(desk) -> None:
    async def flow(remote: AsyncRemote) -> None:
        desk.plan(429, {"success": False, "error": "all windows are in use", "code": "pool-full"}, retry_after="0")
        assert (await remote.get_session("dana", "blue")).is_new
        desk.plan(429, {"success": False, "error": "all windows are in use", "code": "pool-full"}, retry_after="60")
        with pytest.raises(PoolFull):
            await remote.get_session("dana", "blue")

    run(flow, desk, wait=5.0)
    assert len(desk.asked) == 3


def test_a_server_that_is_not_there_is_told_with_await() -> None:
    async def flow() -> None:
        async with AsyncRemote("http://127.0.0.1:1", token=TOKEN, wait=0.3) as remote:
            with pytest.raises(ServerError, match="cannot be reached"):
                await remote.health()

    asyncio.run(flow())


def test_a_download_that_is_given_up_leaves_nothing(desk, tmp_path: Path) -> None:
    async def flow(remote: AsyncRemote) -> None:
        download = asyncio.create_task(remote.download("endless", tmp_path / "endless"))
        while not [path for path in tmp_path.iterdir() if path.name.startswith(".endless")]:  # noqa: ASYNC110  (a folder tells nobody)
            await asyncio.sleep(0.01)
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download

    run(flow, desk)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_file_that_cannot_be_written_is_told_with_await(desk, tmp_path: Path) -> None:
    async def flow(remote: AsyncRemote) -> None:
        with pytest.raises(ConfigError, match="cannot be written"):
            await remote.download("secret name.xlsx", tmp_path / "none" / "list")

    run(flow, desk)


def test_no_secret_is_in_a_log_with_await(desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def flow(remote: AsyncRemote) -> None:
        session = await remote.get_session("dana", "canary-password-of-dana")
        result = await remote.call("get_containers", username="dana", password="canary-password-of-dana")
        assert "canary" not in f"{remote!r} {session!r} {result!r}"

    run(flow, desk)
    assert caplog.text
    assert "canary" not in caplog.text
