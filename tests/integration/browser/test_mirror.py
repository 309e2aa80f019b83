"""What is saved of what pages do."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from handstamp.browser.tabs import MOST_TABS
from handstamp.state import Cookie, PartitionKey, PartKind

from .conftest import until


def test_changes_are_saved_while_the_context_is_open(web, opened) -> None:
    a = web.origin()
    web.headers["/login"] = [("Set-Cookie", "sid=1; HttpOnly; SameSite=Lax"), ("Set-Cookie", "keep=2; Max-Age=3600")]

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/login")
            await page.evaluate("localStorage.setItem('token', 'T'); sessionStorage.setItem('s', '1')")
            await until(lambda: saves.state.local_storage(a) == {"token": "T"} and len(saves.state.cookies()) == 2)
            (tab,) = saves.state.session_storage(a).values()
            assert tab == {"s": "1"}
            sid, keep = sorted(saves.state.cookies(), key=lambda cookie: cookie.name, reverse=True)
            assert (sid.value, sid.http_only, sid.same_site, sid.expires, sid.host_only, sid.source_port) == ("1", True, "Lax", None, True, web.port)
            assert keep.expires is not None
            assert keep.same_site is None
            before = len(saves.changes)
            await asyncio.sleep(1.2)
            assert len(saves.changes) == before  # nothing changed, nothing saved

    asyncio.run(scenario())


def test_what_changed_in_the_last_moment_is_saved_at_close(web, opened) -> None:
    a = web.origin()

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(a)
            await page.evaluate("localStorage.setItem('last', '1'); document.cookie = 'last=1'")
            await context.close()
            assert saves.state.local_storage(a) == {"last": "1"}
            assert [cookie.name for cookie in saves.state.cookies()] == ["last"]

    asyncio.run(scenario())


def test_deletions_are_saved_as_deletions(web, opened, saved) -> None:
    a = web.origin()
    web.headers["/logout"] = [("Set-Cookie", "sid=; Max-Age=0")]
    state = saved(local={a: {"token": "T", "other": "1"}}, cookies=(Cookie("sid", "1", "a.localhost"), Cookie("stay", "1", "a.localhost")))

    async def scenario() -> None:
        async with opened(state) as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/logout")
            await page.evaluate("localStorage.clear()")
        assert saves.state.local_storage(a) == {}
        assert [cookie.name for cookie in saves.state.cookies()] == ["stay"]

    asyncio.run(scenario())


def test_an_origin_that_was_not_visited_keeps_what_it_has(web, opened, saved) -> None:
    a, b = web.origin("a"), web.origin("b")

    async def scenario() -> None:
        async with opened(saved(local={a: {"x": "1"}, b: {"y": "2"}})) as (context, live, saves):
            page = await context.new_page()
            await page.goto(a)
            assert live.mirror.state().local_storage(b) == {"y": "2"}
        assert saves.state.local_storage(b) == {"y": "2"}

    asyncio.run(scenario())


def test_every_attribute_of_a_cookie_comes_back(web, opened, saved) -> None:
    in_an_hour = float(int(time.time()) + 3600)
    cookies = (
        Cookie("host", "1", "a.localhost", source_scheme="NonSecure", source_port=web.port),
        Cookie("domain", "1", "example.com", host_only=False, expires=in_an_hour, same_site="Strict", source_scheme="NonSecure", source_port=80),
        Cookie("all", "1", "example.com", path="/x", secure=True, http_only=True, same_site="None", priority="High", source_scheme="Secure", source_port=444),
        Cookie(
            "chips",
            "1",
            "w.example",
            secure=True,
            same_site="None",
            partition_key=PartitionKey("https://top.example", True),
            source_scheme="Secure",
            source_port=443,
        ),
        Cookie(
            "chips", "2", "w.example", secure=True, same_site="None", partition_key=PartitionKey("https://top.example"), source_scheme="Secure", source_port=443
        ),
        Cookie("", "nameless", "a.localhost", source_scheme="NonSecure", source_port=80),
        Cookie("__Host-x", "1", "a.example", secure=True, source_scheme="Secure", source_port=443),
        Cookie("low", "1", "127.0.0.1", priority="Low", source_scheme="NonSecure", source_port=80),
    )

    async def scenario() -> None:
        async with opened(saved(cookies=cookies)) as (context, live, saves):
            await context.cookies()  # whoever asks for the jar gets it full
            assert set(await live.jar()) == set(cookies)
        assert saves.changes == []

    asyncio.run(scenario())


def test_a_cookie_that_chromium_refuses_is_reported_and_keeps_no_other_out(opened, saved) -> None:
    good, bad = Cookie("good", "1", "a.example"), Cookie("__Host-bad", "1", "a.example", secure=False)

    async def scenario() -> None:
        async with opened(saved(cookies=(bad, good))) as (context, live, saves):
            assert [cookie["name"] for cookie in await context.cookies()] == ["good"]
            assert [(loss.what, loss.where) for loss in live.losses] == [("cookie", "__Host-bad of a.example")]
        assert {cookie.name for cookie in saves.state.cookies()} == {"good", "__Host-bad"}  # refused is not deleted

    asyncio.run(scenario())


def test_a_browser_that_dies_costs_nothing_that_was_saved(web, opened, chromium) -> None:
    a = web.origin()

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(a)
            await page.evaluate("localStorage.setItem('token', 'T')")
            await until(lambda: saves.state.local_storage(a) == {"token": "T"})
            browser = await chromium()
            os.kill(browser.pid, signal.SIGKILL)
            await until(lambda: not browser.alive)
        assert saves.state.local_storage(a) == {"token": "T"}
        async with opened(saves.state) as (context, _, _saves):  # in a new browser
            page = await context.new_page()
            await page.goto(a)
            assert await page.evaluate("first.local") == {"token": "T"}

    asyncio.run(scenario())


def test_a_context_that_lives_long_keeps_the_tabs_that_are_open_and_few_that_were_closed(web, opened) -> None:
    a = web.origin()

    async def scenario() -> None:
        async with opened() as (context, live, saves):
            stays = await context.new_page()
            await stays.goto(a)
            await stays.evaluate("sessionStorage.setItem('tab', 'stays')")
            for number in range(MOST_TABS + 4):
                page = await context.new_page()
                await page.goto(a)
                await page.evaluate("(number) => sessionStorage.setItem('tab', String(number))", number)
                await page.close()
            last = await context.new_page()
            await last.goto(a)
            await last.evaluate("sessionStorage.setItem('tab', 'last')")
            await until(lambda: len(live._documents) == 2)
        tabs = [items["tab"] for items in saves.state.session_storage(a).values()]
        assert "stays" in tabs
        assert "last" in tabs
        assert len(tabs) <= MOST_TABS + 2  # beside those that are open

    asyncio.run(scenario())


def test_origins_that_store_nothing_are_forgotten_when_they_are_left(web, opened) -> None:
    origins = [web.origin(f"o{number}") for number in range(5)]

    async def scenario() -> None:
        async with opened() as (context, live, _):
            page = await context.new_page()
            for origin in origins:
                await page.goto(origin)
            await until(lambda: set(live._databases._places) == {origins[-1]})
            await page.goto(origins[0])
            await page.evaluate("new Promise((done) => { indexedDB.open('db').onsuccess = done; })")
            await page.goto(origins[1])
            await until(lambda: [part_id.scope for part_id in live.mirror.part_ids(PartKind.IDB)] == [origins[0]])

    asyncio.run(scenario())
