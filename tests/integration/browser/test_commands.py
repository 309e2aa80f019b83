"""Commands to pages that go away meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from handstamp.browser.cdp import CdpError

NEVER = {"expression": "new Promise(() => {})", "awaitPromise": True}


def test_a_command_to_a_page_that_is_closed_meanwhile_is_refused_at_once(web, opened, engine) -> None:
    async def scenario() -> None:
        async with opened() as (context, live, _):
            page = await context.new_page()
            await page.goto(web.origin())
            (_, session), *_ = live._databases.homes()
            waits = asyncio.ensure_future(engine.call(live._connection.send("Runtime.evaluate", NEVER, session=session, timeout=600)))
            await asyncio.sleep(0.1)
            await page.close()
            with pytest.raises(CdpError, match="is gone"):
                await asyncio.wait_for(waits, 20)

    asyncio.run(scenario())
