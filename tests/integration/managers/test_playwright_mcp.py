"""`BrowserManager` over a Playwright MCP server: what is in its browser is saved, and comes back in a server that was started afresh."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client as McpClient
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server import MCPServer

from handstamp.errors import BrowserError, BrowserGone, ConfigError
from handstamp.managers import BrowserManager, ProfileManager
from handstamp.state import Health
from handstamp.sync_api import BrowserManager as SyncBrowserManager
from handstamp.sync_api import ProfileManager as SyncProfileManager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

    Start = Callable[[], AbstractAsyncContextManager["Client"]]

LOG_IN = """() => {
  document.querySelector('#username').value = 'demo';
  document.querySelector('#password').value = 'harbour-light-7';
  setTimeout(() => document.querySelector('main button[type=submit]').click());
  return true;
}"""
DATABASE = """() => new Promise((done) => {
  const open = indexedDB.open('auth', 1);
  open.onupgradeneeded = () => open.result.createObjectStore('keys').put('planted-in-database', 'k');
  open.onsuccess = () => { open.result.close(); done('made'); };
})"""
READ_DATABASE = """() => new Promise((done) => {
  const open = indexedDB.open('auth');
  open.onsuccess = () => {
    if (open.result.objectStoreNames.length === 0) return done(null);
    const get = open.result.transaction('keys').objectStore('keys').get('k');
    get.onsuccess = () => { open.result.close(); done(get.result); };
  };
})"""


class Client:
    """A client session as a host has it: it keeps a transcript."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self.transcript = ""

    async def list_tools(self) -> Any:
        return await self._session.list_tools()

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        result = await self._session.call_tool(name, arguments)
        self.transcript += f"{name} {json.dumps(arguments)}\n{result.model_dump_json()}\n"
        return result

    async def goto(self, url: str) -> None:
        await self._session.call_tool("browser_navigate", {"url": url})

    async def evaluate(self, function: str) -> Any:
        result = await self._session.call_tool("browser_evaluate", {"function": function})
        assert not result.is_error, result.content[0].text
        return json.loads(result.content[0].text.removeprefix("### Result\n").partition("\n### ")[0])

    async def log_in(self, demo: DemoServers) -> None:
        await self.goto(f"{demo.portside.url}/login")
        await self.evaluate(LOG_IN)
        while not await self._has_token():  # noqa: ASYNC110  (the page is another process's)
            await asyncio.sleep(0.2)

    async def _has_token(self) -> bool:
        """Whether the page has loaded and done what a login begins; while it loads, it cannot be asked."""
        asked = await self._session.call_tool("browser_evaluate", {"function": "() => location.pathname !== '/login' && Boolean(localStorage.token)"})
        return not asked.is_error and "true" in asked.content[0].text.partition("### Ran")[0]

    async def is_in(self, demo: DemoServers) -> bool:
        await self.goto(f"{demo.portside.url}/account")
        return bool(await self.evaluate("() => location.pathname === '/account'"))


@pytest.fixture
def parameters(mcp_server: tuple[str, list[str]], executable: str, browser_args: list[str], tmp_path: Path) -> StdioServerParameters:
    command, arguments = mcp_server
    folder = ["--save-session", "--output-dir", str(tmp_path / "output")]
    options = ["--headless", "--isolated", "--timeout-settle", "50", "--executable-path", executable, *folder, *browser_args]
    return StdioServerParameters(command=command, args=[*arguments, *options], cwd=tmp_path)


@pytest.fixture
def start(parameters: StdioServerParameters) -> Start:
    """`async with start() as client`: a Playwright MCP server with a fresh browser, which ends with the block."""

    @contextlib.asynccontextmanager
    async def started() -> AsyncIterator[Client]:
        async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
            await session.initialize()
            yield Client(session)

    return started


@pytest.fixture
def profiles(vault: Vault) -> ProfileManager:
    return ProfileManager(vault=vault)


