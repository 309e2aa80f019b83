"""The way into a browser without a port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import websockets

from handstamp.browser import Chromium, Launch, find_browser
from handstamp.state import Clock


async def with_browser(check) -> None:
    chromium = await Chromium.start(Launch(find_browser()), Clock("test"))
    try:
        await check(chromium)
    finally:
        await chromium.close()


def test_a_wrong_path_a_web_page_and_a_second_client_are_turned_away() -> None:
    async def check(chromium: Chromium) -> None:
        _, url = chromium.driver()
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(url[:-1] + ("x" if url[-1] != "x" else "y"))
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(url, origin="http://evil.example")
        async with websockets.connect(url) as first:
            await first.send('{"id": 7, "method": "Browser.getVersion"}')
            assert '"id":7' in str(await first.recv())
            async with websockets.connect(url) as second:
                with pytest.raises(websockets.ConnectionClosed):
                    await second.recv()

    asyncio.run(with_browser(check))


def test_the_browser_listens_on_no_port_and_shows_no_secret_in_its_command_line() -> None:
    async def check(chromium: Chromium) -> None:
        _, url = chromium.driver()
        command = Path(f"/proc/{chromium.pid}/cmdline").read_text()
        assert "--remote-debugging-pipe" in command
        assert url.rpartition("/")[2] not in command
        assert not _listening(chromium.pid)

    asyncio.run(with_browser(check))


def _listening(pid: int) -> list[str]:
    inodes = {str(link.readlink()).split("[")[1][:-1] for link in Path(f"/proc/{pid}/fd").iterdir() if str(link.readlink()).startswith("socket:[")}
    tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    return [row for table in tables for row in table if row.split()[9] in inodes and row.split()[3] == "0A"]


def test_the_user_data_directory_goes_with_the_browser() -> None:
    async def check(chromium: Chromium) -> None:
        folders.append(chromium.user_data)
        assert (folders[0].stat().st_mode & 0o777) == 0o700

    folders: list[Path] = []
    asyncio.run(with_browser(check))
    assert not folders[0].exists()
