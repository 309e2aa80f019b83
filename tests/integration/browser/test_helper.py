"""Helper pages beside a driver that makes pages of its own at the same moment."""

from __future__ import annotations

import asyncio


def test_pages_that_a_driver_makes_while_helper_pages_are_made_are_its_own(web, opened, engine) -> None:
    a = web.origin()

    async def help_out(live) -> None:
        for _ in range(12):
            async with live._helper(a) as world:
                await world.databases()

    async def scenario() -> None:
        async with opened() as (context, live, _):
            helping = asyncio.ensure_future(engine.call(help_out(live)))
            made = 0
            while not helping.done():
                for page in await asyncio.gather(*(context.new_page() for _ in range(3))):
                    await page.close()
                    made += 1
            await helping
            assert made > 1
            assert context.pages == []

    asyncio.run(scenario())
