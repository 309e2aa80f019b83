"""What a page's first script finds after a restore, wherever the page comes from."""

from __future__ import annotations

import asyncio

LONE = "\ud800x"


def test_the_first_script_finds_local_and_session_storage(web, opened, saved) -> None:
    a = web.origin()

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "T"}}, session={a: {"tab1": {"filter": "open"}}})) as (context, _, saves):
            page = await context.new_page()
            await page.goto(a)
            assert await page.evaluate("first") == {"local": {"token": "T"}, "session": {"filter": "open"}}
        assert saves.changes == []  # a restore alone is no change

    asyncio.run(scenario())


def test_keys_that_are_properties_of_storage_and_lone_surrogates_come_back(web, opened, saved) -> None:
    a = web.origin()
    items = {"length": "1", "key": "2", "__proto__": "3", "": "empty", "setItem": "4", "toString": "5", "lone": LONE, LONE: "lone key", "\u2028": "\u2029"}
    read = """() => Array.from({length: Reflect.get(Storage.prototype, 'length', localStorage)}, (_, i) => localStorage.key(i))
      .map(key => [key, localStorage.getItem(key)].map(escape))"""

    async def scenario() -> None:
        async with opened(saved(local={a: items})) as (context, live, _):
            page = await context.new_page()
            await page.goto(a)
            seen = await page.evaluate(read)
            assert {tuple(pair) for pair in seen} == {(_escape(key), _escape(value)) for key, value in items.items()}
            assert live.mirror.state().local_storage(a) == items

    asyncio.run(scenario())


def _escape(text: str) -> str:
    """JavaScript's `escape`, which keeps lone surrogates apart on their way here."""
    plain = "@*_+-./"
    units = [
        int.from_bytes(text.encode("utf-16-le", "surrogatepass")[i : i + 2], "little")
        for i in range(0, 2 * len(text.encode("utf-16-le", "surrogatepass")) // 2, 2)
    ]
    return "".join(
        chr(unit) if unit < 128 and (chr(unit).isalnum() or chr(unit) in plain) else f"%{unit:02X}" if unit < 256 else f"%u{unit:04X}" for unit in units
    )


def test_popups_frames_and_redirects_between_origins_find_theirs(web, opened, saved) -> None:
    a, b = web.origin("a"), web.origin("b")
    web.pages["/frames"] = f"<script>first={{...localStorage}}</script><iframe src='{b}/inner'></iframe><iframe src='/same'></iframe>"
    web.headers["/go"] = [("Location", f"{b}/landed")]
    state = saved(local={a: {"of": "a"}, b: {"of": "b"}, f"{b}^0http://a.localhost": {"of": "b in a"}}, session={a: {"t": {"s": "a"}}})

    async def scenario() -> None:
        async with opened(state) as (context, _, _saves):
            page = await context.new_page()
            await page.goto(f"{a}/frames")
            frames = {frame.url: (await frame.evaluate("first"))["local"] for frame in page.frames[1:]}
            assert frames == {f"{b}/inner": {"of": "b in a"}, f"{a}/same": {"of": "a"}}
            async with page.expect_popup() as popup:
                await page.evaluate(f"void window.open('{a}/popup')")
            opened_page = await popup.value
            await opened_page.wait_for_load_state()
            assert await opened_page.evaluate("first") == {"local": {"of": "a"}, "session": {"s": "a"}}
            async with page.expect_popup() as popup:
                await page.evaluate(f"void window.open('{b}/popup', '_blank', 'noopener')")
            other = await popup.value
            await other.wait_for_load_state()
            assert (await other.evaluate("first"))["local"] == {"of": "b"}
            await page.goto(f"{a}/go")
            assert page.url == f"{b}/landed"
            assert (await page.evaluate("first"))["local"] == {"of": "b"}

    asyncio.run(scenario())


def test_what_a_page_removed_does_not_come_back_in_its_next_document_frame_or_popup(web, opened, saved) -> None:
    a = web.origin()
    web.pages["/logout"] = f"<script>localStorage.removeItem('token'); location.replace('{a}/next')</script>"
    web.pages["/frame-after"] = "<script>localStorage.removeItem('token'); document.write('<iframe src=/inner></iframe>')</script>"

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "T"}})) as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/logout")
            await page.wait_for_url("**/next")
            assert await page.evaluate("first.local") == {}
            second = await context.new_page()
            await second.goto(a)
            assert await second.evaluate("first.local") == {}
        assert saves.state.local_storage(a) == {}
        async with opened(saved(local={a: {"token": "T"}})) as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/frame-after")
            assert await page.frames[1].evaluate("first.local") == {}

    asyncio.run(scenario())


