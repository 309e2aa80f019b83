"""An agent at `handstamp mcp`, over stdin and stdout: it logs in, reads and acts in portside, and never sees what lets it in."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult
from PIL import Image

from handstamp.demo.totp import code_at, step_at

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)


def codes_about_now(secret: str) -> set[str]:
    now = step_at(time.time())
    return {code_at(secret, step) for step in range(now - 6, now + 3)}


def handstamp(*words: str, given: str = "") -> str:
    done = subprocess.run([sys.executable, "-m", "handstamp.cli", *words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_agent_logs_in_with_a_one_time_code_and_lists_containers_and_the_transcript_holds_no_secret(
    demo: DemoServers, vault: Vault, line: Any, play: Any
) -> None:
    demo.control.set(totp=True)

    async def flow() -> None:
        async with line.stdio("-vv") as agent:
            login = await agent.call("start_login", site="portside", profile="work")
            assert (login["status"], login["made_login"], login["session"]["username"]) == ("signed_in", True, "vera")
            page = await agent.call("open_page", site="portside", profile="work", url="/containers")
            assert page["title"] == "Containers · Portside Terminal"
            text = await agent.text(page["handle"])
            numbers = re.findall(r"^[A-Z]{4}\d{7}", text, re.MULTILINE)
            assert len(numbers) > 20
            await agent.call("fill", handle=page["handle"], target='searchbox "Search"', value=numbers[0])
            tree = await agent.text(page["handle"], mode="accessibility")
            assert numbers[0] in tree
            assert numbers[1] not in tree
            ref = re.search(r'link "Account" \[ref=(e\d+)\]', tree)
            assert ref is not None
            moved = await agent.call("click", handle=page["handle"], target=ref[1])
            assert (moved["found_by"], moved["title"]) == ("ref", "Account · Portside Terminal")
            assert "Vera Quill" in await agent.text(page["handle"])
            picture = next(one for one in (await agent.answer("screenshot", handle=page["handle"])).content if one.type == "image")
            seen = Image.open(io.BytesIO(base64.b64decode(picture.data)))
            assert seen.width > 600
            assert len(seen.convert("L").getcolors(256) or []) > 50  # something is drawn on it
            done = await agent.call("portside_get_containers", profile="work")
            assert done["result"]["username"] == "vera"
            assert done["result"]["containers"][0]["number"] == numbers[0]
            await agent.call("check_session", site="portside", profile="work")
            await agent.call("history")
            assert (await agent.call("list_sessions"))["your_pages"] == [{"handle": page["handle"], "site": "portside", "profile": "work"}]
            await agent.call("close_page", handle=page["handle"])

    play(flow())
    said = "\n".join(line.transcript) + line.log.read_text()
    assert '"method":"tools/call"' in said
    state = vault.load("work")
    values = [cookie.value for cookie in state.cookies()] + [str(value) for part in state.parts.values() for value in part.live().values()]
    assert any("planted-canary-77aa" in value for value in values)  # the canary is in what lets in
    planted = ["planted-canary-77aa", "planted-Password-5b1e", "OBWGC3TUMVSC243FMVSC2NRUGIYTQ5TM"]
    assert [secret for secret in planted if secret in said] == []
    digits = set(re.findall(r"(?<![\d.])\d{6}(?!\d)", re.sub(r"\"data\":\"[^\"]*\"", "", said)))
    assert digits & codes_about_now("OBWGC3TUMVSC243FMVSC2NRUGIYTQ5TM") == set()
    assert demo.control.stats().portside.logins == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_captcha_is_asked_of_the_person_at_the_client(demo: DemoServers, line: Any, play: Any, mode: str) -> None:
    demo.control.set(captcha=True)
    asked: list[str] = []

    async def person(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        file = params.message.split("Look at ")[1].removesuffix(".")
        with Image.open(file) as picture:
            assert picture.format == "PNG"
        return ElicitResult(action="accept", content={"answer": demo.control.captcha_answer()})

    async def flow() -> None:
        async with line.stdio(mode=mode, asked=person) as agent:
            assert agent.client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
            login = await agent.call("start_login", site="portside")
            assert (login["status"], login["made_login"]) == ("signed_in", True)
            assert (await agent.call("pending_challenges"))["challenges"] == []

    play(flow())
    assert len(asked) == 1
    assert demo.control.stats().portside.attempts == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_person_who_declines_leaves_the_question_open_for_others(demo: DemoServers, line: Any, play: Any, mode: str) -> None:
    demo.control.set(captcha=True)

    async def person(_: Any, __: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async def flow() -> None:
        async with line.stdio(mode=mode, asked=person) as agent:
            login = await agent.call("start_login", site="portside")
            assert login["status"] == "waiting"
            waiting = (await agent.call("pending_challenges"))["challenges"]
            assert [one["challenge_id"] for one in waiting] == [login["challenge"]["challenge_id"]]

    play(flow())


def test_without_elicitation_a_person_answers_from_another_process(demo: DemoServers, line: Any, play: Any, failed: Any) -> None:
    demo.control.set(captcha=True)

    async def flow() -> None:
        async with line.stdio() as agent:
            answer = await agent.answer("start_login", site="portside")
            login = answer.structured_content
            assert (login["status"], login["challenge"]["kind"], login["challenge"]["source"]) == ("waiting", "image", "page")
            assert answer.content[1].type == "image"
            assert "start_login again" not in login["challenge"]["how"]
            with pytest.raises(failed, match="handstamp answer"):
                await agent.call("open_page", site="portside")
            assert (await agent.call("login_status", site="portside"))["status"] == "waiting"
            challenge_id = login["challenge"]["challenge_id"]
            await asyncio.to_thread(handstamp, "answer", challenge_id, "-", given=f"{demo.control.captcha_answer()}\n")
            while (state := await agent.call("login_status", site="portside"))["status"] != "signed_in":
                assert state["status"] in {"waiting", "running"}
                await asyncio.sleep(0.2)
            assert state["made_login"]
            assert (await agent.call("open_page", site="portside"))["outside"] is False

    play(flow())
    assert demo.control.stats().portside.logins == 1


def test_a_refused_login_is_an_error_that_a_person_has_to_see_to_and_is_not_repeated(
    demo: DemoServers, vault: Vault, line: Any, play: Any, failed: Any
) -> None:
    vault.set_secret("portside", "vera", "password", "not-her-password")

    async def flow() -> None:
        async with line.stdio() as agent:
            for _ in range(2):
                with pytest.raises(failed) as error:
                    await agent.call("start_login", site="portside")
                assert error.value.facts["next"] == "person"
            assert (await agent.call("login_status", site="portside"))["failure"]["code"] in {"login-failed", "login-budget-spent"}

    play(flow())
    assert demo.control.stats().portside.attempts == 1


def test_a_workflow_says_by_its_result_what_to_call_next(demo: DemoServers, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            first = await agent.call("portside_check_appointments", trucking_company="Alder Road Haulage")
            assert (first["status"], first["missing"]) == ("input_missing", ["terminal", "move_type", "container_id"])
            assert first["appointment_session_id"] in first["appointment_session_id"]
            again = {"appointment_session_id": first["appointment_session_id"], "terminal": "North Quay", "move_type": "Pick up full"}
            second = await agent.call("portside_check_appointments", **again)
            assert (second["status"], second["missing"]) == ("input_missing", ["container_id"])
            assert second["appointment_session_id"] == first["appointment_session_id"]

    play(flow())
    assert demo.control.stats().portside.logins == 1


def test_a_page_of_a_session_that_was_hibernated_meanwhile_is_opened_again_where_it_was(agent_site: Any, line: Any, play: Any) -> None:
    async def flow() -> None:
        async with line.stdio("--max-sessions", "1") as agent:
            for profile, username in (("a", "ann"), ("b", "ben")):
                assert (await agent.call("start_login", site="leaky", profile=profile, username=username))["status"] == "signed_in"
            first = await agent.call("open_page", site="leaky", profile="a", url="/other")
            second = await agent.call("open_page", site="leaky", profile="b")
            back = await agent.call("read_page", handle=first["handle"])
            assert back["reopened"]
            assert "Other page" in back["text"]
            assert (await agent.call("read_page", handle=first["handle"]))["reopened"] is False
            await agent.call("close_page", handle=second["handle"])  # hibernated by now

    play(flow())
    assert agent_site.typed == []


def test_what_a_page_shows_of_secrets_is_blanked_and_passwords_are_not_typed(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio("-vv") as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/home"))["handle"]
            text = await agent.text(page)
            assert text.startswith("<page-content ")
            assert "Your session is … and your password is …." in text
            assert "Token …" in text
            assert "In the frame: …" in text
            tree = await agent.text(page, mode="accessibility")
            assert 'textbox "Your name" [ref=' in tree
            assert "Ann A" in tree
            assert re.search(r'textbox "Password" \[ref=e\d+\]: …', tree)
            assert re.search(r'textbox "API token" \[ref=e\d+\]: …', tree)
            assert "/url: /other?token=\n" in tree
            picture = (await agent.answer("screenshot", handle=page)).content[1]
            colours = {number: colour for colour, number in Image.open(io.BytesIO(base64.b64decode(picture.data))).convert("RGB").getcolors(1 << 20) or []}
            assert colours[0x44, 0x44, 0x44] > 40_000  # two lines, two fields and a line in a frame are covered
            for target in ('textbox "Password"', "input[name=c]"):
                with pytest.raises(failed, match="forbidden"):
                    await agent.call("fill", handle=page, target=target, value="typed-by-the-agent")
            await agent.call("fill", handle=page, target='textbox "Your name"', value="Ann B")
            await agent.call("fill", handle=page, target='combobox "Colour"', value="green")
            sent = await agent.call("click", handle=page, target="css=button")
            assert (sent["title"], sent["url"]) == ("Sent", f"{agent_site.url}/typed")

    play(flow())
    assert {"name=Ann B", "colour=green"} <= set(agent_site.typed)
    said = "\n".join(line.transcript) + line.log.read_text()
    secrets = [agent_site.sid, agent_site.token, agent_site.password, "typed-into-the-page", "short-one"]
    assert [secret for secret in secrets if secret in said] == []
    assert said.count("typed-by-the-agent") == 2  # in the calls, and in no answer


def test_pages_stay_within_the_site(agent_site: Any, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky"))["handle"]
            for url in (agent_site.outside, "https://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x"):
                with pytest.raises(failed, match="forbidden"):
                    await agent.call("navigate", handle=page, url=url)
                with pytest.raises(failed, match="forbidden"):
                    await agent.call("open_page", site="leaky", url=url)
            away = await agent.call("click", handle=page, target='link "Way out"')
            assert (away["outside"], away["refused"], away["title"]) == (False, [agent_site.outside], "Home of …")
            opened = await agent.call("click", handle=page, target='link "In a new window"')
            while not opened["new_pages"]:  # it comes in its own time
                opened = await agent.call("screenshot", handle=page)
            (other,) = opened["new_pages"]
            assert "Other page" in await agent.text(other)
        async with line.stdio("--navigate", "anywhere") as agent:
            page = (await agent.call("open_page", site="leaky"))["handle"]
            assert (await agent.call("navigate", handle=page, url=f"{agent_site.outside}/x"))["outside"] is False

    play(flow())


def test_an_agent_is_told_what_it_did_wrong(agent_site: Any, home: Path, line: Any, play: Any, failed: Any) -> None:
    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky"))["handle"]
            mistakes = [
                ("session-not-found", "read_page", {"handle": "nothing"}),
                ("site-unknown", "open_page", {"site": "nowhere"}),
                ("site-unknown", "start_login", {"site": agent_site.outside}),
                ("site-unknown", "start_login", {"site": str(home / "sites" / "leaky.toml")}),
                ("site-unknown", "start_login", {"site": "leaky.toml"}),
                ("config", "start_login", {"site": "leaky", "profile": "../other"}),
                ("input-invalid", "click", {"handle": page, "target": "a"}),
                ("input-invalid", "click", {"handle": page, "target": "e9999"}),
                ("input-invalid", "click", {"handle": page, "target": "css=]["}),
                ("invalid-arguments", "click", {"handle": page}),
                ("invalid-arguments", "start_login", {"site": "leaky", "password": "an-argument-that-there-is-not"}),
            ]
            for code, name, arguments in mistakes:
                with pytest.raises(failed) as error:
                    await agent.call(name, **arguments)
                assert (error.value.code, error.value.facts["next"]) == (code, "correct"), name
                assert "an-argument" not in str(error.value)
            with pytest.raises(MCPError, match="Unknown tool"):
                await agent.call("evaluate", script="1")

    play(flow())
    assert agent_site.typed == []


def test_long_pages_are_read_piece_by_piece(agent_site: Any, line: Any, play: Any) -> None:
    def inside(text: str) -> str:
        return text.split("\n", 1)[1].rsplit("\n", 1)[0]

    async def flow() -> None:
        async with line.stdio() as agent:
            await agent.call("start_login", site="leaky", username="ann")
            page = (await agent.call("open_page", site="leaky", url="/home"))["handle"]
            whole = inside(await agent.text(page))
            pieces, offset = [], 0
            while offset is not None:
                piece = await agent.call("read_page", handle=page, max_chars=100, offset=offset)
                pieces.append(inside(piece["text"]))
                offset = piece["next_offset"]
            assert len(pieces) == 2
            assert "".join(pieces) == whole

    play(flow())
    assert agent_site.typed == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_call_that_the_client_gives_up_frees_the_session_and_is_in_the_event_log(demo: DemoServers, vault: Vault, line: Any, play: Any, mode: str) -> None:
    async def flow() -> None:
        async with line.stdio(mode=mode) as agent:
            await agent.call("start_login", site="portside")
            page = (await agent.call("open_page", site="portside", url="/account"))["handle"]
            demo.control.set(slow_ms=20_000)
            with pytest.raises(MCPError):
                await agent.client.call_tool("navigate", {"handle": page, "url": "/containers"}, read_timeout_seconds=1)
            demo.control.set(slow_ms=0)
            assert "Vera Quill" in await agent.text(page)

    play(flow())
    outcomes = [event.data["outcome"] for event in vault.events(kind="mcp-use") if event.data["tool"] == "navigate"]
    assert outcomes == ["cancelled"]
