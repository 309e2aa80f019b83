"""Debug bundles: what is in them, and that no secret is, however the page shows it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN
from handstamp.errors import OperationFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.sites.operation import Run

PASSWORD = BUILT_IN[0].password
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DP"
TOKEN = "tok-7f3a91c2d8e44b0f9a6e"
PIN = "pin-of-the-caller"
PAGE = """
<html><head><meta name="csrf-token" content="{token}"><script>const key = "{token}"; window.p = "{password}"</script></head>
<body data-api-key="short"><form action="/go?access_token={token}"><input type="hidden" name="_t" value="{token}">
<input type="password" value="{password}"><input name="otp" value="{totp}"><input name="plate" value="ZH 1"></form>
<p>Shown: {password} and {totp}, {token} as well</p><a href="https://{token}@portside.example/x?sid={cookie}">x</a>
<!-- {password} {cookie} --><noscript>{token}</noscript></body></html>
"""


def _texts(bundle: str) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_shows_pictures_page_console_and_requests(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def act(run: Run) -> None:
        run.tell("rows are read")
        await run.page.evaluate("() => console.log('the page says hello')")
        await run.shot("rows", object_id="HBRU1112085")

    async def flow() -> str:
        async with desk() as here:
            return str((await here.do(titled(act), evidence=True)).bundle)

    found = _texts(asyncio.run(flow()))
    assert set(found) == {"summary.json", "console.txt", "requests.har", "page.html", "shots/01-rows.png", "shots/02-end.png"}
    console = found["console.txt"].decode()
    assert "operation: rows are read" in console
    assert "log: the page says hello" in console
    har = json.loads(found["requests.har"])["log"]
    assert har["version"] == "1.2"
    first = har["entries"][0]
    assert (first["request"]["method"], first["response"]["status"]) == ("GET", 200)
    assert first["request"]["url"].endswith("/containers")
    assert {"name": "content-type", "value": "text/html; charset=utf-8"} in first["response"]["headers"]
    assert b"<h1" in found["page.html"]
    summary = json.loads(found["summary.json"])
    assert (summary["operation"], summary["site"], summary["username"], summary["ended"]) == ("get_title", "portside", "demo", "done")


def test_no_planted_secret_is_in_any_file_of_a_bundle(desk: Callable[..., Any], office: Any, demo: DemoServers) -> None:
    async def leak(run: Run) -> None:
        cookies = {cookie["name"]: cookie["value"] for cookie in await run.page.context.cookies()}
        values = {"password": PASSWORD, "totp": TOTP, "token": TOKEN, "cookie": cookies["sid"], "pin": PIN}
        planted.update(values)
        await run.page.goto(run.site.url(f"/containers?access_token={TOKEN}&password={PASSWORD}&code={TOTP}"))
        await run.page.set_content(PAGE.format(**values))
        await run.page.fill("input[type=password]", PASSWORD)
        await run.page.evaluate(
            """async values => {
                for (const [name, value] of Object.entries(values)) {
                    console.log(`${name}=${value}`, 'and', value); console.error(JSON.stringify({[name]: value}));
                    localStorage.setItem('planted-' + name, value);
                }
                await fetch('/ping?sid=' + values.cookie, {headers: {'Authorization': 'Bearer ' + values.token, 'X-Other': values.password}});
                await fetch('/api/' + values.token, {method: 'POST', body: JSON.stringify(values)});
                setTimeout(() => { throw new Error('broken by ' + values.password + ' ' + values.cookie) });
            }""",
            values,
        )
        await run.page.wait_for_timeout(200)
        run.tell(f"the password is {PASSWORD}")
        raise ValueError(f"{PASSWORD} {TOTP} {TOKEN}")

    async def flow() -> str:
        async with desk() as here:
            here.vault.set_secret("portside", "demo", "password", PASSWORD)
            here.vault.set_secret("portside", "demo", "totp", TOTP)
            office.planted[2] = leak
            with pytest.raises(OperationFailed) as caught:
                await here.do(office.booking(), {"terminal": "T1", "pin": PIN, "truck_plate": "ZH 1"})
            assert not any(value in str(caught.value) for value in planted.values())
            return caught.value.bundle

    planted: dict[str, str] = {}
    bundle = asyncio.run(flow())
    found = _texts(bundle)
    assert len(found) > 4
    leaks = [(name, what) for name, data in found.items() for what, value in planted.items() if value.encode() in data]
    assert leaks == []
    assert len(planted) == 5
    assert b"ZH 1" in found["page.html"]  # what is no secret is there to be read
    assert b"and" in found["console.txt"]
    assert demo.control.stats().portside.logins == 1


def test_a_folder_that_cannot_be_written_is_no_error_of_the_operation(desk: Callable[..., Any], titled: Callable[..., Any], tmp_path: Path) -> None:
    async def flow() -> None:
        async with desk() as here:
            (tmp_path / "real").mkdir()
            here.files.folder.symlink_to(tmp_path / "real")
            outcome = await here.do(titled(), evidence=True)
            assert outcome.result.title
            assert outcome.bundle == ""
            assert list((tmp_path / "real").iterdir()) == []

    asyncio.run(flow())


def test_a_waiting_workflow_shows_where_it_stands(desk: Callable[..., Any], office: Any) -> None:
    from handstamp.errors import InputMissing

    async def flow() -> str:
        async with desk() as here:
            with pytest.raises(InputMissing) as caught:
                await here.do(office.booking(evidence=True), {"terminal": "T1"})
            return caught.value.bundle

    found = _texts(asyncio.run(flow()))
    assert json.loads(found["summary.json"])["ended"] == "waits"
    assert "shots/01-phase-1.png" in found


def test_a_page_that_floods_its_console_is_heard_no_more_after_so_many_lines(desk: Callable[..., Any], titled: Callable[..., Any]) -> None:
    async def flood(run: Run) -> None:
        await run.page.evaluate("() => { for (let i = 0; i < 5000; i++) console.log(`line ${i}.`) }")
        async with run.page.expect_popup() as popup:
            await run.page.evaluate("() => { window.open('/account') }")
        await (await popup.value).evaluate("() => console.log('in a popup')")
        run.tell("still told")

    async def flow() -> str:
        async with desk() as here:
            return str((await here.do(titled(flood), evidence=True)).bundle)

    console = _texts(asyncio.run(flow()))["console.txt"].decode().splitlines()
    assert len(console) == 500
    assert "line 998." in console[-3]
    assert console[-2].endswith("evidence: after 1000 lines no more of the console is noted")
    assert console[-1].endswith("operation: still told")