def test_a_newer_value_is_never_written_over(web, opened, saved) -> None:
    a = web.origin()
    web.pages["/set"] = "<script>localStorage.setItem('token', 'new')</script>"

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "old", "other": "1"}})) as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/set")
            await page.goto("about:blank")
            await page.goto(a)
            assert await page.evaluate("first.local") == {"token": "new", "other": "1"}
        assert saves.state.local_storage(a) == {"token": "new", "other": "1"}

    asyncio.run(scenario())


def test_the_site_sees_neither_script_nor_data_of_others(web, opened, saved) -> None:
    a, b = web.origin("a"), web.origin("b")
    web.pages["/look"] = "<script>found = Object.getOwnPropertyNames(globalThis).filter(name => /handstamp|saved/i.test(name))</script>"

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "T"}, b: {"secret": "S"}})) as (context, _, _saves):
            page = await context.new_page()
            await page.goto(f"{a}/look")
            assert await page.evaluate("found") == []
            assert await page.evaluate("performance.getEntries().map(e => e.name).filter(n => n.includes('handstamp'))") == []
            assert len(context.pages) == 1

    asyncio.run(scenario())


def test_each_new_page_gets_the_next_saved_tab(web, opened, saved) -> None:
    a = web.origin()

    async def scenario() -> None:
        async with opened(saved(session={a: {"older": {"n": "1"}, "latest": {"n": "2"}}})) as (context, _, saves):
            for wanted in ({"n": "2"}, {"n": "1"}, {}):
                page = await context.new_page()
                await page.goto(a)
                assert await page.evaluate("first.session") == wanted
            await context.pages[0].evaluate("sessionStorage.setItem('n', 'changed')")
        assert saves.state.session_storage(a) == {"older": {"n": "1"}, "latest": {"n": "changed"}}

    asyncio.run(scenario())


def test_a_page_under_a_strict_content_security_policy_is_served_too(web, opened, saved) -> None:
    a = web.origin()
    web.headers["/strict"] = [("Content-Security-Policy", "default-src 'none'; sandbox allow-same-origin allow-scripts")]
    web.pages["/strict"] = "<p>strict</p>"

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "T"}})) as (context, live, _):
            page = await context.new_page()
            await page.goto(f"{a}/strict")
            assert await page.evaluate("localStorage.getItem('token')") == "T"
            await page.goto("data:text/html,<p>no storage here</p>")
            assert await page.inner_text("p") == "no storage here"
            assert live.losses == []

    asyncio.run(scenario())


