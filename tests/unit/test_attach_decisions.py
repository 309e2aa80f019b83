"""What attaching decides without a browser: which cookies go in, what a target is, how a browser can be reached."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from handstamp._attach import debugging_url
from handstamp._signed_in import Order
from handstamp._target import Kind, target_of
from handstamp.browser import at_once, now
from handstamp.browser.driver_cookies import from_playwright, from_webdriver, to_playwright, to_webdriver
from handstamp.browser.eager_storage import Storage
from handstamp.browser.endpoint import is_endpoint, socket_url
from handstamp.browser.guest import cookies_to_give
from handstamp.browser.ways import CommandLine
from handstamp.errors import ConfigError
from handstamp.state import Cookie, Entry, Part, PartId, PartitionKey, PartKind, Stamp, StorageState

NOW = 1_000.0


def saved(*cookies: Cookie, at: int = 100) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.COOKIES, "a.example"), {cookie.key: Entry(cookie, Stamp(at)) for cookie in cookies})])


def sid(value: str, expires: float | None = None) -> Cookie:
    return Cookie("sid", value, "a.example", expires=expires)


def test_a_cookie_that_is_missing_is_given_and_one_that_has_ended_is_not() -> None:
    assert cookies_to_give(saved(sid("S")), [], since=None, now=NOW) == [sid("S")]
    assert cookies_to_give(saved(sid("S", NOW - 1)), [], since=None, now=NOW) == []


def test_a_cookie_that_is_there_with_the_same_value_is_left_alone() -> None:
    assert cookies_to_give(saved(sid("S", NOW + 9)), [sid("S")], since=None, now=NOW) == []


def test_over_a_strange_browsers_cookie_the_saved_one_goes_unless_that_ends_later() -> None:
    assert cookies_to_give(saved(sid("S")), [sid("other")], since=None, now=NOW) == [sid("S")]
    assert cookies_to_give(saved(sid("S", NOW + 10)), [sid("other", NOW + 10)], since=None, now=NOW) == [sid("S", NOW + 10)]
    assert cookies_to_give(saved(sid("S", NOW + 10)), [sid("renewed", NOW + 20)], since=None, now=NOW) == []


def test_in_a_browser_that_held_the_profile_only_what_was_saved_since_is_newer() -> None:
    assert cookies_to_give(saved(sid("S"), at=100), [sid("rotated")], since=200, now=NOW) == []
    assert cookies_to_give(saved(sid("new"), at=300), [sid("old")], since=200, now=NOW) == [sid("new")]


@pytest.mark.parametrize(
    ("text", "endpoint", "nobodys"),
    [
        ("/usr/bin/chromium --headless --remote-debugging-port=9222 about:blank", "http://127.0.0.1:9222", False),
        ("/usr/bin/chromium --remote-debugging-pipe --no-startup-window --user-data-dir=/tmp/x", None, True),
        ("/usr/bin/chromium --remote-debugging-pipe --user-data-dir=/tmp/x about:blank", None, False),
        ("/usr/bin/chromium --remote-debugging-port=0 --user-data-dir=/nowhere", None, False),
        ("", None, False),
    ],
)
def test_a_command_line_says_how_its_browser_is_reached(text, endpoint, nobodys) -> None:
    line = CommandLine(text)
    assert (line.endpoint, line.no_window_of_its_own) == (endpoint, nobodys)


def test_a_port_that_the_browser_chose_is_read_from_its_directory(tmp_path) -> None:
    (tmp_path / "DevToolsActivePort").write_text("4711\n/devtools/browser/x")
    line = CommandLine(f'/usr/bin/chromium --remote-debugging-port=0 --user-data-dir="{tmp_path}" --headless=new')
    assert (line.endpoint, line.headless) == ("http://127.0.0.1:4711", True)
    assert not CommandLine("/usr/bin/chromium --no-startup-window").headless
    assert CommandLine("/usr/lib/chromium/chromium-headless-shell --no-sandbox").headless


def test_a_target_is_told_by_its_kind_and_anything_else_is_refused_with_what_to_give() -> None:
    assert target_of("http://127.0.0.1:9222").kind is Kind.ENDPOINT
    for given, instead in (
        (SimpleNamespace(cdp_url="http://x"), "give its cdp_url"),
        (4711, "this int cannot be attached to"),
        ("chrome", "'chrome' is not the URL"),
    ):
        with pytest.raises(ConfigError, match=instead):
            target_of(given)


def test_a_selenium_driver_says_where_its_browser_listens() -> None:
    assert debugging_url({"goog:chromeOptions": {"debuggerAddress": "localhost:4711"}}) == "http://localhost:4711"
    assert debugging_url({"ms:edgeOptions": {"debuggerAddress": "localhost:4712"}}) == "http://localhost:4712"
    assert debugging_url({"se:cdp": "ws://grid/session/1/se/cdp", "goog:chromeOptions": {}}) == "ws://grid/session/1/se/cdp"
    assert debugging_url({"browserName": "firefox"}) is None


def test_a_browser_argument_is_a_program_or_one_that_runs() -> None:
    assert not Order("https://a.example", browser="/usr/bin/chromium").foreign
    assert Order("https://a.example", browser="ws://127.0.0.1:1/x").foreign
    with pytest.raises(ConfigError, match="cannot be attached to"):
        Order("https://a.example", browser=object())


def test_an_endpoint_that_cannot_be_one_is_refused_without_its_secrets() -> None:
    assert is_endpoint("WSS://x")
    assert not is_endpoint("/usr/bin/chromium")
    assert asyncio.run(socket_url("wss://host/session?token=hush")) == "wss://host/session?token=hush"
    for wrong in ("ftp://host", "http://", "ws://host/devtools/page/hush"):
        with pytest.raises(ConfigError) as refusal:
            asyncio.run(socket_url(wrong))
        assert "hush" not in str(refusal.value)


def test_one_flow_serves_results_and_awaitables() -> None:
    async def later() -> int:
        await asyncio.sleep(0)
        return 2

    async def flow(given: object) -> int:
        return int(await now(given)) + 1

    assert at_once(flow(1)) == 2
    assert asyncio.run(flow(later())) == 3
    coroutine = later()
    with pytest.raises(RuntimeError, match="came to wait"):
        at_once(flow(coroutine))


def test_what_a_driver_does_not_tell_of_a_cookie_stays_as_it_was_saved() -> None:
    known = Cookie("sid", "old", "a.example", host_only=False, expires=5_000.5, priority="High", source_scheme="Secure", source_port=443, secure=True)
    told = {**to_playwright(known), "value": "new", "sameSite": "Lax"}
    seen = from_playwright(told, {known.key: known})
    assert (seen.value, seen.priority, seen.source_port, seen.same_site, seen.expires) == ("new", "High", 443, None, 5_000.5)
    driver = from_webdriver({**to_webdriver(known), "domain": ".a.example"}, {known.key: known})
    assert driver == known


def test_a_partitioned_cookie_keeps_its_partition_with_playwright() -> None:
    cookie = Cookie("sid", "S", "a.example", partition_key=PartitionKey("https://top.example"))
    assert from_playwright({**to_playwright(cookie), "sameSite": "None"}, {}).partition_key == cookie.partition_key


def test_the_eager_script_names_only_what_is_left_to_give() -> None:
    parts = [Part(PartId(PartKind.LOCAL, f"https://{name}.example"), {("k",): Entry(name, Stamp(1))}) for name in "ab"]
    tabs = {("old", "k"): Entry("1", Stamp(1)), ("new", "k"): Entry("2", Stamp(2))}
    storage = Storage.of(StorageState.of([*parts, Part(PartId(PartKind.SESSION, "https://a.example"), tabs)]))
    assert (dict(storage.tabs), storage.session["https://a.example"]) == ({"https://a.example": "new"}, [("k", "2")])
    assert "https://b.example" in storage.script([])
    assert "https://a.example" not in storage.script(["https://a.example"])
    assert storage.script(["https://a.example", "https://b.example"]) == ""
