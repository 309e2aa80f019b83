"""What a live session's pages may not ask for is not asked for, but by operations, which are code of the site's package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Opened


def test_pages_stay_behind_a_fence_but_those_of_operations(with_pool: Callable[..., None]) -> None:
    asked: list[str] = []

    def refuses(url: str) -> bool:
        asked.append(url)
        return url.endswith("/account")

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            live.fence(refuses)
            page = await live.context.new_page()
            await page.goto(live.site.url("/containers"))
            with pytest.raises(Error, match="ERR_ABORTED"):
                await page.goto(live.site.url("/account"))
            assert page.url.endswith("/containers")
            with live.unfenced():
                await page.goto(live.site.url("/account"))
            assert page.url.endswith("/account")
            with pytest.raises(Error, match="ERR_ABORTED"):
                await page.goto(live.site.url("/account"))
        seen = len(asked)
        async with opened.pool.use(session_id) as live:  # a fence stays until it is taken away
            page = await live.context.new_page()
            with pytest.raises(Error, match="ERR_ABORTED"):
                await page.goto(live.site.url("/account"))
            live.fence(None)
            await page.goto(live.site.url("/account"))
        assert len(asked) == seen + 1

    with_pool(flow)