def test_states_too_large_for_a_script_are_handed_over_with_their_document(web, opened, saved) -> None:
    large = {f"k{number}": "x" * 100_000 for number in range(30)}
    origins = [web.origin(f"o{number}") for number in range(5)]
    web.headers["/go"] = [("Location", f"{origins[4]}/landed")]
    web.pages["/frames"] = f"<iframe src='{origins[2]}/inner'></iframe><script>first={{local:{{...localStorage}}}}</script>"
    state = saved(local=dict.fromkeys(origins, large) | {f"{origins[2]}^0http://o3.localhost": {"third": "party"}}, session={origins[0]: {"t": large}})

    async def scenario() -> None:
        async with opened(state) as (context, live, saves):
            page = await context.new_page()
            await page.goto(origins[0])
            assert await page.evaluate("first") == {"local": large, "session": large}
            await page.evaluate("localStorage.removeItem('k1')")
            await page.reload()
            assert len(await page.evaluate("first.local")) == len(large) - 1
            await page.goto(f"{origins[1]}/go")
            assert await page.evaluate("first.local") == large
            assert (await page.evaluate("first"))["session"] == {}
            await page.goto(f"{origins[3]}/frames")
            assert await page.evaluate("first.local") == large
            assert await page.frames[1].evaluate("first.local") == {"third": "party"}
            async with page.expect_popup() as popup:
                await page.evaluate(f"void window.open('{origins[1]}/popup')")
            assert await (await popup.value).evaluate("first.local") == large
            assert live.losses == []
        assert len(saves.state.local_storage(origins[0])) == len(large) - 1

    asyncio.run(scenario())


def test_a_page_without_scripts_or_one_that_leaves_at_once_uses_nothing_up(web, opened, saved) -> None:
    a = web.origin()
    web.pages["/static"] = "<p>no script at all</p>"
    web.pages["/leave"] = f"<script>location.replace('{a}/home')</script>"

    async def scenario() -> None:
        async with opened(saved(local={a: {"token": "T"}})) as (context, _, _saves):
            page = await context.new_page()
            await page.goto(f"{a}/static")
            await page.goto(f"{a}/leave")
            await page.wait_for_url("**/home")
            assert await page.evaluate("first.local") == {"token": "T"}

    asyncio.run(scenario())


def test_a_browser_that_answers_late_keeps_no_origin_from_its_state(web, opened, saved) -> None:
    a, b, c = web.origin("a"), web.origin("b"), web.origin("c")
    state = saved(local={a: {"of": "a", "gone": "soon"}, b: {"of": "b"}, c: {"of": "c"}}, session={b: {"tab": {"in": "b"}}, c: {"tab": {"in": "c"}}})

    async def scenario() -> None:
        async with opened(state) as (context, live, _):
            connection = live._connection
            forward = connection.forward

            def late(message, answered) -> None:
                theirs = "globalThis.handstampSaved" in message.get("params", {}).get("source", "")
                forward(message, lambda reply: asyncio.get_running_loop().call_later(0.5, answered, reply) if theirs else answered(reply))

            connection.forward = late
            page = await context.new_page()
            for origin in (a, b, c):  # what is given to `a` is handed over when its document is asked for, and is known by a name that comes late
                await page.goto(origin)
                assert (await page.evaluate("first"))["local"]["of"] == origin[7]
            assert await page.evaluate("first.session") == {"in": "c"}
            await asyncio.sleep(1)
            await page.goto(a)
            await page.evaluate("localStorage.removeItem('gone')")
            await page.goto(b)
            await page.goto(a)
            assert await page.evaluate("first.local") == {"of": "a"}

    asyncio.run(scenario())


def test_items_for_which_there_is_no_room_are_named_and_stay_saved(web, opened, saved) -> None:
    a = web.origin()
    items = {f"k{number}": "x" * 1_000_000 for number in range(8)}

    async def scenario() -> None:
        async with opened(saved(local={a: items})) as (context, live, saves):
            page = await context.new_page()
            await page.goto(a)
            fitting = await page.evaluate("localStorage.length")
            assert 0 < fitting < len(items)
            await page.evaluate("localStorage.removeItem('k0'); localStorage.setItem('small', '1')")
        assert [(loss.what, loss.where) for loss in live.losses] == [("quota", f"{a}, localStorage")]
        assert live.losses[0].why.startswith(f"{len(items) - fitting} items were not given back")
        assert saves.state.local_storage(a).keys() == items.keys() - {"k0"} | {"small"}

    asyncio.run(scenario())
