"""Opening a session in a browser of ours: whatever breaks it off, nothing stays held."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from handstamp import async_api
from handstamp.errors import BrowserMissing, ConfigError, LeaseHeld
from handstamp.home import home
from handstamp.sites import find_site
from handstamp.sync_api import attach, signed_in

if TYPE_CHECKING:
    from handstamp.vault import Vault

SID = {"name": "sid", "value": "1", "domain": "a.localhost"}
REFUSED = {"name": "__Host-bad", "value": "1", "domain": "a.localhost"}


def free(vault: Vault) -> bool:
    return vault.lease_info("work") is None


def test_who_is_cancelled_while_waiting_for_the_profile_does_not_get_it_later(web, vault, saved_elsewhere) -> None:
    saved_elsewhere(cookies=(SID,))

    async def wait_for_it() -> None:
        async with async_api.signed_in(web.origin(), profile="work"):
            raise AssertionError("somebody else has it")

    async def scenario() -> None:
        held = vault.lease("work")
        waiting = asyncio.ensure_future(wait_for_it())
        await asyncio.sleep(0.5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        held.release()

    asyncio.run(scenario())
    assert free(vault)
    with vault.lease("work", wait=5):  # would be taken by the one who was cancelled, within his pause
        assert not free(vault)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8])
def test_an_opening_that_is_cancelled_holds_nothing_afterwards(web, vault, saved_elsewhere, after) -> None:
    saved_elsewhere(cookies=(SID,))

    async def open_it() -> None:
        async with async_api.signed_in(web.origin(), profile="work"):
            await asyncio.Event().wait()

    async def scenario() -> None:
        opening = asyncio.ensure_future(open_it())
        await asyncio.sleep(after)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        vault.lease("work", wait=10).release()  # what is let go of behind is let go of soon

    asyncio.run(scenario())


def test_a_program_that_is_not_there_is_named_by_where_it_was_named(web, vault, saved_elsewhere, monkeypatch, tmp_path) -> None:
    saved_elsewhere(cookies=(SID,))
    with pytest.raises(BrowserMissing, match="/no/such' that the argument names"), signed_in(web.origin(), profile="work", browser="/no/such"):
        pass
    (tmp_path / "home" / "handstamp.toml").write_text('browser = "/no/such/setting"\n')
    (tmp_path / "home" / "handstamp.toml").chmod(0o600)
    monkeypatch.delenv("HANDSTAMP_BROWSER", raising=False)
    with pytest.raises(BrowserMissing, match=r"/no/such/setting.* that handstamp\.toml names"), signed_in(web.origin(), profile="work"):
        pass
    monkeypatch.setenv("HANDSTAMP_BROWSER", "/no/such/variable")
    with pytest.raises(BrowserMissing, match=r"/no/such/variable.* that HANDSTAMP_BROWSER names"), signed_in(web.origin(), profile="work"):
        pass
    assert free(vault)


def test_a_second_exclusive_opening_is_refused_and_the_first_goes_on(web, vault, saved_elsewhere) -> None:
    saved_elsewhere(cookies=(SID,), local={web.origin(): {"token": "T"}})
    with signed_in(web.origin(), profile="work") as context:
        with pytest.raises(LeaseHeld), signed_in(web.origin(), profile="work", wait=0):
            pass
        page = context.new_page()
        page.goto(web.origin())
        assert page.evaluate("first.local") == {"token": "T"}
    assert free(vault)


def test_what_cannot_be_kept_is_told_with_the_next_save_and_not_only_at_the_end(web, vault, saved_elsewhere, eventually) -> None:
    saved_elsewhere(cookies=(SID, REFUSED))
    with signed_in(web.origin(), profile="work") as context:
        vault.update_session("work", find_site(web.origin(), home=home()).name, lambda session: session)
        page = context.new_page()
        page.goto(web.origin())
        page.evaluate("localStorage.setItem('changed', '1')")
        losses = eventually(lambda: [loss for session in vault.sessions("work") for loss in session.losses])
        assert [(loss.what, loss.where) for loss in losses] == [("cookie", "__Host-bad of a.localhost")]


@pytest.mark.parametrize(
    "options", [{"permissions": ["no-such-permission"]}, {"timezone_id": "Mars/Olympus"}, {"no_such_option": 1}, {"color_scheme": "plaid"}]
)
def test_options_that_are_refused_are_a_fault_of_the_caller(web, vault, saved_elsewhere, options) -> None:
    saved_elsewhere(cookies=(SID,))
    with pytest.raises(ConfigError, match="context_options"), signed_in(web.origin(), profile="work", context_options=options):
        pass
    assert free(vault)


def test_a_fork_that_leaves_says_what_to_do(web, saved_elsewhere) -> None:
    saved_elsewhere(cookies=(SID,))
    done = subprocess.run([sys.executable, "-W", "error", "-c", FORKED, web.origin()], capture_output=True, text=True, check=False, timeout=50)
    said = done.stdout.splitlines()
    assert said[0].startswith("ConfigError: this process was forked"), done.stderr
    assert said[1:] == ["sid=1"]  # the parent goes on as if nothing had been
    assert "never awaited" not in done.stderr + done.stdout


FORKED = """
import os, sys
from handstamp.sync_api import signed_in
try:
    with signed_in(sys.argv[1], profile="work") as context:
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            page = context.new_page()
            page.goto(sys.argv[1])
            print(page.evaluate("first.cookie"))
except Exception as error:
    print(f"{type(error).__name__}: {error}", flush=True)
if not child:
    os._exit(0)
"""


def test_attach_lets_go_of_the_profile_when_the_way_in_is_none(vault, saved_elsewhere) -> None:
    saved_elsewhere(cookies=(SID,))
    with pytest.raises(Exception, match=r"127\.0\.0\.1"), attach("http://127.0.0.1:9", profile="work"):
        pass
    assert free(vault)
