"""What a caller sets on a session's context is not there for the next one, and costs those who set nothing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import BrowserContext, Page, Route

    from handstamp.demo import Control
    from handstamp.pool import LiveSession

    from .conftest import Opened

MAY_BE_PLACED = "() => navigator.permissions.query({name: 'geolocation'}).then((found) => found.state)"


async def page_at(live: LiveSession, path: str = "/login") -> Page:
    page = await live.context.new_page()
    await page.goto(live.site.url(path))
    return page


async def sent_headers(live: LiveSession) -> dict[str, str]:
    page = await live.context.new_page()
    async with page.expect_request("**/login") as asked:
        await page.goto(live.site.url("/login"))
    return await (await asked.value).all_headers()


def test_what_a_caller_sets_on_the_context_is_taken_back_and_the_context_stays(with_pool: Callable[..., None]) -> None:
    heard: list[Any] = []

    def hear(what: Any) -> None:
        heard.append(what)

    async def stolen(route: Route) -> None:
        await route.fulfill(status=200, body="stolen")

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            context = live.context
            await context.route("**/*", stolen)
            await context.set_extra_http_headers({"X-Left": "behind"})
            await context.grant_permissions(["geolocation"])
            await context.set_geolocation({"latitude": 1.0, "longitude": 2.0})
            context.on("page", hear)
            context.once("console", hear)
            page = await page_at(live)
            assert await page.inner_text("body") == "stolen"
            assert await page.evaluate(MAY_BE_PLACED) == "granted"
            assert (await sent_headers(live))["x-left"] == "behind"
            await context.set_offline(offline=True)
            assert await page.evaluate("navigator.onLine") is False
            heard.clear()
        async with opened.pool.use(session_id) as live:
            assert live.context is context
            page = await page_at(live)
            assert await page.inner_text("body") != "stolen"
            assert await page.evaluate(MAY_BE_PLACED) != "granted"
            assert await page.evaluate("navigator.onLine") is True
            assert "x-left" not in await sent_headers(live)
            assert heard == []
        assert opened.pool.facts().counters.opened == 1

    with_pool(flow)


async def script(context: BrowserContext) -> None:
    await context.add_init_script("window.left = 'behind'")


async def function(context: BrowserContext) -> None:
    await context.expose_function("left", lambda: "behind")


async def clock(context: BrowserContext) -> None:
    await context.clock.install(time=0)
    await context.add_init_script("window.left = 'behind'")


async def clock_of_a_page(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.clock.set_fixed_time(0)


LEFT = "() => typeof window.left !== 'undefined' || Date.now() < 1e12"


@pytest.mark.parametrize("leave", [script, function, clock, clock_of_a_page])
def test_what_cannot_be_taken_back_goes_with_the_context(
    with_pool: Callable[..., None], control: Control, leave: Callable[[BrowserContext], Awaitable[None]]
) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            await leave(live.context)
            assert await (await page_at(live)).evaluate(LEFT)
        async with opened.pool.use(session_id) as live:
            assert not await (await page_at(live)).evaluate(LEFT)
            assert await who(live) == "demo"

    with_pool(flow)
    assert control.stats().portside.logins == 1


def test_a_page_that_waits_is_not_closed_for_it_and_the_context_goes_when_it_waits_no_more(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            context = live.context
            await script(context)
            live.pages["waits"] = await page_at(live)
        async with opened.pool.use(session_id) as live:
            assert live.context is context
            await live.pages.pop("waits").close()
        async with opened.pool.use(session_id) as live:
            assert live.context is not context

    with_pool(flow)


def test_listeners_that_their_caller_took_away_itself_are_no_trouble(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        heard: list[Any] = []

        def hear(what: Any) -> None:
            heard.append(what)

        async with opened.pool.use(session_id) as live:
            context = live.context
            context.on("page", hear)
            await live.context.new_page()
            context.remove_listener("page", hear)
            context.once("page", hear)
            await live.context.new_page()
        async with opened.pool.use(session_id) as live:
            assert live.context is context
            await live.context.new_page()
        assert len(heard) == 2

    with_pool(flow)


def test_a_context_whose_requests_a_caller_has_ended_is_nobody_elses(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            context = live.context
            await context.request.dispose()
        async with opened.pool.use(session_id) as live:
            assert live.context is not context

    with_pool(flow)


OPENS_AS_IT_GOES = "() => addEventListener('pagehide', () => { for (let n = 0; n < 3; n++) open('about:blank', 'w' + n) })"


def test_pages_that_a_page_opens_while_it_is_closed_are_closed_as_well(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            first = live.context
            page = await page_at(live)
            await page.evaluate(OPENS_AS_IT_GOES)
            begun = await page.evaluate("() => { for (let n = 0; n < 3; n++) open('/login', 'now' + n); return 'opened' }")
            assert begun == "opened"
        async with opened.pool.use(session_id) as live:
            assert live.context is first
            assert live.context.pages == []
            await live.context.new_page()  # what Playwright had not shown by then comes before this one
            assert len(live.context.pages) == 1

    with_pool(flow)
