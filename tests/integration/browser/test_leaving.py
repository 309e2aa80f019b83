"""Leaving a context whose pages do not answer: it takes seconds, what was known is saved, and what was not is named."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from handstamp.errors import VaultUnavailable
from handstamp.state import PartId, PartKind

from .conftest import until

pytestmark = pytest.mark.timeout(45)  # each of these took a minute or more, or for ever
DATABASE = """(name) => new Promise((done) => {
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => opening.result.createObjectStore('s').put('value', 'key');
  opening.onsuccess = () => { opening.result.close(); done(); };
})"""


@pytest.fixture
def never(listening):
    """URL of a server that takes every request and answers none."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait()

        def log_message(self, *_: object) -> None:
            pass

    yield f"http://127.0.0.1:{listening(Handler)}/"
    over.set()


async def at_work(context, web) -> object:
    """A page with a token, a database and a cookie of the last moment."""
    page = await context.new_page()
    await page.goto(web.origin())
    await page.evaluate(DATABASE, "db")
    await page.evaluate("localStorage.setItem('token', 'T'); document.cookie = 'sid=1'")
    return page


def all_there(web, saves) -> bool:
    cookies = [cookie.name for cookie in saves.state.cookies()]
    databases = [part_id.name for part_id in saves.state.parts if part_id.kind is PartKind.IDB]
    return saves.state.local_storage(web.origin()) == {"token": "T"} and cookies == ["sid"] and databases == ["db"]


def test_a_page_on_its_way_to_a_server_that_never_answers(web, opened, never) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, saves):
            page = await at_work(context, web)
            await page.evaluate("(url) => { setTimeout(() => { location.href = url; }); }", never)
            await asyncio.sleep(0.2)
        assert all_there(web, saves)
        assert live.losses == []

    asyncio.run(scenario())


def test_a_page_whose_document_a_route_holds_back(web, opened) -> None:
    async def scenario() -> None:
        held = asyncio.Event()

        async def hold(_route) -> None:
            held.set()

        async with opened() as (context, live, saves):
            page = await at_work(context, web)
            await page.route("**/held", hold)
            going = asyncio.ensure_future(page.goto(web.origin() + "/held"))
            await held.wait()
        await asyncio.gather(going, return_exceptions=True)
        assert all_there(web, saves)
        assert live.losses == []

    asyncio.run(scenario())


@pytest.mark.parametrize("script", ["alert('hello')", "for (;;);", "(function again() { Promise.resolve().then(again); })()"])
def test_a_page_that_shows_a_dialog_or_never_stops(web, opened, script) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, saves):
            page = await at_work(context, web)
            page.on("dialog", lambda _dialog: None)  # nobody answers it
            await page.evaluate("(script) => { setTimeout(script, 50); }", script)
            await asyncio.sleep(0.5)
        assert all_there(web, saves)
        assert live.losses == []

    asyncio.run(scenario())


def test_a_page_that_nothing_brings_to_answer_is_named(web, opened) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, saves):
            page = await at_work(context, web)
            page.on("dialog", lambda _dialog: None)
            await page.evaluate("void setTimeout(() => { for (;;) alert('again'); }, 50)")
            await asyncio.sleep(0.5)
        assert saves.state.local_storage(web.origin()) == {"token": "T"}
        assert [(loss.what, loss.where) for loss in live.losses] == [("page", web.origin())]

    asyncio.run(scenario())


def test_a_page_that_has_crashed_is_named(web, opened, engine) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, saves):
            page = await at_work(context, web)
            await asyncio.sleep(1.5)
            (_, session), *_ = live._databases.homes()
            engine.soon(lambda: live._connection.post("Page.crash", session=session))
            await page.wait_for_event("crash")
        assert all_there(web, saves)
        assert {loss.where for loss in live.losses} <= {web.origin()}

    asyncio.run(scenario())


def test_what_is_known_is_saved_before_the_last_look(web, opened) -> None:
    async def scenario() -> None:
        seen: list[bool] = []
        known = PartId(PartKind.LOCAL, "https://known.example")
        async with opened() as (context, live, saves):
            await at_work(context, web)
            look = live._look_at_all

            async def looked(**how: bool) -> None:
                seen.append(known in saves.state.parts)
                await look(**how)

            live._look_at_all = looked
            live.mirror.set(known, ("key",), "value")
        assert seen == [True]  # one look, not one for each who asks for it

    asyncio.run(scenario())


def test_whatever_fails_while_saving_is_tried_again(web, opened) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, saves):
            keep, failures = live._saving._save, [RuntimeError("a fault"), VaultUnavailable("busy"), OSError("disk")]

            def fails_at_first(changes) -> None:
                if failures:
                    raise failures.pop()
                keep(changes)

            live._saving._save = fails_at_first
            await at_work(context, web)
            await until(lambda: not failures)
        assert all_there(web, saves)

    asyncio.run(scenario())
