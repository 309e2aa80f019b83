"""A check over HTTP carries the client hints that the browser of the login sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.http import probe
from handstamp.http.client_hints import client_hints
from handstamp.keeper.keeper import device_of
from handstamp.state import Device

if TYPE_CHECKING:
    from playwright.async_api import Page

    from .conftest import Chromium, Web

HINTS = ("sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform")


def test_they_are_those_of_the_browser(chromium: Chromium, web: Web) -> None:
    web.put("/page", "<p>Hello</p>")

    async def visit(page: Page) -> Device:
        await page.goto(web.url("/page"))
        return await device_of(page)

    device = chromium.run(visit)
    by_browser = next(asked for asked in web.asked if asked.path == "/page")
    probe(web.url("/page"), cookies=[], device=device)
    by_us = web.asked[-1]
    for name in (*HINTS, "user-agent"):
        assert by_us.headers[name] == by_browser.headers[name], name


def test_they_go_to_trustworthy_urls_only_and_not_where_the_browser_has_none() -> None:
    device = Device(user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0", brands='"Chromium";v="156"')
    assert client_hints(device, "https://a.example/") == [
        ("sec-ch-ua", '"Chromium";v="156"'),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", '"Linux"'),
    ]
    assert client_hints(device, "http://a.example/") == []
    assert client_hints(Device(user_agent="Firefox"), "https://a.example/") == []
