"""One login that was watched gives a recipe by which another process logs in, and the smallest set that carries the login."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from handstamp.demo import BUILT_IN
from handstamp.errors import ConfigError, LoginFailed
from handstamp.learn import save_recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from playwright.async_api import Page

    from handstamp.demo import Control, DemoServers
    from handstamp.keeper import Keeper
    from handstamp.learn import Learned

    Learn = Callable[[str, Callable[[Page], Awaitable[None]]], Learned]

DEMO = BUILT_IN[0]


async def at_portside(page: Page) -> None:
    """With a typing error first, as people do."""
    await page.fill("[name=username]", DEMO.username)
    await page.fill("[name=password]", "a typing error")
    await page.click("main [type=submit]")
    await page.fill("[name=password]", DEMO.password)
    await page.click("main [type=submit]")
    await page.wait_for_url("**/account")


async def at_interpals(page: Page) -> None:
    """It has no page to log in at: its token comes by a script, which keeps it and sends it as a header."""
    await page.evaluate(
        """async ([username, password]) => {
          const made = await fetch("/v1/token", { method: "POST", body: new URLSearchParams({ username, password }) });
          localStorage.setItem("auth", (await made.json()).auth_token);
          localStorage.setItem("theme", "a-dark-one-that-is-long-enough");
          await fetch("/v1/account/self", { headers: { "X-Auth-Token": localStorage.getItem("auth") } });
        }""",
        [DEMO.username, DEMO.password],
    )


def test_a_watched_login_at_portside_gives_a_recipe_that_logs_in_elsewhere(
    learned: Learn, truly_minimal: Callable[[Learned], bool], servers: DemoServers, control: Control, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found = learned(f"{servers.portside.url}/account", at_portside)
    assert found.minimal
    assert [str(item) for item in found.carriers] == ["cookie sid"]
    assert truly_minimal(found)
    assert [step.value for step in found.recipe.login.steps if step.value] == ["{username}", "{password}"] if found.recipe.login else False
    for told in (found.text, repr(found), caplog.text):
        assert DEMO.password not in told
        assert "a typing error" not in told
        assert DEMO.username not in found.text
        assert not any(cookie.value in told for cookie in found.state.cookies() if len(cookie.value) > 8)
    save_recipe(found, home)
    before = control.stats().portside.logins
    assert _health_in_another_process(home) == "valid"
    assert control.stats().portside.logins == before + 1


def _health_in_another_process(home: Path) -> str:
    """Log in by the saved recipe from nothing, and ask how that stands."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HANDSTAMP_") or name == "HANDSTAMP_BROWSER"}
    settings = clean | {"HANDSTAMP_HOME": str(home), "HANDSTAMP_LEARNED_USERNAME": DEMO.username, "HANDSTAMP_LEARNED_PASSWORD": DEMO.password}
    command = [sys.executable, "-m", "handstamp.cli", "login", "learned", "--json"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr

    return str(json.loads(done.stdout)["session"]["health"])


def test_cookie_and_token_are_both_found_where_both_are_needed(
    learned: Learn, is_in_by_http: Callable[[Learned, list[str]], bool], servers: DemoServers, control: Control
) -> None:
    control.reset()
    found = learned(servers.interpals.url, at_interpals)
    assert found.minimal, found.notes
    assert sorted(str(item) for item in found.carriers) == ["cookie interpals_sessid", "localStorage item auth"]
    assert found.recipe.session.bearer is not None
    assert (found.recipe.session.bearer.header, found.recipe.session.bearer.format) == ("X-Auth-Token", "{value}")
    assert found.recipe.login is None
    assert any("no password field" in note for note in found.notes)
    assert is_in_by_http(found, ["interpals_sessid", "auth"])
    assert not is_in_by_http(found, ["interpals_sessid", "theme"])
    assert not is_in_by_http(found, ["auth", "theme"])


def test_a_site_that_changes_the_session_id_with_use_is_noticed_and_its_login_lives_on(
    learned: Learn, servers: DemoServers, control: Control, home: Path
) -> None:
    control.set("portside", rotate=True)
    found = learned(f"{servers.portside.url}/account", at_portside)
    assert not found.minimal
    assert found.looks == 0
    assert found.recipe.session.in_turn
    assert "sid" in found.recipe.session.auth_cookies
    assert any("cookie sid with use" in note for note in found.notes)
    assert _kept_login_is_valid(found, home, control)


def test_a_site_that_ends_sessions_of_another_browser_does_not_end_this_one(learned: Learn, servers: DemoServers, control: Control, home: Path) -> None:
    control.set("portside", bind_user_agent=True)
    found = learned(f"{servers.portside.url}/account", at_portside)
    assert found.minimal
    assert _kept_login_is_valid(found, home, control)


def test_refresh_tokens_that_work_once_are_not_used_up(learned: Learn, servers: DemoServers, control: Control, home: Path) -> None:
    control.set("portside", token_seconds=1.0, refresh_rotation=True)
    found = learned(f"{servers.portside.url}/account", at_portside)
    assert [str(item) for item in found.carriers] == ["cookie sid"]
    assert _kept_login_is_valid(found, home, control)


def _kept_login_is_valid(found: Learned, home: Path, control: Control) -> bool:
    """Whether the login that was learned from still lives, without another."""
    from handstamp._signed_in import engine
    from handstamp.keeper import Keeper
    from handstamp.sites import parse_recipe
    from handstamp.vault import Vault

    before = control.stats().portside.logins
    with Vault(home=home) as vault:
        found.keep(vault, "kept")
        verdict = engine().run(Keeper(engine(), vault).check(parse_recipe(found.text, source="the test"), "kept"))
    return verdict.health == "valid" and control.stats().portside.logins == before


@pytest.fixture
def touchy(listening: Callable[[type[BaseHTTPRequestHandler]], int]) -> str:
    """A site whose login is two cookies, and that ends it when the first comes without the second; its URL."""
    alive = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers.get("Cookie", "")
            if "session=" in sent and "twin=" not in sent:
                alive.clear()
            inside = alive.is_set() and "session=" in sent and "twin=" in sent
            body = b"<a href=/bye>Log out</a>" if inside else b"<p>Please log in</p>"
            self.send_response(200)
            if self.path == "/let-me-in":
                alive.set()
                for name in ("session", "twin", "colour"):
                    self.send_header("Set-Cookie", f"{name}=k3Jx9Zb3Kd81mPvT0s")
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return f"http://127.0.0.1:{listening(Handler)}/"


def test_a_site_that_ends_the_login_for_a_trial_is_asked_no_more_and_that_is_said(learned: Learn, touchy: str, keeper: Keeper) -> None:
    async def log_in(page: Page) -> None:
        await page.goto(f"{touchy}let-me-in")
        await page.goto(touchy)

    found = learned(touchy, log_in)
    assert not found.minimal
    assert found.looks < 10
    assert any("ended the login when it was asked with cookie session" in note for note in found.notes)
    assert {"session", "twin"} <= set(found.recipe.session.auth_cookies)
    assert found.ended
    with pytest.raises(LoginFailed, match="handstamp login learned"):
        found.keep(keeper.vault, "work")


def test_a_login_that_did_not_work_teaches_nothing(learned: Learn, servers: DemoServers, control: Control) -> None:
    control.reset()

    async def nothing(page: Page) -> None:
        await page.fill("[name=username]", DEMO.username)

    with pytest.raises(LoginFailed, match=r"looks the same|left neither"):
        learned(f"{servers.portside.url}/login", nothing)


def test_a_recipe_that_is_there_is_not_replaced_unasked(learned: Learn, servers: DemoServers, control: Control, home: Path) -> None:
    control.reset()
    found = learned(f"{servers.portside.url}/account", at_portside)
    path = save_recipe(found, home)
    with pytest.raises(ConfigError, match="--replace"):
        save_recipe(found, home)
    assert save_recipe(found, home, replace_old=True) == path
    assert path.stat().st_mode & 0o077 == 0
