"""One server process for all tests of a worker, as new for each test; a person with a plain HTTP client, and one with a browser."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
import pytest
from playwright.sync_api import Error, sync_playwright

from handstamp.browser import find_browser
from handstamp.demo import BUILT_IN
from handstamp.demo.totp import code_at, step_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from handstamp.demo import DemoServers

DEMO = BUILT_IN[0]


@dataclass
class Person:
    """Somebody at portside with a cookie jar and no browser."""

    http: httpx2.Client

    def csrf(self, path: str = "/login") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get(path).text)
        assert found is not None
        return found[1]

    def sign_in(self, username: str = DEMO.username, password: str = DEMO.password, **fields: str) -> httpx2.Response:
        return self.http.post("/login", data={"csrf": self.csrf(), "username": username, "password": password, **fields})

    def send_code(self, code: str) -> httpx2.Response:
        return self.http.post("/login/otp", data={"csrf": self.csrf("/login/otp"), "otp": code})

    def token(self, name: str = "api-token") -> str:
        """What the first page after the login hands out."""
        found = re.search(rf'name="{name}" content="([^"]+)"', self.http.get("/account").text)
        assert found is not None
        return found[1]

    def api(self, token: str, path: str = "/api/account") -> httpx2.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    def ping(self) -> int:
        return self.http.get("/ping").status_code

    @property
    def sid(self) -> str | None:
        return self.http.cookies.get("sid")


@pytest.fixture
def person(demo: DemoServers) -> Iterator[Person]:
    with httpx2.Client(base_url=demo.portside.plain_url, trust_env=False) as http:
        yield Person(http)


@pytest.fixture
def other(demo: DemoServers) -> Iterator[Person]:
    with httpx2.Client(base_url=demo.portside.plain_url, trust_env=False) as http:
        yield Person(http)


@pytest.fixture
def code() -> str:
    """The demo account's code of this moment."""
    assert DEMO.totp_secret is not None
    return code_at(DEMO.totp_secret, step_at(time.time()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_browser(headless=True))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, demo: DemoServers) -> Iterator[BrowserContext]:
    with browser.new_context(base_url=demo.portside.url) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script fails."""
    made = context.new_page()
    errors: list[Error] = []
    made.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108  (the driver marks what it is given, which a built-in does not take)
    yield made
    assert errors == []
