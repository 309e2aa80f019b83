"""Messages to the browser of a Playwright MCP server: by which tool, and what its answers mean."""

from __future__ import annotations

import contextlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from handstamp.errors import BrowserError, BrowserGone, ConfigError
from handstamp.managers.playwright_mcp.remote import RemoteContext
from handstamp.managers.playwright_mcp.sealing import Sealing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from handstamp.managers.playwright_mcp.remote import RemotePage

_TOOLS = ("browser_run_code_unsafe", "browser_run_code")  # the second is the name in older servers
_OLDEST = "0.0.64"  # of the servers that were seen to do; 0.0.50 gives no results of code
_OF_PLAYWRIGHT = "browser_navigate"
# A server may quote our code before the answer: there a quotation mark or brace follows.
_ANSWER = re.compile(r"handstamp-(key|sealed|stranger|old):([A-Za-z0-9+/=]{8,})")


@cache
def _script() -> str:
    text = files(__package__).joinpath("server.js").read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("//"))


class McpBrowser:
    """The browser that a Playwright MCP server drives.

    Args:
        client: an initialized `ClientSession` or `Client` of the `mcp` SDK, connected to the server.

    Raises:
        ConfigError: it is neither.
    """

    def __init__(self, client: Any) -> None:
        if not (hasattr(client, "call_tool") and hasattr(client, "list_tools")):
            raise ConfigError(
                f"this {type(client).__name__} is no MCP client session; give a ClientSession of the mcp SDK, connected to the Playwright MCP server"
            )
        self._client = client
        self._tool: str | None = None
        self._context: RemoteContext | None = None

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[RemotePage]:
        """The page of the server's current tab.

        Raises:
            ConfigError: the server lacks the tool that this needs.
            BrowserGone: the server does not answer.
        """
        context = await self._present_context()
        try:
            yield context.current
        except Exception:
            with contextlib.suppress(BrowserError):  # pages that were opened for a moment go all the same
                await context.settle()
            raise
        await context.settle()

    async def _present_context(self) -> RemoteContext:
        """The context that the server has now: the one from before, unless the browser was closed meanwhile."""
        if self._context is not None and await self._refreshed(self._context):
            return self._context
        sealing = Sealing()
        kind, answer = await self._send({"id": sealing.id, "greeting": sealing.greeting})
        if kind != "key":
            raise ConfigError("the Playwright MCP server runs on a Node.js without Web Crypto; start it on version 20 or a newer one")
        sealing.agree(answer)
        self._context = RemoteContext(lambda steps: self._ask(sealing, steps))
        await self._context.ask()
        return self._context

    async def _refreshed(self, context: RemoteContext) -> bool:
        try:
            await context.ask()
        except BrowserGone:
            return False
        return True

    async def _ask(self, sealing: Sealing, steps: list[list[Any]]) -> dict[str, Any]:
        """The answer to some steps of `server.js`."""
        kind, answer = await self._send({"id": sealing.id, "sealed": sealing.seal(steps)})
        if kind != "sealed":
            raise BrowserGone("the Playwright MCP server has closed the browser in which the session was; call again for the new one")
        opened: dict[str, Any] = sealing.open(answer)
        return opened

    async def _send(self, message: dict[str, str]) -> tuple[str, str]:
        tool = self._tool = self._tool or await self._found_tool()
        result = await self._called(self._client.call_tool(tool, {"code": f"(page) => ({_script()})(page, {json.dumps(message)})"}))
        text = "\n".join(part.text for part in result.content if part.type == "text")
        if (answer := _ANSWER.search(text)) is not None:
            return answer[1], answer[2]
        if not result.is_error:
            raise ConfigError(f"the Playwright MCP server's {tool} gives no results; start @playwright/mcp {_OLDEST} or a newer one")
        said = next((line for line in text.splitlines() if line and not line.startswith("#")), "nothing")
        raise BrowserError(f"the Playwright MCP server did not do what it was asked; it said: {said[:200]}")

    async def _found_tool(self) -> str:
        names = {tool.name for tool in (await self._called(self._client.list_tools())).tools}
        found = next((name for name in _TOOLS if name in names), None)
        if found is not None:
            return found
        if _OF_PLAYWRIGHT not in names:
            raise ConfigError(f"the MCP server has no tool {_OF_PLAYWRIGHT}, so it is not the Playwright MCP server (npm package @playwright/mcp)")
        raise ConfigError(
            f"the Playwright MCP server does not offer {_TOOLS[0]}, without which cookies that scripts cannot read can be neither saved nor set; "
            f"it is one of the core tools, which need no --caps: start @playwright/mcp {_OLDEST} or a newer one, or let the gateway before it pass that tool"
        )

    async def _called(self, call: Any) -> Any:
        try:
            return await call
        except Exception as error:
            raise BrowserGone(f"the Playwright MCP server cannot be reached through this session ({type(error).__name__}); connect a new one") from error
