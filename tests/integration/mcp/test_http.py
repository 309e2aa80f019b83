"""`handstamp mcp --http`: many clients, each with a token; nobody else."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp_types import ElicitResult
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def test_only_who_has_a_token_and_means_this_server_gets_in(home: Path, vault: Vault, line: Any) -> None:
    with line.server() as (url, _):
        token = (home / "server.token").read_text().strip()
        auth = {**JSON, "Authorization": f"Bearer {token}"}

        def status(headers: dict[str, str]) -> int:
            return httpx2.post(url, json=HELLO, headers=headers, timeout=30).status_code

        assert status(JSON) == 401
        assert status({**JSON, "Authorization": "Bearer hs_not-a-token"}) == 401
        assert status({**auth, "Host": "rebound.example"}) == 421
        assert status({**auth, "Origin": "https://page.example"}) == 403
        assert status({**auth, "Mcp-Session-Id": "x" * 32}) == 404
        assert httpx2.post(url, content=b"x" * 2_000_000, headers=auth, timeout=30).status_code == 413
        files_only = vault.add_token("downloads", ["files"])
        assert status({**JSON, "Authorization": f"Bearer {files_only}"}) not in {401, 404}  # known, and without a single tool: see below
    assert token not in line.log.read_text()


def test_two_clients_at_once_see_their_own_pages_only(demo: DemoServers, agent_site: Any, vault: Vault, line: Any, play: Any, failed: Any) -> None:
    tokens = {name: vault.add_token(name, ["use"]) for name in ("first", "second")}

    async def flow(url: str) -> None:
        async with line.http(url, tokens["first"]) as first, line.http(url, tokens["second"], mode="legacy") as second:
            await first.call("start_login", site="portside", profile="work")
            await second.call("start_login", site="leaky", username="ann")
            mine = await first.call("open_page", site="portside", profile="work", url="/account")
            theirs = await second.call("open_page", site="leaky")
            assert "Vera Quill" in await first.text(mine["handle"])
            assert "Home" in await second.text(theirs["handle"])
            for agent, other in ((first, theirs), (second, mine)):
                with pytest.raises(failed, match="session-not-found"):
                    await agent.call("read_page", handle=other["handle"])
                assert len((await agent.call("list_sessions"))["your_pages"]) == 1

    with line.server() as (url, _):
        play(flow(url))
    said = "\n".join(line.transcript) + line.log.read_text()
    assert [secret for secret in (*tokens.values(), "planted-canary-77aa", agent_site.sid, agent_site.token) if secret in said] == []
    assert {event.data["client"] for event in vault.events(kind="mcp-use")} == {"first", "second"}
    assert demo.control.stats().portside.logins == 1


def test_a_token_has_the_tools_of_its_scopes(vault: Vault, line: Any, play: Any) -> None:
    reading, nothing = vault.add_token("reads", ["read"]), vault.add_token("downloads", ["files"])

    async def flow(url: str) -> None:
        async with line.http(url, reading) as agent:
            assert set(await agent.tools()) == {"list_sites", "list_sessions", "history", "login_status", "pending_challenges"}
            assert (await agent.call("list_sessions"))["sessions"] == []
        async with line.http(url, nothing) as agent:
            assert await agent.tools() == []

    with line.server() as (url, _):
        play(flow(url))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_captcha_is_asked_of_the_person_at_the_client_over_http_when_it_was_shown(demo: DemoServers, line: Any, play: Any, failed: Any, mode: str) -> None:
    demo.control.set(captcha=True)
    asked: list[str] = []

    async def person(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"answer": demo.control.captcha_answer()})

    async def flow(url: str) -> None:
        async with line.http(url, mode=mode, asked=person) as agent:
            first = await agent.answer("start_login", site="portside")
            assert (first.structured_content["status"], asked) == ("waiting", [])  # a form cannot hold the picture, so it comes before
            assert "call start_login again" in first.structured_content["challenge"]["how"]
            (shown,) = [block for block in first.content if block.type == "image"]
            with Image.open(io.BytesIO(base64.b64decode(shown.data))) as picture:
                assert picture.format == "PNG"
            again = await agent.answer("show_challenge", challenge_id=first.structured_content["challenge"]["challenge_id"])
            assert again.content[1].data == shown.data
            assert (await agent.call("start_login", site="portside"))["status"] == "signed_in"
            with pytest.raises(failed, match="input-invalid"):
                await agent.call("show_challenge", challenge_id=first.structured_content["challenge"]["challenge_id"])

    with line.server("--no-auth") as (url, _):
        play(flow(url))
    assert len(asked) == 1
    assert "show_challenge" in asked[0]
    assert demo.control.stats().portside.attempts == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--http", "0.0.0.0:0", "--no-auth"], "lets everybody in"),
        (["--http", "0.0.0.0:0"], "allowed_hosts"),
        (["--no-auth"], "goes with --http"),
        (["--http", "8901"], "HOST:PORT"),
        (["--read-only", "--allow", "act"], "one of the two"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_server_that_lets_everybody_in_from_everywhere_is_refused(options: list[str], words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "handstamp.cli", "mcp", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode in {2, 3}
    assert words in done.stderr