@pytest.mark.parametrize("mcp_server", ["npm", "playwright"], indirect=True)
def test_a_login_made_in_one_server_is_valid_in_the_next_one(
    start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None], tmp_path: Path
) -> None:
    async def story() -> None:
        async with start() as client:
            await client.log_in(demo)
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            manager.set_current_profile("work")
            assert await manager.save_session_for_current_domain() is True
            said = client.transcript
        async with start() as client:
            assert not await client.is_in(demo)
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.restore_session_for_domain("portside", "work") is True
            assert await manager.verify_domain_session_health("portside", "work") is True
            assert await client.is_in(demo)
            said += client.transcript
        _knows_no_secret_of(profiles, said, "work")

    run_async(story())
    session = profiles.get_session_state("work", "portside")
    assert session is not None
    assert session.health is Health.VALID
    assert demo.control.stats().portside.logins == 1
    log = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "output").rglob("*") if path.is_file())
    _knows_no_secret_of(profiles, log, "work")


def _knows_no_secret_of(profiles: ProfileManager, transcript: str, profile_name: str) -> None:
    """What is saved is nowhere in a transcript, though it went through there."""
    state = profiles.vault.load(profile_name)
    secrets = [cookie.value for cookie in state.cookies()]
    secrets += [value for part in state.parts.values() for value in part.live().values() if isinstance(value, str)]
    assert any(cookie.http_only for cookie in state.cookies())
    assert sum(len(secret) > 20 for secret in secrets) >= 2  # a cookie and a token
    assert "browser_run_code" in transcript
    assert [secret for secret in secrets if len(secret) > 5 and secret in transcript] == []


def test_where_nothing_is_saved_nothing_is_restored(start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def story() -> None:
        async with start() as client:
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.save_session_for_current_domain() is False  # the page is at no site
            assert await manager.restore_session_for_domain("portside") is False
            assert await manager.verify_domain_session_health("portside") is False

    run_async(story())
    assert profiles.vault.sessions() == []
    assert demo.control.stats().portside.logins == 0


def test_a_session_that_has_ended_is_noted_as_expired(start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def story() -> None:
        async with start() as client:
            await client.log_in(demo)
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.save_session_for_current_domain()
            demo.control.revoke()
            assert await manager.verify_domain_session_health("portside") is False

    run_async(story())
    session = profiles.get_session_state("default", "portside")
    assert session is not None
    assert (session.health, session.needs_refresh) == (Health.EXPIRED, True)


def test_everything_is_saved_under_its_own_origin_wherever_the_page_is(
    start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]
) -> None:
    other = demo.portside.url.replace("portside", "elsewhere")

    async def story() -> None:
        async with start() as client:
            await client.log_in(demo)
            await client.goto(f"{other}/about")
            await client.evaluate(
                "() => { localStorage.__proto__x = 'l'; sessionStorage.tab = '\\ud800'; return document.cookie = 'own=planted; max-age=999'; }"
            )
            assert await client.evaluate(DATABASE) == "made"
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.save_session_for_current_domain()
        async with start() as client:
            await client.goto(f"{other}/about")
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.restore_session_for_domain("portside")
            assert await client.evaluate("() => [localStorage.length, document.cookie]") == [0, ""]
            assert await manager.restore_session_for_domain("elsewhere.localhost")
            assert await client.evaluate("() => [localStorage.__proto__x, sessionStorage.tab.charCodeAt(0), document.cookie]") == ["l", 0xD800, "own=planted"]
            assert await client.evaluate(READ_DATABASE) == "planted-in-database"
            assert await client.evaluate("() => localStorage.token ?? null") is None
            tabs = (await client.call_tool("browser_tabs", {"action": "list"})).content[0].text
            assert tabs.count("\n- ") == 1  # no page of ours stays
            assert await client.is_in(demo)
            assert await client.evaluate("() => localStorage.token.length > 0")
            _knows_no_secret_of(profiles, client.transcript, "default")
        async with start() as client:  # whose page is at none of these origins
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.restore_session_for_domain("elsewhere.localhost")
            await client.goto(f"{other}/about")
            assert await client.evaluate("() => localStorage.__proto__x") == "l"
            assert await client.evaluate(READ_DATABASE) == "planted-in-database"

    run_async(story())
    assert {part.id.scope for part in profiles.vault.load("default").parts.values()} >= {other, demo.portside.url}
    assert demo.control.stats().portside.logins == 1


def test_a_check_of_ones_own_gets_the_servers_page(start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def check(_: ProfileManager, profile_name: str, page: Any) -> bool:
        await page.goto(f"{demo.portside.url}/account")
        return (profile_name, page.url, await page.title()) == ("work", f"{demo.portside.url}/account", "Account · Portside Terminal")

    async def story() -> None:
        async with start() as client:
            await client.log_in(demo)
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            await manager.save_session_for_current_domain("work")
            profiles.register_check("portside.localhost", check)
            assert await manager.verify_domain_session_health("portside.localhost", "work") is True
            demo.control.revoke()
            assert await manager.verify_domain_session_health("portside.localhost", "work") is False

    run_async(story())


def test_a_browser_that_the_server_closed_is_followed_by_a_fresh_one(
    start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]
) -> None:
    async def story() -> None:
        async with start() as client:
            await client.log_in(demo)
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            await manager.save_session_for_current_domain()
            await client.call_tool("browser_close", {})
            assert not await client.is_in(demo)
            assert await manager.restore_session_for_domain("portside")
            assert await client.is_in(demo)

    run_async(story())


def test_the_high_level_client_of_the_sdk_does_as_well(
    parameters: StdioServerParameters, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]
) -> None:
    async def story() -> None:
        async with McpClient(parameters) as client:
            await client.call_tool("browser_navigate", {"url": f"{demo.portside.url}/about"})
            await client.call_tool("browser_evaluate", {"function": "() => { localStorage.kept = 'l'; }"})
            assert await BrowserManager(mcp_client=client, profile_manager=profiles).save_session_for_current_domain("work")

    run_async(story())
    assert profiles.vault.load("work").local_storage(demo.portside.url)["kept"] == "l"


