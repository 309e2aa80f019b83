"""The browser of a Playwright MCP server, reached through a client session of the `mcp` SDK, as the managers take a browser.

Nothing here imports that SDK: the session is the caller's. What passes through it is sealed (see `sealing`).
"""

from handstamp.managers.playwright_mcp.browser import McpBrowser

__all__ = ["McpBrowser"]
