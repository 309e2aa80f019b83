"""What was done in a session is remembered without the caller's help, sealed, bounded, and without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from handstamp.browser import find_browser
from handstamp.demo import BUILT_IN
from handstamp.sync_api import attach, signed_in
from handstamp.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from handstamp.demo import Control, DemoServers
    from handstamp.state import Session

DEMO = BUILT_IN[0]


@pytest.fixture
def site(servers: DemoServers, control: Control, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    control.reset()
    home.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_BASE_URL", servers.portside.url)
    return "portside"


def use(site: str) -> None:
    with signed_in(site, username=DEMO.username, password=DEMO.password) as context:
        page = context.new_page()
        page.goto("/account?code=very-secret")
        page.get_by_role("link", name="Containers").first.click()
        page.wait_for_url("**/containers")
        page.evaluate("history.pushState({}, '', '/containers#/one')")
        with page.expect_download():
            page.evaluate("Object.assign(document.createElement('a'), {href: '/about?token=secret', download: 'about.html'}).click()")


def session(home: Path) -> Session:
    with Vault(home=home) as vault:
        found = vault.session("default", "portside")
    assert found is not None
    return found


def test_pages_links_and_moves_are_remembered_with_first_and_last_use(site: str, servers: DemoServers, home: Path) -> None:
    use(site)
    kept = session(home)
    done = [(one.kind, one.url.removeprefix(servers.portside.url)) for one in kept.activity]
    assert done == [
        ("visit", "/account?code="),
        ("link", "/containers"),
        ("visit", "/containers"),
        ("move", "/containers#/one"),
        ("download", "/about?token="),
    ]
    assert kept.first_used is not None
    assert kept.last_used is not None
    use(site)
    again = session(home)
    assert again.first_used == kept.first_used
    assert again.last_used is not None
    assert again.last_used > kept.last_used
    assert len(again.activity) == 2 * len(kept.activity)
    with Vault(home=home) as vault:
        assert [done for name, done in vault.activity("default") if name == "portside"] == list(again.activity)
        assert vault.activity("default", "elsewhere") == []


def test_nothing_of_it_can_be_read_without_the_key_and_show_tells_it(site: str, home: Path) -> None:
    use(site)
    stored = b"".join(path.read_bytes() for path in home.iterdir() if path.name.startswith("vault.db"))
    assert b"/containers" not in stored
    done = subprocess.run(
        [sys.executable, "-m", "handstamp.cli", "show", site, "--json"], env={**os.environ}, capture_output=True, text=True, check=True, timeout=50
    )
    shown = json.loads(done.stdout)
    assert {"visit", "link", "move"} <= {one["kind"] for one in shown["activity"]}
    assert "very-secret" not in done.stdout


def test_it_is_bounded_and_can_be_switched_off(site: str, home: Path) -> None:
    (home / "handstamp.toml").write_text("activity = 2\n")
    use(site)
    assert len(session(home).activity) == 2
    (home / "handstamp.toml").write_text("activity = 0\n")
    use(site)
    assert session(home).activity == ()


def test_forgetting_the_session_forgets_it(site: str, home: Path) -> None:
    use(site)
    with Vault(home=home) as vault:
        vault.forget_session("default", "portside")
        assert vault.activity("default") == []


def test_a_browser_of_others_notes_it_with_the_session_of_the_site_that_was_visited(site: str, servers: DemoServers, home: Path) -> None:
    use(site)
    before = session(home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])
        with attach(browser.new_context(), profile="default") as attached:
            page = attached.context.new_page()
            page.goto(f"{servers.portside.url}/about")
            page.goto(servers.interpals.url)  # no session of the profile is there
        browser.close()
    after = session(home)
    assert [(one.kind, one.url) for one in after.activity[len(before.activity) :]] == [("visit", f"{servers.portside.url}/about")]
    assert after.first_used == before.first_used
    assert after.last_used is not None
    assert before.last_used is not None
    assert after.last_used > before.last_used
