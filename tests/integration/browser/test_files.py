"""Files that a driver uploads and downloads."""

from __future__ import annotations

import asyncio

import pytest


@pytest.mark.timeout(60)
def test_a_large_file_is_uploaded_whole_and_a_download_comes(web, opened, tmp_path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * 4_000_000)  # 64 MB; a browser that does not read it by itself takes minutes
    web.pages["/upload"] = "<input type=file>"
    web.pages["/file"] = "content"
    web.headers["/file"] = [("Content-Disposition", "attachment; filename=report.txt")]
    last = "(async () => (await document.querySelector('input').files[0].slice(-6).text()))()"

    async def scenario() -> None:
        async with opened() as (context, _, _saves):
            page = await context.new_page()
            await page.goto(web.origin() + "/upload")
            await page.set_input_files("input", large)
            assert await page.evaluate("document.querySelector('input').files[0].size") == large.stat().st_size
            assert await page.evaluate(last) == "abcdef"
            async with page.expect_download() as download:
                await page.evaluate("void (location.href = '/file')")
            await (await download.value).save_as(tmp_path / "report.txt")
        assert (tmp_path / "report.txt").read_text().endswith("content")

    asyncio.run(scenario())
