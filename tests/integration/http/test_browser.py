"""A browser and HTTP clients in one profile: each sees what the other changes."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import handstamp
from handstamp.sync_api import signed_in

if TYPE_CHECKING:
    from handstamp.demo import DemoServers


def test_a_login_in_the_browser_serves_http_and_the_other_way_round(demo: DemoServers) -> None:
    with signed_in("portside") as context:
        context.new_page().goto("/account")
    with handstamp.Client("portside") as client:
        assert "Log out" in client.get("/account").text
        demo.control.revoke()
        assert "Log out" in client.get("/account").text
    with signed_in("portside") as context:
        page = context.new_page()
        page.goto("/account")
        assert "Log out" in page.content()
    assert demo.control.stats().portside.logins == 2


def test_in_one_process_each_sees_the_others_session_id_at_once(demo: DemoServers) -> None:
    demo.control.set(rotate=True)  # an id works once, so a single missed change would cost a login
    with handstamp.Client("portside") as client, signed_in("portside") as context:
        page = context.new_page()
        for _ in range(4):
            page.goto("/account")
            assert "Log out" in page.content()
            assert "Log out" in client.get("/account").text
    assert demo.control.stats().portside.logins == 1


def test_an_open_page_gets_the_token_that_a_client_has_renewed(demo: DemoServers) -> None:
    demo.control.set(token_seconds=60.0, refresh_rotation=True)
    with handstamp.Client("portside") as client, signed_in("portside") as context:
        page = context.new_page()
        page.goto("/about")
        before = page.evaluate("localStorage.getItem('token')")
        demo.control.advance(61)
        assert client.get("/api/account").status_code == 200
        assert page.evaluate("localStorage.getItem('token')") not in {None, before}


def test_another_process_sees_a_change_within_two_seconds(demo: DemoServers) -> None:
    code = "import handstamp\nwith handstamp.Client('portside') as client: print('Log out' in client.get('/account').text)"
    with signed_in("portside") as context:
        page = context.new_page()
        page.goto("/account")
        demo.control.set(rotate=True)
        for _ in range(2):
            time.sleep(2)  # the promise under test
            assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "True"
            time.sleep(2)
            page.goto("/account")
            assert "Log out" in page.content()
    assert demo.control.stats().portside.logins == 1
