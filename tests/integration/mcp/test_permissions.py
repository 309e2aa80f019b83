"""What an agent may do is what the settings say; what it does is in the event log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)
LOOKING = {
    "list_sites", "list_sessions", "check_session", "history", "login_status", "pending_challenges", "show_challenge",
    "open_page", "navigate", "read_page", "screenshot", "close_page",
}  # fmt: skip


def test_an_agent_that_may_only_look_has_no_tool_that_does_something_and_begins_no_login(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio("--read-only") as agent:
            assert set(await agent.tools()) == LOOKING
            with pytest.raises(MCPError, match="Unknown tool"):
                await agent.call("click", handle="x", target="button")
            with pytest.raises(failed, match="login-required"):
                await agent.call("open_page", site="leaky")
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
        async with line.stdio("--read-only") as agent:
            assert (await agent.call("open_page", site="leaky"))["outside"] is False

    play(flow())
    assert agent_site.typed == []


def test_tools_sites_and_profiles_are_what_the_settings_say(agent_site: Any, home: Path, line: Any, play: Any, failed: Any) -> None:
    (home / "handstamp.toml").write_text('[mcp]\nallow = ["read", "start_login"]\ndeny = ["screenshot"]\nsites = ["leaky"]\nprofiles = ["default"]\n')

    async def flow() -> None:
        async with line.stdio() as agent:
            assert set(await agent.tools()) == LOOKING - {"screenshot"} | {"start_login"}
            assert [site["name"] for site in (await agent.call("list_sites"))["sites"]] == ["leaky"]
            await agent.call("start_login", site="leaky", username="ann")
            for arguments in ({"site": "portside"}, {"site": "leaky", "profile": "other"}):
                with pytest.raises(failed, match="forbidden"):
                    await agent.call("start_login", **arguments)
        async with line.stdio("--profile", "other") as agent:
            assert (await agent.call("list_sessions"))["sessions"] == []
            seen = (await agent.call("history"))["events"]
            assert {event["profile"] for event in seen} == {"other"}  # what was asked of it in vain, and nothing of the other profile

    play(flow())
    assert agent_site.typed == []


def test_every_use_is_in_the_event_log_without_values(agent_site: Any, vault: Vault, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky"))["handle"]
            await agent.call("fill", handle=page, target='textbox "Your name"', value="typed-by-the-agent")
            with pytest.raises(failed):
                await agent.call("open_page", site="nowhere")

    play(flow())
    events = list(reversed(vault.events(kind="mcp-use")))
    assert [(event.site, event.profile, event.data["tool"], event.data["outcome"]) for event in events] == [
        ("leaky", "default", "start_login", "done"),
        ("leaky", "default", "open_page", "done"),
        ("leaky", "default", "fill", "done"),
        ("nowhere", "default", "open_page", "site-unknown"),
    ]
    assert "typed-by" not in repr(events)
    assert agent_site.typed == []


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('allow = ["reed"]', "no tool 'reed'"),
        ('deny = ["clik"]', "no tool 'clik'"),
        ("navigate = 'far'", "'site' or 'anywhere'"),
        ("sites = 'portside'", "a list of names"),
        ("max_sessions = 0", "a whole number from 1"),
        ("colour = 1", "no setting"),
    ],
)
def test_a_setting_that_says_nothing_is_an_error_and_not_an_open_door(home: Path, setting: str, words: str) -> None:
    home.mkdir()
    (home / "handstamp.toml").write_text(f"[mcp]\n{setting}\n")
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "handstamp.cli", "mcp", *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (3, "")  # a client reads stdout, and takes what stands there for the protocol
        assert words in done.stderr


def _children(pid: int) -> list[int]:
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in out.split()]


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("how", ["hang up", "SIGTERM"])
def test_a_server_whose_client_hangs_up_or_that_is_stopped_leaves_nothing_behind(home: Path, how: str) -> None:
    with subprocess.Popen([sys.executable, "-m", "handstamp.cli", "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        while not (children := _children(process.pid)):  # the browser is warm before anybody asks
            time.sleep(0.1)
        if how == "hang up":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == (0 if how == "hang up" else 128 + signal.SIGTERM)
    while not all(_gone(pid) for pid in children):
        time.sleep(0.1)
    assert home.exists()