def test_an_open_dialog_is_named_and_does_no_harm(start: Start, demo: DemoServers, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def story() -> None:
        async with start() as client:
            await client.goto(f"{demo.portside.url}/about")
            await client.call_tool("browser_evaluate", {"function": "() => void setTimeout(() => alert('here'))"})
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            with pytest.raises(BrowserError, match=r"did not do what it was asked; it said: .*modal"):
                await manager.save_session_for_current_domain()
            await client.call_tool("browser_handle_dialog", {"accept": True})
            assert await manager.save_session_for_current_domain()

    run_async(story())


def test_a_server_that_has_ended_is_named(start: Start, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def story() -> None:
        async with start() as client:
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            assert await manager.restore_session_for_domain("portside") is False
        with pytest.raises(BrowserGone, match="cannot be reached through this session"):
            await manager.restore_session_for_domain("portside")

    run_async(story())


class Gateway(Client):
    """Lets the tools through that need no trust."""

    async def list_tools(self) -> Any:
        listed = await super().list_tools()
        listed.tools = [tool for tool in listed.tools if "code" not in tool.name]
        return listed


def test_a_tool_that_is_missing_is_named(start: Start, profiles: ProfileManager, run_async: Callable[..., None]) -> None:
    async def story() -> None:
        async with start() as client:
            manager = BrowserManager(mcp_client=Gateway(client._session), profile_manager=profiles)
            with pytest.raises(ConfigError, match=r"does not offer browser_run_code_unsafe.*need no --caps: start @playwright/mcp"):
                await manager.restore_session_for_domain("portside")
        async with McpClient(MCPServer("somebody else's")) as client:
            manager = BrowserManager(mcp_client=client, profile_manager=profiles)
            with pytest.raises(ConfigError, match="it is not the Playwright MCP server"):
                await manager.restore_session_for_domain("portside")

    run_async(story())


def test_what_is_given_is_one_browser_or_one_client(profiles: ProfileManager) -> None:
    with pytest.raises(ConfigError, match="no browser was given; give either"):
        BrowserManager(profile_manager=profiles)
    with pytest.raises(ConfigError, match="a browser and an MCP client were given"):
        BrowserManager(object(), object(), profiles)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="this object is no MCP client session"):
        BrowserManager(mcp_client=object(), profile_manager=profiles)
    with pytest.raises(ConfigError, match="MCP client sessions are awaited"):
        SyncBrowserManager(mcp_client=object(), profile_manager=SyncProfileManager(vault=profiles.vault))
