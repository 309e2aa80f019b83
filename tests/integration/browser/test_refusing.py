"""A context that refuses places: its pages do not stay at a document that was fetched ahead, for which nobody is asked."""

from __future__ import annotations

import asyncio
import json

import pytest

from .conftest import until


def _fetching_ahead(url: str, target: str) -> str:
    rules = json.dumps({"prefetch": [{"source": "list", "urls": [url], "eagerness": "immediate"}]})
    return f"<h1>Here</h1><script type=speculationrules>{rules}</script><a href='{url}' target={target}>away</a>"


@pytest.mark.parametrize(("target", "left_at"), [("_self", "/here"), ("_blank", "about:blank")])
def test_a_page_goes_back_from_a_document_that_was_fetched_ahead(opened, web, target: str, left_at: str) -> None:
    away = f"{web.origin('b')}/away"
    web.pages["/here"] = _fetching_ahead(away, target)
    refused: list[str] = []

    def refuses(url: str) -> bool:
        refused.extend([url] if url == away else [])
        return url == away

    async def flow() -> None:
        async with opened() as (context, live, _):
            live.refuses = refuses
            page = await context.new_page()
            await page.goto(f"{web.origin()}/here")
            await until(lambda: "/away" in [path for path, _ in web.received])
            assert refused == []  # it was fetched without a question
            await page.click("a")
            await until(lambda: refused and len(context.pages) == (2 if target == "_blank" else 1))
            left = context.pages[-1]
            await until(lambda: left.url.endswith(left_at))
            await asyncio.sleep(0.3)  # and it stays there
            assert (await left.evaluate("location.href")).endswith(left_at)
            assert await page.text_content("h1") == "Here"

    asyncio.run(flow())
